"""The payloads of pushes: what brings one receiver of a feed up to date.

A payload is the feed with only what has changed, or the whole feed document. It is made of the articles as they are at
that moment: what is not visible now is not in it, whatever the change log says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from feeds.granting import granted
from feeds.rights import EVERYTHING, Rights
from worker.documents.feed_renderer import NOTICE_AGE
from worker.documents.feed_windows import visible
from worker.store.byte_cache import ByteCache
from worker.store.changes import Ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.definition import FeedDefinition
    from feeds.formats.interface import FeedFormat
    from worker.documents.feed_renderer import FeedRenderer
    from worker.store import Store
    from worker.store.changes import Change, Head

CHANGES_PER_PAYLOAD = 100
"""How many changes one payload has at the most; a receiver that is further behind gets the next ones after it."""

_CHANGES_READ = 1_000
"""How many changes are read at once, to see what is news to a receiver that gets a whole document."""
_PAYLOAD_BYTES = 64 * 1024 * 1024
"""What payloads take in memory that are kept for other receivers at the same place."""

Scope = Literal["changes", "document", "whole", "urgent"]
"""changes: what the receiver does not have yet. document: the feed document. whole: the same for a receiver that holds
it, with what it may have of it. urgent: the urgent departures alone."""


@dataclass(frozen=True, slots=True)
class DelayedArticles:
    """What a receiver must not have yet: these articles, and all changes after the one numbered `last_change`."""

    article_ids: frozenset[str]
    last_change: int

    def allow(self, change: Change) -> bool:
        """Return whether the receiver may have a change now."""
        return change.seq <= self.last_change and change.article_id not in self.article_ids


class PayloadRequest(NamedTuple):
    """Where a receiver stands, and what it may have.

    `cursor`: the change up to which it is up to date. `head`: the feed's last change. `rights`: how much of each
    article it may have. `delayed`: what it must not have yet. `resend`: articles that it gets once more. `urgent`:
    changes by which articles left the feed, which are in the payload however far behind the receiver is. `withdrawal`:
    the last withdrawal from the feed that this process has heard of; a payload from before it is made anew.
    """

    cursor: int
    head: int
    scope: Scope = "changes"
    rights: Rights = EVERYTHING
    delayed: DelayedArticles | None = None
    resend: tuple[str, ...] = ()
    urgent: tuple[Change, ...] = ()
    withdrawal: int = 0


@dataclass(frozen=True, slots=True)
class FeedPayload:
    """The body of a push, and what its receiver has once it has accepted it.

    `cursor`: the change up to which the receiver is up to date then. `accepted` (ms): when the oldest event in the
    payload was accepted. `statuses`: for each article in it the version and the status that the ledger gets: published,
    withdrawn or killed. `text_ids`: the articles whose text is in it. `addresses`: the pages of all of them.
    """

    body: bytes
    cursor: int
    accepted: int
    statuses: dict[str, tuple[int, str]]
    text_ids: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + 300 * len(self.statuses)


@dataclass(frozen=True, slots=True)
class _Selection:
    """The articles of one payload, the top first, and the ids and times (ms) of those that left the feed.

    `cursor`: the change up to which a receiver is up to date with it. `end`: the last change that it may have.
    `below`: the place of the first article that an archive has instead. `notice_age`: as in `FeedRenderer.envelope`.
    `left`: the articles of which the receiver learns that they have left. `news`: those in the payload of which it
    learns something; None: all.
    """

    head: Head
    article_ids: Sequence[str]
    departures: Sequence[tuple[str, int]]
    cursor: int
    end: int
    below: int | None
    notice_age: timedelta
    left: Sequence[str]
    news: frozenset[str] | None = None


class FeedPayloads:
    """Makes payloads. Receivers at the same place share one. Threads may share it."""

    def __init__(self, store: Store, renderer: FeedRenderer) -> None:
        self._store = store
        self._renderer = renderer
        # In a tuple, because None is a result too: there is nothing to push.
        self._payloads: ByteCache[tuple[str, str, PayloadRequest], tuple[FeedPayload | None]] = ByteCache(
            _PAYLOAD_BYTES
        )

    def forget(self, feed: str | None = None) -> None:
        """Make all payloads anew, or those of a feed: its change log has another history or has gone far on."""
        self._payloads.forget(lambda key: feed in (None, key[0]))

    def build(self, definition: FeedDefinition, feed_format: FeedFormat, request: PayloadRequest) -> FeedPayload | None:
        """Return what brings the receiver up to date; None if there is nothing to push. Raises FeedRefused."""
        key = (definition.name, feed_format.name, request)
        cached = self._payloads.get(key)
        if cached is not None:
            return cached[0]
        payload = self._build(definition, feed_format, request)
        self._payloads.keep(key, (payload,), payload.size if payload else 0)
        return payload

    def of_changes(
        self, definition: FeedDefinition, feed_format: FeedFormat, rights: Rights, changes: Sequence[Change]
    ) -> bytes | None:
        """Return the body of a push of these changes, as it was when the last of them was the feed's last one.

        None: nothing is left of them. What is among them and has changed since is not in it. Raises FeedRefused.
        """
        first, last = changes[0], changes[-1]
        ahead = self._store.changes.ahead(definition.name, first.seq - 1, CHANGES_PER_PAYLOAD)
        request = PayloadRequest(first.seq - 1, last.seq, rights=rights, delayed=DelayedArticles(frozenset(), last.seq))
        selection = self._select_changes(definition.name, request, ahead)
        head = replace(selection.head, seq=last.seq, changed=last.asof)
        payload = self._render(definition, feed_format, rights, replace(selection, head=head), quiet=True)
        return payload.body if payload else None

    def _build(
        self, definition: FeedDefinition, feed_format: FeedFormat, request: PayloadRequest
    ) -> FeedPayload | None:
        while selection := self._select(definition, request):
            payload = self._render(definition, feed_format, request.rights, selection)
            if payload or selection.cursor >= selection.end:
                return payload
            # The receiver may have none of these changes: look at the ones after them.
            request = request._replace(cursor=selection.cursor, resend=())
        return None

    def _select(self, definition: FeedDefinition, request: PayloadRequest) -> _Selection | None:
        """Select what the next payload has; None if what is new in the feed must be pushed to nobody."""
        feed, cursor, scope = definition.name, request.cursor, request.scope
        if scope == "urgent":
            return self._select_changes(feed, request, Ahead(self._store.changes.head(feed), [], {}))
        ahead = self._store.changes.ahead(feed, cursor, CHANGES_PER_PAYLOAD if scope == "changes" else 1)
        head = ahead.head
        if ahead.changes or request.resend:
            if scope == "changes":
                return self._select_changes(feed, request, ahead)
        elif head.placed > max(cursor, head.arranged) and (cursor or scope == "changes"):
            # The feed was filled with articles that had been there before it. That is pushed to nobody.
            return None
        # Without a change but behind: the editors have arranged the feed anew, and only the document shows that.
        return self._select_whole(definition, request) if scope == "whole" else self._select_document(definition)

    def _select_document(self, definition: FeedDefinition) -> _Selection:
        """Select what the feed document shows."""
        window = self._store.changes.window(definition.name, definition.limit)
        seq = window.head.seq
        left = [name for name, _ in window.gone]
        return _Selection(window.head, window.members, window.gone, seq, seq, window.below, NOTICE_AGE, left)

    def _select_whole(self, definition: FeedDefinition, request: PayloadRequest) -> _Selection:
        """Select what the feed document shows of what the receiver may have, and what of it is news to it."""
        feed, delayed = definition.name, request.delayed
        selection = self._select_document(definition)
        members = selection.article_ids
        if delayed is not None:
            latest = self._store.changes.latest_of(feed, members)
            members = [name for name in members if name not in latest or delayed.allow(latest[name])]
        news, left = set(request.resend), {change.article_id: None for change in request.urgent}
        cursor = request.cursor
        while changes := self._store.changes.since(feed, cursor, _CHANGES_READ):
            cursor = changes[-1].seq
            news.update(change.article_id for change in changes if change.state == "in")
            left |= {change.article_id: None for change in changes if change.state != "in" and change.was_in_feed}
        return replace(selection, article_ids=members, left=list(left), news=frozenset(news))

    def _select_changes(self, feed: str, request: PayloadRequest, ahead: Ahead) -> _Selection:
        """Select the changes that the receiver may have now, and what else it is to get: urgent and repeated articles.

        `ahead`: those after its cursor, as many as one payload may have.
        """
        head, changes = ahead.head, ahead.changes
        delayed = request.delayed
        allowed = [change for change in changes if delayed is None or delayed.allow(change)]
        ids = {change.article_id for change in allowed}
        entered = {change.article_id for change in allowed if change.state == "in"}
        places = {name: place for name, place in ahead.places.items() if name in entered}
        places |= self._store.changes.places(feed, [name for name in request.resend if name not in places])
        article_ids = sorted(places, key=lambda name: (places[name], name), reverse=True)
        # `was_in_feed`: of articles that never were in the feed only the endpoints learn that may have them early.
        departures = [
            (change.article_id, change.asof)
            for change in (*allowed, *(change for change in request.urgent if change.article_id not in ids))
            if change.state != "in" and change.was_in_feed
        ]
        if request.scope == "urgent":
            cursor = end = request.cursor
        else:
            end = head.seq if delayed is None else min(head.seq, delayed.last_change)
            cursor = min(changes[-1].seq, end) if len(changes) == CHANGES_PER_PAYLOAD else end
        # A receiver that gets changes only has no other way to learn what left longer ago: all departures have notices.
        left = [name for name, _ in departures]
        return _Selection(head, article_ids, departures, cursor, end, None, timedelta.max, left)

    def _render(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        rights: Rights,
        selection: _Selection,
        *,
        quiet: bool = False,
    ) -> FeedPayload | None:
        """Render what was selected; None if nothing of it is visible or passes the gate, and nothing has left.

        `quiet`: a person only looks, and no operator is alerted of what the gate keeps out.
        """
        head, departures = selection.head, selection.departures
        articles = self._store.articles.get_many(selection.article_ids)
        shown = visible(selection.article_ids, articles, head.changed)
        if rights != EVERYTHING:
            shown = [replace(stored, article=granted(stored.article, rights)) for stored in shown]
        older_url = self._renderer.archive_url(definition, feed_format, selection.below)
        channel = self._renderer.channel(
            definition, feed_format, head.changed, rights, quiet=quiet, older_url=older_url
        )
        selected = self._renderer.fragments.select(feed_format, channel, shown, rights, quiet=quiet)
        if not selected.articles and not departures and not selection.left:
            return None
        gone = self._store.articles.get_many(selection.left) if selection.left else {}
        news, fragments, in_it = selection.news, selected.fragments, selected.articles
        envelope = self._renderer.envelope(
            feed_format, channel, departures, selection.notice_age, gone if news is None else None
        )
        if news is not None and feed_format.bytes_most is not None:
            fragments = fragments[: envelope.count_that_fit(fragments, feed_format.bytes_most)]
            in_it = in_it[: len(fragments)]
        fresh = [stored for stored in in_it if news is None or stored.article.id in news]
        statuses = {stored.article.id: (stored.article.version, "published") for stored in fresh}
        for name, stored in gone.items():
            status = "killed" if stored.article.pubstatus == "canceled" else "withdrawn"
            statuses[name] = stored.article.version, status
        return FeedPayload(
            envelope.around(fragments),
            selection.cursor,
            min((stored.accepted for stored in fresh), default=head.changed),
            statuses,
            frozenset(stored.article.id for stored in in_it),
            tuple(stored.article.url for stored in (*gone.values(), *fresh) if stored.article.url),
        )
