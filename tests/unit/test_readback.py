"""What a page's answer proves after a kill, and where the page is."""

from __future__ import annotations

import gzip
import time
import zlib
from datetime import UTC, datetime

import pytest

from feeds import page_text
from feeds.article import Article
from feeds.fingerprint import count_matches, fingerprints
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer
from worker.takedown import page_search
from worker.takedown.page_search import count_passages
from worker.takedown.page_verdict import MOST_BYTES, judge
from worker.takedown.readback import page_url

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ARTICLE = Article(
    id="hh/7-é",
    version=1,
    headline="Ferries return to the inner harbour",
    url="https://herald.example/news/ferries-return/",
    published=NOW,
    updated=NOW,
)
FINGERPRINTS = fingerprints(ARTICLE)
PAGE = b"<title>Portal</title><h1>Ferries return to the inner harbour</h1>"
NOTICE = b"<h1>Portal</h1><p>hh/7 was withdrawn.</p>"


def packed(content: bytes) -> bytes:
    """The content in gzip, without a time: tests are named for it, and must have the same names in every process."""
    return gzip.compress(content, mtime=0)


def answer(status: int = 200, body: bytes = b"", *, truncated: bool = False, **headers: str) -> Answer:
    fields = {"content-type": "text/html; charset=utf-8"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    return Answer(status, fields, body, None, "", 0.1, started=True, truncated=truncated)


@pytest.mark.parametrize("status", [204, 404, 410, 451])
def test_a_page_that_no_longer_exists_is_gone(status: int) -> None:
    assert judge(answer(status, PAGE), FINGERPRINTS)[0] == "gone"
    assert judge(answer(status), ())[0] == "gone"


@pytest.mark.parametrize("status", [301, 302, 304, 401, 403, 429, 500, 503])
def test_another_answer_proves_nothing(status: int) -> None:
    verdict, why = judge(answer(status, NOTICE), FINGERPRINTS)
    assert (verdict, why.split()[:2]) == ("unproven", ["answered", str(status)])


@pytest.mark.parametrize(
    ("body", "headers", "verdict"),
    [
        (PAGE, {}, "there"),
        (NOTICE, {}, "gone"),
        (packed(PAGE), {"content_encoding": "gzip"}, "there"),
        (packed(NOTICE), {"content_encoding": "x-gzip"}, "gone"),
        (zlib.compress(PAGE), {"content_encoding": "deflate"}, "there"),
        # What was not read to its end may have it further on.
        (packed(NOTICE) + packed(PAGE), {"content_encoding": "gzip"}, "unproven"),
        (packed(NOTICE)[:-9], {"content_encoding": "gzip"}, "unproven"),
        (packed(b" " * MOST_BYTES + PAGE), {"content_encoding": "gzip"}, "unproven"),
        (b"no gzip", {"content_encoding": "gzip"}, "unproven"),
        (NOTICE, {"content_encoding": "br"}, "unproven"),
        (b"", {}, "unproven"),
        (b"%PDF-1.7", {"content_type": "application/pdf"}, "unproven"),
        (b"{}", {"content_type": "application/json"}, "gone"),
        (b'{"title": "Ferries return to the inner\\u0020harbour"}', {"content_type": "application/json"}, "there"),
    ],
)
def test_a_page_is_looked_through(body: bytes, headers: dict[str, str], verdict: str) -> None:
    assert judge(answer(200, body, **headers), FINGERPRINTS)[0] == verdict


def test_the_beginning_of_a_long_page_can_only_prove_that_it_is_there() -> None:
    assert judge(answer(200, PAGE, truncated=True), FINGERPRINTS)[0] == "there"
    assert judge(answer(200, NOTICE, truncated=True), FINGERPRINTS) == (
        "unproven",
        "the page is longer than the 2,000,000 bytes that are read",
    )


def test_an_article_with_hardly_any_text_can_not_be_recognised() -> None:
    assert judge(answer(200, NOTICE), ()) == ("unproven", "the article was too short to be recognised")


def test_no_answer_proves_nothing() -> None:
    fault = Answer(404, {}, b"", Fault.RESET, "the connection broke", 0.1, started=True)
    assert judge(fault, FINGERPRINTS) == ("unproven", "the connection broke")


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://portal.example/{id}", "https://portal.example/hh%2F7-%C3%A9"),
        ("https://portal.example/{slug}?id={id}", "https://portal.example/ferries-return?id=hh%2F7-%C3%A9"),
        ("https://portal.example/أخبار/{slug}", "https://portal.example/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/ferries-return"),
    ],
)
def test_the_address_of_a_page(pattern: str, url: str) -> None:
    assert url == page_url(pattern, ARTICLE)


def test_an_article_without_an_address_has_no_slug() -> None:
    with pytest.raises(ValueError, match="no address"):
        page_url("https://portal.example/{slug}", ARTICLE.model_copy(update={"url": ""}))


def large(text: str) -> bytes:
    """A page of about 1.5 MB that ends with the text."""
    rows = (f"<p>Row {number} of a long table of tides and berths, quay {number % 97}.</p>" for number in range(22_000))
    rest = "".join(rows)
    return f"<!doctype html><html><body>{rest}{text}</body></html>".encode()


def test_a_large_page_is_looked_through_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_search, "_SECONDS", 200)
    content = large(PAGE.decode())
    begun = time.thread_time()
    count = count_matches(page_text.texts(content, "text/html"), FINGERPRINTS)
    in_a_thread = time.thread_time() - begun
    begun = time.thread_time()
    assert count == count_passages(content, "text/html", FINGERPRINTS) > 0
    assert time.thread_time() - begun < in_a_thread / 4
    assert judge(answer(200, content), FINGERPRINTS)[0] == "there"
    assert judge(answer(200, large("")), FINGERPRINTS)[0] == "gone"


def test_a_large_page_that_cannot_be_read_or_takes_too_long_is_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    garbled = b"<p>" + b"\xff" * 100_000
    assert judge(answer(200, garbled), FINGERPRINTS)[0] == "unproven"
    monkeypatch.setattr(page_search, "_SECONDS", 0.01)
    verdict, why = judge(answer(200, large("")), FINGERPRINTS)
    assert ("unproven", "the page takes more than 0.01 seconds to look through") == (verdict, why)
