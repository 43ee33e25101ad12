"""Has a record hold what a Redis holds, as it is once everything is noted; and shows what a Redis holds."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from worker.receivers.ledger import LedgerEntry
from worker.record import (
    Record,
    agreement,
    cursors,
    deliveries,
    endpoint_standings,
    feed_standings,
    positions,
    subscriptions,
)
from worker.record.articles import (
    CuratedList,
    Membership,
    PatternValue,
    RecordedArticle,
    note_articles,
    note_lists,
    note_memberships,
    note_pattern_feeds,
    note_updates,
)
from worker.store import Store, keys


def epoch_of(record: Record) -> str:
    with record.read() as connection:
        return agreement.standing(connection).epoch


def note_all(store: Store, record: Record, feeds: list[str], patterns: tuple[str, ...] = ()) -> None:
    """Note everything, and count a batch."""
    now = store.agreement.now()
    client = store.client
    with record.write() as connection:
        ids = client.zrange(keys.ARTICLES, 0, -1)
        note_articles(connection, [_article(store, name) for name in ids])
        note_memberships(connection, [row for feed in feeds for row in _memberships(store, feed)], now)
        note_updates(connection, client.hgetall(keys.EVOLVED))
        note_lists(connection, [_list(store, name) for name in ("picks",) if client.exists(keys.curated(name))])
        for pattern in patterns:
            values = client.hgetall(keys.pattern(pattern)).items()
            note_pattern_feeds(connection, [PatternValue(pattern, value, written) for value, written in values])
        for feed in store.receivers.feeds():
            _note_followers(store, connection, feed, now)
        marks = store.restoring.marks(feeds)
        feed_standings.note(
            connection, [feed_standings.FeedStanding(feed, marks[feed], now) for feed in feeds if marks[feed]]
        )
        positions.note_position(connection, positions.NOTED, client.incr(keys.NOTED), now)


def _note_followers(store: Store, connection: Any, feed: str, now: int) -> None:
    behind: dict[str, int] = {}
    head = store.changes.head(feed).seq
    for overview in store.receivers.scan(feed):
        kind, _, name = overview.id.partition(":")
        if kind == "endpoint":
            paused = overview.score if overview.state == "paused" else None
            endpoint_standings.note(
                connection,
                [
                    endpoint_standings.EndpointStanding(
                        *(feed, name, overview.cursor, paused, overview.remembered.reason),
                        overview.details.get("since"),
                    )
                ],
            )
            _note_ledger(store, connection, feed, name)
        else:
            ends = int(store.client.zscore(keys.feed(feed).leases, overview.id))
            details = store.client.hget(keys.feed(feed).receivers, overview.id)
            subscriptions.note(connection, [subscriptions.Subscription(feed, overview.id, details, now - 1000, ends)])
        if overview.cursor < head:
            behind[overview.id] = overview.cursor
    cursors.note(connection, [cursors.Standing(feed, head, behind, now)])


def _note_ledger(store: Store, connection: Any, feed: str, endpoint: str) -> None:
    states: dict[str, deliveries.State] = {"taken": "taken", "unknown": "trying", "refused": "refused"}
    rows = []
    for article_id, text in store.client.hgetall(keys.feed(feed).ledger(endpoint)).items():
        entry = LedgerEntry.parse(text)
        taken = entry.sent if entry.outcome == "taken" else None
        rows.append(
            deliveries.Delivery(
                endpoint,
                feed,
                article_id,
                entry.version,
                entry.status,
                states[entry.outcome],
                entry.digest,
                taken,
                entry.sent,
            )
        )
    deliveries.note(connection, rows)


def _article(store: Store, name: str) -> RecordedArticle:
    doc, rev, accepted, fingerprints = store.client.hmget(keys.article(name), "doc", "rev", "accepted", "fingerprints")
    article = json.loads(doc)
    due = store.client.zscore(keys.SCHEDULE, name)
    return RecordedArticle(
        name,
        article["version"],
        rev,
        sha256(doc.encode()).hexdigest(),
        article["pubstatus"],
        "",
        article["headline"],
        article["url"],
        doc,
        fingerprints,
        int(store.client.zscore(keys.ARTICLES, name)),
        int(accepted),
        None if due is None else int(due),
    )


def _memberships(store: Store, feed: str) -> list[Membership]:
    k = keys.feed(feed)
    rows = []
    for name, text in store.client.hgetall(k.article_states).items():
        state = json.loads(text)
        seq, place = store.client.zscore(k.log, name), store.client.zscore(k.members, name)
        rows.append(
            Membership(
                feed,
                name,
                state["state"],
                state["version"],
                state["asof"],
                int(place or 0),
                int(seq),
                state.get("previous_seq"),
                state.get("unseen", False),
            )
        )
    return rows


def _list(store: Store, name: str) -> CuratedList:
    time, articles = store.client.hmget(keys.curated(name), "time", "articles")
    return CuratedList(name, round(float(time) * 1000), tuple(json.loads(articles)))


VOLATILE = ("trail", "cold", "fence", "refresh_due", "placed", "arranged", "kill", "killed", "left")


def contents(store: Store, feeds: list[str]) -> dict[str, Any]:
    """What a Redis knows of articles, feeds and receivers, without what differs each time that it is written."""
    client = store.client
    shown: dict[str, Any] = {"articles": {}, "schedule": client.zrange(keys.SCHEDULE, 0, -1, withscores=True)}
    for name in client.zrange(keys.ARTICLES, 0, -1):
        article = client.hgetall(keys.article(name))
        rev = article.pop("rev")
        for field in ("recorded", "earlier", "event", "result"):
            article.pop(field, None)
        article["feeds"] = json.loads(article["feeds"])
        shown["articles"][name] = article | {"saves": rev.partition("-")[0]}
    shown["evolved"] = client.hgetall(keys.EVOLVED)
    for feed in feeds:
        k = keys.feed(feed)
        meta = {name: value for name, value in client.hgetall(k.meta).items() if name not in VOLATILE}
        shown[feed] = {"meta": meta}
        for field in ("log", "members", "tombstones", "killed", "left", "settled", "paused", "leases"):
            shown[feed][field] = client.zrange(getattr(k, field), 0, -1, withscores=True)
        shown[feed]["states"] = {name: json.loads(text) for name, text in client.hgetall(k.article_states).items()}
        receivers = {name: json.loads(text) for name, text in client.hgetall(k.receivers).items()}
        for details in receivers.values():
            for name in ("enrolled", "since", "cut"):
                details.pop(name, None)
        shown[feed]["receivers"] = receivers
        shown[feed]["counts"] = client.hgetall(k.subscription_counts)
        for name in receivers:
            kind, _, endpoint = name.partition(":")
            if kind == "endpoint":
                shown[feed][f"ledger {endpoint}"] = client.hgetall(k.ledger(endpoint))
    return shown
