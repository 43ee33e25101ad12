"""Adapters and bad input: whatever comes, there is an event, a note of what is missing, or a clear refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from unit.adapting import GHOST, NINJS, NOW, PAGE, POST, PROVIDER, missing, read, refused, rendered

from feeds import event as events
from feeds.adapters import guess
from feeds.adapters.cloudevents import structured
from feeds.adapters.interface import InputDefaults
from feeds.article import ALTERNATES_MOST, Alternate, Article, Image
from feeds.entry import entry
from feeds.errors import InvalidEvent
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.lifecycle import Accept, decide
from feeds.validation.checks import check_article


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
    without_slug = read("ninjs", NINJS, said)
    assert "url" not in without_slug.event["article"]
    assert missing(without_slug, "url") == [
        "is missing, and so is the slug that the settings make it of; a pattern with {id} needs none"
    ]


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


@pytest.mark.parametrize("kind", ["page", "wp_navigation", "custom_css"])
def test_what_wordpress_keeps_as_posts_and_is_no_news(kind: str) -> None:
    assert "which is no article" in refused("wordpress", POST | {"type": kind})


def test_the_link_to_the_rest_is_no_word_of_an_excerpt() -> None:
    link = '<a class="button more-link" href="/p">Read on <span class="screen-reader-text">of ferries</span></a>'
    adapted = read("wordpress", POST | {"excerpt": {"rendered": f"<p>No ferries on Monday \u2026 {link}</p>"}})
    assert adapted.event["article"]["summary"] == "No ferries on Monday \u2026"
