"""What is for some readers only is left out, however a system marks it, and said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import html

from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.adapters.members_only import for_all, located, says_no

GATED = '<!--kg-gated-block:begin nonMember:{} memberSegment:"status:free,status:-free" -->{}<!--kg-gated-block:end-->'


def read(adapter: str, value: Any) -> Adapted:
    content = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return ADAPTERS[adapter].read(content, InputDefaults(url="https://tidewater.example/a"))


@pytest.mark.parametrize(
    ("markup", "expected", "parts"),
    [
        ("<p>a</p>" + GATED.format("false", "<p>s</p>") + "<p>b</p>", "<p>a</p><p>b</p>", 1),
        ("<p>a</p>" + GATED.format("true", "<p>all</p>"), "<p>a</p><p>all</p>", 0),
        ('<p>a</p><!--kg-gated-block:begin memberSegment:"" --><p>s</p>', "<p>a</p>", 1),
        (GATED.format("false", "s") + "<p>a</p>" + GATED.format("false", "s"), "<p>a</p>", 2),
        ('<p>a</p>[members_only level="1"]<p>s</p>[/members_only]<p>b</p>', "<p>a</p><p>b</p>", 1),
        ("<p>a</p>[restrict]<p>s</p>", "<p>a</p>", 1),
        ("<p>a [sic] b</p>", "<p>a [sic] b</p>", 0),
        (
            '<p>a</p><!-- wp:pmpro/membership {"levels":["1"]} --><p>s</p><!-- /wp:pmpro/membership --><p>b</p>',
            "<p>a</p><p>b</p>",
            1,
        ),
        ("<p>a</p><!-- wp:jetpack/paywall --><hr><!-- /wp:jetpack/paywall --><p>s</p>", "<p>a</p>", 1),
        (
            '<p>a</p><div class="x wp-block-premium-content-subscriber-view"><p>s</p></div><p>b</p>',
            "<p>a</p><p>b</p>",
            1,
        ),
        (
            "<p>a</p><!-- wp:paragraph --><p>b</p><!-- /wp:paragraph -->",
            "<p>a</p><!-- wp:paragraph --><p>b</p><!-- /wp:paragraph -->",
            0,
        ),
    ],
)
def test_parts_for_members(markup: str, expected: str, parts: int) -> None:
    assert for_all(markup) == (expected, parts)


def test_a_ghost_post_for_all_keeps_its_gated_part_back_and_says_so() -> None:
    body = "<p>Free.</p>" + GATED.format("false", "<p>The bidder is Brine.</p>")
    post = {"id": "9", "title": "Bids", "status": "published", "html": body, "url": "https://tidewater.example/b/"}
    adapted = read("ghost", {"post": {"current": post}})
    assert adapted.event["article"]["body_html"] == "<p>Free.</p>"
    assert any("for members" in note.problem for note in adapted.missing if note.field == "article.body_html")


def test_a_wordpress_post_keeps_its_shortcode_back() -> None:
    post = {
        "id": 4,
        "title": {"rendered": "Bids"},
        "content": {"rendered": "<p>Free.</p>[private]<p>Brine</p>[/private]"},
    }
    assert "Brine" not in str(read("wordpress", post))


NO = [
    False,
    "False",
    "false",
    "no",
    "No",
    0,
    "0",
    "http://schema.org/False",
    "https://schema.org/False",
    "schema:False",
]


@pytest.mark.parametrize("said", [*NO, ["False"], {"@value": False}, {"@id": "https://schema.org/False"}])
def test_ways_to_say_that_a_page_is_not_free(said: Any) -> None:
    assert says_no(said)
    adapted = read("page", page({"isAccessibleForFree": said, "articleBody": "For those who pay."}))
    assert "For those who pay" not in str(adapted)
    assert any("not free" in note.problem for note in adapted.missing)


@pytest.mark.parametrize("said", [True, "True", "yes", "https://schema.org/True", 1, None, "", {}, []])
def test_ways_to_say_that_a_page_is_free_or_nothing(said: Any) -> None:
    assert not says_no(said)


def page(more: dict[str, Any], body: str = "", head: str = "") -> str:
    data = json.dumps({"@type": "NewsArticle", "headline": "The lock is shut", **more})
    paragraphs = "".join(
        f"<p>The lock at mile {n} was shut on Monday for a day, the keeper said.</p>" for n in range(4)
    )
    return (
        f'<html lang="en"><head>{head}<script type="application/ld+json">{data}</script></head>'
        f"<body><article><h1>The lock is shut</h1>{paragraphs}{body}</article></body></html>"
    )


def test_a_part_of_a_page_that_is_not_free_is_left_out() -> None:
    part = {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".paid"}
    paid = '<div class="paid more"><p>The keeper was paid twice, said a letter that this paper has seen.</p></div>'
    adapted = read("page", page({"isAccessibleForFree": True, "hasPart": part, "articleBody": "paid twice"}, paid))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert "paid twice" not in str(adapted)
    unclear = read("page", page({"hasPart": [part | {"cssSelector": "main > :nth-child(2)"}]}, paid))
    assert "body_html" not in unclear.event["article"]


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:content_tier" content="locked">',
        '<meta itemprop="isAccessibleForFree" content="False">',
    ],
)
def test_a_page_says_it_in_its_head(head: str) -> None:
    assert "body_html" not in read("page", page({}, head=head)).event["article"]


def test_elements_of_a_selector() -> None:
    root = html.document_fromstring('<div class="a b">1</div><p id="c">2</p><p>3</p>')
    assert [element.text for element in located(root, "div.a.b, #c")] == ["1", "2"]
    assert located(root, "p > a") == []
    assert located(root, "#c, p > a") == []
    assert located(root, "") == []


ADDRESS = "https://tidewater.example/a"
PAID = "<p>The keeper was paid twice, said a letter that this paper has seen in the council's archive.</p>"
PART = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paid"}
MICRODATA = """<div itemprop="hasPart" itemscope itemtype="https://schema.org/WebPageElement">
<meta itemprop="isAccessibleForFree" content="False"><meta itemprop="cssSelector" content=".paid"></div>"""
CLOSED = {"isAccessibleForFree": "False"}


def beside(statement: dict[str, Any], **more: Any) -> str:
    """The page with a paid paragraph of the class "paid", and a node of JSON-LD beside the article's."""
    data = json.dumps({"@context": "https://schema.org", **statement})
    script = f'<script type="application/ld+json">{data}</script>'
    return page({"url": ADDRESS, "@id": f"{ADDRESS}#article", **more}, f'<div class="paid">{PAID}</div>', script)


@pytest.mark.parametrize(
    "statement",
    [
        {"@type": "NewsArticle", "mainEntityOfPage": ADDRESS, **CLOSED},
        {"@type": "NewsArticle", "headline": "The lock is shut", **CLOSED},
        {"@type": "CreativeWork", "mainEntityOfPage": {"@type": "WebPage", "@id": ADDRESS}, **CLOSED},
        {"@type": "WebPage", "@id": f"{ADDRESS}#webpage", **CLOSED},
        {"@type": ["WebPage", "ItemPage"], **CLOSED},
        {"@id": f"{ADDRESS}#article", **CLOSED},
        {"@type": "schema:NewsArticle", "schema:url": ADDRESS, "schema:isAccessibleForFree": False},
    ],
)
def test_what_is_said_of_the_page_beside_its_article_counts(statement: dict[str, Any]) -> None:
    adapted = read("page", beside(statement))
    assert "body_html" not in adapted.event["article"]
    assert any("not free" in note.problem for note in adapted.missing)


@pytest.mark.parametrize(
    "statement",
    [
        {"@type": "WebPage", "url": ADDRESS, "hasPart": PART},
        {"@type": "NewsArticle", "mainEntityOfPage": ADDRESS, "hasPart": [PART | {"@type": "CreativeWork"}]},
    ],
)
def test_a_part_named_beside_the_article_is_left_out(statement: dict[str, Any]) -> None:
    adapted = read("page", beside(statement, articleBody="The keeper was paid twice."))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert "paid twice" not in str(adapted)


@pytest.mark.parametrize(
    "statement",
    [
        {"@type": "NewsArticle", "url": f"{ADDRESS}/other", "headline": "Another", **CLOSED},
        {"@type": "NewsArticle", "headline": "Another", **CLOSED},
        {"@type": "Event", "name": "The lock is shut", **CLOSED},
        {"@type": "WebPage", "hasPart": {"@type": "Article", "url": f"{ADDRESS}/other", **CLOSED}},
    ],
)
def test_what_is_said_of_others_does_not_close_the_page(statement: dict[str, Any]) -> None:
    adapted = read("page", beside(statement))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert "paid twice" in adapted.event["article"]["body_html"]


def test_a_part_that_the_page_does_not_show_by_that_name_keeps_the_text_back() -> None:
    adapted = read("page", page({"hasPart": PART}, PAID))
    assert "body_html" not in adapted.event["article"]
    assert any("can't be located" in note.problem for note in adapted.missing)


@pytest.mark.parametrize(
    "body",
    [
        '<link itemprop="isAccessibleForFree" href="https://schema.org/False">',
        '<span itemprop="isAccessibleForFree">False</span>',
        '<span property="schema:isAccessibleForFree" content="no"></span>',
        '<meta property="article:content_tier" content="Locked">',
        '<meta property="article:content_tier" content="premium">',
    ],
)
def test_a_page_says_it_in_its_markup(body: str) -> None:
    assert "body_html" not in read("page", page({}, body)).event["article"]


def test_a_metered_page_and_an_event_on_a_page_do_not_close_it() -> None:
    tier = '<meta property="article:content_tier" content="metered">'
    event = (
        '<div itemscope itemtype="https://schema.org/Event"><meta itemprop="isAccessibleForFree" content="False"></div>'
    )
    assert "mile 3" in read("page", page({}, event, tier)).event["article"]["body_html"]


@pytest.mark.parametrize(
    "element",
    [
        f'<div class="members-only wide">{PAID}</div>',
        f'<section subscriptions-section="content">{PAID}</section>',
        f'<div amp-access="subscriber">{PAID}</div>',
        MICRODATA + f'<div class="paid">{PAID}</div>',
    ],
)
def test_an_element_that_is_marked_for_some_readers_is_left_out(element: str) -> None:
    adapted = read("page", page({"articleBody": "The keeper was paid twice."}, element))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert "paid twice" not in str(adapted)
    assert any("not free" in note.problem for note in adapted.missing)


def test_nothing_is_taken_when_the_whole_article_is_marked() -> None:
    closed = page({}, f"<aside>{PAID}</aside>").replace("<article>", '<article class="post members-only">')
    assert "body_html" not in read("page", closed).event["article"]
