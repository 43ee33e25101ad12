"""What people have made with the help of a trained model is marked as such in every format that has a place for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree
from referencing import Registry, Resource

from feeds.article import Article
from feeds.entry import Channel, entry
from feeds.errors import InvalidEvent
from feeds.event import read
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.machine_rights import MachineRights
from feeds.validation.checks import check_article, check_feed

URI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
THEN = datetime(2026, 3, 1, tzinfo=UTC)
ARTICLE = Article(
    id="a", version=1, headline="Ferries", url="https://h.example/1", published=THEN, updated=THEN, ai_assisted=True
)
PROVIDER = Provider("h.example,2026", "Herald", machines=MachineRights(train=False))
CHANNEL = Channel(
    "tag:h.example,2026:feed/a", "A", "A", "en", "H", "https://h.example/a", "https://h.example/a.x", "", THEN
)
SCHEMAS = Path(__file__).parents[3] / "shared" / "schemas"


def pushed(name: str, article: Article = ARTICLE) -> bytes:
    return ARTICLE_FORMATS[name].render("article.published", article, "m", PROVIDER)


def served(name: str) -> bytes:
    return FEED_FORMATS[name].render(CHANNEL, [entry(ARTICLE, "h.example,2026")], [])


def test_formats_of_articles_mark_it() -> None:
    assert json.loads(pushed("json"))["article"]["ai_assisted"] is True
    assert URI == json.loads(pushed("ninjs31"))["digitalSourceType"]["uri"]
    assert f'<digitalSourceType uri="{URI}"/>'.encode() in pushed("newsmlg2")
    nitf = etree.fromstring(pushed("nitf"))
    (classifier,) = nitf.findall(".//{*}docdata/{*}identified-content/{*}classifier")
    assert URI == f"{classifier.get('type')}{classifier.get('value')}"
    assert f'FormalName="DigitalSourceType" Value="{URI}"'.encode() in pushed("newsml12")
    assert f'<meta name="digital-source-type" content="{URI}">'.encode() in pushed("html")
    assert b"\nAI-assisted: yes\n" in pushed("text")
    assert b"\x02Made by people with the help of a trained model.\r\n" in pushed("iptc7901")
    assert b"^Made by people with the help of a trained model.<\r\n" in pushed("anpa1312")


def test_formats_of_feeds_mark_it() -> None:
    assert json.loads(served("json"))["items"][0]["_dateline"]["ai_assisted"] is True
    (category,) = etree.fromstring(served("mrss")).findall(".//{http://search.yahoo.com/mrss/}category")
    assert URI == f"{category.get('scheme')}{category.text}"
    for name, attribute in (("rss", "domain"), ("atom", "scheme")):
        categories = etree.fromstring(served(name)).findall(".//{*}category")
        uris = [f"{one.get(attribute)}{one.get('term') or one.text}" for one in categories]
        assert [URI] == uris, name


@pytest.mark.parametrize("name", [*ARTICLE_FORMATS.ours])
def test_what_is_marked_passes_the_gate_and_what_is_not_marked_has_no_word_of_it(name: str) -> None:
    assert [] == check_article(name, pushed(name), ours=True)
    plain = pushed(name, ARTICLE.model_copy(update={"ai_assisted": False}))
    assert b"ai_assisted" not in plain
    assert not [word for word in (b"lgorithmic", b"AI-assisted", b"trained model") if word in plain]


@pytest.mark.parametrize("name", ["rss", "atom", "json", "mrss"])
def test_feeds_pass_the_gate(name: str) -> None:
    assert [] == check_feed(name, served(name), ours=True)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"the official schemas are not in {SCHEMAS}")
def test_the_documents_are_valid_by_the_official_schemas() -> None:
    for name, file in (("newsmlg2", "newsml-g2/NewsML-G2_2.35-spec-All-Power.xsd"), ("nitf", "nitf/nitf-3-6.xsd")):
        etree.XMLSchema(file=str(SCHEMAS / file)).assertValid(etree.fromstring(pushed(name)))
    geo = json.loads((SCHEMAS / "ninjs/GeoJSON-schema.json").read_text("utf-8"))
    registry: Any = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", Resource.from_contents(geo))
    for version, name in (("3.1", "ninjs31"), ("2.2", "ninjs22"), ("1.6", "ninjs16")):
        schema = json.loads((SCHEMAS / f"ninjs/ninjs-schema_{version}.json").read_text("utf-8"))
        kind = jsonschema.validators.validator_for(schema)
        kind(schema, registry=registry).validate(json.loads(pushed(name)))


def test_an_event_brings_it_and_nothing_but_true_or_false() -> None:
    event = {
        "id": "e",
        "type": "article.published",
        "article": {"id": "a", "headline": "H", "url": "https://h.example/1"},
    }
    event["article"] = {**event["article"], "ai_assisted": True}  # type: ignore[dict-item]
    brought: Any = read(event, THEN)
    assert brought.article.ai_assisted is True
    event["article"] = {**event["article"], "ai_assisted": "no"}  # type: ignore[dict-item]
    with pytest.raises(InvalidEvent, match=r"article\.ai_assisted"):
        read(event, THEN)


def test_articles_of_former_releases_are_read_as_not_marked() -> None:
    stored = json.loads(ARTICLE.model_dump_json())
    del stored["ai_assisted"]
    assert Article.stored(json.dumps(stored)).ai_assisted is False
