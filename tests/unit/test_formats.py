"""What holds for every feed format: fragments and envelope are the whole, bytes depend on nothing but what is said."""

from __future__ import annotations

import json
import locale
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import event
from feeds.article import Alternate, Article, Image
from feeds.entry import Channel, Entry, Tombstone, entry, notice
from feeds.formats import FEED_FORMATS, READERS
from feeds.formats.interface import FeedFormat
from feeds.lifecycle import Accept, decide
from feeds.text import legal, plain
from feeds.validation.checks import check_feed

AUTHORITY = "harbour-herald.example,2026"
NOW = datetime(2026, 3, 4, 12, 0, 0, 999_999, tzinfo=UTC)
CHANNEL = Channel(
    id="tag:harbour-herald.example,2026:feed/latest",
    title="Latest <item> & <entry> ]]>",
    description="",
    language="ar",
    publisher="Harbour Herald",
    home_url="https://e.example/?a=1&b=2",
    self_url="https://e.example/feeds/latest",
    hub_url="https://e.example/hub",
    updated=NOW,
)
ARCHIVE = replace(
    CHANNEL,
    self_url="https://e.example/feeds/latest?archive=2026-03-04",
    hub_url="",
    current_url=CHANNEL.self_url,
    older_url="https://e.example/feeds/latest?archive=2026-03-01",
    newer_url="https://e.example/feeds/latest?archive=2026-03-05",
)

NASTY = st.sampled_from(
    (  # noqa: SIM905 (a list would be one string a line)
        # What looks like the formats' own bytes, then joiners, direction marks, a line separator, a byte order mark.
        ']]>|<![CDATA[|<item>|</item>|<entry |</entry>|</feed>|&|&amp;|"|\t|\r|İ|\U0001f468\u200d\U0001f469|'
        "\u200c|\u200d|\u200e|\u200f|\u061c|\u2067a\u2069|\u2028|\ufeff"
    ).split("|")
)
TEXT = st.lists(NASTY | st.text(max_size=8), max_size=6).map("".join).map(legal)
LINE = TEXT.map(lambda text: " ".join(text.split()) or "-")
TIMES = st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis wants them naive)
IMAGES = st.builds(
    Image.model_construct,
    url=st.just("https://e.example/a.jpg?b&c"),
    type=st.just("image/jpeg"),
    width=st.none() | st.integers(1, 9999),
    height=st.none(),
    caption=TEXT,
    credit=TEXT,
)
ENTRIES = st.builds(
    Entry,
    id=LINE.map(lambda line: f"tag:e.example,2026:article/{line}"),
    title=LINE,
    url=st.just("https://e.example/a?b&c"),
    summary=TEXT,
    html=TEXT,
    language=st.sampled_from(["en", "ar", "zh-Hant"]),
    section=TEXT,
    subjects=st.lists(LINE, max_size=3).map(tuple),
    authors=st.lists(LINE, max_size=3).map(tuple),
    images=st.lists(IMAGES, max_size=2).map(tuple),
    published=TIMES,
    updated=TIMES,
    rights=TEXT,
    article_id=st.just("hh-1"),
    version=st.integers(1, 9),
    alternates=st.sampled_from([(), (Alternate(edition="tr", url="https://e.example/tr/?a&b"),)]),
)
NOTICES = st.builds(
    notice,
    st.sampled_from(["en", "fa"]).map(
        lambda edition: Article(
            id="gone-1", version=2, edition=edition, published=NOW, updated=NOW, pubstatus="canceled"
        )
    ),
    LINE,
    st.just(AUTHORITY),
    st.just(CHANNEL),
    TIMES,
)
TOMBSTONES = st.builds(Tombstone, id=LINE, when=TIMES, notice=st.none() | NOTICES, killed=st.booleans())

TITLE_OF_PAGE = "a sitemap says no titles"

every_format = pytest.mark.parametrize("feed_format", FEED_FORMATS.values(), ids=FEED_FORMATS)


def titles(feed_format: FeedFormat, document: bytes) -> list[Any]:
    """The titles of the entries, in order."""
    if feed_format.name == "json":
        return [item["title"] for item in json.loads(document)["items"] if "title" in item]
    root = etree.fromstring(document)
    if feed_format.name == "sitemap":
        return [TITLE_OF_PAGE for _ in root.iterfind("{*}url")]
    path = {"atom": "{*}entry/{*}title", "news-sitemap": "{*}url/{*}news/{*}title"}.get(feed_format.name)
    return [element.text for element in root.iterfind(path or "channel/item/title")]


def stones(feed_format: FeedFormat, document: bytes) -> list[Any]:
    """The ids of the tombstones, in order."""
    if feed_format.name == "json":
        return [stone["id"] for stone in json.loads(document).get("_dateline", {}).get("deleted", ())]
    return [element.get("ref") for element in etree.fromstring(document).iterfind(".//{*}deleted-entry")]


def takedowns(feed_format: FeedFormat, tombstones: list[Tombstone]) -> int:
    """How many of the tombstones are said as items: to partners that want it, to readers as notices."""
    if feed_format in READERS:
        return sum(stone.notice is not None for stone in tombstones)
    return sum(
        CHANNEL.updated - stone.when <= timedelta(days=7) for stone in tombstones if feed_format.tombstones_need_url
    )


def article_entry(**fields: Any) -> Entry:
    said = {"id": "hh-1", "headline": "Ferries return", "url": "https://e.example/a"} | fields
    read = event.read({"id": "e", "type": "article.published", "article": said}, NOW)
    assert isinstance(read, event.ArticleEvent)
    decision = decide(None, read, NOW)
    assert isinstance(decision, Accept)
    return entry(decision.article, AUTHORITY)


@every_format
@given(
    entries=st.lists(ENTRIES, max_size=4),
    tombstones=st.lists(TOMBSTONES, max_size=2),
    channel=st.sampled_from((CHANNEL, ARCHIVE)),
)
@settings(deadline=None, max_examples=30)
def test_envelope_around_fragments_is_the_whole(
    feed_format: FeedFormat, entries: list[Entry], tombstones: list[Tombstone], channel: Channel
) -> None:
    whole = feed_format.render(channel, entries, tombstones)
    chosen = feed_format.select(channel, entries) if feed_format.select else entries
    joined = feed_format.envelope(channel, tombstones).around(map(feed_format.fragment, chosen))
    assert joined == whole
    said = titles(feed_format, whole)
    assert len(said) == len(chosen) + takedowns(feed_format, tombstones)
    if feed_format.name != "sitemap":
        assert said[: len(chosen)] == [entry.title for entry in chosen]
    if feed_format.name in {"rss", "atom", "json"}:
        assert stones(feed_format, whole) == [stone.id for stone in tombstones]


@pytest.mark.parametrize("feed_format", READERS, ids=lambda feed_format: feed_format.name)
def test_an_archive_passes_the_gate_and_says_where_it_stands(feed_format: FeedFormat) -> None:
    document = feed_format.render(ARCHIVE, [article_entry()], [])
    assert check_feed(feed_format.name, document, ours=True) == []
    assert b"https://e.example/hub" not in document
    if feed_format.name == "json":
        feed = json.loads(document)
        assert (ARCHIVE.self_url, ARCHIVE.older_url) == (feed["feed_url"], feed["next_url"])
        return
    root = etree.fromstring(document)
    [mark] = root.iter("{http://purl.org/syndication/history/1.0}archive")
    within = mark.getparent()
    assert within is not None
    said = {link.get("rel"): link.get("href") for link in within.iterfind("{http://www.w3.org/2005/Atom}link")}
    assert ARCHIVE.history.items() <= said.items()
    assert ARCHIVE.self_url == said["self"]


@every_format
@given(
    headline=LINE.map(lambda line: plain_or(line, "Title ]]> & more")),
    body=st.lists(
        NASTY
        | st.sampled_from(["<p>", "</p>", "<b>", "<a href='/x?a&b'>", "<img src=x>", "<pre>\n"])
        | st.text(max_size=8)
    ),
    edition=st.sampled_from(["en", "ar", "fa"]),
)
@settings(deadline=None, max_examples=50)
def test_any_article_that_is_accepted_can_be_said(
    feed_format: FeedFormat, headline: str, body: list[str], edition: str
) -> None:
    said = article_entry(headline=headline, body_html="".join(body), edition=edition)
    whole = feed_format.render(CHANNEL, [said], [])
    assert titles(feed_format, whole) == [TITLE_OF_PAGE if feed_format.name == "sitemap" else said.title]
    assert feed_format.envelope(CHANNEL, []).around([feed_format.fragment(said)]) == whole


def plain_or(line: str, other: str) -> str:
    try:
        return plain(line) or other
    except ValueError:
        return other


@every_format
def test_two_renders_are_equal(feed_format: FeedFormat) -> None:
    said = article_entry(summary="At last", body_html="<p>Text</p>")
    assert feed_format.render(CHANNEL, [said], []) == feed_format.render(CHANNEL, [said], [])
    assert feed_format.fragment(said) == feed_format.fragment(replace(said))


def test_another_process_in_another_zone_and_locale_gives_the_same_bytes() -> None:
    said = article_entry(summary="At last", edition="tr", subjects=["İ", "ı"], body_html="<p>Text</p>")
    program = (
        "import pickle, sys; from feeds.formats import FEED_FORMATS; said = pickle.load(sys.stdin.buffer);"
        "documents = {name: one.render(*said) for name, one in FEED_FORMATS.items()};"
        "pickle.dump(documents, sys.stdout.buffer)"
    )
    environment = {
        "TZ": "Asia/Karachi",
        "LC_ALL": "tr_TR.UTF-8",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": ":".join(sys.path),
    }
    process = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((CHANNEL, [said], [])),
        env=environment,
        capture_output=True,
        check=True,
    )
    ours = {name: feed_format.render(CHANNEL, [said], []) for name, feed_format in FEED_FORMATS.items()}
    assert pickle.loads(process.stdout) == ours


@every_format
def test_rendering_leaves_the_locale_of_the_process_alone(
    feed_format: FeedFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(locale, "setlocale", lambda *arguments: calls.append(arguments))
    feed_format.render(CHANNEL, [article_entry()], [Tombstone("tag:x", NOW)])
    assert calls == []


@every_format
def test_fractions_of_seconds_are_cut(feed_format: FeedFormat) -> None:
    said = replace(article_entry(), published=NOW, updated=NOW)
    cut = replace(said, published=NOW.replace(microsecond=0), updated=NOW.replace(microsecond=0))
    assert feed_format.fragment(said) == feed_format.fragment(cut)
    channel = replace(CHANNEL, updated=NOW.replace(microsecond=0))
    assert feed_format.render(CHANNEL, [], []) == feed_format.render(channel, [], [])


@every_format
def test_times_are_said_in_utc(feed_format: FeedFormat) -> None:
    said = article_entry()
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert feed_format.fragment(replace(said, updated=elsewhere)) == feed_format.fragment(replace(said, updated=NOW))


@every_format
def test_an_empty_feed_and_an_article_of_a_headline_alone_can_be_said(feed_format: FeedFormat) -> None:
    assert titles(feed_format, feed_format.render(CHANNEL, [], [])) == []
    assert titles(feed_format, feed_format.render(CHANNEL, [article_entry()], [])) == [
        TITLE_OF_PAGE if feed_format.name == "sitemap" else "Ferries return"
    ]


@every_format
def test_a_feed_of_several_languages_says_none(feed_format: FeedFormat) -> None:
    document = feed_format.render(replace(CHANNEL, language=""), [], [])
    assert b"lang" not in document
