"""Forgetting the words of articles: what stays is who had which version when, hashes and fingerprints.

Words are in the documents of revisions, in the events that brought them, in the index of words, and in what endpoints
answered, which may quote them. SQLite overwrites what is deleted (secure_delete); what is still in old pages of the
index and of the write-ahead log is cleaned a moment later, in pieces (`search.clean`). PostgreSQL leaves deleted rows
in its files until it vacuums them, and their bytes until it writes over them; `rewrite_files` has it write them anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, text, update

from worker.record import search, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from worker.record import Record

_events, _revisions, _articles = tables.events, tables.revisions, tables.articles
_attempts, _parked = tables.attempts, tables.parked
_LATE = "late_events"
"""In `meta`: the number of the event up to which it was looked for what came late."""
_EVENTS_AT_ONCE = 5_000
_LATE_MS = 3_600_000
"""So long after a kill answers may be noted to what was sent before it."""
_CARRIED_OUT = ("published", "corrected", "held")
_WITH_WORDS = ("revisions", "articles", "events", "attempts", "parked", "article_words", "article_terms")
"""The tables that had words, for PostgreSQL's vacuum."""


def forget_text(
    connection: Connection,
    article_id: str,
    *,
    before: int | None = None,
    fingerprints: Callable[[str], str] = lambda _: "",
) -> None:
    """Erase the words of an article, in the transaction that notes all else of it, after that.

    `before`: of its revisions those before this version only, in which it was killed, and of its events those up to it;
    the address stays then, which the notice of the kill is about. None: of all its revisions, whatever it is now, and
    its addresses. `fingerprints` makes, of a document that goes, the fingerprints that stay. Events that were not
    carried out yet stay whole.
    """
    chosen = [_revisions.c.article_id == article_id, _revisions.c.document.is_not(None)]
    if before is not None:
        chosen.append(_revisions.c.version < before)
    columns = (_revisions.c.version, _revisions.c.sha256, _revisions.c.document, _revisions.c.fingerprints)
    for version, sha256, document, earlier in connection.execute(select(*columns).where(*chosen)).all():
        connection.execute(
            update(_revisions)
            .where(
                _revisions.c.article_id == article_id, _revisions.c.version == version, _revisions.c.sha256 == sha256
            )
            .values(document=None, fingerprints=earlier or fingerprints(document))
        )
    current = [_articles.c.article_id == article_id]
    of_article = [_events.c.article_id == article_id, _events.c.body.is_not(None), _events.c.done.is_not(None)]
    if before is not None:
        current.append(_articles.c.version < before)
        of_article.append(or_(_events.c.version.is_(None), _events.c.version <= before))
    else:
        looked_at = tables.page_checks
        connection.execute(update(looked_at).where(looked_at.c.article_id == article_id).values(url=""))
    url = {} if before is not None else {"url": ""}
    connection.execute(update(_articles).where(*current).values(document=None, headline="", **url))
    connection.execute(update(_events).where(*of_article).values(body=None))
    _forget_rejected_events(connection, article_id)
    _forget_answers(connection, article_id, before)
    search.take_out(connection, article_id)
    version = connection.scalar(select(_articles.c.version).where(_articles.c.article_id == article_id))
    if before is not None and version is not None and version > before:
        # It is back since: by the words that it has now it is found.
        search.index_text(connection, [article_id])
    search.note_erasure(connection)


def forget_what_came_late(connection: Connection, now: int) -> bool:
    """Erase what came with words of killed articles after their kills were noted; return whether there may be more.

    Those are events that were refused because of the kill, and answers to what was on its way; `now` in ms.
    """
    done_with = search.counter(connection, _LATE)
    undone = connection.scalar(select(func.min(_events.c.number)).where(_events.c.done.is_(None)))
    newest = connection.scalar(select(func.max(_events.c.number))) or 0
    last = min((newest if undone is None else undone - 1), done_with + _EVENTS_AT_ONCE)
    if last > done_with:
        refused = (
            select(_events.c.number)
            .join(_articles, _articles.c.article_id == _events.c.article_id)
            .where(_events.c.number > done_with, _events.c.number <= last, _events.c.body.is_not(None))
            .where(_articles.c.pubstatus == "canceled", _events.c.result.not_in(_CARRIED_OUT))
        )
        if numbers := list(connection.scalars(refused)):
            connection.execute(update(_events).where(_events.c.number.in_(numbers)).values(body=None))
            search.note_erasure(connection)
        search.set_counter(connection, _LATE, last)
    killed = select(_articles.c.article_id, _articles.c.version).where(
        _articles.c.accepted >= now - _LATE_MS, _articles.c.pubstatus == "canceled"
    )
    for article_id, version in connection.execute(killed).all():
        if _forget_answers(connection, article_id, version):
            search.note_erasure(connection)
    return last == done_with + _EVENTS_AT_ONCE


def last_kills(connection: Connection, article_ids: Iterable[str]) -> dict[str, int]:
    """Return in which version each of the articles was killed last, of those that have words from before that."""
    killed = (
        select(_revisions.c.article_id, func.max(_revisions.c.version))
        .where(_revisions.c.article_id.in_(sorted(article_ids)), _revisions.c.pubstatus == "canceled")
        .group_by(_revisions.c.article_id)
    )
    return {
        article_id: version
        for article_id, version in connection.execute(killed).all()
        if _has_words(connection, article_id, version)
    }


def _has_words(connection: Connection, article_id: str, version: int) -> bool:
    text_before = select(_revisions.c.version).where(
        _revisions.c.article_id == article_id, _revisions.c.version < version, _revisions.c.document.is_not(None)
    )
    sent_before = select(_events.c.number).where(
        _events.c.article_id == article_id,
        _events.c.done.is_not(None),
        _events.c.body.is_not(None),
        or_(_events.c.version.is_(None), _events.c.version <= version),
    )
    return bool(connection.scalar(select(or_(text_before.exists(), sent_before.exists()))))


def _forget_rejected_events(connection: Connection, article_id: str) -> None:
    """Erase events that were none: they have no article in their rows, and may have its text all the same."""
    rejected = select(_events.c.number, _events.c.body).where(
        _events.c.result == "rejected", _events.c.body.is_not(None)
    )
    numbers = [row.number for row in connection.execute(rejected) if _is_about(row.body, article_id)]
    if numbers:
        connection.execute(update(_events).where(_events.c.number.in_(numbers)).values(body=None, reason=""))


def _forget_answers(connection: Connection, article_id: str, before: int | None) -> bool:
    """Erase what endpoints answered, which may quote the article; return whether there was anything."""
    quotes = [_attempts.c.article_id == article_id, or_(_attempts.c.answer != "", _attempts.c.error != "")]
    if before is not None:
        quotes.append(_attempts.c.version < before)
    erased = connection.execute(update(_attempts).where(*quotes).values(answer="", error="")).rowcount > 0
    for row in connection.execute(select(_parked).where(_parked.c.article_id == article_id)).all():
        place = [column == getattr(row, column.name) for column in _parked.primary_key]
        without = _without_quotes(row.attempt)
        if without != row.attempt:
            connection.execute(update(_parked).where(*place).values(attempt=without))
            erased = True
    return erased


def rewrite_files(record: Record) -> None:
    """Have PostgreSQL write anew the tables that had words; whoever needs one waits meanwhile."""
    _vacuum(record, "VACUUM (FULL)")


def vacuum(record: Record) -> None:
    """Have PostgreSQL remove the rows that are deleted, in nobody's way."""
    _vacuum(record, "VACUUM")


def _vacuum(record: Record, command: str) -> None:
    with record.outside_transactions() as connection:
        connection.execute(text(f"{command} {', '.join(_WITH_WORDS)}"))


def _is_about(body: str, article_id: str) -> bool:
    """Whether a rejected event is about an article; where that can't be read, whether it names it."""
    try:
        fields = json.loads(body)
        return bool(fields["article"]["id"] == article_id)
    except (ValueError, RecursionError, TypeError, KeyError):
        return json.dumps(article_id) in body or json.dumps(article_id, ensure_ascii=False) in body


def _without_quotes(attempt: str) -> str:
    """An attempt as JSON without what may quote the article."""
    try:
        fields: Any = json.loads(attempt)
        return json.dumps(fields | {"answer": "", "error": ""})
    except (ValueError, RecursionError, TypeError):
        return "{}"
