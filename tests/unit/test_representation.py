"""The headers of a document's answers."""

from __future__ import annotations

import time

from web.header_fields import relevant_fields
from web.representation import RawResponse, Representation

SHARED = [(b"cache-control", b"public, max-age=300"), (b"link", b'<https://h.example/hub>; rel="hub"')]
DOCUMENT = Representation(b"<feed/>" * 50, "application/atom+xml; charset=utf-8", SHARED, 3, 1_700_000_000_123)


def respond(**headers: str) -> RawResponse:
    response = DOCUMENT.respond({name.replace("_", "-"): value for name, value in headers.items()})
    assert response is not None
    return response


def test_a_200_says_everything() -> None:
    status, headers, body = respond()
    assert (200, b"<feed/>" * 50) == (status, body)
    assert [
        (b"etag", b'"%s"' % DOCUMENT.digest.encode()),
        *SHARED,
        (b"vary", b"Accept-Encoding"),
        (b"content-type", b"application/atom+xml; charset=utf-8"),
        (b"content-length", b"350"),
        (b"last-modified", b"Tue, 14 Nov 2023 22:13:20 GMT"),
    ] == headers


def test_a_304_says_what_a_cache_has_to_renew_and_nothing_of_a_body() -> None:
    status, headers, body = respond(if_none_match=f'W/"{DOCUMENT.digest}-br"', accept_encoding="gzip")
    assert (304, b"") == (status, body)
    assert [
        (b"etag", b'"%s-br"' % DOCUMENT.digest.encode()),
        *SHARED,
        (b"vary", b"Accept-Encoding"),
        (b"last-modified", b"Tue, 14 Nov 2023 22:13:20 GMT"),
    ] == headers


def test_a_coding_is_there_once_it_has_been_made() -> None:
    document = Representation(b"<feed/>" * 50, "text/plain", [], 0, None)
    assert document.respond({"accept-encoding": "br"}) is None
    size = document.size
    document.encode("br")
    response = document.respond({"accept-encoding": "br"})
    assert response is not None
    headers = dict(response.headers)
    assert (b"br", b'"%s-br"' % document.digest.encode()) == (headers[b"content-encoding"], headers[b"etag"])
    assert str(len(response.body)).encode() == headers[b"content-length"]
    assert size + len(response.body) == document.size
    assert b"last-modified" not in headers


def test_last_modified_moves_on_when_its_second_is_over() -> None:
    changed = int(time.time() * 1000)
    document = Representation(b"", "text/plain", [], 0, changed)
    young = dict(document.respond({}).headers)[b"last-modified"]  # type: ignore[union-attr]
    while time.time() * 1000 < (changed // 1000 + 1) * 1000:
        time.sleep(0.01)
    assert young != dict(document.respond({}).headers)[b"last-modified"]  # type: ignore[union-attr]


def test_a_failed_precondition_says_nothing_else() -> None:
    assert respond(if_match='"other"') == (412, [(b"content-length", b"0")], b"")


def test_headers_that_are_repeated_are_one_list() -> None:
    raw = [(b"if-none-match", b'"a"'), (b"host", b"h"), (b"if-none-match", b'"\xe9"')]
    assert {"if-none-match": '"a", "é"'} == relevant_fields(raw)


def test_a_response_is_kept_for_the_same_words_once_the_second_of_the_change_is_over() -> None:
    pairs = ((b"accept-encoding", b"identity"),)
    for changed, kept in ((1000, True), (int(time.time() * 1000) + 60_000, False), (None, True)):
        document = Representation(b"text", "text/plain", [], 1, changed)
        response = document.respond({"accept-encoding": "identity"})
        assert response is not None
        document.remember(pairs, response)
        again = document.answer_to(pairs)
        assert kept is (again is not None)
        assert again is None or again.response is response
        assert document.answer_to(()) is None


def test_few_and_short_requests_have_their_responses_kept() -> None:
    document = Representation(b"text", "text/plain", [], 1, None)
    response = document.respond({})
    assert response is not None
    long = ((b"if-none-match", b'"x"' * 100),)
    document.remember(long, response)
    assert document.answer_to(long) is None
    for number in range(1000):
        document.remember(((b"if-none-match", b'"%d"' % number),), response)
    assert sum(document.answer_to(((b"if-none-match", b'"%d"' % number),)) is not None for number in range(1000)) == 100
