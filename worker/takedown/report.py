"""Who has what: the coverage of one article, and what a replay would send. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.receivers.ledger import LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.article import Article
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.attempts import Attempt, Dispute
    from worker.store.page_checks import PageSighting
    from worker.store.receivers import ReceiverOverview
    from worker.store.refusals import Refusal


Standing = Literal["up to date", "behind", "refused", "parked", "paused"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one receiver, or all subscriptions of one feed together, have of an article. Times in ms, 0: never.

    `version` and `status` are the ledger's, 0 and "" for one that never had it, and for subscriptions. `confirmed`: it
    has taken the article as it is now, and of a kill: it has nothing of the text, or never had any. `seen`: what was
    seen on its page after a kill, if that is read back; then nothing else confirms the kill.
    """

    feed: str
    receiver: str
    version: int
    status: str
    since: int
    standing: Standing
    why: str
    confirmed: bool
    seen: PageSighting | None = None

    @property
    def last(self) -> int:
        """When it last said or showed what it has (ms)."""
        return max(self.since, self.seen.last) if self.seen else self.since

    @property
    def holds(self) -> str:
        """What it has, in words."""
        if self.status:
            return f"version {self.version}, {self.status}"
        return self.why if self.receiver == SUBSCRIPTIONS else "nothing"


SUBSCRIPTIONS = "(subscriptions)"
"""Stands for all subscriptions of a feed."""


@dataclass(frozen=True, slots=True)
class Report:
    """The coverage of an article: who has it as it is now, and who has not. `accepted`: its last event (ms).

    `refused`: the formats of feeds that the gate keeps it out of as it is now.
    """

    article: Article
    accepted: int
    rows: list[Coverage]
    refused: dict[str, Refusal]

    @property
    def open(self) -> list[Coverage]:
        """Who has not confirmed."""
        return [row for row in self.rows if not row.confirmed]

    @property
    def embargo(self) -> datetime | None:
        """Until when readers do not see the article, if an embargo keeps it from them."""
        return self.article.embargoed if self.article.waits(clock.agreed()) else None

    @property
    def seconds(self) -> float | None:
        """From the acceptance of the last event to the last endpoint that confirmed; None while anybody has not."""
        last = max((row.last for row in self.rows), default=0)
        if self.open or not last:
            return None
        return max(0, last - self.accepted) / 1000

    def told(self) -> dict[str, Any]:
        """The report as JSON has it."""
        embargo = self.embargo
        return {
            "article": self.article.notice(),
            "embargoed": embargo.isoformat() if embargo else None,
            "confirmed": len(self.rows) - len(self.open),
            "unconfirmed": len(self.open),
            "seconds_to_the_last": self.seconds,
            "receivers": [
                {
                    "feed": row.feed,
                    "receiver": row.receiver,
                    "version": row.version or None,
                    "status": row.status or None,
                    "since": clock.moment(row.since).isoformat() if row.since else None,
                    "standing": row.standing,
                    "confirmed": row.confirmed,
                    "why": row.why,
                    "page": _page(row.seen) if row.seen else None,
                }
                for row in self.rows
            ],
            "kept_out_of": [
                {"format": name, "since": clock.moment(refusal.time).isoformat(), "reasons": refusal.reasons}
                for name, refusal in self.refused.items()
            ],
        }


def coverage(store: Store, site: Publication, article_id: str) -> Report | None:
    """Return who has which version of the article since when, who is behind and why; None for an unknown article."""
    article_id = store.lineage.original(article_id)
    held = store.articles.get(article_id)
    if held is None:
        return None
    found: list[Coverage] = []
    for feed in (definition.name for definition in site.named(sorted(held.feeds))):
        change = store.changes.latest_of(feed, [article_id]).get(article_id)
        seq = change.seq if change else 0
        subscribed = {"up to date": 0, "behind": 0}
        for receiver in store.receivers.scan(feed):
            if "endpoint" not in receiver.details:
                subscribed["behind" if receiver.cursor < seq else "up to date"] += 1
        rows = _endpoints(store, feed, seq, held.article)
        found += _read_back(store, feed, rows, held.article)
        if sum(subscribed.values()):
            standing: Standing = "behind" if subscribed["behind"] else "up to date"
            told = f"{subscribed['up to date']} up to date, {subscribed['behind']} behind"
            found.append(Coverage(feed, SUBSCRIPTIONS, 0, "", 0, standing, told, not subscribed["behind"]))
    refused = {
        name: refusal
        for name, refusal in store.refusals.of(article_id, list(FEED_FORMATS)).items()
        if refusal.version == held.article.version
    }
    return Report(held.article, held.accepted, found, refused)


def _endpoints(store: Store, feed: str, seq: int, article: Article) -> list[Coverage]:
    """What the feed's endpoints have of the article, read for all of them at once."""
    receivers = store.receivers.get_many(feed, sorted(set(store.receivers.endpoints(feed))))
    names = [receiver.details["endpoint"] for receiver in receivers]
    ledgers = store.receivers.ledgers(feed, {name: [article.id] for name in names})
    parked = store.attempts.parked_at(feed, names, article.id)
    standings = store.attempts.standings(feed, names)
    return [
        _endpoint(
            feed,
            receiver,
            seq,
            article,
            ledgers[name].get(article.id),
            parked.get(name),
            standings[name].disputes.get(article.id),
        )
        for name, receiver in zip(names, receivers, strict=True)
    ]


def _endpoint(
    feed: str,
    receiver: ReceiverOverview,
    seq: int,
    article: Article,
    text: str | None,
    parked: Attempt | None,
    dispute: Dispute | None,
) -> Coverage:
    entry = LedgerEntry.parse(text) if text else LedgerEntry(0, "", 0, "")
    # An endpoint that takes several articles at once may be told of what is beyond its cursor.
    told = entry.version >= article.version and "-" not in entry.status
    behind = receiver.cursor < seq and not told
    standing: Standing = "behind" if behind else "up to date"
    why = receiver.remembered.reason if behind else ""
    if receiver.state == "paused":
        standing = "paused"
    elif parked:
        standing = "parked"
        why = f"{parked.status} {parked.answer[:80]}".strip() if parked.status else parked.error
    elif dispute:
        standing = "refused"
        again = f"tried again at {clock.moment(dispute.due):%Y-%m-%d %H:%M:%S} UTC"
        why = f"{dispute.reason}, {dispute.tries} times while others were taken; {again}"
    if article.pubstatus == "canceled":
        # Who never had it has nothing to confirm; but while it is being served, a request may be on its way.
        confirmed = entry.status == "killed" or (not entry.status and receiver.state != "claimed")
    else:
        confirmed = standing == "up to date"
    return Coverage(
        feed, receiver.details["endpoint"], entry.version, entry.status, entry.sent, standing, why, confirmed
    )


def _read_back(store: Store, feed: str, rows: list[Coverage], article: Article) -> list[Coverage]:
    """The rows, with what was seen on the endpoints' pages."""
    if article.pubstatus != "canceled":
        return rows
    pages = store.page_checks.sightings(feed, [row.receiver for row in rows], article.id)
    return [
        _proven(row, page) if (page := pages.get(row.receiver)) and page.version == article.version else row
        for row in rows
    ]


def _proven(row: Coverage, page: PageSighting) -> Coverage:
    # What was seen before it answered the kill may change by what it was sent before. That it refuses a kill of what it
    # does not show is no matter.
    answered = row.confirmed or row.status == "refused-killed"
    confirmed = answered and page.verdict == "gone" and page.last >= row.since
    at = f"at {clock.moment(page.last):%Y-%m-%d %H:%M:%S} UTC"
    said = {
        "": "its page was not looked at yet",
        "gone": f"gone from {page.url} {at}: {page.why}",
        "there": f"text still at {page.url} {at}: {page.why}",
        "unproven": f"not proven gone from {page.url} {at}: {page.why}",
    }[page.verdict]
    return replace(row, confirmed=confirmed, why="; ".join(filter(None, (row.why, said))), seen=page)


def _page(seen: PageSighting) -> dict[str, Any]:
    """What was seen on a page, as JSON has it."""
    return {
        "url": seen.url or None,
        "verdict": seen.verdict or None,
        "why": seen.why,
        "looked": clock.moment(seen.last).isoformat() if seen.last else None,
        "looks": seen.looks,
    }


def replayable(
    store: Store, feed: str, endpoint: str, *, since: datetime | None, article_id: str | None, parked: bool
) -> dict[str, int]:
    """Return the articles that a replay would send, each with its place in the order (its latest change).

    All that changed `since`, and what was published since and was there before the feed; the one article; or those that
    the endpoint had refused.
    """
    if article_id is not None:
        wanted = [store.lineage.original(article_id)]
    elif parked:
        wanted = list(store.attempts.parked(feed, endpoint))
    else:
        assert since is not None
        count = store.changes.count_since(feed, clock.ms(since))
        wanted = [change.article_id for change in store.changes.latest(feed, count)] if count else []
        untold = store.changes.unannounced(feed)
        moments = zip(untold, store.articles.published(untold), strict=True)
        wanted += [name for name, moment in moments if moment >= clock.ms(since)]
    return {name: change.seq for name, change in store.changes.latest_of(feed, wanted).items()}
