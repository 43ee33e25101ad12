"""Attempts as people and programs look at them: what was sent, what was answered, and how long each part took.

The document of an attempt is kept nowhere: it would be there once for each endpoint. It is made anew from the revision
that was sent, and shown only if its SHA-256 is that of what was sent. So it can be seen for as long as the record has
the text of the revision and the endpoint is set as it was, and what is killed or forgotten is gone from here too. A
push of a feed is made anew by sent_feeds.py.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.article import Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import FormatFault
from feeds.granting import granted
from feeds.moments import iso
from worker.outbound.transfer import Phases
from worker.receivers.push_status import NOTICES
from worker.record import articles, attempts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from feeds.formats.interface import Provider
    from worker.management.endpoint_views import EndpointView
    from worker.receivers.sent_feeds import SentFeeds
    from worker.record.articles import Headline
    from worker.record.attempts import NotedAttempt


class SentDocument(NamedTuple):
    """The document of an attempt, before any compression; or, in its place, why it can't be shown."""

    document: str | None
    reason: str | None


def phases_row(phases: Phases) -> dict[str, float]:
    """Return the phases of a request as they are shown, in milliseconds."""
    return {name: microseconds / 1000 for name, microseconds in phases._asdict().items()}


def attempt_rows(connection: Connection, tries: Sequence[NotedAttempt]) -> list[dict[str, Any]]:
    """Return attempts as they are shown: `time` as text, durations in milliseconds, header lines one by one.

    Each has the headline of the version that was sent, or of which a notice was sent, as long as its text is kept.
    """
    of_articles = {(attempt.article_id, attempt.version) for attempt in tries if attempt.article_id}
    headlines = articles.headlines(connection, of_articles)
    return [_row(attempt, headlines.get((attempt.article_id, attempt.version))) for attempt in tries]


def without_headlines(rows: Iterable[dict[str, Any]], *, of_notices: bool) -> list[dict[str, Any]]:
    """Return attempts for somebody who may not see headlines: of any, or of notices alone, which have none."""
    hidden = {"headline": None, "edition": None}
    return [row | hidden if not of_notices or row["action"] in NOTICES else row for row in rows]


def _row(attempt: NotedAttempt, headline: Headline | None) -> dict[str, Any]:
    phases = phases_row(Phases(*map(int, attempt.phases.split()))) if attempt.phases else None
    return {
        "id": attempt.id,
        "time": iso(attempt.time),
        "feed": attempt.feed,
        "article": attempt.article_id or None,
        "headline": headline.text if headline else None,
        "edition": headline.edition if headline else None,
        "version": attempt.version,
        "action": attempt.action,
        "outcome": attempt.outcome,
        "status": attempt.status or None,
        "milliseconds": attempt.milliseconds,
        "phases": phases,
        "request_headers": attempt.request.split("\n") if attempt.request else [],
        "bytes": attempt.bytes,
        "sha256": attempt.sha256 or None,
        "message_id": attempt.message_id or None,
        "error": attempt.error or None,
        "answer": attempt.answer or None,
    }


def attempt_with_document(
    connection: Connection, endpoint: EndpointView, identity: str, provider: Provider, feeds: SentFeeds
) -> dict[str, Any] | None:
    """Return an attempt at an endpoint as it is shown, with its document; None: there is no such attempt.

    `provider`: the newsroom, as formats name it. `feeds`: makes pushes of feeds anew. Raises redis.RedisError.
    """
    attempt = attempts.of_id(connection, f"endpoint:{endpoint.name}", identity)
    if attempt is None:
        return None
    sent = (
        _sent_document(connection, attempt, endpoint, provider)
        if attempt.article_id
        else _sent_feed(connection, attempt, endpoint, feeds)
    )
    (row,) = attempt_rows(connection, [attempt])
    return {**row, "document": sent.document, "no_document": sent.reason}


def _sent_document(
    connection: Connection, attempt: NotedAttempt, endpoint: EndpointView, provider: Provider
) -> SentDocument:
    if not attempt.message_id or endpoint.settings.format not in ARTICLE_FORMATS:
        return SentDocument(None, "nothing was sent, or in a format that is not known here any more")
    render, rights = ARTICLE_FORMATS[endpoint.settings.format].render, endpoint.settings.rights.rights()
    towards = provider.towards(attempt.feed, rights.machines)
    is_there = False
    for article in _revisions(connection, attempt):
        is_there = True
        try:
            document = render(f"article.{attempt.action}", granted(article, rights), attempt.message_id, towards)
        except FormatFault:
            continue
        if sha256(document).hexdigest() == attempt.sha256:
            return SentDocument(document.decode("utf-8"), None)
    if is_there:
        return SentDocument(None, "the endpoint, the newsroom or Dateline is another than when it was sent")
    return SentDocument(None, "its text was killed or forgotten")


def _sent_feed(connection: Connection, attempt: NotedAttempt, endpoint: EndpointView, feeds: SentFeeds) -> SentDocument:
    if not attempt.message_id:
        return SentDocument(None, "nothing was sent")
    document = feeds.document(connection, attempt, endpoint)
    if document is not None and sha256(document).hexdigest() == attempt.sha256:
        return SentDocument(document.decode("utf-8"), None)
    return SentDocument(None, "the feed, the endpoint, the newsroom or Dateline is another than when it was sent")


def _revisions(connection: Connection, attempt: NotedAttempt) -> Iterator[Article]:
    """The article in the version that was sent, and as it is now: a notice is made of what is left."""
    for revision in articles.history(connection, attempt.article_id):
        if revision.version == attempt.version and revision.document is not None:
            yield Article.stored(revision.document)
    now = articles.read_article(connection, attempt.article_id)
    if now is not None and now.article.document is not None and now.article.version == attempt.version:
        yield Article.stored(now.article.document)
