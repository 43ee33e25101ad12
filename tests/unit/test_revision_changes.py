"""What changed between two revisions, for people."""

from __future__ import annotations

import time
from typing import Any

import pytest

from feeds.article import Article
from feeds.revision_changes import changes, paragraphs


def article(**fields: Any) -> Article:
    return Article.model_validate(
        {
            "id": "a",
            "version": 1,
            "headline": "Harbour wall",
            "url": "https://herald.example/a",
            "published": "2026-03-01T00:00:00Z",
            "updated": "2026-03-01T00:00:00Z",
            **fields,
        }
    )


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    found = changes(article(**before), article(**after))
    return {change.field: " ".join(f"{sign}{text}" for sign, text in change.parts) for change in found}


def test_field_by_field() -> None:
    before = {"headline": "Open", "subjects": ["Sea", "Trams"], "urgency": 3}
    after = {"headline": "Closed", "subjects": ["Sea", "Ferries"], "version": 2, "embargoed": "2026-04-01T00:00:00Z"}
    assert changed(before, after) == {
        "headline": "-Open +Closed",
        "subjects": "-Trams +Ferries",
        "urgency": "-3",
        "embargoed": "+2026-04-01T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("<p>It is shut. Trams run.</p>", "<p>It is open. Trams run.</p>", "-It is shut. +It is open."),
        ("<p>One.</p><p>Two.</p>", "<p>One.</p><p>Three!</p><p>Two.</p>", "+Three!"),
        ("<p>أُغلق الجدار. عاد القطار.</p>", "<p>فُتح الجدار. عاد القطار.</p>", "-أُغلق الجدار. +فُتح الجدار."),
        ("<p>دیوار بند ہے۔ ٹرام چلی۔</p>", "<p>دیوار بند ہے۔ ٹرام رکی۔</p>", "-ٹرام چلی۔ +ٹرام رکی۔"),
        ("<p>墙关了。车开了。</p>", "<p>墙关了。车停了。</p>", "-车开了。 +车停了。"),
        ("<p>It is <b>shut</b>.</p>", "<p>It is <i>shut</i>.</p>", "-(the words are the same, +their markup is not)"),
        ("<p>Gone.</p>", "", "-Gone."),
    ],
)
def test_sentence_by_sentence(before: str, after: str, difference: str) -> None:
    assert changed({"body_html": before}, {"body_html": after}) == {"body_html": difference}


def test_pictures_and_editions() -> None:
    picture = {"url": "https://herald.example/a.jpg", "caption": "The crane", "width": 10, "height": 20}
    found = changed(
        {"images": [picture]},
        {
            "images": [picture | {"credit": "Lee"}],
            "alternates": [{"edition": "ar", "url": "https://herald.example/ar"}],
        },
    )
    line = "https://herald.example/a.jpg | image/jpeg | 10 x 20 | The crane"
    assert found == {"images": f"-{line} +{line} | Lee", "alternates": "+ar https://herald.example/ar"}


def test_the_first_and_a_kill() -> None:
    assert [change.field for change in changes(None, article())][:3] == ["edition", "pubstatus", "headline"]
    killed = changes(article(body_html="<p>Words.</p>"), article(headline="", pubstatus="canceled"))
    assert [(change.field, change.parts) for change in killed] == [("pubstatus", (("-", "usable"), ("+", "canceled")))]
    assert changes(article(), article(version=2)) == []
    assert killed[0].as_json() == {"field": "pubstatus", "removed": ["usable"], "added": ["canceled"], "order": "-+"}


def test_a_long_text_takes_no_time() -> None:
    begun = time.monotonic()
    changed({"body_html": "<p>A. B.</p>" * 20_000}, {"body_html": "<p>B. A. C.</p>" * 20_000})
    assert time.monotonic() - begun < 20


def test_paragraphs() -> None:
    assert paragraphs("<h2>One</h2><p>Two &amp; <b>three</b></p><ul><li>four</li></ul>") == [
        "One",
        "Two & three",
        "four",
    ]
