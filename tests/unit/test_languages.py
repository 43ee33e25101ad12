"""What is written in each of the paper's languages arrives in every format as it was written, with its direction."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree, html

from feeds.article import Article
from feeds.entry import Channel, entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.validation.checks import check_article, check_feed

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# Headline, summary, a paragraph. In them: joiners (U+200C), isolates (U+2066 to U+2069), marks (U+200F), the digits and
# the punctuation of each language.
SAID = {
    "en": (
        "Ferry \u2067ليس\u2069 is back, at last",
        "After 23 days, 4 crews sail.",
        "“A ticket is two crowns,” she said.",
    ),
    "ar": (
        "العبّارة \u2066Lisse\u2069 تعود إلى الرصيف",
        "بعد ٢٣ يومًا، تبحر ٤ طواقم؛ هل تصل؟",
        "قال الربّان: «الريح رحيمة»\u200f.",
    ),
    "ur": (
        "کشتی \u2068Lisse\u2069 گودی پر واپس",
        "۲۳ دن بعد ۴ عملے روانہ ہوں گے۔",
        "کپتان نے کہا: ”ہوا مہربان ہے“؛ بہ\u200cہرحال سب خیریت ہے۔",
    ),
    "fa": (
        "کشتی \u2068Lisse\u2069 به خانه\u200cاش برمی\u200cگردد",
        "پس از ۲۳ روز، ۴ گروه می\u200cروند؛ کِی می\u200cرسند؟",
        "ناخدا گفت: «نمی\u200cترسیم».",
    ),
    "tr": (
        "“Lisse” vapuru İskele’ye döndü",
        "23 gün sonra ışıklar hâlâ yanıyor.",
        "Kaptan, “Rüzgâr bize acıdı,” dedi; İlhan Ilgın güldü.",
    ),
}
RTL = {"ar", "ur", "fa"}

every_edition = pytest.mark.parametrize("edition", SAID)


def article(edition: str) -> Article:
    headline, summary, paragraph = SAID[edition]
    return Article(
        id="hh-1",
        version=1,
        edition=edition,
        headline=headline,
        summary=summary,
        body_html=f"<p>{paragraph}</p>",
        url=f"https://e.example/{edition}/a",
        authors=("Işıl Çağan",),
        published=NOON,
        updated=NOON,
    )


def feed(name: str, edition: str) -> bytes:
    channel = Channel(*("https://e.example/",) * 3, edition, *("https://e.example/",) * 4, updated=NOON)
    said = entry(article(edition), PROVIDER.authority, PROVIDER.name)
    return FEED_FORMATS[name].render(channel, [said], [])


def push(name: str, edition: str) -> bytes:
    return ARTICLE_FORMATS[name].render("article.published", article(edition), "msg-1", PROVIDER)


def strings(value: Any) -> list[str]:
    """All text in JSON."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


def text_in(document: bytes) -> str:
    """All text of a document."""
    if document.startswith(b"{"):
        return "\n".join(strings(json.loads(document)))
    if not document.startswith(b"<"):
        return document.decode()
    if document.startswith(b"<!DOCTYPE html>"):
        return "\n".join(map(str, html.document_fromstring(document.decode()).itertext()))
    return "\n".join(map(str, etree.fromstring(document).itertext()))


@every_edition
@pytest.mark.parametrize("name", sorted(FEED_FORMATS.keys() - {"sitemap", "news-sitemap", "flipboard"}))
def test_a_feed_says_what_was_written(name: str, edition: str) -> None:
    document = feed(name, edition)
    assert [said for said in SAID[edition] if said not in text_in(document)] == []
    assert [finding for finding in check_feed(name, document, ours=True) if finding.rule == "text.characters"] == []


@every_edition
@pytest.mark.parametrize("name", sorted(ARTICLE_FORMATS.keys() - {"iptc7901", "anpa1312"}))
def test_an_article_format_says_what_was_written(name: str, edition: str) -> None:
    document = push(name, edition)
    assert [said for said in SAID[edition] if said not in text_in(document)] == []
    assert check_article(name, document, ours=True) == []


@every_edition
def test_what_a_partner_continues_or_leaves_out_is_still_whole(edition: str) -> None:
    headline, summary, paragraph = SAID[edition]
    assert f"{summary} {paragraph}" in text_in(feed("flipboard", edition))
    assert headline in text_in(feed("news-sitemap", edition))


@every_edition
def test_the_direction_stands_in_the_html_of_feeds(edition: str) -> None:
    paragraph = f"<p>{SAID[edition][2]}</p>"
    wrapped = f'<div dir="rtl" lang="{edition}">{paragraph}</div>' if edition in RTL else paragraph
    [item] = json.loads(feed("json", edition))["items"]
    assert (item["content_html"], item["language"]) == (wrapped, edition)
    atom = etree.fromstring(feed("atom", edition)).find("{*}entry")
    assert atom is not None
    assert (atom.findtext("{*}content"), atom.get(XML_LANG)) == (wrapped, edition)
    for name in ("rss", "smartnews", "msn", "flipboard", "applenews-rss"):
        item = etree.fromstring(feed(name, edition)).find("channel/item")
        assert item is not None
        assert (item.findtext("{*}encoded"), item.findtext("{*}language")) == (wrapped, edition)


@every_edition
def test_the_direction_stands_in_article_formats_that_have_a_word_for_it(edition: str) -> None:
    direction = "rtl" if edition in RTL else "ltr"
    g2 = etree.fromstring(push("newsmlg2", edition))
    page = g2.find(".//{http://www.w3.org/1999/xhtml}html")
    assert page is not None
    assert [(element.get("dir"), element.get(XML_LANG)) for element in (g2, page)] == [(direction, edition)] * 2
    nitf = etree.fromstring(push("nitf", edition))
    assert (nitf.get("baselang"), [body.get(XML_LANG) for body in nitf.iterfind("{*}body")]) == (edition, [edition])
    apple = json.loads(push("applenews", edition))
    aligned = apple["componentTextStyles"]["default"]["textAlignment"]
    assert (apple["language"], aligned) == (edition, "right" if edition in RTL else "left")
    assert [json.loads(push(name, edition))["language"] for name in ("ninjs31", "ninjs22", "ninjs16")] == [edition] * 3
