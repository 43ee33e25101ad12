"""Two readers that know nothing of each other read the same out of every feed document: what the article says.

feedparser reads RSS and Atom, fastfeedparser JSON Feed as well, and of an entry's authors the first only. A picture is
media:content in RSS and Atom, an enclosure in Atom and Flipboard's profile, and neither to readers of a JSON Feed.
"""

from __future__ import annotations

import html
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import fastfeedparser
import feedparser
import pytest

from feeds.article import Article, Image
from feeds.entry import Channel, Entry
from feeds.entry import entry as entry_of
from feeds.formats import FEED_FORMATS
from feeds.text import text_of


class Read(NamedTuple):
    """An entry, as a reader has it."""

    id: str
    title: str
    link: str
    summary: str
    content: str
    published: datetime
    updated: datetime
    author: str
    tags: list[str]
    media: list[tuple[str, str]]
    enclosures: list[tuple[str, str]]


class Front(NamedTuple):
    """What a reader has of the feed itself."""

    title: str
    link: str
    subtitle: str


def by_feedparser(document: bytes) -> tuple[Front, list[Read]]:
    # Without its own cleaning, which writes HTML anew: what is read must be what was said.
    found = feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo
    return Front(found.feed.title, found.feed.link, found.feed.subtitle), [
        Read(
            entry.id,
            entry.title,
            entry.link,
            # Where there is none it shows the content.
            text_of(entry.summary) if entry.summary == entry.content[0].value else html.unescape(entry.summary),
            entry.content[0].value,
            datetime.fromtimestamp(timegm(entry.published_parsed), UTC),
            datetime.fromtimestamp(timegm(entry.updated_parsed), UTC),
            entry.authors[0].name if entry.authors else "",
            [tag.term for tag in entry.get("tags", ())],
            [(media["url"], media["type"]) for media in entry.get("media_content", ())],
            [(link.href, link.type) for link in entry.links if link.rel == "enclosure"],
        )
        for entry in found.entries
        if "content" in entry
    ]


def by_fastfeedparser(document: bytes) -> tuple[Front, list[Read]]:
    found: Any = fastfeedparser.parse(document)
    return Front(found.feed.title, found.feed.link, found.feed.subtitle), [
        Read(
            entry.id,
            entry.title,
            entry.link,
            html.unescape(entry.get("description") or text_of(entry.content[0]["value"])),
            entry.content[0]["value"],
            datetime.fromisoformat(entry.published),
            datetime.fromisoformat(entry.updated),
            entry.get("author", ""),
            [tag["term"] for tag in entry.get("tags", ())],
            [(media["url"], media["type"]) for media in entry.get("media_content", ())],
            [(enclosure["url"], enclosure["type"]) for enclosure in entry.get("enclosures", ())]
            + [(link["href"], link["type"]) for link in entry.links if link["rel"] == "enclosure"],
        )
        for entry in found.entries
        if "content" in entry
    ]


def said(entry: Entry, format_name: str) -> Read:
    pictures = [(image.url, image.type) for image in entry.images]
    return Read(
        entry.id,
        entry.title,
        entry.url,
        entry.summary or entry.text,
        entry.html,
        entry.published.replace(microsecond=0),
        entry.updated.replace(microsecond=0),
        entry.authors[0] if entry.authors else "",
        list(entry.tags),
        [] if format_name == "json" else pictures,
        pictures if format_name == "atom" else [],
    )


@pytest.mark.parametrize(
    ("format_name", "read"),
    [
        ("rss", by_feedparser),
        ("rss", by_fastfeedparser),
        ("atom", by_feedparser),
        ("atom", by_fastfeedparser),
        ("json", by_fastfeedparser),
    ],
)
def test_a_reader_reads_back_what_was_said(
    case: Any, format_name: str, read: Callable[[bytes], tuple[Front, list[Read]]]
) -> None:
    front, entries = read(case.document(format_name))
    channel = case.channel(format_name)
    assert Front(channel.title, channel.home_url, channel.description) == front
    # In the place of what was killed both show the notice.
    shown = [*case.entries, *(stone.notice for stone in case.tombstones)]
    assert [said(entry, format_name) for entry in shown] == entries


@pytest.mark.parametrize("format_name", ["smartnews", "msn", "flipboard", "applenews-rss"])
def test_both_read_the_same_in_a_partners_profile(case: Any, format_name: str) -> None:
    document = case.document(format_name)
    one, other = by_feedparser(document), by_fastfeedparser(document)
    assert one[0] == other[0]
    # What takes an article down stands last, and is no article: fastfeedparser makes a text of its description.
    assert [entry.id for entry in case.entries] == [entry.id for entry in one[1]]
    assert one[1] == other[1][: len(case.entries)]


@pytest.mark.parametrize("format_name", ["rss", "atom"])
@pytest.mark.parametrize("read", [by_feedparser, by_fastfeedparser])
@pytest.mark.parametrize("summary", ["The summary.", ""])
@pytest.mark.parametrize("body", ["<p>The text.</p>", ""])
def test_no_caption_is_taken_for_what_the_article_says(
    format_name: str, read: Callable[[bytes], tuple[Front, list[Read]]], summary: str, body: str
) -> None:
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    image = Image(url="https://e.example/a.jpg", caption="The caption.", credit="The credit.")
    article = Article(
        id="hh-1",
        version=1,
        headline="The headline",
        url="https://e.example/",
        summary=summary,
        body_html=body,
        images=(image,),
        published=moment,
        updated=moment,
    )
    channel = Channel(
        "tag:e.example,2026:f", "T", "D", "en", "P", "https://e.example/", "https://e.example/f", "", moment
    )
    document = FEED_FORMATS[format_name].render(channel, [entry_of(article, "e.example,2026")], ())
    assert b"The caption." in document
    module = feedparser if read is by_feedparser else fastfeedparser
    shown: Any = module.parse(document).entries[0]
    assert "The headline" == shown.title
    # rss2email and others show what feedparser has in `summary_detail`.
    details = [(shown.get(name) or {}).get("value") for name in ("summary_detail", "title_detail")]
    contents = [content["value"] for content in shown.get("content", ())]
    for part in (shown.get("summary"), shown.get("description"), *contents, *details):
        assert part in {None, "", summary, body, "The text.", "The summary.", "The headline"}
