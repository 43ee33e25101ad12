"""Pages as sites write them: whose data it is, in which encoding, and where each field is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feeds import encodings
from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults

SITE = "https://www.tidewater.example"
URL = f"{SITE}/2026/locks"
GIVEN = InputDefaults(editions=frozenset({"en", "ar"}))
TEXT = "".join(
    f"<p>The lock at mile {n} was shut on Monday for a day, the keeper told this paper in a letter.</p>"
    for n in range(4)
)
LD = {"@type": "NewsArticle", "headline": "The lock is shut", "datePublished": "2026-05-04T06:00:00Z"}


def script(value: Any) -> str:
    source = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{source}</script>'


def page(head: str, *, body: str = TEXT, html: str = ' lang="en"', canonical: str = URL) -> bytes:
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    shown = f"<article><h1>The lock is shut</h1>{body}</article>"
    return f"<html{html}><head>{link}{head}</head><body>{shown}</body></html>".encode()


def read(content: bytes) -> Adapted:
    return ADAPTERS["page"].read(content, GIVEN)


def article(head: str, **more: str) -> dict[str, Any]:
    said: dict[str, Any] = read(page(head, **more)).event["article"]
    return said


OTHER = {"@type": "NewsArticle", "headline": "Herons nest", "url": f"{SITE}/herons", "author": "Somebody Else"}


@pytest.mark.parametrize(
    "url", [URL, URL + "/", URL.replace("https", "http"), URL.replace("www.", ""), URL + "?ref=feed", URL + "#top"]
)
def test_the_article_is_the_one_with_the_address_of_the_page(url: str) -> None:
    assert article(script([OTHER, {**LD, "url": url, "author": "Ines Weir"}]))["authors"] == ["Ines Weir"]


def test_data_of_another_page_are_no_data_of_this_one() -> None:
    said = article(script([OTHER]))
    assert said["headline"] == "The lock is shut"
    assert "authors" not in said


def test_the_headline_and_no_address_tell_it_too() -> None:
    assert article(script([OTHER, {**LD, "url": f"{SITE}/amp/locks"}]))["published"] == "2026-05-04T06:00:00+00:00"
    assert article(script([OTHER, {**LD, "headline": "Locked"}]))["headline"] == "Locked"


@pytest.mark.parametrize(
    "source",
    ["<!--\n{}\n-->", "{};", "//<![CDATA[\n{}\n//]]>", "/*<![CDATA[*/ {} /*]]>*/", "<![CDATA[{}]]>", "\ufeff {}"],
)
def test_json_ld_in_whatever_stands_around_it(source: str) -> None:
    said = article(script(source.replace("{}", json.dumps({**LD, "author": {"name": "Ines Weir"}}))))
    assert said["authors"] == ["Ines Weir"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>A lock &amp; a key.</p>", "<p>A lock &amp; a key.</p>"),
        ("&lt;p&gt;A lock.&lt;/p&gt;", "<p>A lock.</p>"),
        ("The keeper&rsquo;s lock &amp;amp; key.", "<p>The keeper’s lock &amp; key.</p>"),
        ("Less < more.\nThen on.", "<p>Less &lt; more.</p><p>Then on.</p>"),
    ],
)
def test_an_article_body_in_text_or_markup(body: str, expected: str) -> None:
    assert article(script({**LD, "articleBody": body}), body="<p>On.</p>")["body_html"] == expected


def test_a_beginning_is_no_text() -> None:
    adapted = read(page(script({**LD, "articleBody": "The lock at mile 0 was shut on Monday for…"})))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert any("only its beginning" in note.problem for note in adapted.missing)


@pytest.mark.parametrize(
    ("language", "html", "head", "expected"),
    [
        (["ar"], "", "", "ar"),
        ("ar_EG", "", "", "ar"),
        ({"@type": "Language", "name": "Arabic", "alternateName": "ar"}, "", "", "ar"),
        ("Arabic", ' lang="ar"', "", "ar"),
        (None, ' xml:lang="ar"', "", "ar"),
        (None, "", '<meta property="og:locale" content="ar_AR">', "ar"),
        (None, "", '<meta http-equiv="Content-Language" content="ar">', "ar"),
        ("العربية", "", "", "ar"),
        ("eng", "", "", "en"),
        (None, ' lang="ara"', "", "ar"),
        (None, ' lang="ar;"', "", "ar"),
        (None, "", '<meta http-equiv="Content-Language" content="ar, en">', "ar"),
        (None, "", '<meta name="language" content="Arabic">', "ar"),
        (None, "", '<meta name="dcterms.language" content="ar">', "ar"),
        ("Elvish", "", "", "en"),
    ],
)
def test_languages(language: Any, html: str, head: str, expected: str) -> None:
    assert article(head + script({**LD, "inLanguage": language}), html=html)["edition"] == expected


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("Ines Weir", ["Ines Weir"]),
        ("By Ines Weir", ["Ines Weir"]),
        (["Ines Weir", {"name": "Tom Ford"}], ["Ines Weir", "Tom Ford"]),
        ({"name": ["Ines Weir", "Tom Ford"]}, ["Ines Weir", "Tom Ford"]),
        ({"name": {"@value": "Ines Weir", "@language": "en"}}, ["Ines Weir"]),
        ({"givenName": "Ines", "familyName": "Weir"}, ["Ines Weir"]),
        ([[{"name": "Ines Weir"}]], ["Ines Weir"]),
        ("https://social.example/weir", None),
        ("desk@tidewater.example", None),
        ("@weir", None),
        ("www.tidewater.example", None),
    ],
)
def test_authors(author: Any, expected: list[str] | None) -> None:
    adapted = read(page(script({**LD, "author": author})))
    assert adapted.event["article"].get("authors") == expected
    notes = [note.problem for note in adapted.missing if note.field == "article.authors"]
    assert bool(notes) == (expected is None)


@pytest.mark.parametrize(
    ("said", "head"),
    [
        (["2026-05-04T06:00:00Z"], ""),
        ("2026-05-04", '<meta property="article:published_time" content="2026-05-04T08:00:00+02:00">'),
        (None, '<meta itemprop="datePublished" content="2026-05-04T06:00:00Z">'),
        (None, '<meta name="parsely-pub-date" content="2026-05-04T06:00:00Z">'),
        ({"@value": "2026-05-04T06:00:00Z"}, ""),
        (["yesterday", "2026-05-04T06:00:00Z"], ""),
    ],
)
def test_dates(said: Any, head: str) -> None:
    assert article(head + script({**LD, "datePublished": said}))["published"] == "2026-05-04T06:00:00+00:00"


def test_a_date_that_is_nowhere_complete_is_noted() -> None:
    adapted = read(page(script({**LD, "datePublished": "2026-05-04"})))
    assert ["is '2026-05-04': has no time of day"] == [
        note.problem for note in adapted.missing if note.field == "article.published"
    ]


def test_addresses_are_relative_to_the_base_of_the_page() -> None:
    body = TEXT + '<p>It is in <a href="log/4.pdf">the book that the keeper of the lock writes</a>, page by page.</p>'
    said = article(f'<base href="{SITE}/files/">' + script({**LD, "image": ["lock.jpg"]}), body=body)
    assert said["url"] == URL
    assert said["images"][0]["url"] == f"{SITE}/files/lock.jpg"
    assert f'href="{SITE}/files/log/4.pdf"' in said["body_html"]


def test_a_headline_may_stand_on_the_page_alone() -> None:
    assert article("<title>The lock is shut | Tidewater</title>")["headline"] == "The lock is shut"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("iso-8859-1", "cp1252", "“Locks” – the keeper’s, €4"),
        ("US-ASCII", "cp1252", "“Locks”"),
        ("gb2312", "gb18030", "朱镕基"),
        ("Shift_JIS", "cp932", "①髙"),
        ("ks_c_5601-1987", "cp949", "똠방각하"),
        ("windows-1256", "cp1256", "عبّارة"),
        ("x-sjis", "cp932", "港"),
        ("utf-16", "utf-8", "عبّارة"),
    ],
)
def test_encodings_of_the_web(label: str, codec: str, text: str) -> None:
    head = f'<meta charset="{label}"><meta property="og:title" content="{text}">'
    content = page(head).decode().encode(codec)
    assert read(content).event["article"]["headline"] == text


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<meta charset=koi8-r>", "koi8-r"),
        (b"<!-- <meta charset=koi8-r> --><meta charset='UTF-8'>", "utf-8"),
        (b'<meta content="text/html; charset=cp1251" http-equiv="Content-Type">', "cp1251"),
        (b'<meta name=x content="charset=cp1251">', ""),
        (b"<script>'<meta charset=cp1251>'</script>", ""),
        (b"<style>" + b"a{} " * 400 + b"</style><meta charset=big5>", "big5"),
        (b"<link href=" + b"x" * 1000 + b"><meta charset=utf-8>", "utf-8"),
        (b'<?xml version="1.0" encoding="windows-1250"?><html>', "windows-1250"),
        (b"<body><meta charset=big5>", ""),
    ],
)
def test_where_a_page_says_its_encoding(head: bytes, expected: str) -> None:
    assert encodings.in_page(head) == expected


def test_every_label_is_of_an_encoding_that_there_is() -> None:
    assert len(encodings._ENCODINGS) > 200
    assert all("".encode(codec) is not None for codec in encodings._ENCODINGS.values())
    assert encodings.python_name("hz-gb-2312") == encodings.python_name("utf-7") == ""


def test_what_is_wrong_in_a_page_is_replaced_and_said() -> None:
    content = page('<meta charset="utf-8">' + script({**LD, "headline": "The l~ck is shut"})).replace(b"~", b"\xff")
    adapted = read(content)
    assert adapted.event["article"]["headline"] == "The l\ufffdck is shut"
    assert any("not in its encoding" in note.problem for note in adapted.missing)
