"""Words as they are indexed and asked for."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.article import Article
from feeds.words import (
    ASKED_MOST,
    BREAK,
    WORD_MOST,
    WORDS_MOST,
    NoWords,
    Phrase,
    _cut,
    _runs,
    phrases_of,
    words_of,
    words_of_article,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The harbour-wall, again: 2026", ["the", "harbour", "wall", "again", "2026"]),
        ("İstanbul'da IŞIK ışık", ["istanbul", "da", "isik", "isik"]),
        ("Straße GRÖSSE große", ["strasse", "grosse", "grosse"]),
        ("ΑΘΗΝΑ Αθήνα Αθήνας", ["αθηνα", "αθηνα", "αθηνασ"]),
        ("أُغلِقَ المـــيناء", ["اغلق", "المیناء"]),
        ("مدرسة مدرسه", ["مدرسه", "مدرسه"]),
        ("كتاب ۱۲ ١٢", ["کتاب", "12", "12"]),
        ("می\u200cرود", ["میرود"]),
        ("हिन्दी समाचार", ["हिन्दी", "समाचार"]),
        ("北京大学 2026年", ["北京", "京大", "大学", "学", "2026", "年"]),
        ("ข่าวเช้า", ["ข่า", "าว", "วเ", "เช้", "ช้า", "า"]),
        ("ｶﾀｶﾅ", ["カタ", "タカ", "カナ", "ナ"]),
        ("\0\ud800 \"' & | ! ( ) :* <->", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("search", "phrases"),
    [
        ("harbour Wall", [Phrase(("harbour",)), Phrase(("wall",))]),
        ('"harbour wall" clos*', [Phrase(("harbour", "wall")), Phrase(("clos",), beginning=True)]),
        ('"harbour wa*"', [Phrase(("harbour", "wa"), beginning=True)]),
        ('"harbour wa"*', [Phrase(("harbour", "wa"), beginning=True)]),
        ('"harbour wall', [Phrase(("harbour", "wall"))]),
        ("e-mail e-mail", [Phrase(("e", "mail"))]),
        ("a OR NOT near(b)", [Phrase((word,)) for word in ("a", "or", "not")] + [Phrase(("near", "b"))]),
        ("北京大", [Phrase(("北京", "京大"))]),
        ("学", [Phrase(("学",), beginning=True)]),
        ("年2026", [Phrase(("年", "2026"))]),
        ('"北京 2026"', [Phrase(("北京", "京", "2026"))]),
        ("\uff02北京\uff02", [Phrase(("北京",))]),
    ],
)
def test_what_is_looked_for(search: str, phrases: list[Phrase]) -> None:
    assert phrases_of(search) == tuple(phrases)


@pytest.mark.parametrize("search", ["", " ", '"', '""', "*", "!?", "\0", "\ud800", BREAK])
def test_no_words(search: str) -> None:
    with pytest.raises(NoWords, match="has no word"):
        phrases_of(search)


def test_too_many() -> None:
    assert len(phrases_of(" ".join(f"a{number}" for number in range(ASKED_MOST)))) == ASKED_MOST
    with pytest.raises(NoWords, match=f"more than {ASKED_MOST} words"):
        phrases_of("a " * 5000)
    assert phrases_of("x" * 10_000) == (Phrase(("x" * WORD_MOST,)),)


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    for word in words_of(text):
        assert 0 < len(word) <= WORD_MOST
        assert not any(character.isspace() or character in "'\"\\\0" for character in word)
    with contextlib.suppress(NoWords):
        phrases_of(text)
    assert words_of(text) == [word for run in _runs(text) for word in _cut(run)]
    # What is folded twice is the same, so a word that is read in a text is found by it.
    assert words_of(" ".join(words_of("Köln " + text)))[0] == "koln"


def article(**fields: object) -> Article:
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


def test_the_words_of_an_article() -> None:
    fields = {
        "body_html": "<p>It is <b>clo</b>sed.</p>",
        "authors": ["Mira Okonjo"],
        "images": [{"url": "https://herald.example/a.jpg", "caption": "The crane", "credit": "Lee"}],
    }
    texts = " ".join(words_of_article(article(**fields))).split(f" {BREAK} ")
    assert texts == ["harbour wall", "it is closed", "mira okonjo", "the crane", "lee"]
    assert len(words_of_article(article(body_html="word " * 20_000))) == WORDS_MOST
    # Of letters that take more bytes each, fewer.
    words = words_of_article(article(body_html=f"{'ا' * 60} " * 20_000))
    assert sum(len(word.encode()) for word in words) <= 500_000 < sum(len(word.encode()) for word in words) + 200
    assert words_of_article(article(headline="", pubstatus="canceled")) == []
