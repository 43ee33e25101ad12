"""What a test push contains: an article that says of itself that it is a test, alone or in a feed, and its kill."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from feeds.article import Article
from feeds.entry import Tombstone, entry, notice, tag_uri
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS, READERS
from feeds.formats.change_statuses import notice_note
from feeds.formats.interface import FormatFault
from feeds.granting import granted
from worker import clock
from worker.destinations.interface import Message, message_id
from worker.management.changes import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.entry import Entry
    from worker.destinations.endpoint import Endpoint
    from worker.newsroom.publication import Publication


class PushTestDocuments(NamedTuple):
    """The id of a test article, and the messages that bring it and take it away."""

    article_id: str
    message: Message
    kill: Message


def push_test_documents(endpoint: Endpoint, publication: Publication) -> PushTestDocuments:
    """Return a new test in the endpoint's format.

    Raises Conflict when its feed is unknown here, or the template of its format fails.
    """
    try:
        return _documents(endpoint, publication)
    except FormatFault as fault:
        raise Conflict(
            f"{endpoint.name} can't be sent a test: the template of {endpoint.format} fails: {fault}"
        ) from None


def _documents(endpoint: Endpoint, publication: Publication) -> PushTestDocuments:
    article = granted(_test_article(f"dateline-test-{uuid4().hex[:12]}"), endpoint.rights)
    killed = article.model_copy(update={"version": 2, "pubstatus": "canceled", "headline": "", "body_html": ""})
    if endpoint.mode == "article":
        message = _article_message(endpoint, publication, "article.published", article)
        return PushTestDocuments(article.id, message, _article_message(endpoint, publication, "article.killed", killed))
    message = _feed_message(endpoint, publication, article)
    return PushTestDocuments(article.id, message, _feed_message(endpoint, publication, killed))


def _article_message(endpoint: Endpoint, publication: Publication, kind: str, article: Article) -> Message:
    render, provider = ARTICLE_FORMATS[endpoint.format].render, publication.provider
    push_id = message_id(render(kind, article, "", provider), "test", article.id, article.version)
    status = kind.removeprefix("article.")
    return Message.of(push_id, render(kind, article, push_id, provider), status, article, compressed=endpoint.gzip)


def _feed_message(endpoint: Endpoint, publication: Publication, article: Article) -> Message:
    """The feed with the article alone; once it is killed, with the same traces of it that a kill leaves."""
    definition, feed_format = publication.feed(endpoint.feed), FEED_FORMATS[endpoint.format]
    if definition is None:
        raise Conflict(f"{endpoint.name} can't be sent a test: there is no feed {endpoint.feed} here")
    authority, now = publication.authority, clock.agreed()
    channel = publication.channel(definition, feed_format.name, clock.ms(now))
    entries: Sequence[Entry] = ()
    tombstones: Sequence[Tombstone] = ()
    if article.pubstatus == "usable":
        entries = [entry(article, authority, publication.title)]
    else:
        note = notice_note(article, now) if feed_format in READERS else ""
        shown = notice(article, note, authority, channel, now) if note else None
        tombstones = [Tombstone(tag_uri(authority, "article", article.id), now, article.url, shown)]
    text = feed_format.render(channel, entries, tombstones)
    return Message.of(message_id(text, "test", article.id, article.version), text, compressed=endpoint.gzip)


def _test_article(article_id: str) -> Article:
    now = clock.agreed()
    return Article(
        id=article_id,
        version=1,
        edition="en",
        url=f"https://dateline.invalid/{article_id}",
        published=now,
        updated=now,
        headline="Test: please ignore",
        summary="This is a test of Dateline and no news.",
        body_html="<p>This is a test of Dateline and no news. It is withdrawn at once.</p>",
    )
