from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.article import Article
from feeds.post_template import check_template
from feeds.posts import length, links, post_text

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://herald.example/ferries"


def article(**more: Any) -> Article:
    fields = {"id": "a", "version": 1, "headline": "Ferries return", "url": URL, "published": NOON, "updated": NOON}
    return Article(**{**fields, **more})


def text(template: str, most: int, **more: Any) -> str:
    return post_text(template, article(**more), lambda post: length(post) <= most)


def test_a_template_is_filled_in() -> None:
    assert text("{section}: {headline}\n\n{url}", 500, section="World") == f"World: Ferries return\n\n{URL}"


def test_an_empty_field_leaves_no_gap() -> None:
    assert text("{headline}\n\n{summary}\n\n{url}", 500) == f"Ferries return\n\n{URL}"


def test_what_looks_like_a_field_in_an_article_is_text() -> None:
    assert text("{headline} {url}", 500, headline="A {url} in braces") == f"A {{url}} in braces {URL}"


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (61, "Ferries return to the harbour\n\nAfter eleven days of dredging."),
        (46, "Ferries return to the harbour\n\nAfter eleven…"),
        (43, "Ferries return to the harbour\n\nAfter…"),
        (30, "Ferries return to the harbour"),
        (20, "Ferries return to…"),
        (3, "Fe…"),
    ],
)
def test_what_is_too_long_loses_its_summary_first(most: int, expected: str) -> None:
    headline, summary = "Ferries return to the harbour", "After eleven days of dredging."
    assert text("{headline}\n\n{summary}", most, headline=headline, summary=summary) == expected


def test_a_link_is_never_cut() -> None:
    assert text("{headline} {url}", 10).endswith(URL)


def test_characters_are_counted_as_people_see_them() -> None:
    family, flag, accent = "👨‍👩‍👧‍👦", "🇹🇷", "é"
    assert [length(character) for character in (family, flag, accent, "مكتبة")] == [1, 1, 1, 5]
    assert text("{headline}", 2, headline=family * 4) == f"{family}…"


@pytest.mark.parametrize("url", [URL, "https://h.example/", "https://herald.example/" + "long/" * 40])
def test_each_link_counts_for_the_same(url: str) -> None:
    assert length(f"News {url} and {url}", 23) == len("News  and ") + 2 * 23


def test_where_links_stand_is_counted_in_bytes() -> None:
    post = f"مكتبة المرفأ 👍 {URL}\n{URL}"
    places = links(post, URL)
    assert [post.encode()[start:end].decode() for start, end in places] == [URL, URL]
    assert links(post, "") == links("", URL) == []


@given(headline=st.text(min_size=1, max_size=80), summary=st.text(max_size=80), most=st.integers(24, 120))
def test_a_text_fits_and_has_its_link(headline: str, summary: str, most: int) -> None:
    made = Article.model_construct(headline=headline, summary=summary, section="", url=URL)
    post = post_text("{headline}\n\n{summary}\n\n{url}", made, lambda text: length(text, 23) <= most)
    assert URL in post
    assert length(post, 23) <= most


@pytest.mark.parametrize("template", ["{url}", "{headline} {slug}", "{headline}" + "x" * 500])
def test_templates_that_are_none(template: str) -> None:
    with pytest.raises(ValueError, match=r"must have \{headline\}|has \{slug\}"):
        check_template(template)
