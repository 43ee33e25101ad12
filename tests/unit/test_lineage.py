"""What a document of a story is to another, and which of them stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feeds import event
from feeds.article import Article
from feeds.lifecycle import Accept, Ignore, decide
from feeds.lineage import Relation, Sent, as_original, merged, relation, stored_as_event

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("line", "held", "expected"),
    [
        ("a", "a", "same"),
        ("ba", "ba", "same"),
        ("ba", "a", "later"),
        ("cba", "a", "later"),
        ("a", "cba", "earlier"),
        ("ba", "cba", "earlier"),
        ("ca", "ba", "beside"),
    ],
)
def test_relation(line: str, held: str, expected: str) -> None:
    assert expected == relation(list(line), list(held))


def sent(headline: str, time: datetime = NOW, version: int | None = None) -> Any:
    article = {"id": "b", "headline": headline, "url": "https://e.example/a", "version": version}
    return as_original(
        event.read({"id": "evt-1", "type": "article.published", "time": time, "article": article}, NOW), "a"
    )


def original(**more: Any) -> Article:
    article = {"id": "a", "headline": "First", "url": "https://e.example/a", "version": 7, "updated": NOW}
    decision = decide(
        None, event.read({"id": "evt-0", "type": "article.published", "article": article | more}, NOW), NOW
    )
    assert isinstance(decision, Accept)
    return decision.article


def update(current: Article, document: Any, version: int | None, related: Relation) -> Article | str:
    decision = decide(current, document, NOW, NOW, Sent("b", version, related))
    return decision.reason if isinstance(decision, Ignore) else decision.article


def test_an_update_is_newer_whatever_it_says_of_versions_and_times() -> None:
    now = update(original(), sent("Second", NOW - HOUR, 1), 1, "later")
    assert isinstance(now, Article)
    assert ("a", 8, "Second", NOW, "b", 1) == (
        now.id,
        now.version,
        now.headline,
        now.updated,
        now.sent_as,
        now.sent_version,
    )
    assert "stale" == update(now, sent("First", NOW + HOUR, 9), 9, "earlier")


@pytest.mark.parametrize(
    ("headline", "version", "expected"),
    [("Second", 3, "duplicate"), ("Other", 3, "conflict"), ("Other", 2, "stale"), ("Other", 4, "")],
)
def test_versions_of_one_document_are_compared(headline: str, version: int, expected: str) -> None:
    now = update(original(), sent("Second", version=3), 3, "later")
    assert isinstance(now, Article)
    again = update(now, sent(headline, NOW - HOUR, version), version, "same")
    assert again == expected or (isinstance(again, Article) and again.version == 9)


def test_of_updates_side_by_side_the_time_decides() -> None:
    now = update(original(), sent("Second", version=3), 3, "later")
    assert isinstance(now, Article)
    assert "stale" == update(now, sent("Third", NOW - HOUR, 9), 9, "beside")
    assert isinstance(update(now, sent("Third", NOW + HOUR, 1), 1, "beside"), Article)


def test_what_is_merged_says_all_that_was_held_and_leaves_nothing_of_its_text() -> None:
    held = original(body_html="<p>Ferries sail.</p>")
    said = stored_as_event(held)
    assert isinstance(said, event.ArticleEvent)
    assert (7, "<p>Ferries sail.</p>") == (said.article.version, said.article.body_html)
    left = merged(held, "z")
    assert ("withheld", 8, "", "z") == (left.pubstatus, left.version, left.body_html, left.merged_into)
    gone = merged(held.model_copy(update={"pubstatus": "canceled"}), "z")
    assert "canceled" == gone.pubstatus
    assert isinstance(stored_as_event(gone), event.KillEvent)
