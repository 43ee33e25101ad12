"""What a partner may have of an article."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.article import Alternate, Article, Image
from feeds.granting import granted
from feeds.rights import EVERYTHING, Rights
from feeds.safe_html import safe_html
from feeds.text import text_of

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
OURS = Image(url="https://e.example/ours.jpg", credit="The Harbour Herald")
THEIRS = Image(url="https://e.example/theirs.jpg", credit="Quay Pictures")
NOBODYS = Image(url="https://e.example/nobodys.jpg")


def article(**fields: Any) -> Article:
    said = {
        "id": "hh-1",
        "version": 3,
        "headline": "Ferries return",
        "url": "https://e.example/a?id=1#top",
        "summary": "The ferries are back after a week.",
        "body_html": "<p>One two three.</p><p>Four <b>five</b> six.</p><figure><img src='https://e.example/x.jpg'></figure>",
        "published": NOON,
        "updated": NOON,
    }
    return Article(**(said | fields))


def test_without_rights_it_is_the_same() -> None:
    said = article()
    assert granted(said, EVERYTHING) is said


@pytest.mark.parametrize(
    ("text", "body", "summary"), [("summary", "", "The ferries are back after a week."), ("headline", "", "")]
)
def test_less_than_the_full_text(text: Any, body: str, summary: str) -> None:
    told = granted(article(), Rights(text=text))
    assert (told.headline, told.body_html, told.summary) == ("Ferries return", body, summary)


def test_pictures_whose_credit_is_not_licensed_stay_and_the_text_goes() -> None:
    body = "".join(
        f"<figure><img src='{image.url}'><figcaption>A pier</figcaption></figure><p>After.</p>"
        for image in (OURS, THEIRS, NOBODYS)
    )
    told = granted(article(images=(OURS, THEIRS, NOBODYS), body_html=body), Rights(credits=("the harbour HERALD",)))

    assert told.images == (OURS,)
    assert told.body_html == (
        f'<figure><img src="{OURS.url}"><figcaption>A pier</figcaption></figure><p>After.</p><p>After.</p><p>After.</p>'
    )
    assert granted(article(images=(OURS, THEIRS)), Rights(credits=())).images == ()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (0, "<p> …</p>"),
        (2, "<p>One two …</p>"),
        (3, "<p>One two three.</p><p> …</p>"),
        (4, "<p>One two three.</p><p>Four<b> …</b></p>"),
        (5, "<p>One two three.</p><p>Four <b>five</b> …</p>"),
        (6, '<p>One two three.</p><p>Four <b>five</b> six.</p><figure><img src="https://e.example/x.jpg"></figure>'),
    ],
)
def test_the_text_is_cut_after_some_words(words: int, expected: str) -> None:
    told = granted(article(), Rights(words=words))
    assert told.body_html.replace("Four <b> …", "Four<b> …") == expected
    assert told.summary == "The ferries are back after a week."


def test_a_summary_is_cut_where_there_is_no_text() -> None:
    told = granted(article(), Rights(text="summary", words=3))
    assert told.summary == "The ferries are …"


def test_a_link_to_the_page_and_what_is_added_to_its_address() -> None:
    rights = Rights(canonical=True, tracking=(("utm_source", "city portal"), ("utm_medium", "feed")))
    told = granted(article(headline="Ferries & more", body_html="<p>Text.</p>"), rights)

    assert told.url == "https://e.example/a?id=1&utm_source=city+portal&utm_medium=feed#top"
    assert told.body_html == (
        '<p>Text.</p><p><a rel="canonical" href="https://e.example/a?id=1#top">Ferries &amp; more</a></p>'
    )


@pytest.mark.parametrize(
    ("edition", "said", "words", "expected"),
    [
        # What a joiner joins is one word, and a mark that stands alone is none.
        ("fa", "می\u200cروم به خانه\u200cام و برمی\u200cگردم", 3, "می\u200cروم به خانه\u200cام …"),
        ("ar", "قال الربّان ، « كانت الرياح رحيمة » .", 4, "قال الربّان ، « كانت الرياح …"),
        ("ar", "بعد ٢٣ يومًا؟ نعم", 3, "بعد ٢٣ يومًا؟ …"),
        ("ur", "جہاز ۲۳ دن کے بعد پہنچا۔ سب خیریت ہے", 6, "جہاز ۲۳ دن کے بعد پہنچا۔ …"),
        ("tr", "Kaptan – İlhan Ilgın – konuştu", 3, "Kaptan – İlhan Ilgın – …"),
        ("ar", "سفينة \u2067Aurora of the north\u2069 هنا", 3, "سفينة \u2067Aurora of\u2069 …"),
    ],
)
def test_words_of_other_languages(edition: str, said: str, words: int, expected: str) -> None:
    told = granted(article(edition=edition, summary=said, body_html=f"<p>{said}</p>"), Rights(words=words))
    assert told.body_html == f"<p>{expected}</p>"
    assert granted(article(summary=said), Rights(text="summary", words=words)).summary == expected


def test_other_editions_are_told_as_they_are() -> None:
    alternates = (Alternate(edition="ar", url="https://e.example/ar/a", id="hh-2"),)
    told = granted(article(alternates=alternates), Rights(text="headline", tracking=(("utm_source", "portal"),)))
    assert told.url == "https://e.example/a?id=1&utm_source=portal#top"
    assert told.alternates == alternates


def test_a_notice_is_not_cut() -> None:
    notice = article(pubstatus="canceled", headline="", body_html="", summary="")
    assert granted(notice, Rights(text="headline", tracking=(("a", "b"),))) is notice


@given(st.text(alphabet="ab <>p/b&;é\u200c", max_size=80), st.integers(0, 6))
def test_what_is_cut_is_clean_html_with_no_more_words(text: str, words: int) -> None:
    said = article(body_html=safe_html(f"<p>{text}</p><ul><li>{text}</li></ul>", "https://e.example/"))
    told = granted(said, Rights(words=words)).body_html

    assert safe_html(told, "https://e.example/") == told.strip()
    assert len(re.findall(r"\w+\S*", text_of(told).replace("…", " "))) <= words
