"""ninjs as agencies and Superdesk send it: people, times, sections, bodies in other formats, what has no place here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.article import Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider
from feeds.lifecycle import Accept, decide

NOW = datetime(2026, 5, 5, tzinfo=UTC)
ITEM = {
    "uri": "tag:tidewater.example,2026:w1",
    "headline": "Weir opened",
    "body_html": "<p>It is open.</p>",
    "language": "en",
}


def read(**more: Any) -> Adapted:
    given = InputDefaults(url="https://tidewater.example/{id}")
    return ADAPTERS["ninjs"].read(json.dumps({**ITEM, **more}).encode(), given)


def said(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = read(**more).event["article"]
    return found


def notes(**more: Any) -> str:
    return " | ".join(map(str, read(**more).missing))


@pytest.mark.parametrize("name", ["firstcreated", "firstCreated", "firstpublished", "contentcreated", "contentCreated"])
def test_when_it_was_first_published(name: str) -> None:
    assert said(**{name: "2026-05-04T06:00:00Z"})["published"] == "2026-05-04T06:00:00+00:00"


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        ("By Ines Weir", ["Ines Weir"]),
        ("BY INES WEIR and Tom Ford", ["INES WEIR", "Tom Ford"]),
        ("Ines Weir, Tom Ford", ["Ines Weir", "Tom Ford"]),
        ("Ines Weir / Photo: Tom Ford", ["Ines Weir"]),
        ("Byron Ford", ["Byron Ford"]),
        ("Sandy Anderson", ["Sandy Anderson"]),
    ],
)
def test_one_person_for_each_author(byline: str, expected: list[str]) -> None:
    assert said(byline=byline)["authors"] == expected


def test_who_took_the_pictures_is_no_author() -> None:
    people = [{"name": "Ines Weir", "role": "writer"}, {"name": "Tom Ford", "role": "photographer"}]
    assert said(authors=people)["authors"] == ["Ines Weir"]


@pytest.mark.parametrize("name", ["ninjs31", "ninjs22", "ninjs16"])
def test_what_we_say_comes_back_as_it_was(name: str) -> None:
    sent = {
        "id": "w1",
        "headline": "Weir opened",
        "url": "https://tidewater.example/w1",
        "section": "Rivers",
        "subjects": ["Weirs", "Floods"],
        "authors": ["Ines Weir", "Tom Ford"],
        "body_html": "<p>It is open.</p>",
        "published": "2026-05-04T06:00:00Z",
    }
    event = events.read({"id": "e", "type": "article.published", "article": sent}, NOW)
    assert isinstance(event, events.ArticleEvent)
    decision = decide(None, event, NOW)
    assert isinstance(decision, Accept)
    article: Article = decision.article
    document = ARTICLE_FORMATS[name].render("article.published", article, "m", Provider("tidewater.example,2026", "T"))
    back = ADAPTERS["ninjs"].read(document, InputDefaults()).event["article"]
    for field in ("headline", "url", "section", "subjects", "authors", "body_html"):
        assert sent[field] == back[field]
    assert back["published"] == "2026-05-04T06:00:00+00:00"


NITF = """<?xml version="1.0"?><!DOCTYPE nitf SYSTEM "nitf.dtd"><nitf><head><title>Slug</title></head><body><body.head>
<hedline><hl1>Weir opened</hl1></hedline></body.head><body.content><p>It &amp; all.</p><hl2>Then</hl2>
<media media-type="image"><media-caption>Cap</media-caption></media><p>On.</p></body.content></body></nitf>"""


@pytest.mark.parametrize(
    "field",
    [
        {"bodies": [{"contentType": "application/nitf+xml", "value": NITF}]},
        {"bodies": [{"value": NITF}]},
        {"body_text": NITF},
        {"body_html": NITF},
    ],
)
def test_a_body_in_nitf_is_its_text(field: dict[str, Any]) -> None:
    said_so = said(**{"body_html": None, **field})["body_html"]
    assert "".join(said_so.split("\n")) == "<p>It &amp; all.</p><h2>Then</h2><p>On.</p>"
    assert "media" in notes(**{"body_html": None, **field})


@pytest.mark.parametrize("value", ["<?xml version='1.0'?><story><t>x</t></story>", "{\\rtf1 x}", "<nitf"])
def test_a_body_in_another_format_is_left_out(value: str) -> None:
    body = {"body_html": None, "bodies": [{"contentType": "application/x-story", "value": value}]}
    assert "body_html" not in said(**body)
    assert "application/x-story" in notes(**body)


@pytest.mark.parametrize("name", ["x:p", "x:", ":", ":p", "a:b:c"])
def test_a_prefix_that_is_declared_nowhere_takes_no_words_away(name: str) -> None:
    value = NITF.replace("<p>On.</p>", f"<{name}>On.</{name}>")
    assert "On." in said(body_html=None, bodies=[{"contentType": "application/nitf+xml", "value": value}])["body_html"]


def test_what_has_no_place_here_is_said() -> None:
    found = notes(
        genre=[{"name": "Feature"}],
        associations={"m": {"type": "video", "uri": "tag:v1"}, "a": {"type": "audio"}},
    )
    for words in ("genre", "video", "tag:v1", "audio"):
        assert words in found


@pytest.mark.parametrize("name", ["evolvedfrom", "evolvedFrom"])
@pytest.mark.parametrize("state", ["usable", "withheld", "canceled"])
def test_an_update_names_what_it_evolved_from(name: str, state: str) -> None:
    assert "tag:w0" == said(**{name: "tag:w0", "pubstatus": state})["evolved_from"]


@pytest.mark.parametrize("origin", ["two words", "x" * 201, ITEM["uri"]])
def test_an_origin_that_is_none_is_said_and_keeps_nothing_back(origin: str) -> None:
    assert "evolved_from" not in said(evolvedfrom=origin)
    assert "article.evolved_from" in notes(evolvedfrom=origin)
