"""What a partner is told of one article in our own format."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from feeds import event
from feeds.article import ORDERING, Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider

PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
NOON = datetime(2026, 3, 4, 12, 0, 0, 500_000, tzinfo=UTC)
LATER = datetime(2026, 3, 5, tzinfo=UTC)
TEXT = {"headline", "summary", "body_html", "section", "subjects", "authors", "images", "dateline", "source", "rights"}


def article(**fields: Any) -> Article:
    said = {
        "id": "hh-1",
        "version": 2,
        "edition": "fa",
        "headline": "می‌روم",
        "url": "https://e.example/a",
        "body_html": "<p>متن</p>",
        "images": [{"url": "https://e.example/a.jpg", "caption": "C", "credit": "R"}],
        "published": NOON,
        "updated": NOON,
    }
    return Article(**(said | fields))


def told(change: str, said: Article) -> Any:
    return json.loads(ARTICLE_FORMATS["json"].render(change, said, "msg-1", PROVIDER))


@pytest.mark.parametrize("change", ["article.published", "article.corrected"])
def test_the_whole_article_is_told(change: str) -> None:
    said = article()
    assert told(change, said) == {
        "id": "msg-1",
        "type": change,
        "time": "2026-03-04T12:00:00.500000Z",
        "article": said.model_dump(mode="json", exclude={*ORDERING, "ai_assisted"}),
    }


def test_every_key_is_always_there() -> None:
    full = told("article.published", article(urgency=1, embargoed=NOON, summary="S", authors=["A"]))
    bare = told("article.published", article(body_html="", images=[]))
    # But for one that older releases do not know and refuse: it is there where it is true.
    assert full["article"].keys() == bare["article"].keys() == Article.model_fields.keys() - {*ORDERING, "ai_assisted"}
    assert bare["article"]["urgency"] is None
    assert bare["article"]["images"] == []


@pytest.mark.parametrize("ai_assisted", [False, True])
def test_another_dateline_reads_the_same_article(ai_assisted: bool) -> None:
    said = article(ai_assisted=ai_assisted)
    read = event.read(told("article.corrected", said), LATER)
    assert isinstance(read, event.ArticleEvent)
    assert read.id == "msg-1"
    assert read.time == said.updated
    assert read.article.model_dump(exclude={"evolved_from"}) == said.model_dump(exclude=set(ORDERING))


@pytest.mark.parametrize(
    ("change", "held", "expected"),
    [
        ("article.killed", "canceled", "canceled"),
        ("article.killed", "usable", "canceled"),
        ("article.withdrawn", "usable", "withheld"),
        ("article.withdrawn", "withheld", "withheld"),
        ("article.withdrawn", "canceled", "canceled"),
    ],
)
def test_a_notice_says_who_and_that_it_is_gone(change: str, held: str, expected: str) -> None:
    body = told(change, article(pubstatus=held))
    assert body["type"] == change
    assert body["article"] == {
        "id": "hh-1",
        "version": 2,
        "edition": "fa",
        "url": "https://e.example/a",
        "published": "2026-03-04T12:00:00.500000Z",
        "updated": "2026-03-04T12:00:00.500000Z",
        "pubstatus": expected,
    }
    assert TEXT.isdisjoint(body["article"])


def test_another_dateline_obeys_a_kill() -> None:
    assert isinstance(event.read(told("article.killed", article(pubstatus="canceled")), LATER), event.KillEvent)


def test_a_change_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"article\.removed is no change of an article"):
        told("article.removed", article())


def test_the_body_is_compact_utf_8() -> None:
    body = ARTICLE_FORMATS["json"].render("article.published", article(), "msg-1", PROVIDER)
    assert "می‌روم".encode() in body
    assert body == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
