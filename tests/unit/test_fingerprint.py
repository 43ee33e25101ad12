"""A text is known again by its fingerprints, however a page has it; and only a page that has it."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds import page_text
from feeds.article import Article
from feeds.fingerprint import HISTORY_MOST, MOST, WORDS, count_matches, fingerprints, remembered
from feeds.granting import granted
from feeds.rights import Rights

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FERRIES = (
    "Ferries return to the inner harbour",
    "After eleven weeks of storms the first boats left the old quay on Sunday morning.",
    (
        "<p>The first ferry since December left the <b>old quay</b> at six, with forty people and a dog on board.</p>"
        "<p>“We’d almost forgotten the sound of it,” said the woman who sells tickets in the green hut by the gate.</p>"
        "<p>The company says that boats will leave every twenty minutes until the evening, then every hour.</p>"
    ),
)
QANAT = (
    "قنات‌های کویر دوباره پرآب می‌شوند",
    "پس از بارندگی‌های زمستان آب در سه قنات قدیمی کویر دوباره جاری شده است.",
    "<p>کارگران محلی می‌گویند که پاک‌سازی چاه‌ها از پاییز آغاز شد و اکنون آب به مزرعه‌های روستا می‌رسد.</p>",
)


def article(headline: str = FERRIES[0], summary: str = FERRIES[1], body: str = FERRIES[2], version: int = 1) -> Article:
    return Article(
        id="hh-2026-0301",
        version=version,
        headline=headline,
        summary=summary,
        body_html=body,
        url="https://herald.example/ferries-return-to-the-inner-harbour",
        published=NOW,
        updated=NOW,
    )


def on(page: str, *of: Article, kind: str = "text/html; charset=utf-8", encoding: str = "utf-8") -> int:
    """How many fingerprints of the articles a page shows."""
    marks = [mark for one in of or (article(),) for mark in fingerprints(one)]
    return count_matches(page_text.texts(page.encode(encoding), kind), marks)


def test_nothing_can_be_read_from_them() -> None:
    marks = fingerprints(article())
    assert 8 < len(marks) <= MOST
    assert all(len(mark) == 17 and int(mark[0]) <= WORDS and int(mark[1:], 16) >= 0 for mark in marks)


def test_a_page_with_the_text_has_them_all() -> None:
    headline, summary, body = FERRIES
    assert on(f"<h1>{headline}</h1><p>{summary}</p>{body}") == len(fingerprints(article()))


@pytest.mark.parametrize(
    "page",
    [
        "<h1>FERRIES RETURN TO THE <span class=x>INNER</span> HARBOUR</h1>",
        "<h1>Ferries return to the\n   inner&nbsp;har&shy;bour</h1>",
        "<h1>Ferries return<br>to the<!-- ad --> inner har<wbr>bour</h1>",
        "<div>the first ferry since <i>december</i><div> left</div> the old <a href=/q>quay</a> at six, with</div>",
        "<p>We'd almost forgotten the sound of it, said the woman</p>",
        '<title>Herald</title><meta name="description" content="Ferries return to the inner harbour | Herald"><p>x</p>',
        "<p>x</p><!-- <h1>Ferries return to the inner harbour</h1> -->",
        "<!-- Ferries return to the inner harbour --><html><p>x</p></html>",
        "<p>x</p><template><h1>Ferries return to the inner harbour</h1></template>",
        "<p>x</p><textarea>&lt;h1&gt;Ferries return to the &lt;b&gt;inner&lt;/b&gt; harbour&lt;/h1&gt;</textarea>",
        '<p>x</p><iframe srcdoc="<h1>Ferries return to the inner harbour</h1>"></iframe>',
        "<div>" * 600 + "Ferries return to the inner harbour",
    ],
)
def test_it_is_known_in_another_markup(page: str) -> None:
    assert on(page) > 0


def test_it_is_known_in_the_data_of_a_page() -> None:
    data = json.dumps(
        {"@type": "NewsArticle", "url": "https://p.example/1", "headline": FERRIES[0], "articleBody": FERRIES[2]}
    )
    state = json.dumps([1, data]).replace("<", "\\u003c")
    assert on(f'<p>Removed.</p><script type="application/ld+json">{data}</script>') > 3
    assert on(f"<p>Removed.</p><script>self.push({state})</script>") > 3
    assert on(data, kind="application/json") > 3
    assert on("var a = '\"';" + data, kind="text/javascript") > 3
    assert on(json.dumps({"body": html.escape(FERRIES[2])}), kind="application/json") > 3


@pytest.mark.parametrize(
    "page",
    [
        "<p>hh-2026-0301 was withdrawn by the Harbour Herald.</p>",
        '<link rel=canonical href="https://portal.example/ferries-return-to-the-inner-harbour"><p>Article removed.</p>',
        '<p>Gone.</p><script>{"slug":"ferries-return-to-the-inner-harbour","id":"hh-2026-0301"}</script>',
        '<img src="/ferries-return-to-the-inner-harbour.jpg" srcset="/ferries-return-to-the-inner-harbour.jpg 2x">',
        "<p>The ferry left the harbour at six. The company says that boats return.</p>",
        "<p>harbour inner the to return Ferries</p>",
    ],
)
def test_a_page_about_the_kill_does_not_have_it(page: str) -> None:
    assert on(f"<p>x</p>{page}") == 0


@pytest.mark.parametrize(
    "headline",
    [
        QANAT[0].replace("ی", "ي").replace("ک", "ك"),  # as an Arabic keyboard writes them
        QANAT[0].replace("\u200c", ""),
        QANAT[0].replace("قنات", "قَناتْ"),
        QANAT[0].replace("دوباره", "دوبـــاره"),
        QANAT[0].replace("دوباره", "\u200fدوباره\u200f"),
    ],
)
def test_letters_and_marks_that_are_exchanged_are_the_same(headline: str) -> None:
    assert on(f"<h1>{headline}</h1>", article(*QANAT)) > 0


@pytest.mark.parametrize("encoding", ["windows-1256", "utf-16", "utf-8-sig"])
def test_it_is_known_in_another_encoding(encoding: str) -> None:
    told = article("العبارات تعود إلى الميناء الداخلي بعد العاصفة", "", "")
    kind = f"text/html; charset={encoding}" if "256" in encoding else "text/html"
    assert on(f"<h1>{told.headline}</h1>", told, kind=kind, encoding=encoding) > 0
    if "256" in encoding:
        in_the_page = f'<meta charset="{encoding}"><h1>{told.headline}</h1>'
        assert on(in_the_page, told, kind="text/html", encoding=encoding) > 0


def test_a_wrong_header_does_not_hide_it() -> None:
    told = article("العبارات تعود إلى الميناء الداخلي بعد العاصفة", "", "")
    assert on(f"<h1>{told.headline}</h1>", told, kind="text/html; charset=iso-8859-1") > 0


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        ("الميناء الداخلي بعد العاصفة".encode("windows-1256"), "text/html", "is no text in utf-8"),
        ("الميناء".encode("windows-1256"), "text/html; charset=punycode", "is no text in utf-8"),
        (b"", "text/html", "is empty"),
        (b"<div id=app></div><script>draw()</script>", "text/html", "shows no text"),
        (b"<div>" * 5000 + b"text", "text/html", "can't be parsed: it is nested too deep"),
        (b"%PDF-1.7", "application/pdf", "is application/pdf, which is not looked through"),
        (b"<rss/>", "text/xml", "is text/xml, which is not looked through"),
    ],
)
def test_what_cannot_be_read_is_an_error(content: bytes, kind: str, problem: str) -> None:
    with pytest.raises(page_text.Unreadable, match=problem):
        page_text.texts(content, kind)


def test_one_byte_that_is_wrong_hides_nothing() -> None:
    page = f"<h1>{FERRIES[0]}</h1>".encode() + b"\xff" + b"<p>and so on</p>" * 100
    assert count_matches(page_text.texts(page, "text/html"), fingerprints(article())) > 0


@pytest.mark.parametrize(
    "rights", [Rights(text="headline"), Rights(text="summary"), Rights(words=10), Rights(words=30)]
)
def test_a_part_that_a_partner_may_have_is_known(rights: Rights) -> None:
    told = granted(article(), rights)
    parts = [part for part in (told.body_html, told.summary, told.headline) if part]
    for part in parts:
        assert on(f"<p>{part}</p>") > 0


def test_a_short_text_is_known_by_fewer_words() -> None:
    short = article("Harbour is open", "", "<p>See the map.</p>")
    assert len(fingerprints(short)) == 2
    assert on("<p>The Harbour is open again</p>", short) == 1
    assert fingerprints(article("Open", "", "<p>See map.</p>")) == ()


def test_a_correction_keeps_what_it_did_not_change() -> None:
    long = "".join(f"<p>{' '.join(f'word{n}x{m}' for m in range(40))}</p>" for n in range(20))
    mended = long.replace("word3x7 ", "word3x7 mended ")
    before, after = set(fingerprints(article(body=long))), set(fingerprints(article(body=mended)))
    assert len(before & after) > 0.8 * MOST


def test_every_version_is_remembered_until_the_article_comes_back() -> None:
    first, second = article(), article("Boats are back in the port", "", "<p>Another text of other words.</p>", 2)
    kept = remembered((), first)
    assert fingerprints(first) == kept
    kept = remembered(kept, second)
    assert (*fingerprints(second), *fingerprints(first)) == kept
    assert kept == remembered(kept, second)
    killed = first.model_copy(update={"pubstatus": "canceled", "headline": "", "summary": "", "body_html": ""})
    assert remembered(kept, killed) == ()
    assert remembered((), None) == ()


def test_what_is_remembered_is_bounded() -> None:
    kept: tuple[str, ...] = ()
    for version in range(1, 12):
        body = f"<p>{' '.join(f'v{version}w{n}' for n in range(200))}</p>"
        kept = remembered(kept, article(body=body, version=version))
    assert len(kept) == HISTORY_MOST
    assert set(fingerprints(article(body=body))) <= set(kept)


WORD = st.text("abcdefgh\u0627\u0628\u062a\u06cc\u06a9ığşİI’é0", min_size=1, max_size=9)
LINES = st.lists(st.lists(WORD, min_size=1, max_size=30).map(" ".join), min_size=1, max_size=12)


@settings(max_examples=60)
@given(LINES, st.sampled_from(["div", "li", "p", "td", "x-para"]), st.booleans())
@example(["İ I ı i ğ ş"], "p", True)
def test_what_an_article_says_is_found_in_any_order_and_case(said: list[str], tag: str, upper: bool) -> None:
    told = article(said[0], "", "".join(f"<p>{line}</p>" for line in said[1:]))
    # Case has rules of its own in every language; only letters that have one pair are changed here.
    pieces = ["".join(c.upper() if upper and c in "abcdefgh" else c for c in line) for line in said]
    page = "".join(f"<{tag}>{piece}</{tag}><aside>advertisement</aside>" for piece in reversed(pieces))
    marks = fingerprints(told)
    assert on(page, told) == len(marks)


@settings(max_examples=60)
@given(st.text(max_size=300), st.sampled_from(["text/html", "application/json", "text/plain", ""]))
def test_any_page_is_read_or_refused(page: str, kind: str) -> None:
    content = page.encode("utf-8", "replace")
    try:
        read = page_text.texts(content, kind)
    except page_text.Unreadable:
        return
    assert count_matches(read, fingerprints(article())) == 0
