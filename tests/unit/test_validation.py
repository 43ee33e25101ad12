"""The gate: what each format's rules let through, and what they say of a document that breaks one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from golden_files import ARTICLE_FILES
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import event
from feeds.article import ORDERING, Alternate, Article, Image
from feeds.entry import Channel, Tombstone, entry, tag_uri
from feeds.errors import InvalidEvent
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.lifecycle import Accept, Hold, decide
from feeds.recognition import Recognised, recognise
from feeds.text import plain
from feeds.validation import checks, native, values
from feeds.validation.checks import ARTICLE_CHECKS, FEED_CHECKS, check_channel, check_entry
from feeds.validation.finding import Finding

# All that is in these tests is ours.
check_feed = partial(checks.check_feed, ours=True)
check_article = partial(checks.check_article, ours=True)
SCHEMAS = Path(__file__).parents[3] / "shared" / "schemas"
NOW = datetime(2026, 3, 10, 7, tzinfo=UTC)
PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
CHANNEL = Channel(
    id="tag:harbour-herald.example,2026:feed/latest",
    title="Latest",
    description="What is new",
    language="en",
    publisher="Harbour Herald",
    home_url="https://e.example/",
    self_url="https://e.example/feeds/latest.rss",
    hub_url="https://e.example/hub",
    updated=NOW,
    logo_url="https://e.example/logo.png",
)
FEATURE = Article(
    id="hh-1",
    version=2,
    headline="The last rope maker teaches a robot to splice",
    summary="Slowly. " * 40,
    url="https://e.example/ropes?a=1&b=2",
    body_html='<h2>How</h2><p>Slowly, <b>by hand</b>.</p><p><img src="https://e.example/b.jpg" alt="B"></p>',
    section="harbour",
    subjects=("crafts",),
    authors=("Jon Beckwith",),
    images=(Image(url="https://e.example/a.jpg", width=800, height=600, caption="C", credit="R"),),
    alternates=(
        Alternate(edition="ar", url="https://e.example/ar/ropes", id="hh-2"),
        Alternate(edition="tr", url="https://e.example/tr/ropes"),
    ),
    published=NOW - timedelta(hours=2),
    updated=NOW - timedelta(hours=1),
    expires=NOW + timedelta(days=700),
    embargoed=NOW + timedelta(days=1),
    urgency=4,
    source="Harbour Herald",
    dateline="PORT LISSE",
    rights="All",
)


def feed(format_name: str, said: Article = FEATURE, *stones: Tombstone) -> bytes:
    return FEED_FORMATS[format_name].render(CHANNEL, [entry(said, PROVIDER.authority, PROVIDER.name)], stones)


def push(format_name: str, said: Article = FEATURE, change: str = "article.published") -> bytes:
    return ARTICLE_FORMATS[format_name].render(change, said, "msg-1", PROVIDER)


def changed(document: bytes, old: str, new: str) -> bytes:
    assert old.encode() in document
    return document.replace(old.encode(), new.encode())


def rules(findings: list[Finding]) -> set[str]:
    assert all(finding.reason for finding in findings)
    return {finding.rule for finding in findings}


def test_every_format_has_its_rules() -> None:
    assert list(FEED_CHECKS) == list(FEED_FORMATS)
    assert list(ARTICLE_CHECKS) == list(ARTICLE_FORMATS)


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(ValueError, match="there is no feed format 'nitf'; known: rss, atom"):
        check_feed("nitf", b"")
    with pytest.raises(ValueError, match="there is no article format 'rss'; known: json"):
        check_article("rss", b"")


@pytest.mark.parametrize("format_name", FEED_FORMATS)
def test_a_good_feed_passes(format_name: str) -> None:
    stone = Tombstone("tag:harbour-herald.example,2026:article/gone", NOW, "https://e.example/gone")
    assert check_feed(format_name, feed(format_name, FEATURE, stone)) == []


@pytest.mark.parametrize("format_name", ARTICLE_FORMATS)
@pytest.mark.parametrize("change", ["published", "corrected", "killed", "withdrawn"])
def test_a_good_article_passes(format_name: str, change: str) -> None:
    assert check_article(format_name, push(format_name, change=f"article.{change}")) == []


FEED_MISTAKES = [
    ("rss", "<title>Latest</title>", "<title/>", "rss.channel.title"),
    ("rss", "</channel>", "", "xml.well-formed"),
    ("rss", "<rss ", '<!DOCTYPE rss [<!ENTITY a "b">]><rss ', "xml.doctype"),
    ("rss", 'version="2.0"', 'version="0.91"', "rss.root"),
    ("rss", "<link>https://e.example/ropes", "<link>/ropes", "rss.item.link"),
    ("rss", "<link>https://e.example/ropes", "<link>https://e.example/rôpes", "rss.item.link"),
    ("rss", "<item>", '<item><guid isPermaLink="false">x</guid></item><item>', "rss.item"),
    ("rss", "10 Mar 2026 05:00:00 GMT", "10 März 2026 05:00:00 GMT", "rss.item.pubDate"),
    ("rss", "Tue, 10 Mar 2026 05:00:00 GMT", "Fri, 10 Mar 2026 05:00:00 GMT", "rss.item.pubDate"),
    ("rss", "2026-03-10T06:00:00+00:00", "2026-02-30T06:00:00+00:00", "rss.item.atom-updated"),
    ("rss", "2026-03-10T06:00:00+00:00", "2026-03-10T04:00:00+00:00", "rss.item.dates"),
    ("rss", "<dc:creator>", "<author>a@e.example</author><dc:creator>", "rss.item.author"),
    ("rss", "Jon Beckwith", "Jon\u202eBeckwith", "text.characters"),
    ("rss", 'url="https://e.example/a.jpg"', 'url="a.jpg"', "rss.item.picture"),
    ("atom", "<entry", '<at:deleted-entry ref="a" when="2026-03-10T06:00:00Z"/><entry', ""),
    ("atom", "</entry>", '</entry><at:deleted-entry ref="a" when="2026-03-10T06:00:00Z"/>', "atom.deleted-entry"),
    ("atom", "<updated>2026-03-10T06:00:00+00:00", "<updated>2026-03-10T04:59:59+00:00", "atom.entry.dates"),
    ("atom", "<name>Harbour Herald</name>", "<name/>", ""),
    ("atom", "tag:harbour-herald.example,2026:article/hh-1", "hh-1", "atom.entry.id"),
    ("json", '"content_html"', '"content"', "jsonfeed.item.content"),
    ("json", '"date_published":"2026', '"date_published":"٢٠٢٦', "jsonfeed.item.date_published"),
    ("json", '"title":"Latest"', '"title":""', "jsonfeed.title"),
    ("json", "jsonfeed.org/version/1.1", "jsonfeed.org/version/2", "jsonfeed.version"),
    ("json", '"items":[{', '"items":[NaN,{', "json.well-formed"),
    ("smartnews", "<snf:logo><url>https://e.example/logo.png</url></snf:logo>", "", "smartnews.channel.logo"),
    ("smartnews", "<description>What is new", f"<description>{'x' * 31}", "smartnews.channel.description"),
    ("smartnews", "?a=1&amp;b=2", "?a=1&amp;utm_source=b", "smartnews.item.link"),
    ("smartnews", "<dc:creator>Jon Beckwith</dc:creator>", "", "smartnews.item.creator"),
    ("msn", "The last rope maker teaches a robot to splice", "Just twenty letters..", ""),
    ("msn", "The last rope maker teaches a robot to splice", "Just twenty letters.", "msn.item.title"),
    ("msn", "The last rope maker teaches a robot to splice", "x" * 151, "msn.item.title"),
    ("msn", "Tue, 10 Mar 2026 05:00:00", "Mon, 10 Mar 2025 05:00:00", "msn.item.pubDate"),
    ("msn", "Tue, 10 Mar 2026 05:00:00", "Tue, 10 Mar 2026 08:00:01", "msn.item.pubDate"),
    ("msn", "&lt;b&gt;by hand&lt;/b&gt;", "&lt;kbd&gt;by hand&lt;/kbd&gt;", "msn.item.html"),
    ("msn", 'src="https://e.example/b.jpg"', 'src="http://e.example/b.jpg"', "msn.item.html"),
    (
        "mrss",
        '<media:title type="plain">The last rope maker teaches a robot to splice</media:title>',
        "",
        "mrss.item.title",
    ),
    ("flipboard", "Slowly. Slowly. ", "", "flipboard.item.description"),
    ("flipboard", 'rel="hub"', 'rel="alternate"', "flipboard.channel.hub"),
    ("flipboard", 'height="600"', 'height="499"', "flipboard.item.enclosure"),
    ("applenews-rss", "<language>en-US", "<language>en", "applenews-rss.channel.language"),
    ("news-sitemap", "<news:language>en", "<news:language>en-GB", "news-sitemap.language"),
    ("news-sitemap", "<news:name>Harbour Herald</news:name>", "<news:name/>", "news-sitemap.name"),
    ("sitemap", "<loc>https://e.example", "<loc>ftp://e.example", "sitemap.loc"),
    ("rss", 'hreflang="tr"', 'hreflang="AR"', "rss.item.alternate.unique"),
    ("rss", 'hreflang="tr"', 'hreflang="türkçe"', "rss.item.alternate.language"),
    ("rss", 'rel="alternate" type="text/html" hreflang="tr"', 'rel="related" type="text/html" hreflang="ar"', ""),
    ("rss", 'href="https://e.example/ar/ropes"', 'href="/ar/ropes"', "rss.item.atom-link"),
    ("atom", 'hreflang="tr"', 'hreflang="ar"', "atom.entry.alternate.unique"),
    ("atom", 'type="text/html" hreflang="tr"', 'type="text/plain" hreflang="ar"', ""),
    ("atom", 'type="text/html" hreflang="tr"', "", "atom.entry"),
    ("json", '"language":"tr"', '"language":"ar"', "jsonfeed.item.alternate.unique"),
    ("json", '"language":"tr"', '"language":"en"', "jsonfeed.item.alternate.unique"),
    ("json", '"url":"https://e.example/tr/ropes"', '"url":"/tr/ropes"', "jsonfeed.item.alternate.url"),
    ("sitemap", 'hreflang="tr"', 'hreflang="ar"', "sitemap.alternate.unique"),
    ("sitemap", 'hreflang="tr"', 'hreflang="x-default"', ""),
    ("sitemap", 'href="https://e.example/tr/ropes"', 'href="tr/ropes"', "sitemap.alternate"),
    ("news-sitemap", '<xhtml:link rel="alternate" hreflang="en"', "<xhtml:link", "sitemap.alternate.self"),
]


@pytest.mark.parametrize(("format_name", "old", "new", "rule"), FEED_MISTAKES)
def test_a_mistake_in_a_feed_is_found(format_name: str, old: str, new: str, rule: str) -> None:
    found = rules(check_feed(format_name, changed(feed(format_name), old, new)))
    assert found == ({rule} if rule else set()) or rule in found


ARTICLE_MISTAKES = [
    ("json", '"pubstatus":"usable"', '"pubstatus":"canceled"', "native.pubstatus"),
    ("json", '"version":2', '"version":"2"', "native.article"),
    ("ninjs31", '"pubStatus"', '"pubstatus"', "ninjs.unknown"),
    ("ninjs31", '"pubStatus":"usable"', '"pubStatus":"canceled"', "ninjs.notice"),
    ("ninjs31", '"uri":"tag:', '"uri":"', "ninjs.uri"),
    ("ninjs22", '"urgency":4', '"urgency":10', "ninjs.urgency"),
    ("ninjs16", '"embargoed":"2026-03-11T', '"embargoed":"2026-13-11T', "ninjs.embargoed"),
    ("ninjs16", '"href":"https://e.example/a.jpg"', '"href":"a.jpg"', "ninjs.rendition.href"),
    ("newsmlg2", "stat:usable", "stat:killed", "newsmlg2.pubStatus"),
    ("newsmlg2", "stat:usable", "stat:canceled", "newsmlg2.notice"),
    ("newsmlg2", 'version="2"', 'version="0"', "newsmlg2.version"),
    ("newsmlg2", 'version="2"', 'version="٢"', "newsmlg2.version"),
    ("nitf", 'version="2"', 'version="۲"', "nitf.du-key"),
    ("newsmlg2", '<pubStatus qcode="stat:usable"/>', "", "newsmlg2.pubStatus"),
    ("newsmlg2", "<embargoed>2026-03-11T07:00:00+00:00</embargoed>", "<embargoed/>", "newsmlg2.embargoed"),
    ("newsmlg2", '<itemClass qcode="ninat:text"/>', "", "newsmlg2.itemClass"),
    ("newsmlg2", '<language tag="tr"/></link>', '<language tag="türkçe"/></link>', "newsmlg2.link.language"),
    ("newsmlg2", 'href="https://e.example/tr/ropes"', 'href="tr/ropes"', "newsmlg2.link"),
    ("newsmlg2", 'href="https://e.example/tr/ropes"', "", "newsmlg2.link"),
    ("ninjs31", '"language":"tr"', '"language":"ar"', "ninjs.association.language"),
    ("ninjs22", '"language":"tr"', '"language":"en"', "ninjs.association.language"),
    ("ninjs16", '"language":"tr"', '"language":"Türkçe"', "ninjs.association.language"),
    ("nitf", 'management-status="embargoed"', 'management-status="killed"', "nitf.management-status"),
    ("nitf", 'management-status="embargoed"', 'management-status="canceled"', "nitf.notice"),
    ("nitf", '<date.release norm="20260311T070000Z"/>', "", "nitf.date.release"),
    ("nitf", 'norm="20260311T070000Z"', 'norm="2026-03-11"', "nitf.date"),
    ("nitf", 'source="https://e.example/a.jpg"', 'source="a.jpg"', "nitf.media-reference"),
    ("newsml12", 'FormalName="Embargoed"', 'FormalName="Killed"', "newsml12.Status"),
    ("newsml12", 'FormalName="Embargoed"', 'FormalName="Canceled"', "newsml12.notice"),
    (
        "newsml12",
        '<FutureStatus FormalName="Usable"/>',
        '<FutureStatus FormalName="Read"/>',
        "newsml12.StatusWillChange",
    ),
    ("newsml12", ":hh-1:2<", ":hh-1:3<", "newsml12.PublicIdentifier"),
    ("newsml12", 'PreviousRevision="1"', 'PreviousRevision="2"', "newsml12.PreviousRevision"),
    ("newsml12", 'PreviousRevision="1"', 'PreviousRevision="٠"', "newsml12.PreviousRevision"),
    ("newsml12", 'Update="N"', 'Update="no"', "newsml12.Update"),
    ("newsml12", "</NewsItemId>", "</NewsItemId><Label/>", "newsml12.unknown"),
    ("newsml12", '<NewsItemType FormalName="News"/>', "", "newsml12.NewsItemType"),
    ("newsml12", '<NewsItemType FormalName="News"/>', "<NewsItemType/>", "newsml12.FormalName"),
    ("newsml12", "<ThisRevisionCreated>2026", "<ThisRevisionCreated>1826", "newsml12.dates"),
    ("newsml12", "<StartDate>20260311T070000Z", "<StartDate>on Monday", "newsml12.StartDate"),
    ("newsml12", 'Href="https://e.example/a.jpg"', 'Href="a.jpg"', "newsml12.Href"),
    ("newsml12", "HeadLine>", "SlugLine>", "newsml12.HeadLine"),
    ("newsml12", "DataContent>", "Encoding>", "newsml12.DataContent"),
    ("iptc7901", "\x01", "", "iptc7901.header"),
    ("iptc7901", " v2 en\r\n", " v2 en\r\n\r\n", "iptc7901.keywords"),
    ("iptc7901", "\x03", "", "iptc7901.text"),
    ("iptc7901", "\r\n   ", "\r\n" + "long " * 14, "iptc7901.line"),
    ("iptc7901", "=\r\n", "= Word\r\n", "iptc7901.words"),
    ("iptc7901", "=\r\n", "\x07=\r\n", "iptc7901.characters"),
    ("iptc7901", "=\r\n", "é=\r\n", "iptc7901.characters"),
    ("iptc7901", " MAR 26", " MAY", "iptc7901.time"),
    ("iptc7901", "\x04", "", "iptc7901.end"),
    ("anpa1312", "\x16\x16", "", "anpa1312.header"),
    ("anpa1312", "\x13\x11", "", "anpa1312.header"),
    ("anpa1312", " BC-", " bc-", "anpa1312.keyword"),
    ("anpa1312", " v2 ", "\r\n v2 ", "anpa1312.header"),
    ("anpa1312", "\x03", "", "anpa1312.text"),
    ("anpa1312", "\x02^BC", "\x02^BCD", "anpa1312.text"),
    ("anpa1312", "\t   ", "\t" + "long " * 14, "anpa1312.line"),
    ("anpa1312", "<\r\n\t", " Word<\r\n\t", "anpa1312.words"),
    ("anpa1312", "<\r\n\t", "\x07<\r\n\t", "anpa1312.characters"),
    ("anpa1312", "<\r\n\t", "<<\r\n\t", "anpa1312.characters"),
    ("anpa1312", "<\r\n\t", "é<\r\n\t", "anpa1312.characters"),
    ("anpa1312", " 3-10 ", " 13-10 ", "anpa1312.date"),
    ("anpa1312", "GMT", "", "anpa1312.time"),
    ("anpa1312", "GMT", "GMT ", "anpa1312.time"),
    ("anpa1312", "\x04", "", "anpa1312.end"),
    ("html", "<!DOCTYPE html>", "", "html.doctype"),
    ("html", 'lang="en"', 'lang="?"', "html.lang"),
    ("html", 'dir="ltr"', "", "html.dir"),
    ("html", '<meta charset="utf-8">', "", "html.charset"),
    ("html", "<title>The last rope maker teaches a robot to splice</title>", "<title> </title>", "html.title"),
    ("html", "<body>", "<body><script>1</script>", "html.element"),
    ("html", "<body>", "<body><p onclick='x()'>", "html.attribute"),
    ("html", "<body>", "<body><a href='javascript:x()'>", "html.address"),
    ("text", "Version: 2", "Version: two", "text.article"),
    ("text", "Article: ", "\x07Article: ", "text.characters"),
    ("applenews", '"role":"photo","URL":"https://e.example/a.jpg"', '"role":"photo"', "applenews.component.URL"),
    ("applenews", '"columns":7', '"columns":0', "applenews.layout"),
    ("applenews", "tag:harbour-herald.example,2026:article/hh-1", "x" * 65, "applenews.identifier"),
]


@pytest.mark.parametrize(("format_name", "old", "new", "rule"), ARTICLE_MISTAKES)
def test_a_mistake_in_an_article_is_found(format_name: str, old: str, new: str, rule: str) -> None:
    assert rule in rules(check_article(format_name, changed(push(format_name), old, new)))


def test_findings_tell_the_line() -> None:
    document = feed("rss").replace(b"><", b">\n<")
    broken = changed(document, "Tue, 10 Mar 2026 05:00:00 GMT", "yesterday")
    line = broken[: broken.index(b"yesterday")].count(b"\n") + 1
    assert [str(finding) for finding in check_feed("rss", broken)] == [
        f"line {line}: pubDate 'yesterday' is no valid time (rss.item.pubDate)"
    ]
    assert check_article("ninjs31", b'{\n "uri": }')[0].line == 2
    assert check_article("ninjs31", b'{\n "uri": "\xff"}')[0].line == 2


@pytest.mark.parametrize("format_name", [*FEED_CHECKS])
def test_ids_are_unique(format_name: str) -> None:
    feed_format = FEED_FORMATS[format_name]
    fragment = feed_format.fragment(entry(FEATURE, PROVIDER.authority, PROVIDER.name))
    found = rules(check_feed(format_name, feed_format.envelope(CHANNEL, ()).around([fragment, fragment])))
    assert any(rule.endswith(".unique") for rule in found)


def test_limits_of_number_and_age_are_checked_and_kept() -> None:
    said = entry(FEATURE, PROVIDER.authority, PROVIDER.name)
    many = [replace(said, id=f"{said.id}{number}", url=f"{said.url}{number}") for number in range(1100)]
    old = replace(many[0], published=NOW - timedelta(days=3))
    for format_name, most in (("msn", 20), ("flipboard", 30), ("news-sitemap", 1000)):
        feed_format = FEED_FORMATS[format_name]
        assert feed_format.select is not None
        assert len(feed_format.select(CHANNEL, many)) == most
        unbounded = feed_format.envelope(CHANNEL, ()).around(map(feed_format.fragment, many))
        assert rules(check_feed(format_name, unbounded)) >= {
            {"msn": "msn.items", "flipboard": "flipboard.items", "news-sitemap": "sitemap.urls"}[format_name]
        }
    news = FEED_FORMATS["news-sitemap"]
    assert news.select is not None
    assert news.select(CHANNEL, [old, many[1]]) == [many[1]]
    unbounded = news.envelope(CHANNEL, ()).around(map(news.fragment, [old, many[1]]))
    assert rules(check_feed("news-sitemap", unbounded)) == {"news-sitemap.age"}


def test_takedowns_are_told_for_a_week() -> None:
    stones = [Tombstone(f"tag:gone{days}", NOW - timedelta(days=days), "https://e.example/x") for days in (7, 8)]
    for format_name, sign in (("smartnews", b'<media:status state="deleted"/>'), ("msn", b"<dcterms:valid>end=2026")):
        document = FEED_FORMATS[format_name].render(CHANNEL, [], stones)
        assert b"tag:gone7<" in document
        assert b"tag:gone8<" not in document
        assert sign in document


def test_entities_are_not_read() -> None:
    bomb = b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss version="2.0"><channel>&b;</channel></rss>'
    external = b'<!DOCTYPE rss SYSTEM "file:///etc/hostname"><rss version="2.0"/>'
    for document in (bomb, external):
        assert "xml.doctype" in rules(check_feed("rss", document))
        assert not any("ha" in finding.reason.split() for finding in check_feed("rss", document))
        assert rules(check_feed("sitemap", document)) == {"xml.doctype"}


@pytest.mark.parametrize("checks", [FEED_CHECKS, ARTICLE_CHECKS])
@given(document=st.binary(max_size=64) | st.sampled_from([b"[" * 100_000, b"<a>" * 100_000, b"{}", b"<a/>", b"[1]"]))
@settings(deadline=None)
def test_anything_else_is_refused_with_a_reason(checks: dict[str, Any], document: bytes) -> None:
    for check in checks.values():
        assert rules(list(check(document)))


@pytest.mark.parametrize(
    "value",
    [None, 1, "x", [], [1], {}, {"a": 1}, [{"role": {}, "uri": [], "id": {}}], json.loads("[" * 200 + "]" * 200)],
)
def test_json_of_any_shape_can_be_checked(value: Any) -> None:
    for format_name, check in ARTICLE_CHECKS.items():
        if not ARTICLE_FILES[format_name].endswith(".json"):
            continue
        said = json.loads(push(format_name))
        for name in said:
            list(check(json.dumps(said | {name: value}).encode()))
    said = json.loads(feed("json"))
    for name in said:
        list(FEED_CHECKS["json"](json.dumps(said | {name: value}).encode()))


MARKUP = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<b>", "<ul><li>", "</ul>", "<table><tr><td>", "<blockquote>", "<h2>", "</h2>", "<pre>\n"),
            *("<a href='/x?a&b'>", "<img src=x>", "<figure><img src=/y>", "<q>", "<br>", "<li>", "<dl><dd>", "<ruby>"),
            *("\u200c", "\u2067a\u2069", "&#1;", "&lt;", "]]>", "\u202e", "<td>", "<div>" * 120),
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


def plain_or(text: str) -> str:
    try:
        return plain(text) or "-"
    except ValueError:
        return "Title ]]> & more"


LINE = st.text(max_size=200).map(plain_or)
SUBMITTED = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"[!-~é-ü]{1,80}", fullmatch=True),
        "headline": LINE,
        "url": st.sampled_from(["https://e.example/a", "http://é.example/ü?q=ع", "https://e.example/a?utm_source=b"]),
        "body_html": MARKUP,
        "edition": st.sampled_from(["en", "ar", "fa-IR", "zh-Hant"]),
    },
    optional={
        "summary": LINE,
        "authors": st.lists(LINE, max_size=2),
        "subjects": st.lists(LINE, max_size=2),
        "images": st.just([{"url": "https://e.example/y", "width": 10, "caption": "\u2067C"}]),
        "urgency": st.integers(1, 9),
        "published": st.sampled_from(["2020-01-01T00:00:00Z", "2026-03-10T00:00:00+03:00", "2030-01-01T00:00:00Z"]),
        "embargoed": st.sampled_from(["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"]),
        "expires": st.just("2027-01-01T00:00:00Z"),
        "pubstatus": st.sampled_from(["usable", "canceled"]),
        "rights": LINE,
        "dateline": LINE,
        "ai_assisted": st.booleans(),
    },
)


def accepted(submitted: dict[str, Any]) -> tuple[str, Article] | None:
    """What is told of an article that is sent in; None if it is not taken."""
    try:
        read = event.read({"id": "e", "type": "article.published", "article": submitted}, NOW)
    except InvalidEvent:
        return None
    assert isinstance(read, event.ArticleEvent)
    decision = decide(None, read, NOW)
    assert isinstance(decision, Accept | Hold)
    article = decision.article
    return ("article.published" if article.pubstatus == "usable" else "article.killed"), article


@given(submitted=SUBMITTED)
@settings(deadline=None, max_examples=60)
def test_any_article_passes_or_is_refused_with_a_reason(submitted: dict[str, Any]) -> None:
    if (told := accepted(submitted)) is None:
        return
    change, article = told
    for format_name in ARTICLE_FORMATS:
        for said in {change, "article.withdrawn"} | ({"article.corrected"} if change == "article.published" else set()):
            document = push(format_name, article, said)
            assert rules(check_article(format_name, document)) == set()
            assert recognise(document) == Recognised("article", format_name)
    for format_name in FEED_FORMATS:
        if article.pubstatus == "usable":
            document = feed(format_name, article)
        else:
            stone = Tombstone(tag_uri(PROVIDER.authority, "article", article.id), NOW, article.url)
            document = FEED_FORMATS[format_name].render(CHANNEL, [], [stone])
        found = rules(check_feed(format_name, document))
        # Our own formats take every article; a partner may have limits, and only those refuse it.
        assert all(rule.startswith(f"{format_name}.") for rule in found)
        assert not found or format_name in {"smartnews", "msn", "flipboard", "applenews-rss"}


def test_a_headline_that_no_character_is_left_of_in_ascii_is_sent_nevertheless() -> None:
    article = accepted(
        {"id": "0", "headline": "\ud7fc", "url": "https://e.example/a", "body_html": "", "edition": "en"}
    )
    assert article is not None
    for name in ("anpa1312", "iptc7901"):
        assert rules(check_article(name, push(name, article[1], "article.published"))) == set()


@given(several=st.lists(SUBMITTED, max_size=5, unique_by=lambda submitted: submitted["id"]), gone=st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_a_document_of_parts_that_passed_passes(several: list[dict[str, Any]], gone: int) -> None:
    articles = [told[1] for told in map(accepted, several) if told and told[1].pubstatus == "usable"]
    articles.sort(key=lambda article: (article.published, article.id), reverse=True)
    stones = [
        Tombstone(f"tag:e.example,2026:article/gone-{n}", NOW, f"https://e.example/gone-{n}") for n in range(gone)
    ]
    for feed_format in FEED_FORMATS.values():
        entries = [entry(article, PROVIDER.authority, PROVIDER.name) for article in articles]
        chosen = feed_format.select(CHANNEL, entries) if feed_format.select else entries
        passed = [
            fragment
            for fragment in map(feed_format.fragment, chosen)
            if not check_entry(feed_format, CHANNEL, fragment)
        ]
        document = feed_format.envelope(CHANNEL, stones).around(passed)
        assert check_channel(feed_format, CHANNEL) == check_feed(feed_format.name, document) == []


def test_what_makes_a_document_too_large_for_a_partner_gives_way_at_its_end() -> None:
    smartnews = FEED_FORMATS["smartnews"]
    assert smartnews.bytes_most is not None
    long = FEATURE.model_copy(update={"body_html": f"<p>{'long ' * 60_000}</p>"})
    fragments = [
        smartnews.fragment(entry(long.model_copy(update={"id": f"hh-{n}"}), PROVIDER.authority)) for n in range(5)
    ]
    envelope = smartnews.envelope(CHANNEL, [Tombstone("tag:e.example,2026:article/x", NOW, "https://e.example/x")])
    assert "smartnews.size" in rules(check_feed("smartnews", envelope.around(fragments)))
    room = envelope.count_that_fit(fragments, smartnews.bytes_most)
    assert room == 3
    assert check_feed("smartnews", envelope.around(fragments[:room])) == []


def test_what_is_wrong_with_a_channel_is_no_fault_of_its_articles() -> None:
    feed_format = FEED_FORMATS["smartnews"]
    without_logo = replace(CHANNEL, logo_url="")
    assert rules(check_channel(feed_format, without_logo)) == {"smartnews.channel.logo"}
    assert check_entry(feed_format, without_logo, feed_format.fragment(entry(FEATURE, PROVIDER.authority))) == []


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"the official schemas are not in {SCHEMAS}")
@pytest.mark.parametrize(
    ("format_name", "file"),
    [("newsmlg2", "newsml-g2/NewsML-G2_2.35-spec-All-Power.xsd"), ("nitf", "nitf/nitf-3-6.xsd")],
)
def test_any_article_is_valid_by_the_official_schema(format_name: str, file: str) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / file))

    @given(submitted=SUBMITTED)
    @settings(deadline=None, max_examples=60)
    def every(submitted: dict[str, Any]) -> None:
        if told := accepted(submitted):
            change, article = told
            schema.assertValid(etree.fromstring(push(format_name, article, change)))

    every()


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://e.example/", True),
        ("http://[2001:db8::1]:8420/a%20b", True),
        ("HTTPS://e.example", True),
        ("https://e.example/a b", False),
        ("https://e.example/%zz", False),
        ("https:///a", False),
        ("https://[e.example/", False),
        ("//e.example/", False),
        ("mailto:a@e.example", False),
        ("", False),
    ],
)
def test_addresses(text: str, good: bool) -> None:
    assert values.url(text) is good


def test_the_native_rules_know_every_field_of_an_article() -> None:
    assert native._Usable.model_fields.keys() == Article.model_fields.keys() - set(ORDERING)
    assert native._Image.model_fields.keys() == Image.model_fields.keys()
    assert native._Alternate.model_fields.keys() == Alternate.model_fields.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"url":"https://e.example/ropes?a=1&b=2"', '"url":"/ropes"'),
        ('"headline":"The', '"headlines":"The'),
        ('"urgency":4', '"urgency":10'),
        ('"subjects":["crafts"]', '"subjects":"crafts"'),
        ('"width":800', '"width":0'),
        ('"edition":"en"', '"edition":"e_n"'),
        ('"published":"2026', '"published":"26'),
    ],
)
def test_a_mistake_in_our_own_format_is_found(old: str, new: str) -> None:
    assert "native.article" in {rule[:14] for rule in rules(check_article("json", changed(push("json"), old, new)))}
