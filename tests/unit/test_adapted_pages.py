"""Pages and plain texts as adapters: what is no article, what is left out, and what is taken for what."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from unit.adapting import NINJS, NOW, PAGE, missing, read, refused

from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.errors import InvalidEvent


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the page is empty"),
        (b"<div>" * 1000 + b"x", "Excessive depth in document: 256"),
        (b"<meta charset=klingon><p>x", "says it is in klingon, which is no known encoding"),
        ("<p>Café".encode("latin-1"), "is no text in utf-8: unexpected end of data at byte 7"),
        (b'<script type="application/ld+json">[' + b"[]," * 20_001 + b"[]]</script>", "has more than 20,000 values"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_pages_that_are_none(content: bytes, said: str) -> None:
    assert said in refused("page", content)


@pytest.mark.parametrize(
    "content",
    [
        b"<meta charset=windows-1256><p>\x81\xff",
        b'<script type="application/ld+json">' + b"[" * 1000 + b"]" * 1000 + b"</script>",
        b'<script type="application/ld+json">' + b"[" * 50_000 + b"</script>",
    ],
    ids=lambda value: repr(value)[:60],
)
def test_pages_without_an_article(content: bytes) -> None:
    with pytest.raises(InvalidEvent, match=r"article\.headline: is missing"):
        events.read(read("page", content).event, NOW)


def test_entities_of_a_page_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sesame")
    page = f"""<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret"><!ENTITY a "{"b" * 50}">]>
        <html><meta property="og:title" content="Ferries"><p>They do &x;.</p><p>And &a;.</p></html>"""
    adapted = read("page", page.encode())
    assert "Ferries" == adapted.event["article"]["headline"]
    assert not any(word in str(adapted) for word in ("sesame", "bbbb"))


def test_an_arabic_page_in_its_own_encoding() -> None:
    page = '<html lang="ar"><meta charset="windows-1256"><meta property="og:title" content="عودة السفن"><p>نص</p>'
    assert read("page", page.encode("windows-1256")).event["article"]["headline"] == "عودة السفن"


def test_a_page_without_an_address_is_refused() -> None:
    assert "article.id: is missing" == refused("page", b"<p>x", InputDefaults())


def test_a_page_that_is_not_free_to_read_leaves_its_text_out() -> None:
    ld = {"@type": "NewsArticle", "headline": "F", "isAccessibleForFree": False, "articleBody": "paid for"}
    adapted = read("page", f'<script type="application/ld+json">{json.dumps(ld)}</script><p>x'.encode())
    assert "body_html" not in adapted.event["article"]
    assert missing(adapted, "body_html") == ["is left out: the page says that it is not free to read"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-03-04T11:00:00+00:00", None),
        ("2026-03-04 11:00Z", None),
        ("Wed, 04 Mar 2026 12:00:00 +0100", None),
        ("Wed, 04 Mar 2026 11:00:00 GMT", None),
        (1772622000, None),
        ("1772622000000", None),
        ("٢٠٢٦-٠٣-٠٤T١١:٠٠:٠٠Z", None),
        ("Wednesday, 4 March, 2026 - 12:00", None),
        ("March 4th, 2026 at 12:00 p.m.", None),
        ("الأربعاء، ٤ آذار ٢٠٢٦ - ١٢:٠٠", None),
        ("4 Mart 2026 Çarşamba 12:00", None),
        ("بدھ 4 مارچ 2026 12:00", None),
        ("4 March 2026 11:00 UTC", None),
        ("2026-03-04", "has no time of day"),
        ("4 March 2026", "has no time of day"),
        ("۱۳ اسفند ۱۴۰۴ - ۱۲:۰۰", "is a date of the Persian calendar, which is not converted"),
        ("15 رمضان 1447 12:00", "is a date of the Islamic calendar, which is not converted"),
        ("03/04/2026 11:00", "day and month can be mistaken for each other"),
        ("Tuesday, 4 March 2026 11:00", "is another day of the week"),
        ("31 February 2026 11:00", "day is out of range for month"),
        ("4 March 2026 13:00 pm", "has an hour that is none on a clock of twelve"),
        ("yesterday", "has 'yesterday', which is no part of a date that can be read"),
        ("4 2026 11:00", "has no day, month and year that can be read"),
        ("4 4 2026", "is no date that can be read"),
        ("0020-03-04T11:00:00Z", "must lie between the years 1900 and 9000"),
        (True, "is no date"),
        ([], "is no date"),
        ("x" * 5000, "is no date"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_dates_of_the_world(written: Any, said: str | None) -> None:
    zone = InputDefaults(url=PAGE, zone=timezone(timedelta(hours=1)))
    adapted = read("ninjs", NINJS | {"firstpublished": written, "version": "1"}, zone)
    if said is None:
        assert "2026-03-04T11:00:00+00:00" == adapted.event["article"]["published"]
    else:
        assert "published" not in adapted.event["article"]
        assert said in missing(adapted, "published")[0]


def test_a_date_without_offset_needs_a_zone() -> None:
    adapted = read("ninjs", NINJS | {"firstpublished": "4 March 2026 11:00"})
    assert missing(adapted, "published") == [
        "is '4 March 2026 11:00': has no offset from UTC, and no time zone is given"
    ]


SAVED = """{head}The Tidewater
Locks shut
Locks shut
Monday, 4 May, 2026 - 09:30
The lock keeper at work. (Weir Pictures)
The lock was shut on Monday.
It opens on Friday.
"""
AT_HOME = InputDefaults(url="https://tidewater.example/a", zone=timezone(timedelta(hours=2)))


def saved(said: InputDefaults = AT_HOME, head: str = "") -> Adapted:
    return read("text", SAVED.replace("{head}", head).encode(), said)


def test_the_picture_of_a_text_is_there_when_its_address_is_given() -> None:
    picture = {"url": "https://m.example/l.jpg", "caption": "The lock keeper at work.", "credit": "Weir Pictures"}
    assert [picture] == saved(replace(AT_HOME, image="https://m.example/l.jpg")).event["article"]["images"]
    [note] = missing(saved(), "images")
    assert "The lock keeper at work." in note
    assert "Weir Pictures" in note
    assert "keeper at work" not in saved().event["article"]["body_html"]


def test_a_time_of_a_text_is_taken_with_its_zone_or_refused() -> None:
    assert saved().event["article"]["published"] == "2026-05-04T07:30:00+00:00"
    adapted = saved(replace(AT_HOME, zone=None))
    assert "no time zone is given" in missing(adapted, "published")[0]
    with pytest.raises(InvalidEvent, match=r"article\.published"):
        events.read(adapted.event, NOW)


@pytest.mark.parametrize(
    "slogan",
    ["News from the river, every day", "All that floats is fit to print here.", "Since 1871 we tell you all of it"],
)
def test_a_slogan_is_no_source(slogan: str) -> None:
    adapted = saved(head=f"{slogan}\n")
    assert adapted.event["article"]["source"] == "The Tidewater"
    assert any(slogan in note.problem for note in adapted.missing)


def test_a_text_in_which_several_lines_could_be_the_headline_is_refused() -> None:
    text = "The Tidewater Post\n{}Ferries return to Port Lisse\nBy Mara Ellingsen\nMarch 4, 2026\nThe first ferry left."
    with pytest.raises(InvalidEvent, match="several lines could be the headline: 'News of the coast', 'Ferries"):
        ADAPTERS["text"].read(text.format("News of the coast\n").encode(), InputDefaults(url="https://e.example/a"))
    # The line with the author's name is none of them.
    adapted = ADAPTERS["text"].read(text.format("").encode(), InputDefaults(url="https://e.example/a"))
    assert "Ferries return to Port Lisse" == adapted.event["article"]["headline"]
