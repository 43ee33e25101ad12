"""The examples of formats of one's own in docs/formats.md are run, and its lists are those of the code."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import load
from feeds.article import Article
from feeds.entry import Channel, Tombstone, entry
from feeds.formats.interface import Provider
from feeds.formats.own.compiled import article_format
from feeds.formats.own.filters import FILTERS, OF_LISTS
from feeds.formats.own.variables import of_article, of_entry, of_feed

DOCS = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
SECTION = DOCS.read_text("utf-8").partition("\n## Formats of your own\n")[2].partition("\n## ")[0]
FEEDS = '[[feeds]]\nname = "world"\ntitle = "World"\n'
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="story" type="x"/>
<xs:element name="mended" type="x"/><xs:complexType name="x"><xs:sequence>
<xs:element name="prio"/><xs:element name="when"/><xs:element name="head"/><xs:element name="by" minOccurs="0"/>
<xs:element name="p" maxOccurs="unbounded"/><xs:element name="keys"/></xs:sequence>
<xs:attribute name="no"/><xs:attribute name="take"/></xs:complexType></xs:schema>"""
PROVIDER = Provider("herald.example,2026", "The Harbour Herald")
THEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
ARTICLE = Article(
    id="hh-2026-0301",
    version=1,
    headline="Harbour reopens to ferries & trams",
    url="https://herald.example/1",
    body_html="<p>The first ferry left at ten past six, eleven days after the storm.</p><p>Trams follow on Monday.</p>",
    authors=("Ada Quill", "Tom Ferro"),
    subjects=("Harbour", "Ferries"),
    published=THEN,
    updated=THEN,
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


@pytest.mark.parametrize(("number", "expected"), [(0, "xml"), (1, "json")])
def test_the_examples_make_what_they_show(tmp_path: Path, number: int, expected: str) -> None:
    (tmp_path / "tidewire.xsd").write_text(XSD)
    (tmp_path / "dateline.toml").write_text(blocks("toml")[number] + FEEDS, "utf-8")
    (definition,) = load(tmp_path / "dateline.toml", {}).formats
    one = article_format(definition)
    document = one.render("article.published", ARTICLE, "m", PROVIDER)
    assert blocks(expected)[0].strip() == document.decode().strip()
    assert one.own
    assert [] == list(one.own.check(document))


def test_corrections_and_kills_of_the_example_look_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "tidewire.xsd").write_text(XSD)
    (tmp_path / "dateline.toml").write_text(blocks("toml")[0] + FEEDS, "utf-8")
    (definition,) = load(tmp_path / "dateline.toml", {}).formats
    render = article_format(definition).render
    corrected = render("article.corrected", ARTICLE.model_copy(update={"urgency": 1, "version": 12}), "m", PROVIDER)
    assert '<mended no="hh-2026-0301" take="012">\n<prio>A</prio>' in corrected.decode()
    assert b'<kill no="hh-2026-0301"/>' == render("article.killed", ARTICLE, "m", PROVIDER)


def test_the_filters_are_those_that_there_are() -> None:
    listed = re.search(r"and filters: (.*?)\.\n", SECTION, re.DOTALL)
    assert listed
    assert sorted({*FILTERS, *OF_LISTS, "tojson"}) == re.findall(r"`(\w+)`", listed[1])


def test_the_values_are_those_that_there_are() -> None:
    values = SECTION.partition("**Values.**")[2].partition("**Templates**")[0]
    of_notice = of_article("article.killed", ARTICLE, PROVIDER)
    feed = Channel("i", "t", "d", "en", "p", "h", "s", "", THEN)
    around = of_feed(feed, [Tombstone("i", THEN)])
    names = {*of_notice, *of_notice["article"], *around, *around["feed"], *around["removed"][0], "message_id"}
    assert set() == {name for name in names if f"`{name}" not in values and f".{name}`" not in values}
    whole = of_article("article.published", ARTICLE, PROVIDER, ["paragraphs"])["article"]
    in_feeds = of_entry(entry(ARTICLE, PROVIDER.authority), ["paragraphs"])["article"]
    assert in_feeds.keys() <= whole.keys()
