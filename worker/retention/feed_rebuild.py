"""Rebuilds one feed: its window, what its receivers have still to get, the receivers, what is set aside for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from worker import clock
from worker.record import cursors, endpoint_standings, feed_standings, page_checks, rebuilding, subscriptions
from worker.record.articles import window
from worker.record.cursors import Standing
from worker.store.changes import TOMBSTONES
from worker.store.page_checks import PageSighting
from worker.store.restoring import RestoredReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.articles import Membership
    from worker.record.page_checks import NotedPageCheck
    from worker.retention.restoration import Restoration
    from worker.store import Store

_AT_ONCE = 200
_SUBSCRIPTIONS_AT_ONCE = 2000
_REMEMBERED = 200_000
"""Articles that were restored and are not restored again, at the most."""
REMOVED = "removed"
"""Why endpoints are paused that are no longer in the settings: nobody waits for what they have not got."""


class Followers(NamedTuple):
    """The receivers of a feed as the record has them; `lowest`: the number after which one waits for changes."""

    receivers: list[RestoredReceiver]
    ended: list[str]
    lowest: int | None


class FeedRebuild:
    """Rebuilds feeds; `window_of` returns how many articles the documents of a feed show."""

    def __init__(self, store: Store, record: Record, articles: Restoration, window_of: Callable[[str], int]) -> None:
        self._store = store
        self._record = record
        self._articles = articles
        self._window_of = window_of
        # An article comes back whole, with all its feeds, and is in several windows.
        self._restored: set[str] = set()

    def begin(self) -> None:
        """Begin a rebuild: nothing was restored by it yet."""
        self._restored.clear()

    def rebuild(self, feed: str, since: int, begun: int) -> Iterator[int]:
        """Rebuild a feed that has lost what was written from `since` (ms) on; 0: everything. `begun`: when that began.

        Yields, after each part, how many articles were restored with it.
        """
        with self._record.read() as connection:
            followers = read_followers(connection, feed, since, clock.ms(clock.agreed()), begun)
            shown = window(connection, feed, self._window_of(feed) + 1)
            departed = rebuilding.departed(connection, feed, TOMBSTONES)
        for start in range(0, len(shown) + len(departed), _AT_ONCE):
            yield self._restore((*shown, *departed)[start : start + _AT_ONCE])
        if followers.lowest is not None:
            # Read in parts, each of its own moment: what changes meanwhile is in Redis.
            last = followers.lowest
            for state in rebuilding.STATES:
                after = (last, "")
                while rows := self._changed_after(feed, state, after):
                    after = (rows[-1].sequence, rows[-1].article_id)
                    yield self._restore(rows)
        self._restore_followers(feed, followers)
        with self._record.read() as connection:
            members = rebuilding.count_members(connection, feed)
            noted = feed_standings.read(connection, [feed]).get(feed)
        # One that was noted last before it stood there says too little; a decision that was made again says too much.
        marks = noted.marks if noted else {}
        late = [row.decided for row in (*shown, *departed) if row.sequence > marks.get("head", -1)]
        marks["changed"] = max([marks.get("changed", 0), *late])
        self._store.restoring.close_feed(feed, marks, members)
        self._renew_statement(feed, begun)
        yield 0

    def _renew_statement(self, feed: str, begun: int) -> None:
        """State where receivers are now; if that can't be short, the former statement holds for no new one."""
        there = self._store.outboxes.standings({feed: -1}, cursors.MOST_BEHIND).get(feed)
        with self._record.write() as connection:
            before = cursors.of_feed(connection, feed)
            capped = before._replace(time=min(before.time, begun))
            cursors.replace(connection, Standing(feed, there.head, there.behind, there.time) if there else capped)

    def _changed_after(self, feed: str, state: str, after: tuple[int, str]) -> list[Membership]:
        with self._record.read() as connection:
            return rebuilding.changed_after(connection, feed, state, after, _AT_ONCE)

    def _restore(self, rows: Sequence[Membership]) -> int:
        ids = [row.article_id for row in rows if row.article_id not in self._restored]
        count = self._articles.restore(ids) if ids else 0
        if len(self._restored) > _REMEMBERED:
            self._restored.clear()
        self._restored.update(ids)
        return count

    def _restore_followers(self, feed: str, followers: Followers) -> None:
        for receiver in followers.ended:
            self._store.receivers.remove(feed, receiver, "ended before Redis lost time")
        self._store.restoring.receivers(feed, followers.receivers)
        with self._record.read() as connection:
            parked = endpoint_standings.parked_of_feed(connection, feed)
            pages = page_checks.of_feed(connection, feed)
        by_endpoint: dict[str, dict[str, str]] = {}
        for row in parked:
            by_endpoint.setdefault(row.endpoint, {})[row.article_id] = row.attempt
        for endpoint, attempts in by_endpoint.items():
            self._store.restoring.parked(feed, endpoint, attempts)
        latest = {(page.endpoint, page.article_id): page for page in pages}
        for page in latest.values():
            if page.due is not None:
                self._store.page_checks.schedule(feed, [page.endpoint], page.article_id, sighting(page), page.due)


def read_followers(connection: Connection, feed: str, since: int, now: int, begun: int) -> Followers:
    """Return who follows a feed at `now`, and whose subscription has ended after `since`.

    What the record states of cursors counts for who had subscribed before `begun`; times in ms.
    """
    standing = cursors.of_feed(connection, feed)
    standing = standing._replace(time=min(standing.time, begun))
    receivers: list[RestoredReceiver] = []
    waiting: list[int] = []
    for row in endpoint_standings.of_feed(connection, feed):
        cursor = standing.cursor(f"endpoint:{row.endpoint}", row.cursor)
        details = json.dumps({"endpoint": row.endpoint, "enrolled": now, "since": row.since or 0})
        receivers.append(RestoredReceiver(f"endpoint:{row.endpoint}", details, cursor, None, row.paused, row.reason))
        if row.reason != REMOVED:
            waiting.append(cursor)
    after = ""
    while page := subscriptions.alive(connection, feed, now, _SUBSCRIPTIONS_AT_ONCE, after=after):
        after = page[-1].receiver
        for subscription in page:
            cursor = standing.cursor(subscription.receiver, subscription.cursor, subscription.began)
            receivers.append(
                RestoredReceiver(subscription.receiver, subscription.details, cursor, subscription.lease_ends)
            )
            if cursor:
                # One at 0 gets the feed as it stands.
                waiting.append(cursor)
    ended = rebuilding.ended_since(connection, feed, since) if since else []
    return Followers(receivers, ended, min(waiting, default=None))


def sighting(page: NotedPageCheck) -> PageSighting:
    """Return what was seen on a page, as the store has it."""
    return PageSighting(
        page.version,
        page.since,
        page.looks,
        page.last,
        page.verdict,  # type: ignore[arg-type]  # one of the verdicts, as it was noted
        page.why,
        page.url,
        page.alarmed,
    )
