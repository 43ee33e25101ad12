"""Previews: the very bytes that an article would be sent as, and what the quality gate says of them. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from feeds.rights import EVERYTHING, Rights
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.receivers.message_cache import judged_push
from worker.receivers.push_status import status_to_push
from worker.store.changes import Change

if TYPE_CHECKING:
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.articles import StoredArticle


class EndpointTerms(NamedTuple):
    """What an endpoint is sent: its feed, in which format, within which rights. `early`: before an embargo ends."""

    name: str
    feed: str
    format: str
    rights: Rights
    early: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A document as it would be sent. `notes`: what keeps it from being sent now; `refusals`: why the gate does."""

    content: bytes
    notes: tuple[str, ...]
    refusals: tuple[str, ...]


class Previews:
    """Makes previews of articles."""

    def __init__(self, store: Store, publication: Publication) -> None:
        self._store = store
        self._publication = publication

    def in_format(self, stored: StoredArticle, format_name: str) -> Preview:
        """Return the article in a format, as an endpoint without limits that is new would be sent it."""
        feed = self._way(stored)
        return self._preview(stored, EndpointTerms("", feed, format_name, EVERYTHING, early=False))

    def for_endpoint(self, stored: StoredArticle, terms: EndpointTerms) -> Preview:
        """Return the article as an endpoint would be sent it now."""
        return self._preview(stored, terms)

    def _preview(self, stored: StoredArticle, terms: EndpointTerms) -> Preview:
        status, occasion, notes = self._status(stored, terms)
        _, document, objections = judged_push(
            terms.feed, terms.format, terms.rights, status, stored.article, occasion, self._publication.provider
        )
        return Preview(document, tuple(notes), tuple(objections))

    def _way(self, stored: StoredArticle) -> str:
        """The feed by which an article goes out, and by which its message has its id: one it is in, or has left."""
        feeds = sorted(stored.feeds)
        name = stored.article.id
        changes = [self._store.changes.latest_of(feed, [name]).get(name) for feed in feeds]
        within = [feed for feed, change in zip(feeds, changes, strict=True) if change and change.state == "in"]
        return next(iter(within or feeds), "")

    def _status(self, stored: StoredArticle, terms: EndpointTerms) -> tuple[str, str, list[str]]:
        """What the feed's push of the article is, at which change, and what keeps it from being sent."""
        article, feed = stored.article, terms.feed
        notes = []
        latest = self._store.changes.latest_of(feed, [article.id]).get(article.id)
        change = latest or Change(0, article.id, "in", 0)
        if article.waits(clock.agreed()) and not (terms.early and change.state in ("in", "early")):
            notes.append(
                f"{article.id} is embargoed until {article.embargoed:%Y-%m-%d %H:%M:%S} UTC and is not sent before"
            )
            # As of then; its place in the log, of which the id of the message is made, is not known yet.
            assert article.embargoed is not None
            change = replace(change, state="in", asof=clock.ms(article.embargoed) + 1)
        elif latest is None:
            where = f"is not in {feed}, the feed of {terms.name}" if terms.name else "is in no feed"
            notes.append(f"{article.id} {where}, and so is not sent")
        entry = None
        if terms.name:
            ledger = self._store.ledgers.read(feed, {terms.name: [article.id]})[terms.name]
            entry = LedgerEntry.parse(text) if (text := ledger.get(article.id)) else None
        return status_to_push(article, change, entry, early=terms.early), str(change.seq), notes
