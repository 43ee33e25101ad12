"""What a document is, told from its content: whole, cut off, broken, and of nobody we know."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_files import ARTICLE_FILES, FEED_FILES
from hypothesis import given
from hypothesis import strategies as st

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.recognition import Recognised, recognise
from feeds.validation.checks import check_article, check_feed

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/event.json"))
DOCUMENTS = [
    *((Recognised("feed", name), file) for name, file in FEED_FILES.items()),
    *((Recognised("article", name), file) for name, file in ARTICLE_FILES.items()),
]

BROKEN = {"xml.well-formed", "json.well-formed", "html.whole", "iptc7901.text", "iptc7901.end"} | {
    "anpa1312.text",
    "anpa1312.end",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("expected", "file"), DOCUMENTS)
def test_what_we_write_is_recognised(case: str, expected: Recognised, file: str) -> None:
    assert expected == recognise((GOLDEN / case / file).read_bytes())


# What a text lacks at its end nobody can tell.
@pytest.mark.parametrize(("expected", "file"), [one for one in DOCUMENTS if one[0].name != "text"])
def test_what_is_cut_off_is_recognised_and_found_broken(expected: Recognised, file: str) -> None:
    document = (GOLDEN / "english" / file).read_bytes()
    for length in (len(document) * 3 // 4, len(document) - 3):
        assert expected == recognise(document[:length])
        check = check_feed if expected.kind == "feed" else check_article
        assert check(expected.name, document[:length])[0].rule in BROKEN


@pytest.mark.parametrize(
    ("expected", "document"),
    [
        (Recognised("feed", "rss"), b'<rss version="0.91"/>'),
        (Recognised("feed", "rss"), b'\xef\xbb\xbf <?xml version="1.0"?>\n<rss>&nbsp;<channel></rss>'),
        (Recognised("feed", "rss"), '<?xml version="1.0" encoding="UTF-16"?><rss/>'.encode("utf-16")),
        (Recognised("feed", "rss"), b'<!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>'),
        (Recognised("feed", "json"), b'{"version":"https:\\/\\/jsonfeed.org\\/version\\/1"}'),
        (Recognised("feed", "json"), b'{"title": "x", "items": []}'),
        (Recognised("feed", "json"), b'{"version": "1", "items": ['),
        (Recognised("article", "json"), b'\xef\xbb\xbf{"type": "", "article": {'),
        (Recognised("article", "ninjs31"), b'{"uri": "x"}'),
        (Recognised("article", "ninjs31"), b'{"uri": "x", "headlines": []}'),
        (Recognised("article", "ninjs22"), b'{"uri": "x", "headlines": [], "pubstatus": "usable"}'),
        (Recognised("article", "ninjs16"), b'{"uri": "x", "headline": "y"}'),
        (None, b""),
        (None, b" \n"),
        (None, b"Plain text"),
        (None, b"\x89PNG\r\n\x1a\n\0\0"),
        (None, b"<html><body>rss</body></html>"),
        (Recognised("feed", "atom"), b'<feed xmlns="http://purl.org/atom/ns#"/>'),
        (Recognised("feed", "atom"), b"<feed/>"),
        (Recognised("feed", "atom"), b'<entry xmlns="http://www.w3.org/2005/Atom"/>'),
        (Recognised("feed", "rss"), b'<rss xmlns="https://e.example/" version="2.0"/>'),
        (None, b"<entry/>"),
        (None, b"<:"),
        (None, b"<a:b"),
        (None, b"{}"),
        (None, b"[]"),
        (None, b'{"title": "x"}'),
        (None, b'{"items": []}'),
        (None, b"[" * 100_000),
        (None, b'{"a":' * 100_000),
    ],
)
def test_what_others_write(expected: Recognised | None, document: bytes) -> None:
    assert expected == recognise(document)


@given(document=st.binary(max_size=64) | st.text("<>/?!=\"' rss{}:[],&;", max_size=40).map(str.encode))
def test_anything_can_be_asked_about(document: bytes) -> None:
    found = recognise(document)
    assert found is None or found.name in (FEED_FORMATS if found.kind == "feed" else ARTICLE_FORMATS)
