"""Text, HTML and URLs as every format may carry them."""

from __future__ import annotations

import re
import unicodedata

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import text
from feeds.graphemes import cut
from feeds.safe_html import safe_html

ZWNJ, ZWJ, LRM, RLM = "\u200c", "\u200d", "\u200e", "\u200f"
LRE, PDF, LRO, RLO = "\u202a", "\u202c", "\u202d", "\u202e"
RLI, PDI = "\u2067", "\u2069"
BASE = "https://www.harbour-herald.example/world/story"

# Pieces that tangle: elements that parsers move, references, quotes left open, direction marks left open.
HTML_PIECES = st.sampled_from(
    (  # noqa: SIM905 (a list would be one string a line)
        '<p>|</p>|<a href="/x">|</a>|<table>|<td>|<tr>|</table>|<pre>|<b>|</b>|<i>|<li>|<script>|</script>|<style>|'
        '<!--|-->|<svg>|<math>|<title>|<iframe>|<h1>|<select>|<plaintext>|<img src="a b.jpg" onerror=x>|'
        "<b title='a>b\u2067'>|&amp;|&lt;|&#13;|&#1;|&nbsp;|]]>|<![CDATA[|\"|'|&|<|>|\U0001f600|\n|\r| |"
        "\u2067|\u2069|\u202a|\u202c|\u200c|<noscript>|</noscript>|<form>|</form>|<label>|<picture>|<video src=v>|"
        '<video>|</video>|<source src="s">|<iframe src="//e.example/1">|</iframe>|<img data-src=l>|<img>|<div hidden>|'
        '</div>|&#8;|<img src="p" width=1 height=1>|<object data=o>|<textarea>|</textarea>|<img srcset="a 1x, b 2x">|'
        "<title>|</title>|"
        "<details>|<summary>|</details>|<center>|<menu>|<dialog open>|<dialog>|<fieldset>|<legend>|<xmp>"
    ).split("|")
)
HTML = st.lists(HTML_PIECES | st.text(max_size=5)).map("".join)


@pytest.mark.parametrize(
    "dropped",
    [
        "\x00",
        "\x08",
        "\x0b",
        "\x1f",
        "\x7f",
        "\x85",
        "\x9f",
        "\ud800",
        "\ufdd0",
        "\ufffe",
        "\U0010ffff",
        LRO,
        RLO,
    ],
)
def test_legal_drops_what_xml_or_readers_cannot_take(dropped: str) -> None:
    assert text.legal(f"a{dropped}b") == "ab"


@pytest.mark.parametrize(
    "kept", ["\t", "\n", "\r", ZWNJ, ZWJ, LRM, RLM, "\ufffd", "\U0001f468\u200d\U0001f469", "ے", "ک"]
)
def test_legal_keeps_what_people_write_with(kept: str) -> None:
    assert text.legal(f"می{kept}روم") == f"می{kept}روم"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"{RLI}a{PDI}", f"{RLI}a{PDI}"),
        (f"{RLI}a", f"{RLI}a{PDI}"),
        (f"{LRE}{RLI}a", f"{LRE}{RLI}a{PDI}{PDF}"),
        (f"a{PDI}b{PDF}", "ab"),
        (f"{LRE}a{PDI}b", f"{LRE}ab{PDF}"),
        (f"{RLI}a{PDF}b{PDI}", f"{RLI}ab{PDI}"),
        # An isolate's end also ends the embeddings in it (UAX #9, X6a): what follows is outside again.
        (f"{RLI}{LRE}a{PDI}b", f"{RLI}{LRE}a{PDF}{PDI}b"),
    ],
)
def test_legal_balances_isolates_and_embeddings(given: str, expected: str) -> None:
    assert text.legal(given) == expected


@pytest.mark.timeout(10)
def test_legal_does_not_look_long_for_what_an_end_belongs_to() -> None:
    many = 200_000
    assert text.legal(LRE * many + PDI * many) == LRE * many + PDF * many


@given(st.text())
def test_legal_text_is_legal_in_xml_and_stays_as_it_is(given: str) -> None:
    legal = text.legal(given)
    element = etree.Element("x")
    element.text = legal
    assert etree.fromstring(etree.tostring(element)).text == (legal or None)
    assert text.legal(legal) == legal


def test_what_is_printable_is_legal() -> None:
    # `legal` asks for no more of such a text.
    printable = "".join(filter(str.isprintable, map(chr, range(0x110000))))
    assert not text._ILLEGAL.search(printable)
    assert not text._OVERRIDES.search(printable)
    assert not text._DIRECTIONAL.search(printable)


def test_plain_folds_white_space() -> None:
    assert text.plain(" a \t\n b\u00a0c\u2028d ") == "a b c d"


@pytest.mark.parametrize("fine", ["5 < 6 & 7 > 2", "AT&T", "a <3 b", "R&D", "if x < y", "a <b", "]]>"])
def test_plain_takes_signs_that_are_no_markup(fine: str) -> None:
    assert text.plain(fine) == fine


@pytest.mark.parametrize(
    "markup", ["a <b>x</b>", "a</b>", "a<br/>", "x <!-- y", "<?php", "a &amp; b", "&#8217;", "&#x2019;", "<item>"]
)
def test_plain_refuses_markup(markup: str) -> None:
    with pytest.raises(ValueError, match=r"has markup \(.+\) at position \d+; send plain text"):
        text.plain(markup)


def test_plain_names_the_control_character() -> None:
    with pytest.raises(ValueError, match=r"has a control character \(U\+0007\) at position 3"):
        text.plain("ab\x07")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.example", "https://e.example/"),
        ("HTTPS://E.Example/A", "https://e.example/A"),
        ("https://e.example/العالم?q=أ#ب", "https://e.example/%D8%A7%D9%84%D8%B9%D8%A7%D9%84%D9%85?q=%D8%A3#%D8%A8"),
        ("https://e.example/a%20b%2Fc", "https://e.example/a%20b%2Fc"),
        ("https://e.example/100%", "https://e.example/100%25"),
        ("https://e.example/a[1]?b[]=c", "https://e.example/a%5B1%5D?b%5B%5D=c"),
        ("https://خبر.example/x", "https://xn--ngblk.example/x"),
        ("https://e.example:8443/x", "https://e.example:8443/x"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("  https://e.example/x  ", "https://e.example/x"),
    ],
)
def test_absolute_url(url: str, expected: str) -> None:
    assert text.absolute_url(url) == expected
    assert text.absolute_url(expected) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/a", "https://e.example/a"),
        ("b", "https://e.example/x/b"),
        ("//f.example/c", "https://f.example/c"),
        ("#n", "https://e.example/x/y#n"),
    ],
)
def test_absolute_url_resolves_against_its_base(url: str, expected: str) -> None:
    assert text.absolute_url(url, "https://e.example/x/y") == expected


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must be an absolute URL"),
        ("/a", "must be an absolute URL"),
        ("ftp://e.example/", "must be an absolute URL"),
        ("javascript:alert(1)", "must be an absolute URL"),
        ("https:///a", "has no host"),
        ("https://u:p@e.example/", "must not carry a user name"),
        ("https://e.example/a b", "has white space"),
        ("https://e.example/a\x00b", "has white space or control characters"),
        ("https://e.example:x/", "is no URL"),
        ("https://[::1/", "is no URL"),
        ("https://e$.example/", "no domain name"),
        ("https://e\u2024\u00ad-.\u0640example/", "no domain name"),
    ],
)
def test_absolute_url_says_what_is_wrong(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        text.absolute_url(url)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>a<script>x()</script><style>b{}</style></p>", "<p>a</p>"),
        ('<p onclick="x()" style="y" class="z">a</p>', "<p>a</p>"),
        ("<form><p>a</p></form>", ""),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ('<a href=" java\nscript:x()">a</a>', "<a>a</a>"),
        ('<img src="data:image/png;base64,AA" alt="a">', ""),
        ('<a href="/a?b=1&amp;c=2">a</a>', '<a href="https://www.harbour-herald.example/a?b=1&amp;c=2">a</a>'),
        ('<img src="b c.jpg">', '<img src="https://www.harbour-herald.example/world/b%20c.jpg">'),
        ('<a href="#n">a</a>', f'<a href="{BASE}#n">a</a>'),
        ('<a href="MailTo:a@e.example?subject=ب">a</a>', '<a href="MailTo:a@e.example?subject=%D8%A8">a</a>'),
        ('<a href="tel:+123">a</a>', '<a href="tel:+123">a</a>'),
        ("<p>می‌روم</p>", "<p>می‌روم</p>"),
        ("<!-- a --><p>b", "<p>b</p>"),
        ("a &lt; b & c", "a &lt; b &amp; c"),
        ("<p>a&#1;b&#13;c</p>", "<p>ab\nc</p>"),
        (f"<p>{RLI}a</p>", f"<p>{RLI}a</p>{PDI}"),
        ("  ", ""),
    ],
)
def test_safe_html(markup: str, expected: str) -> None:
    assert safe_html(markup, BASE) == expected


def test_safe_html_drops_relative_addresses_when_there_is_no_base() -> None:
    assert safe_html('<a href="/a">b</a>', "") == "<a>b</a>"


@given(HTML)
@settings(deadline=None)
def test_safe_html_cleaned_again_is_the_same(markup: str) -> None:
    once = safe_html(markup, BASE)
    assert safe_html(once, BASE) == once


@given(HTML)
@settings(deadline=None)
def test_safe_html_has_no_script_and_only_absolute_addresses(markup: str) -> None:
    cleaned = safe_html(markup, BASE)
    assert not re.search(r"<(?:script|style|iframe|svg|math|form)|<[^>]*\son\w+=", cleaned)
    assert all(re.match("(?:https?|mailto|tel):", url) for url in re.findall(r'<[^>]*(?:href|src)="([^"]*)"', cleaned))
    assert text.legal(cleaned) == cleaned


def test_safe_html_leaves_only_the_text_of_what_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    tangled = '<a href="/a"><table><a href="/b">a &lt;b&gt;</a></table></a>'
    assert safe_html(tangled, "") == "<a></a><a>a &lt;b&gt;</a><table></table>"
    monkeypatch.setattr("feeds.safe_html._HTML_PASSES", 1)
    assert safe_html(tangled, "") == "a &lt;b&gt;"


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>a</p><p>b</p>", "a b"),
        ("a<br>b<hr>c", "a b c"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>", "a b"),
        ("<b>a</b>b", "ab"),
        ("10<sup>6</sup>, H<sub>2</sub>O, s<sup>-1</sup>", "10⁶, H₂O, s⁻¹"),
        ('2<sup>nd</sup> of 2026<sup><a href="/n">1</a></sup><sup></sup>', "2nd of 2026¹"),
        ("<pre>a\n  b</pre>", "a b"),
        ('<p title="a &gt; b">c</p>', "c"),
        ("a &lt;item&gt; &amp;amp; b&nbsp;c", "a <item> &amp; b c"),
    ],
)
def test_text_of(markup: str, expected: str) -> None:
    assert text.text_of(markup) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("World", "WORLD"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("DIŞİŞLERİ", "dışişleri"),
        ("ورزشی", "ورزشي"),
        ("کتاب", "كتاب"),
        (f"کتاب{ZWNJ}خانه", "کتابخانه"),
        ("مـــدن", "مدن"),
        ("\ufb01lm", "film"),
        ("a \u00a0 b", "a b"),
        # Arabic: hamza and madda of alef, wasla, teh marbuta, final yeh, vowel signs, presentation forms
        ("أحمد", "احمد"),
        ("الإسلام", "الاسلام"),
        ("القرآن", "القران"),
        ("ٱلبحر", "البحر"),
        ("السياسة", "السياسه"),
        ("مستشفى", "مستشفي"),
        ("مُحَمَّد", "محمد"),
        ("شكراً", "شكرا"),
        ("هٰذا", "هذا"),
        ("ﻻعب", "لاعب"),
        ("كأس ٢٠٢٦", "كاس 2026"),
        # Persian: Arabic keyboards, the joiner, the ezafe in its four spellings, its own digits
        ("علی‌رضا", "عليرضا"),
        ("ترانهٔ روز", "ترانه روز"),
        ("ترانۀ روز", "ترانه روز"),
        ("ترانه‌ی روز", "ترانه روز"),
        ("ترانه‌یِ روز", "ترانه روز"),
        ("جام ۲۰۲۶", "جام 2026"),
        # Urdu: its own heh and yeh, and those of Arabic keyboards
        ("ہندوستان", "هندوستان"),
        ("پاکستانی", "پاكستاني"),
        ("سورۃ", "سورة"),
        ("مجموعۂ کلام", "مجموعہ کلام"),
        ("اُردُو", "اردو"),
        ("عیسیٰ", "عیسی"),
        # Turkish: capitals by the rules of Turkish and of English, and circumflexes composed or not
        ("IĞDIR", "ığdır"),
        ("IĞDIR", "Iğdır"),
        ("İZMİR", "izmir"),
        ("IZMIR", "izmir"),
        ("KÂĞIT", "ka\u0302g\u0306ıt"),
        # What can't be seen
        (f"{RLI}Aurora{PDI}", "aurora"),
        ("so\u00adcial", "social"),
        ("\ufeff\u061cabc", "abc"),
    ],
)
def test_fold_meets(one: str, other: str) -> None:
    assert text.fold(one) == text.fold(other)


# Words of one language that differ in one sign, and that no reader would take for each other.
APART = {
    "en": "world worlds|sport spor|expose exposé|3 03",
    "ar": "رؤية روية|ماء ما|كلب قلب|بئر بر|سؤال سعال|تين طين|صيف سيف|جامعة جماعة",
    "fa": "شیر شعر|کرم گرم|بر پر|جنگ چنگ|زن ژن|سد صد|خانه خانه‌ای",
    "ur": "لڑکی لڑکے|کہا کھا|بہاری بھاری|کی کے|گہر گھر|پہل پھل|بڑا برا|آئی آئے|باندی باندھی",
    "tr": "kül kul|kâr kar|ön on|iş is|ağ ak|hâlâ hala|çam cam|köy koy",
}


@pytest.mark.parametrize(
    ("one", "other"),
    [("", "x"), *(pair.split() for pairs in APART.values() for pair in pairs.split("|"))],
)
def test_fold_keeps_apart(one: str, other: str) -> None:
    assert text.fold(one) != text.fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("sınır", "sinir"), ("علي", "على"), ("كرة", "كره"), ("آب", "اب"), ("نامه‌ی", "نامه")]
)
def test_fold_pays_for_it_where_a_dot_or_a_sign_is_all_the_difference(one: str, other: str) -> None:
    assert text.fold(one) == text.fold(other)


# Letters and signs that fold to one another, drop out or compose, and what stands between them.
FOLDING = st.text(
    "aeiIıİ\u0130\u0131\u0301\u0307\u0323q\u212a\u017fßΣσς\ufb01٠۹5آأإٱا\u0653\u0654\u0655ئيىیېےكکةۃهہۂۀەھ"
    "\u064b\u0651\u0670\u0640\u200c\u200d\u2067\u00ad \u00a0é\u0345\u1fb3ﷺ"
)


@given(FOLDING | st.text())
@example("e\u200d\u0301")
@example("\u0345\u0301")
def test_fold_folded_again_is_the_same(given: str) -> None:
    assert text.fold(text.fold(given)) == text.fold(given)


@given(FOLDING | st.text())
def test_fold_does_not_see_how_a_letter_is_composed(given: str) -> None:
    assert text.fold(unicodedata.normalize("NFD", given)) == text.fold(unicodedata.normalize("NFC", given))


CLUSTERS = st.lists(
    st.sampled_from(
        [
            *("a", " ", "字", "e\u0301\u0323", "لَّ", f"ی{ZWNJ}", "क्ष", "🇹🇷", "👨\u200d👩\u200d👧", "👍🏽", "\r\n"),
            *(RLI, PDI, LRE, PDF),
        ]
    )
).map("".join)


@given(CLUSTERS, st.integers(0, 12))
def test_cut_leaves_whole_characters_and_no_open_isolate(said: str, most: int) -> None:
    said = text.legal(said)
    kept = cut(said, most)
    assert len(kept) <= most
    assert text.legal(kept) == kept
    beginning = kept if said.startswith(kept) else kept.rstrip(PDI + PDF)
    assert said.startswith(beginning)
    whole = regex.findall(r"\X", said)
    ends = [sum(map(len, whole[:count])) for count in range(len(whole) + 1)]
    assert len(beginning) in ends
    if len(said) <= most:
        assert kept == said
