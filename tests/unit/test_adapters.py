"""Adapters and bad input: whatever comes, there is an event, a note of what is missing, or a clear refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import event as events
from feeds.adapters import ADAPTERS, guess
from feeds.adapters.cloudevents import structured
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.article import ALTERNATES_MOST, Alternate, Article, Image
from feeds.entry import Channel, entry
from feeds.errors import InvalidEvent
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.lifecycle import Accept, decide
from feeds.validation.checks import check_article

NOW = datetime(2026, 3, 31, tzinfo=UTC)
JSON_ADAPTERS = [name for name, adapter in ADAPTERS.items() if adapter.recognizes]
PAGE = "https://herald.example/a"
PROVIDER = Provider("herald.example,2026", "The Herald")
GIVEN = InputDefaults(id="hh-1", url=f"{PAGE}/{{id}}", editions=frozenset({"en", "ar"}))
NINJS = {"uri": "tag:herald.example,2026:1", "headline": "Ferries return", "body_html": "<p>They do.</p>"}
POST = {"id": 7, "title": {"rendered": "Ferries return"}, "link": PAGE, "status": "publish"}
GHOST = {"id": "65e5", "title": "Ferries return", "url": PAGE, "status": "published", "html": "<p>They do.</p>"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    """
@graph @id @type alternateName articleBody associations author authors bodies body_html byline caption content current
dateModified datePublished description embargoed excerpt feature_image guid headline headlines height href html id
image inLanguage keywords lang language link locale mainEntityOfPage modified_gmt name people post previous pubstatus
published_at rel rendered renditions service slug source_url status subject tags title translationOfWork translations
type updated_at uri url urgency value version versioncreated visibility width workTranslation wp:featuredmedia wp:term
wpml_translations _embedded""".split()  # noqa: SIM905 (80 quoted words are harder to read)
)
WORDS = st.sampled_from(
    [
        "NewsArticle",
        "usable",
        "canceled",
        "publish",
        "published",
        "trash",
        "text",
        "picture",
        PAGE,
        "//x",
        "<b>&amp;</b>",
    ]
)
MARKUP = """
<p>|</p>|<div>|</div>|<table><tr><td>|</table>|<ul><li>|</ul>|<a href=/x>|</a>|<img src=/i.jpg>|<h1>|</h2>|<br>|<script>
</script>|<!--|-->|<svg>|<math>|<template>|<blockquote>|<pre>|<iframe src=//x>|&#0;|&amp;|<b
The ferries came back to the harbour on Wednesday after a winter in dock, and the quay was full.""".split("|")  # noqa: SIM905 (thirty quoted tags are harder to read)
LIKELY = st.recursive(
    JSON | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=20,
)


def read(adapter: str, content: bytes | dict[str, Any], said: InputDefaults = GIVEN) -> Adapted:
    return ADAPTERS[adapter].read(content if isinstance(content, bytes) else json.dumps(content).encode(), said)


def refused(adapter: str, content: bytes | dict[str, Any], said: InputDefaults = GIVEN) -> str:
    with pytest.raises(InvalidEvent) as caught:
        read(adapter, content, said)
    return str(caught.value)


def missing(adapted: Adapted, field: str) -> list[str]:
    return [note.problem for note in adapted.missing if note.field == f"article.{field}"]


def taken(adapter: str, content: bytes) -> None:
    """What every input must end in: a refusal that says why, or feeds that a feed reader reads."""
    try:
        adapted = read(adapter, content)
        read_event = events.read(adapted.event, NOW)
    except InvalidEvent:
        return
    assert isinstance(read_event, events.ArticleEvent | events.KillEvent)
    decision = decide(None, read_event, NOW)
    if isinstance(decision, Accept) and decision.article.visible(NOW):
        rendered(decision.article)


def rendered(article: Article) -> None:
    channel = Channel(
        id="tag:herald.example,2026:feed:x",
        title="Herald",
        description="News",
        language="en",
        publisher="Herald",
        home_url="https://herald.example/",
        self_url="https://herald.example/feeds/x",
        hub_url="https://herald.example/hub",
        updated=article.updated,
    )
    one = entry(article, "herald.example,2026")
    # Those that take every article: the partners' profiles choose.
    for name in ("rss", "atom", "json"):
        document = FEED_FORMATS[name].render(channel, [one], [])
        if name == "json":
            assert json.loads(document)["items"][0]["title"] == article.headline
        else:
            etree.fromstring(document)
            # What looks like UTF-8 read as Latin-1 it mends, unasked.
            mended = article.headline.encode("latin-1", "ignore").decode("utf-8", "ignore")
            assert feedparser.parse(document, sanitize_html=False).entries[0].title in {article.headline, mended}


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(deadline=None)
@given(content=st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")))
@example(content=b"")
@example(content=b"\xff\xfe")
@example(content=b"<")
@example(content=b"[]")
def test_any_bytes(adapter: str, content: bytes) -> None:
    taken(adapter, content)


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(value=st.dictionaries(NAMES, LIKELY, max_size=12), seed=st.sampled_from([NINJS, POST, {}]))
def test_any_json(adapter: str, value: dict[str, Any], seed: dict[str, Any]) -> None:
    body = {**seed, **value}
    taken(adapter, json.dumps(body).encode())
    taken(adapter, json.dumps({"post": {"current": {**GHOST, **value}}}).encode())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(value=st.dictionaries(NAMES, LIKELY, max_size=10), text=st.text(max_size=200))
def test_any_page(value: dict[str, Any], text: str) -> None:
    block = json.dumps({"@type": "NewsArticle", "headline": "Ferries return", **value}).replace("</", "<\\/")
    page = f'<html lang=en><script type="application/ld+json">{block}</script><body><p>{text}</p></body></html>'
    taken("page", page.encode("utf-8", "replace"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(parts=st.lists(st.sampled_from(MARKUP) | st.text(max_size=30), max_size=40))
def test_any_markup(parts: list[str]) -> None:
    head = '<html lang=en><meta property="og:title" content="Ferries return"><body><article>'
    taken("page", (head + "".join(parts)).encode("utf-8", "replace"))


@settings(deadline=None)
@given(
    lines=st.lists(st.text(max_size=80), max_size=12), date=st.sampled_from(["4 March 2026 11:00", "٤ مارس ٢٠٢٦", ""])
)
def test_any_text(lines: list[str], date: str) -> None:
    taken("text", "\n".join(["The Herald", "Ferries return", date, *lines]).encode("utf-8", "replace"))


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON: Expecting value at line 1, column 1 (it ends too early)"),
        (b'{"uri": "tag:x", "headline": "Ferr', "is no JSON: Unterminated string"),
        (b'{"uri": "x",', "(it ends too early)"),
        (json.dumps(NINJS).encode("utf-16-le"), "is no JSON"),
        ('{"headline": "Café"}'.encode("latin-1"), "is no text in utf-8: invalid continuation byte at byte 18"),
        (b"[" * 100_000, "is JSON that is nested too deep"),
        (b'{"a": ' * 100_000, "is JSON that is nested too deep"),
        (b'{"version": ' + b"9" * 5000 + b"}", "is no JSON that can be read: Exceeds the limit"),
        (b" " * (MOST_BYTES + 1), "has 5,000,001 bytes; at most 5,000,000 are taken"),
        (b"[1]", "must be a JSON object"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json_that_is_none(adapter: str, content: bytes, said: str) -> None:
    assert said in refused(adapter, content)


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@pytest.mark.parametrize("ends", [("[", "]"), ('{"post":', "}"), ('{"deleted": true, "previous": ', "}")])
def test_json_that_is_nested_a_thousand_deep(adapter: str, ends: tuple[str, str]) -> None:
    # How deep Python reads is its version's to say; what it reads has no article in it.
    content = (ends[0] * 1000 + "1" + ends[1] * 1000).encode()
    assert any(
        word in refused(adapter, content, InputDefaults()) for word in ("nested too deep", "must be", "is missing")
    )


@pytest.mark.parametrize("adapter", ["page", "text"])
def test_what_is_too_long_is_refused_before_it_is_read(adapter: str) -> None:
    assert "has 10,000,000 bytes" in refused(adapter, b"<p>" + b"a" * 9_999_997)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the page is empty"),
        (b"<div>" * 1000 + b"x", "Excessive depth in document: 256"),
        (b"<meta charset=klingon><p>x", "says it is in klingon, which is no known encoding"),
        ("<p>Café".encode("latin-1"), "is no text in utf-8: unexpected end of data at byte 7"),
        (b'<script type="application/ld+json">[' + b"[]," * 20_001 + b"[]]</script>", "has more than 20,000 values"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_pages_that_are_none(content: bytes, said: str) -> None:
    assert said in refused("page", content)


@pytest.mark.parametrize(
    "content",
    [
        b"<meta charset=windows-1256><p>\x81\xff",
        b'<script type="application/ld+json">' + b"[" * 1000 + b"]" * 1000 + b"</script>",
        b'<script type="application/ld+json">' + b"[" * 50_000 + b"</script>",
    ],
    ids=lambda value: repr(value)[:60],
)
def test_pages_without_an_article(content: bytes) -> None:
    with pytest.raises(InvalidEvent, match=r"article\.headline: is missing"):
        events.read(read("page", content).event, NOW)


def test_entities_of_a_page_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sesame")
    page = f"""<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret"><!ENTITY a "{"b" * 50}">]>
        <html><meta property="og:title" content="Ferries"><p>They do &x;.</p><p>And &a;.</p></html>"""
    adapted = read("page", page.encode())
    assert "Ferries" == adapted.event["article"]["headline"]
    assert not any(word in str(adapted) for word in ("sesame", "bbbb"))


def test_an_arabic_page_in_its_own_encoding() -> None:
    page = '<html lang="ar"><meta charset="windows-1256"><meta property="og:title" content="عودة السفن"><p>نص</p>'
    assert read("page", page.encode("windows-1256")).event["article"]["headline"] == "عودة السفن"


def test_a_page_without_an_address_is_refused() -> None:
    assert "article.id: is missing" == refused("page", b"<p>x", InputDefaults())


def test_a_page_that_is_not_free_to_read_leaves_its_text_out() -> None:
    ld = {"@type": "NewsArticle", "headline": "F", "isAccessibleForFree": False, "articleBody": "paid for"}
    adapted = read("page", f'<script type="application/ld+json">{json.dumps(ld)}</script><p>x'.encode())
    assert "body_html" not in adapted.event["article"]
    assert missing(adapted, "body_html") == ["is left out: the page says that it is not free to read"]


@pytest.mark.parametrize("status", ["trash", "draft", "pending", "private", "future", "auto-draft", "in-review"])
def test_a_wordpress_post_that_is_not_public_is_withheld(status: str) -> None:
    assert "withheld" == read("wordpress", POST | {"status": status}).event["article"]["pubstatus"]


def test_a_wordpress_post_with_a_password_is_withheld() -> None:
    post = POST | {"content": {"rendered": "", "protected": True}}
    assert "withheld" == read("wordpress", post).event["article"]["pubstatus"]


@pytest.mark.parametrize(
    ("adapter", "value", "said"),
    [
        ("ninjs", NINJS | {"type": "picture"}, "type: is 'picture'; only text is taken"),
        ("ninjs", NINJS | {"pubstatus": "spiked"}, "pubstatus: is 'spiked'; known: usable, withheld, canceled"),
        ("wordpress", POST | {"type": "attachment"}, "type: is 'attachment', which is no article"),
        ("wordpress", {"title": {}}, "article.id: is missing"),
        ("wordpress", {"deleted": True}, "previous: is missing: there is no post"),
        ("ghost", {"page": {"current": {}}}, "post: is missing; there is page"),
        ("ghost", {"post": {"current": {"title": "x"}}}, "article.id: is missing"),
        ("text", b"The Herald\nFerries return\nThey do.", "no line is a date and no headline stands twice"),
        ("text", b"\n \n", "the input is empty"),
    ],
)
def test_what_is_no_article(adapter: str, value: Any, said: str) -> None:
    assert said in refused(adapter, value, InputDefaults())


@pytest.mark.parametrize("versioncreated", ["0001-01-01T00:00:00Z", "yesterday", [], {}, "\ud800", 1e308])
def test_nothing_but_its_id_can_spoil_a_kill(versioncreated: Any) -> None:
    kill = NINJS | {"pubstatus": "canceled", "version": "\ud800", "versioncreated": versioncreated, "headline": {}}
    assert isinstance(events.read(read("ninjs", kill).event, NOW), events.KillEvent)


def test_an_id_with_half_a_character_is_refused_for_what_it_is() -> None:
    with pytest.raises(InvalidEvent, match=r"article\.id: must not have white space or control characters"):
        events.read(
            read("ninjs", NINJS | {"uri": "tag:\ud800"}, InputDefaults(url="https://e.example/{id}")).event, NOW
        )


def test_a_version_that_is_no_number_is_noted() -> None:
    adapted = read("ninjs", NINJS | {"version": "2b"})
    assert "version" not in adapted.event["article"]
    assert missing(adapted, "version") == ["is '2b', which is no number; the time of the change decides"]


@pytest.mark.parametrize(
    ("language", "edition"),
    [("ar", "ar"), ("ar-SA", "ar"), ("AR_eg", "ar"), ("en_GB", "en"), ("fr", "fr"), ("zh-Hant", "zh-Hant")],
)
def test_a_language_belongs_to_an_edition(language: str, edition: str) -> None:
    assert edition == read("ninjs", NINJS | {"language": language}).event["article"]["edition"]


def test_the_pattern_of_addresses_is_filled_in() -> None:
    said = InputDefaults(url="https://herald.example/{slug}?id={id}")
    article = read("ninjs", NINJS | {"slugline": "ferries & more"}, said).event["article"]
    assert article["url"] == "https://herald.example/ferries%20%26%20more?id=tag%3Aherald.example%2C2026%3A1"
    assert "url" not in read("ninjs", NINJS, said).event["article"]


def test_a_picture_that_cannot_be_taken_is_left_out_and_named() -> None:
    picture = {"type": "picture", "renditions": {"original": {"href": "/assets/1.jpg", "width": 10}}}
    adapted = read("ninjs", NINJS | {"associations": {"featuremedia": picture}})
    assert "images" not in adapted.event["article"]
    assert "must be an absolute URL" in missing(adapted, "images.url")[0]


@pytest.mark.parametrize(
    ("language", "href", "said"),
    [
        ("ar", PAGE, []),  # the page itself, whatever it calls its language
        ("en_GB", f"{PAGE}/gb", ["has more than one page of the edition en"]),
        ("tr", "https://herald.example/tr", []),
        ("tr", "https://herald.example/tr/2", ["has more than one page of the edition tr"]),
        ("ur", "/ur/a", []),
        ("ur", "mailto:a@e.example", ["has 'ur': 'mailto:a@e.example', which must be an absolute URL"]),
        ("Urdu!", "/ur/a", ["has 'Urdu!': '/ur/a', which edition: must be a language tag"]),
        (None, "/ur/a", ["has one whose language or page is missing"]),
        ("ur", None, ["has one whose language or page is missing"]),
    ],
)
def test_another_edition_that_cannot_be_taken_is_left_out_and_named(language: Any, href: Any, said: list[str]) -> None:
    others = [{"locale": "tr", "href": "https://herald.example/tr"}, {"locale": language, "href": href}]
    adapted = read("wordpress", POST | {"lang": "en", "wpml_translations": others})
    assert [note[: len(start)] for note, start in zip(missing(adapted, "alternates"), said, strict=True)] == said
    kept = [{"edition": "tr", "url": "https://herald.example/tr"}]
    if language == "ur" and href == "/ur/a":
        kept.append({"edition": "ur", "url": "https://herald.example/ur/a"})
    assert adapted.event["article"]["alternates"] == kept
    assert events.read(adapted.event, NOW).type == "article.published"


def test_no_more_editions_are_taken_than_an_article_may_name() -> None:
    tags = [first + second for first in "abcdefgh" for second in "abcdefgh"]
    others = [{"locale": tag, "href": f"/{tag}"} for tag in tags]
    adapted = read("wordpress", POST | {"lang": "en", "wpml_translations": others})
    assert len(adapted.event["article"]["alternates"]) == ALTERNATES_MOST
    assert len(missing(adapted, "alternates")) == len(tags) - ALTERNATES_MOST


def test_a_cloud_event_brings_the_alternates_of_its_data() -> None:
    alternates = [{"edition": "ar", "url": "https://herald.example/ar"}]
    data = {"article": {"id": "hh-1", "headline": "Ferries", "url": PAGE, "alternates": alternates}}
    cloud = {"specversion": "1.0", "id": "e-1", "source": "/cms", "type": "article.published", "data": data}
    read_event = events.read(structured(cloud), NOW)
    assert isinstance(read_event, events.ArticleEvent)
    assert read_event.article.alternates == (Alternate(edition="ar", url="https://herald.example/ar"),)


def test_markup_in_a_headline_becomes_text() -> None:
    adapted = read("wordpress", POST | {"title": {"rendered": "AT&amp;T &#8211; <em>ferries</em>"}})
    assert "AT&T – ferries" == adapted.event["article"]["headline"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-03-04T11:00:00+00:00", None),
        ("2026-03-04 11:00Z", None),
        ("Wed, 04 Mar 2026 12:00:00 +0100", None),
        ("Wed, 04 Mar 2026 11:00:00 GMT", None),
        (1772622000, None),
        ("1772622000000", None),
        ("٢٠٢٦-٠٣-٠٤T١١:٠٠:٠٠Z", None),
        ("Wednesday, 4 March, 2026 - 12:00", None),
        ("March 4th, 2026 at 12:00 p.m.", None),
        ("الأربعاء، ٤ آذار ٢٠٢٦ - ١٢:٠٠", None),
        ("4 Mart 2026 Çarşamba 12:00", None),
        ("بدھ 4 مارچ 2026 12:00", None),
        ("4 March 2026 11:00 UTC", None),
        ("2026-03-04", "has no time of day"),
        ("4 March 2026", "has no time of day"),
        ("۱۳ اسفند ۱۴۰۴ - ۱۲:۰۰", "is a date of the Persian calendar, which is not converted"),
        ("15 رمضان 1447 12:00", "is a date of the Islamic calendar, which is not converted"),
        ("03/04/2026 11:00", "day and month can be mistaken for each other"),
        ("Tuesday, 4 March 2026 11:00", "is another day of the week"),
        ("31 February 2026 11:00", "day is out of range for month"),
        ("4 March 2026 13:00 pm", "has an hour that is none on a clock of twelve"),
        ("yesterday", "has 'yesterday', which is no part of a date that can be read"),
        ("4 2026 11:00", "has no day, month and year that can be read"),
        ("4 4 2026", "is no date that can be read"),
        ("0020-03-04T11:00:00Z", "must lie between the years 1900 and 9000"),
        (True, "is no date"),
        ([], "is no date"),
        ("x" * 5000, "is no date"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_dates_of_the_world(written: Any, said: str | None) -> None:
    zone = InputDefaults(url=PAGE, zone=timezone(timedelta(hours=1)))
    adapted = read("ninjs", NINJS | {"firstpublished": written, "version": "1"}, zone)
    if said is None:
        assert "2026-03-04T11:00:00+00:00" == adapted.event["article"]["published"]
    else:
        assert "published" not in adapted.event["article"]
        assert said in missing(adapted, "published")[0]


def test_a_date_without_offset_needs_a_zone() -> None:
    adapted = read("ninjs", NINJS | {"firstpublished": "4 March 2026 11:00"})
    assert missing(adapted, "published") == [
        "is '4 March 2026 11:00': has no offset from UTC, and no time zone is given"
    ]


@pytest.mark.parametrize(
    ("content", "name", "adapter"),
    [
        (b"  <!doctype html>", "-", "page"),
        (b"words", "a.TXT", "text"),
        (json.dumps(NINJS).encode(), "a.json", "ninjs"),
        (json.dumps({"post": {"current": GHOST}}).encode(), "-", "ghost"),
        (json.dumps({"post": POST}).encode(), "-", "wordpress"),
        (b'{"id": "1", "headline": "Ours", "url": "https://e.example/"}', "a.json", None),
        (b'[{"type": "article.published"}]', "a.json", None),
        (b"words", "-", None),
    ],
)
def test_guess(content: bytes, name: str, adapter: str | None) -> None:
    found = guess(content, name)
    assert adapter == (found.name if found else None)


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("How the &lt;canvas&gt; tag came to the newsroom", "How the <canvas> tag came to the newsroom"),
        ("&lt;br&gt; or &lt;p&gt;?", "<br> or <p>?"),
        ("<em>Ferries</em> &amp; trains", "Ferries & trains"),
        ("Trade &amp;amp; tide", "Trade & tide"),
        ("R&D; what it costs", "R&D; what it costs"),
    ],
)
def test_a_title_may_have_angle_brackets(title: str, headline: str) -> None:
    adapted = read("wordpress", POST | {"title": {"rendered": title}})
    event = events.read(json.loads(json.dumps(adapted.event)), NOW)
    assert isinstance(event, events.ArticleEvent)
    assert headline == event.article.headline
    decision = decide(None, event, NOW)
    assert isinstance(decision, Accept)
    rendered(decision.article)
    # Another Dateline reads it too.
    told = json.loads(ARTICLE_FORMATS["json"].render("article.published", decision.article, "m", PROVIDER))
    again = events.read({"id": "m", **told}, NOW)
    assert isinstance(again, events.ArticleEvent)
    assert headline == again.article.headline


def test_literal_is_for_whoever_says_it() -> None:
    said = {"id": "e", "type": "article.published", "article": {"id": "a", "headline": "A <b> tag", "url": PAGE}}
    with pytest.raises(InvalidEvent, match="has markup"):
        events.read(said, NOW)
    event = events.read(said | {"literal": True}, NOW)
    assert isinstance(event, events.ArticleEvent)
    assert event.article.headline == "A <b> tag"
    with pytest.raises(InvalidEvent, match="literal"):
        events.read(said | {"literal": "yes"}, NOW)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://m.example/a.png", "image/png"),
        ("https://m.example/a.WEBP?w=300", "image/webp"),
        ("https://m.example/a.jpeg#x", "image/jpeg"),
        ("https://m.example/picture/300", ""),
        ("https://m.example/a.php", ""),
    ],
)
def test_the_type_of_a_picture_is_said_or_not(url: str, expected: str) -> None:
    image = Image(url=url)
    assert expected == image.type
    said = article_of({"images": [{"url": url}]})
    for name in ("rss", "atom", "json", "flipboard"):
        document = FEED_FORMATS[name].fragment(entry(said, "herald.example,2026"))
        assert (b"image/jpeg" in document) == (expected == "image/jpeg" and name != "json")
    for article_format in ARTICLE_FORMATS.values():
        document = article_format.render("article.published", said, "m", PROVIDER)
        assert check_article(article_format.name, document) == []
        if expected != "image/jpeg":
            assert b"image/jpeg" not in document


def article_of(more: dict[str, Any]) -> Article:
    said = {"id": "a", "headline": "Ferries return", "url": PAGE, "body_html": "<p>They do.</p>"} | more
    event = events.read({"id": "e", "type": "article.published", "article": said}, NOW)
    assert isinstance(event, events.ArticleEvent)
    decision = decide(None, event, NOW)
    assert isinstance(decision, Accept)
    return decision.article


SAVED = """{head}The Tidewater
Locks shut
Locks shut
Monday, 4 May, 2026 - 09:30
The lock keeper at work. (Weir Pictures)
The lock was shut on Monday.
It opens on Friday.
"""
AT_HOME = InputDefaults(url="https://tidewater.example/a", zone=timezone(timedelta(hours=2)))


def saved(said: InputDefaults = AT_HOME, head: str = "") -> Adapted:
    return read("text", SAVED.replace("{head}", head).encode(), said)


def test_the_picture_of_a_text_is_there_when_its_address_is_given() -> None:
    picture = {"url": "https://m.example/l.jpg", "caption": "The lock keeper at work.", "credit": "Weir Pictures"}
    assert [picture] == saved(replace(AT_HOME, image="https://m.example/l.jpg")).event["article"]["images"]
    [note] = missing(saved(), "images")
    assert "The lock keeper at work." in note
    assert "Weir Pictures" in note
    assert "keeper at work" not in saved().event["article"]["body_html"]


def test_a_time_of_a_text_is_taken_with_its_zone_or_refused() -> None:
    assert saved().event["article"]["published"] == "2026-05-04T07:30:00+00:00"
    adapted = saved(replace(AT_HOME, zone=None))
    assert "no time zone is given" in missing(adapted, "published")[0]
    with pytest.raises(InvalidEvent, match=r"article\.published"):
        events.read(adapted.event, NOW)


@pytest.mark.parametrize(
    "slogan",
    ["News from the river, every day", "All that floats is fit to print here.", "Since 1871 we tell you all of it"],
)
def test_a_slogan_is_no_source(slogan: str) -> None:
    adapted = saved(head=f"{slogan}\n")
    assert adapted.event["article"]["source"] == "The Tidewater"
    assert any(slogan in note.problem for note in adapted.missing)


@pytest.mark.parametrize("kind", ["page", "wp_navigation", "custom_css"])
def test_what_wordpress_keeps_as_posts_and_is_no_news(kind: str) -> None:
    assert "which is no article" in refused("wordpress", POST | {"type": kind})


def test_a_text_in_which_several_lines_could_be_the_headline_is_refused() -> None:
    text = "The Tidewater Post\n{}Ferries return to Port Lisse\nBy Mara Ellingsen\nMarch 4, 2026\nThe first ferry left."
    with pytest.raises(InvalidEvent, match="several lines could be the headline: 'News of the coast', 'Ferries"):
        ADAPTERS["text"].read(text.format("News of the coast\n").encode(), InputDefaults(url="https://e.example/a"))
    # The line with the author's name is none of them.
    adapted = ADAPTERS["text"].read(text.format("").encode(), InputDefaults(url="https://e.example/a"))
    assert "Ferries return to Port Lisse" == adapted.event["article"]["headline"]
