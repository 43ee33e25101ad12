"""What formats with fewer elements than HTML make of a text: no word is lost, none run together, pictures stand."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from feeds import text
from feeds.article import Article
from feeds.entry import entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.body import lift_pictures, parse_html
from feeds.formats.interface import Provider
from feeds.safe_html import safe_html
from feeds.validation.checks import check_article

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROVIDER = Provider("quay.example,2026", "Quay")
BASE = "https://quay.example/"


def article(markup: str, **fields: Any) -> Article:
    said = {"id": "q-1", "version": 1, "headline": "Headline", "url": BASE, "body_html": safe_html(markup, BASE)}
    return Article(**(said | {"published": NOON, "updated": NOON} | fields))


def apple(markup: str) -> list[dict[str, Any]]:
    """The components of the text, without the title."""
    document = ARTICLE_FORMATS["applenews"].render("article.published", article(markup), "m", PROVIDER)
    assert [] == check_article("applenews", document)
    components: list[dict[str, Any]] = json.loads(document)["components"]
    return components[1:]


def shape(components: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(part["role"], part.get("text") or part.get("html") or part["URL"]) for part in components]


def msn(markup: str) -> str:
    fragment = FEED_FORMATS["msn"].fragment(entry(article(markup), PROVIDER.authority)).decode()
    return unescape(fragment.partition("<content:encoded>")[2].partition("</content:encoded>")[0])


def nitf(markup: str) -> etree._Element:
    document = ARTICLE_FORMATS["nitf"].render("article.published", article(markup), "m", PROVIDER)
    assert [] == check_article("nitf", document)
    content = etree.fromstring(document).find(".//{*}body.content")
    assert content is not None
    return content


def said_by_apple(markup: str) -> str:
    return " ".join(text.text_of(said) for role, said in shape(apple(markup)) if role != "photo")


def said_by_msn(markup: str) -> str:
    return text.text_of(msn(markup))


def said_by_nitf(markup: str) -> str:
    """Its words; only elements within a line do not part them."""
    words: list[str] = []
    for event_name, part in etree.iterwalk(nitf(markup), events=("start", "end")):
        inline = etree.QName(part).localname in {"a", "em", "q"}
        words += ["" if inline else " ", (part.text if event_name == "start" else part.tail) or ""]
    return " ".join("".join(words).split())


READ = {"applenews": said_by_apple, "msn": said_by_msn, "nitf": said_by_nitf}


WORDS = {
    "<dl><dt>Mast</dt><dd>Holds sails</dd><dt>Keel</dt><dd><p>Sinks</p></dd></dl>": "Mast Holds sails Keel Sinks",
    "<div>First</div><div>Second</div>third": "First Second third",
    "<table><caption>Ships</caption><tr><th>Year</th></tr><tr><td>1</td><td>2</td></tr></table>": "Ships Year 1 2",
    "<figure><img src='a.jpg'><figcaption>Cap</figcaption></figure><section><h6>Small</h6></section>": "Cap Small",
    "<p>One<br>two</p><h2>Head<br>line</h2>": "One two Head line",
    "<pre>one\ntwo<br>three</pre>": "one two three",
    "<blockquote><h3>Said</h3><div>by<div>me</div></div></blockquote>": "Said by me",
    "<ul><li>One<ul><li>Inner</li></ul></li><li><div>Two</div><div>Three</div></li></ul>": "One Inner Two Three",
    "<a href='/x'><h2>Head</h2><p>Text</p></a>": "Head Text",
    "<p>Before <a href='/x'>a <img src='b.png'> link</a> after</p>": "Before a link after",
    "<p>one</p>between<hr><p>two</p>": "one between two",
    "<table><tr><td><p>Only</p><p>cell</p></td></tr></table>": "Only cell",
    "<table><tr><td>a<table><tr><td>b</td><td>c</td></tr></table></td><td><ul><li>d</ul></td></tr></table>": "a b c d",
    "<details><summary>Why</summary>so<details><summary>And</summary>then</details></details>": "Why so And then",
    "<p>At <abbr title='Greenwich'>GMT</abbr>, <kbd>Ctrl</kbd>+<kbd>C</kbd></p>": "At GMT, Ctrl+C",
}


@pytest.mark.parametrize("format_name", READ)
@pytest.mark.parametrize(("markup", "words"), WORDS.items())
def test_words_stay_apart(format_name: str, markup: str, words: str) -> None:
    assert words == READ[format_name](markup)


LEAVES = ["#", "<b>#</b>#", "#<br>#", "<img src='p.png'>", "<p>#</p>", "<pre>#\n#</pre>", "<hr>", "<h3>#</h3>"]
WRAPS = [
    *("<div>*</div>", "<section>*</section>", "<blockquote>*</blockquote>", "<ul><li>*</li><li>#</li></ul>"),
    *("<dl><dt>#</dt><dd>*</dd></dl>", "<figure>*<figcaption>#</figcaption></figure>", "<a href='/x'>*</a>"),
    "<table><caption>#</caption><tr><td>*</td><td>#</td></tr></table>",
]
BLOCKS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(
        lambda wrap, parts: wrap.replace("*", "".join(parts)),
        st.sampled_from(WRAPS),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("format_name", READ)
def test_no_word_is_lost_whatever_stands_in_what(format_name: str) -> None:
    @given(blocks=BLOCKS)
    @settings(deadline=None, max_examples=120)
    def every(blocks: str) -> None:
        start, *rest = blocks.split("#")
        # Words that are apart in what was written, or within bold print beside another.
        markup = start + "".join(f"w{number} {part}" for number, part in enumerate(rest))
        said = READ[format_name](markup).split()
        assert sorted(said) == sorted(f"w{number}" for number in range(len(rest)))

    every()


def test_apple_news_has_a_component_for_each_picture_table_heading_and_caption() -> None:
    photo = ("photo", f"{BASE}a.jpg")
    said = apple("<p>Start.</p><p><a href='/big'><img src='a.jpg'></a></p><p>Mid <img src='a.jpg'> dle.</p>")
    assert shape(said) == [("body", "<p>Start.</p>"), photo, ("body", "<p>Mid </p>"), photo, ("body", "<p> dle.</p>")]
    figure = "<figure><img src='a.jpg'><figcaption>Cap</figcaption></figure>"
    said = apple(f"<div><h2>Head</h2><p>Text</p>{figure}</div>")
    assert shape(said) == [("heading2", "Head"), ("body", "<p>Text</p>"), photo, ("caption", "Cap")]
    gallery = f"<ul><li>{figure}</li><li><img src='a.jpg'></li></ul>"
    assert [photo, ("caption", "Cap"), photo] == shape(apple(gallery))
    table = "<table><caption>Ships</caption><tr><td colspan=2>A</td></tr><tr><td>1</td><td>2</td></tr></table>"
    assert shape(apple(table)) == [
        ("caption", "Ships"),
        ("htmltable", '<table><tbody><tr><td colspan="2">A</td></tr><tr><td>1</td><td>2</td></tr></tbody></table>'),
    ]


def test_msn_has_blocks_and_pictures_in_the_elements_that_it_takes() -> None:
    said = msn("<figure><img src='a.jpg' alt='A'><figcaption>Cap</figcaption></figure><p>He said <q>yes</q>.</p>")
    assert said == (f'<div><img src="{BASE}a.jpg" alt="A"><div>Cap</div></div><p>He said \u201cyes\u201d.</p>')


def test_nitf_keeps_captions_of_tables_and_pictures_of_links() -> None:
    content = nitf(
        "<table><caption>Ships</caption><tr><td>1</td></tr></table><p><a href='/big'><img src='a.jpg'></a></p>"
    )
    assert "Ships" == content.findtext("{*}table/{*}caption")
    assert [f"{BASE}a.jpg"] == [media.get("source") for media in content.iter("{*}media-reference")]


def test_many_pictures_in_one_paragraph_take_no_time() -> None:
    root = parse_html(f"<p><b>{'a <img src=/a> b' * 5000}</b></p>")
    lift_pictures(root)
    assert 5000 == len(root.findall("img"))


def test_lifting_keeps_the_order_and_the_links() -> None:
    root = parse_html('<p>1 <a href="/x">2 <img src="/a"> 3</a> 4 <img src="/b"></p>')
    lift_pictures(root)
    assert (
        '<div><p>1 <a href="/x">2 </a></p><img src="/a"><p><a href="/x"> 3</a> 4 </p><img src="/b"></div>'
        == html.tostring(root, encoding="unicode")
    )


@pytest.mark.parametrize(
    "sign", ["\u26f4", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1eb\U0001f1f7", "1\ufe0f\u20e3"]
)
def test_pictures_of_emoji_are_emoji(sign: str) -> None:
    said = safe_html(f'<p>Back <img src="e.png" alt="{sign}" width="20"> today</p>', BASE)
    assert f"<p>Back {sign} today</p>" == said


@pytest.mark.parametrize("attributes", ['alt="\u26f4" width="640"', 'alt="A \u26f4"', 'alt="7"', 'alt=""', ""])
def test_other_pictures_stay(attributes: str) -> None:
    assert "<img" in safe_html(f"<img src='e.png' {attributes}>", BASE)


@pytest.mark.parametrize("format_name", ["nitf", "newsml12", "applenews", "text", "html"])
def test_a_paragraph_of_ten_thousand_links_takes_about_as_long_in_any_format(format_name: str) -> None:
    long = article("<p>" + '<a href="https://quay.example/?a=1&amp;b=2">l</a> ' * 10_000 + "</p>")

    def seconds(name: str) -> float:
        begun = time.thread_time()
        ARTICLE_FORMATS[name].render("article.published", long, "m", PROVIDER)
        return time.thread_time() - begun

    assert min(seconds(format_name) for _ in range(2)) < 20 * max(seconds("newsmlg2") for _ in range(2))
