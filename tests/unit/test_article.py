"""What an article may say, and what follows from its times."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from feeds.article import ALTERNATES_MOST, Alternate, Article, Submission

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def article(**fields: Any) -> Article:
    text = {
        "id": "hh-1",
        "headline": "Ferries return",
        "url": "https://e.example/a",
        "published": NOON,
        "updated": NOON,
    }
    return Article(**(text | {"version": 1} | fields))


def test_a_submission_needs_little() -> None:
    submission = Submission(id="hh-1", headline="Ferries return", url="https://e.example/a")
    assert submission.edition == "en"
    assert submission.pubstatus == "usable"
    assert submission.version is None
    assert submission.published is None


def test_what_is_said_is_cleaned_once() -> None:
    said = article(
        headline="  Ferries\n return ",
        url="https://e.example/ميناء",
        body_html='<p>a<script>b</script><img src="/c"></p>',
    )
    assert said.headline == "Ferries return"
    assert said.url == "https://e.example/%D9%85%D9%8A%D9%86%D8%A7%D8%A1"
    assert said.body_html == '<p>a<img src="https://e.example/c"></p>'


def test_an_article_read_again_is_the_same() -> None:
    said = article(
        headline="کتاب‌ها",
        body_html="<pre>\n\na</pre>&#13;",
        summary="5 < 6",
        embargoed="2026-03-04T11:00:00+03:00",
        subjects=("harbour", "ferries"),
        authors=("Mara Lindqvist",),
        images=({"url": "https://e.example/p.jpg", "caption": "The pier", "credit": "M. Lindqvist"},),
        alternates=({"edition": "ar", "url": "https://e.example/ميناء", "id": "hh-2"},),
    )
    kept = said.model_dump_json()
    assert Article.model_validate_json(kept) == said
    assert Article.stored(kept) == said
    assert Article.stored(kept).model_dump_json() == kept


def test_an_article_that_was_kept_before_a_field_was_known_is_read() -> None:
    kept = article(subjects=("harbour",)).model_dump(
        mode="json", exclude={"subjects", "images", "alternates", "expires"}
    )
    assert Article.stored(json.dumps(kept)) == article()


def test_alternates_are_the_other_editions() -> None:
    said = article(
        alternates=[
            {"edition": "tr", "url": "https://e.example/tr/a"},
            {"edition": "en", "url": "https://e.example/a"},
            {"edition": "zh-Hant", "url": "https://e.example/港", "id": "hh-2"},
        ]
    )
    assert said.alternates == (
        Alternate(edition="tr", url="https://e.example/tr/a"),
        Alternate(edition="zh-Hant", url="https://e.example/%E6%B8%AF", id="hh-2"),
    )


@pytest.mark.parametrize(
    ("alternates", "where", "problem"),
    [
        (
            [("ar", "https://e.example/1"), ("ar", "https://e.example/2")],
            ("alternates",),
            "has two pages of the edition ar",
        ),
        (
            [("zh-Hant", "https://e.example/1"), ("zh-hant", "https://e.example/1")],
            ("alternates",),
            "has two pages of the edition zh-hant",
        ),
        ([("en", "https://e.example/1")], ("alternates",), "has another page of the article's own edition, en"),
        ([("Arabic", "https://e.example/1")], ("alternates", 0, "edition"), "must be a language tag"),
        ([("ar", "/1")], ("alternates", 0, "url"), "must be an absolute URL"),
        (
            [(f"{'abcdefgh'[n % 8]}{'abcdefgh'[n // 8]}", "https://e.example/1") for n in range(ALTERNATES_MOST + 1)],
            ("alternates",),
            f"at most {ALTERNATES_MOST} items",
        ),
    ],
)
def test_alternates_that_cannot_be(alternates: list[tuple[str, str]], where: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        article(alternates=[{"edition": edition, "url": url} for edition, url in alternates])
    [error] = caught.value.errors()
    assert error["loc"] == where
    assert problem in error["msg"]


def test_an_article_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        article().headline = "Other"


@pytest.mark.parametrize("pubstatus", ["usable", "withheld"])
@pytest.mark.parametrize("missing", ["headline", "url"])
def test_headline_and_url_are_needed(pubstatus: str, missing: str) -> None:
    with pytest.raises(ValidationError) as caught:
        article(pubstatus=pubstatus, **{missing: ""})
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [((missing,), "is missing")]


def test_a_canceled_article_needs_no_text() -> None:
    assert article(pubstatus="canceled", headline="", url="").pubstatus == "canceled"


@pytest.mark.parametrize(
    ("fields", "standing", "due"),
    [
        ({}, "usable", None),
        ({"pubstatus": "withheld", "embargoed": NOON + HOUR}, "withheld", None),
        ({"pubstatus": "canceled", "expires": NOON + HOUR}, "canceled", None),
        ({"embargoed": NOON + HOUR}, "embargoed", NOON + HOUR),
        ({"embargoed": NOON}, "usable", None),
        ({"expires": NOON + HOUR}, "usable", NOON + HOUR),
        ({"expires": NOON}, "expired", None),
        ({"embargoed": NOON + HOUR, "expires": NOON + 2 * HOUR}, "embargoed", NOON + HOUR),
        ({"embargoed": NOON - HOUR, "expires": NOON + 2 * HOUR}, "usable", NOON + 2 * HOUR),
    ],
)
def test_standing_visible_and_due(fields: dict[str, Any], standing: str, due: datetime | None) -> None:
    said = article(**fields)
    assert said.standing(NOON) == standing
    assert said.visible(NOON) is (standing == "usable")
    assert said.due(NOON) == due


def test_visibility_changes_at_the_moment_that_was_due() -> None:
    said = article(embargoed=NOON, expires=NOON + HOUR)
    due = said.due(NOON - HOUR)
    assert due == NOON
    assert said.visible(due)
    assert said.due(due) == NOON + HOUR
    assert not said.visible(NOON + HOUR)


def test_a_notice_has_none_of_the_text() -> None:
    alternates = [{"edition": "ar", "url": "https://e.example/ar/a"}]
    said = article(
        version=3, summary="Summary", body_html="<p>Body</p>", authors=["A"], rights="(c)", alternates=alternates
    )
    assert said.notice() == {
        "id": "hh-1",
        "version": 3,
        "edition": "en",
        "url": "https://e.example/a",
        "published": "2026-03-04T12:00:00Z",
        "updated": "2026-03-04T12:00:00Z",
        "pubstatus": "usable",
    }
