"""BodyReader: bounded in bytes, time and number, compressed or not."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import Request

from web import request_body as module
from web.request_body import BodyReader, BodyRefused, RequestBody

LIMIT = 10_000
TEXT = b'{"headline": "Ferries return"}' * 50


def request(parts: AsyncIterator[bytes], **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        try:
            return {"type": "http.request", "body": await anext(parts), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def at_once(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def dripping(seconds: float) -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(seconds)
        yield b" "


def read(*parts: bytes, **headers: str) -> RequestBody:
    return asyncio.run(BodyReader(5, 2).read(request(at_once(*parts), **headers), LIMIT, "a", authenticated=True))


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        (" GZIP ", gzip.compress),
        ("gzip", lambda text: gzip.compress(text[:99]) + gzip.compress(text[99:])),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
def test_a_compressed_body_is_unpacked_and_both_forms_may_be_signed(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    sent = compress(TEXT)
    body = read(sent[:20], sent[20:], content_encoding=coding)
    assert (TEXT, (sent, TEXT)) == (body.content, body.signed)


def test_a_plain_body_is_as_it_is() -> None:
    assert (TEXT, (TEXT,)) == ((body := read(TEXT)).content, body.signed)
    assert b"" == read(b"", content_encoding="identity").content


@pytest.mark.parametrize(
    ("sent", "coding", "status"),
    [
        (gzip.compress(TEXT, mtime=0), "br", 415),
        (gzip.compress(TEXT, mtime=0), "gzip, gzip", 415),
        (TEXT, "gzip", 400),
        (b"", "gzip", 400),
        (gzip.compress(TEXT, mtime=0)[:-9], "gzip", 400),
        (gzip.compress(TEXT, mtime=0) + b"garbage", "gzip", 400),
        (gzip.compress(b"0" * 50_000_000, mtime=0), "gzip", 413),
        (gzip.compress(b"0" * 9000, mtime=0) + gzip.compress(b"0" * 9000, mtime=0), "gzip", 413),
        (b"0" * (LIMIT + 1), "identity", 413),
    ],
)
def test_what_cannot_be_taken_is_refused(sent: bytes, coding: str, status: int) -> None:
    with pytest.raises(BodyRefused) as refused:
        read(sent, content_encoding=coding)
    assert (status, "close") == (refused.value.status, refused.value.headers["Connection"])
    if status == 415:
        assert refused.value.headers["Accept-Encoding"] == "gzip, deflate"


def test_a_body_that_says_that_it_is_too_long_is_not_read() -> None:
    with pytest.raises(BodyRefused) as refused:
        read(content_length="99999999999999999999999999")
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("idle", "total", "pause", "limit", "status"),
    [
        (0.1, 60, 60, LIMIT, 408),  # it stalls
        (60, 0.2, 0.01, LIMIT, 408),  # it drips
        (1.0, 60, 0.03, 40, 413),  # slow, and all the same it comes
    ],
)
def test_a_body_that_stalls_or_drips_is_given_up(
    monkeypatch: pytest.MonkeyPatch, idle: float, total: float, pause: float, limit: int, status: int
) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", idle)
    with pytest.raises(BodyRefused) as refused:
        asyncio.run(BodyReader(total, 2).read(request(dripping(pause)), limit, "a", authenticated=True))
    assert status == refused.value.status


def test_strangers_have_few_places_and_none_of_them_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_STRANGERS", 3)

    async def read_many() -> None:
        bodies = BodyReader(60, 2)

        async def status(client: str, *, authenticated: bool) -> int:
            try:
                await bodies.read(request(at_once(TEXT)), LIMIT, client, authenticated=authenticated)
            except BodyRefused as refused:
                return refused.status
            return 200

        async def stall(client: str) -> asyncio.Task[RequestBody]:
            task = asyncio.create_task(bodies.read(request(dripping(60)), LIMIT, client, authenticated=False))
            await asyncio.sleep(0.01)
            return task

        stalled = [await stall("a"), await stall("a")]
        assert [503, 200, 200] == [
            await status("a", authenticated=False),
            await status("b", authenticated=False),
            await status("a", authenticated=True),
        ]
        stalled.append(await stall("b"))
        assert [503, 200] == [await status("c", authenticated=False), await status("c", authenticated=True)]
        for task in stalled:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert [200, 200] == [await status("a", authenticated=False), await status("c", authenticated=False)]
        assert not bodies._strangers
        assert bodies._bytes_read == 0

    asyncio.run(read_many())
