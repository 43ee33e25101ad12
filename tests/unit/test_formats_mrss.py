"""Media RSS: what it says of an item in its own words, and how an article is taken down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lxml import etree

from feeds.article import Article, Image
from feeds.entry import Channel, Tombstone, entry
from feeds.formats import FEED_FORMATS
from feeds.validation.checks import check_feed

MRSS = FEED_FORMATS["mrss"]
MEDIA = "{http://search.yahoo.com/mrss/}"
THEN = datetime(2026, 3, 1, tzinfo=UTC)
CHANNEL = Channel(
    "tag:h.example,2026:feed/a", "A", "A", "en", "H", "https://h.example/a", "https://h.example/a.mrss", "", THEN
)
PICTURE = Image(url="https://h.example/1.jpg", width=1200, height=800, caption="The pier", credit="Ada Quill")
ARTICLE = Article(
    id="a",
    version=1,
    headline="Ferries & trams",
    summary="At last",
    url="https://h.example/1",
    body_html="<p>Text</p>",
    section="Local",
    subjects=("Ferries, fast", "harbour"),
    images=(PICTURE, Image(url="https://h.example/2.jpg")),
    rights="© Herald",
    published=THEN,
    updated=THEN,
)


def item(*articles: Article, gone: tuple[Tombstone, ...] = ()) -> Any:
    document = MRSS.render(CHANNEL, [entry(article, "h.example,2026") for article in articles], gone)
    assert [] == check_feed("mrss", document, ours=True)
    return etree.fromstring(document).find("channel/item")


def test_an_item_is_told_in_the_words_of_media_rss() -> None:
    told = item(ARTICLE)
    texts = {name: told.findtext(f"{MEDIA}{name}") for name in ("title", "description", "keywords", "copyright")}
    assert {
        "title": "Ferries & trams",
        "description": "At last",
        "keywords": "Local, Ferries fast, harbour",
        "copyright": "© Herald",
    } == texts
    assert ["https://h.example/1.jpg"] == [one.get("url") for one in told.findall(f"{MEDIA}thumbnail")]
    first, second = told.findall(f"{MEDIA}content")
    assert ("The pier", "Ada Quill") == (first.findtext(f"{MEDIA}description"), first.findtext(f"{MEDIA}credit"))
    assert ("image", "https://h.example/2.jpg") == (second.get("medium"), second.get("url"))


def test_what_an_article_does_not_have_has_no_element() -> None:
    bare = Article(id="a", version=1, headline="H", url="https://h.example/1", published=THEN, updated=THEN)
    told = item(bare)
    assert {f"{MEDIA}title"} == {child.tag for child in told if child.tag.startswith(MEDIA)}


def test_what_was_taken_down_is_an_item_that_says_so() -> None:
    told = item(gone=(Tombstone("tag:h.example,2026:article/a", THEN, "https://h.example/1"),))
    assert ["deleted"] == [status.get("state") for status in told.findall(f"{MEDIA}status")]
    assert "tag:h.example,2026:article/a" == told.findtext("guid")
    assert told.find(f"{MEDIA}title") is None
