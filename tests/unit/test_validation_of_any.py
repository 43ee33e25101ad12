"""Whatever is published passes the rules of its formats, and their official schemas, or is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from golden_files import ARTICLE_FILES
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from unit.validating import CHANNEL, NOW, PROVIDER, check_article, check_feed, feed, push, rules

from feeds import event
from feeds.article import Article
from feeds.entry import Tombstone, entry, tag_uri
from feeds.errors import InvalidEvent
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.lifecycle import Accept, Hold, decide
from feeds.recognition import Recognised, recognise
from feeds.text import plain
from feeds.validation.checks import ARTICLE_CHECKS, FEED_CHECKS, check_channel, check_entry

SCHEMAS = Path(__file__).parents[3] / "shared" / "schemas"


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
