"""The documents are the expected bytes, pass the schemas of their formats, and are read back by feedparser."""

from __future__ import annotations

import html
import json
import re
from calendar import timegm
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import jsonschema
import pytest
from golden_files import ARTICLE_FILES, FEED_FILES
from jsonschema.validators import validator_for
from lxml import etree
from referencing import Registry, Resource

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS

if TYPE_CHECKING:
    from time import struct_time

SCHEMAS = Path(__file__).parents[3] / "shared" / "schemas"

schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"the official schemas are not in {SCHEMAS}")


def parse(document: bytes) -> Any:
    # Without its own cleaning, which writes HTML anew: what is read must be what was said.
    return feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)


def notices(case: Any) -> list[Any]:
    """What stands in the place of articles that readers had."""
    return [stone.notice for stone in case.tombstones]


def read_json(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def check(file: Path, actual: bytes, *, regenerate: bool) -> None:
    if regenerate:
        file.write_bytes(actual)
    assert file.read_bytes() == actual


@pytest.mark.parametrize("format_name", FEED_FORMATS)
def test_feed_document(case: Any, format_name: str, regenerate: bool) -> None:
    check(case.folder / FEED_FILES[format_name], case.document(format_name), regenerate=regenerate)


@pytest.mark.parametrize("format_name", ARTICLE_FORMATS)
def test_article(case: Any, format_name: str, regenerate: bool) -> None:
    check(case.folder / ARTICLE_FILES[format_name], case.push(format_name), regenerate=regenerate)


@schemas
@pytest.mark.parametrize("version", ["3.1", "2.2", "1.6"])
def test_ninjs_is_valid(case: Any, version: str) -> None:
    schema = read_json(SCHEMAS / "ninjs" / f"ninjs-schema_{version}.json")
    places = read_json(SCHEMAS / "ninjs" / "GeoJSON-schema.json")
    registry: Registry[Any] = Registry().with_resource(
        "https://geojson.org/schema/GeoJSON.json", Resource.from_contents(places)
    )
    checker = validator_for(schema)
    document = json.loads(case.push(f"ninjs{version.replace('.', '')}"))
    checker(schema, registry=registry, format_checker=checker.FORMAT_CHECKER).validate(document)


@schemas
@pytest.mark.parametrize(
    ("format_name", "file"),
    [("newsmlg2", "newsml-g2/NewsML-G2_2.35-spec-All-Power.xsd"), ("nitf", "nitf/nitf-3-6.xsd")],
)
def test_xml_is_valid(case: Any, format_name: str, file: str) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / file))
    schema.assertValid(etree.fromstring(case.push(format_name)))


@pytest.mark.parametrize("format_name", [name for name, value in ARTICLE_FORMATS.items() if value.marks_embargo])
def test_an_embargo_is_marked(format_name: str) -> None:
    said = (Path(__file__).parent / "embargo" / ARTICLE_FILES[format_name]).read_text("utf-8")
    assert re.search("embargoed", said, re.IGNORECASE)
    assert re.search("2026-?04-?01[T ]06:?00", said)


@schemas
def test_atom_is_valid(case: Any) -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMAS / "atom" / "atom-rfc4287.rng"))
    schema.assertValid(etree.fromstring(case.document("atom")))


@schemas
def test_json_feed_is_valid(case: Any) -> None:
    schema = read_json(SCHEMAS / "jsonfeed" / "sonicdoe-schema-v1.1.json")
    jsonschema.validate(json.loads(case.document("json")), schema)


@pytest.mark.parametrize("format_name", ["rss", "atom"])
def test_feedparser_reads_the_feed_back(case: Any, format_name: str) -> None:
    parsed = parse(case.document(format_name))
    channel = case.channel(format_name)
    assert not parsed.bozo
    assert parsed.version == {"rss": "rss20", "atom": "atom10"}[format_name]
    assert parsed.feed.title == channel.title
    assert parsed.feed.subtitle == channel.description
    assert parsed.feed.link == channel.home_url
    assert parsed.feed.generator == "Dateline"
    assert seconds(parsed.feed.updated_parsed) == int(channel.updated.timestamp())
    links = {link.rel: link.href for link in parsed.feed.links}
    assert links == {"self": channel.self_url, "hub": channel.hub_url, "alternate": channel.home_url}
    assert [found.id for found in parsed.entries] == [entry.id for entry in (*case.entries, *notices(case))]


@pytest.mark.parametrize("format_name", ["rss", "atom"])
def test_feedparser_reads_the_entry_back(case: Any, format_name: str) -> None:
    parsed = parse(case.document(format_name))
    for entry, found in zip((*case.entries, *notices(case)), parsed.entries, strict=True):
        assert found.title == entry.title
        assert found.link == entry.url
        alternates = [(link["hreflang"], link["href"]) for link in found.links if "hreflang" in link]
        assert sorted(alternates) == sorted((edition.edition, edition.url) for edition in entry.editions)
        # Without a summary RSS describes with the text, and feedparser takes the content for Atom's.
        summary = entry.summary or (entry.text if format_name == "rss" else entry.html)
        assert html.unescape(found.summary) == summary
        assert [part.value for part in found.content] == [entry.html]
        assert [author.name for author in found.authors] == list(entry.authors)
        assert [tag.term for tag in found.get("tags", ())] == list(entry.tags)
        assert seconds(found.published_parsed) == int(entry.published.timestamp())
        assert seconds(found.updated_parsed) == int(entry.updated.timestamp())
        language = found.language if format_name == "rss" else found.content[0].language
        assert language == entry.language
        assert found.get("rights", "") == entry.rights
        assert [content["url"] for content in found.get("media_content", ())] == [image.url for image in entry.images]
        assert [content["type"] for content in found.get("media_content", ())] == [image.type for image in entry.images]
        credits_found = [credit["content"] for credit in found.get("media_credit", ())]
        assert credits_found == [image.credit for image in entry.images if image.credit]
        enclosures = [(link.href, link.type) for link in found.links if link.rel == "enclosure"]
        assert enclosures == ([(image.url, image.type) for image in entry.images] if format_name == "atom" else [])


@pytest.mark.parametrize("format_name", ["smartnews", "msn", "flipboard", "applenews-rss"])
def test_feedparser_reads_a_profile_back(case: Any, format_name: str) -> None:
    parsed = parse(case.document(format_name))
    assert not parsed.bozo
    assert parsed.version == "rss20"
    links = {link.rel: link.href for link in parsed.feed.links}
    assert links["hub"] == case.channel(format_name).hub_url
    assert links["self"] == case.channel(format_name).self_url
    for entry, found in zip(case.entries, parsed.entries, strict=False):
        assert found.id == entry.id
        assert found.title == entry.title
        assert found.link == entry.url
        assert seconds(found.published_parsed) == int(entry.published.timestamp())
        assert [author.name for author in found.authors] == list(entry.authors)
        assert [content["url"] for content in found.get("media_content", ())] == [image.url for image in entry.images]
        credits_found = [credit["content"] for credit in found.get("media_credit", ())]
        assert credits_found == [image.credit for image in entry.images if image.credit]
    told = case.tombstones if format_name in {"smartnews", "msn"} else ()
    assert [found.id for found in parsed.entries[len(case.entries) :]] == [stone.id for stone in told]


def test_json_feed_says_the_same(case: Any) -> None:
    document = json.loads(case.document("json"))
    assert document["hubs"] == [{"type": "WebSub", "url": case.channel("json").hub_url}]
    for entry, item in zip(case.entries, document["items"][: len(case.entries)], strict=True):
        assert item["id"] == entry.id
        assert item["title"] == entry.title
        assert item["url"] == entry.url
        assert item["content_html"] == entry.html
        assert item.get("summary", "") == entry.summary
        assert item.get("image", "") == (entry.images[0].url if entry.images else "")
        assert [author["name"] for author in item.get("authors", ())] == list(entry.authors)
        assert item.get("tags", []) == list(entry.tags)
        assert item["language"] == entry.language
        alternates = [{"language": other.edition, "url": other.url} for other in entry.alternates]
        assert item["_dateline"] == {"version": entry.version} | ({"alternates": alternates} if alternates else {})


@pytest.mark.parametrize("file", [*FEED_FILES.values(), *ARTICLE_FILES.values()])
def test_a_killed_article_leaves_none_of_its_text(file: str) -> None:
    said = (Path(__file__).parent / "kill" / file).read_text("utf-8")
    silent = {"expected.flipboard", "expected.applenews-rss", "expected.news-sitemap", "expected.sitemap"}
    assert ("hh-2026-0107" in said) == (file not in silent)
    assert "must not be read" not in said
    assert "Nor any" not in said
    assert "must-not-be-linked" not in said


def seconds(moment: struct_time) -> int:
    return timegm(moment)
