"""Reads the bodies of requests within limits of size, time and number.

A sender may stall for ever, or send a byte now and then; an authenticated one may do so by mistake. So there is a limit
of time for the whole body and one between two parts of it. Bodies of senders that are not authenticated (yet) have few
places, and no client may take more than its share of them.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import ClientDisconnect

from feeds.counted import counted

if TYPE_CHECKING:
    from starlette.requests import Request

_IDLE_SECONDS = 15.0
"""How long a body may pause."""
_MOST_AUTHENTICATED, _MOST_STRANGERS = 2000, 256
"""How many bodies are read at once of authenticated senders, and of others."""
_MOST_BYTES = 256_000_000
"""How much memory the bodies that are being read may take before others are refused."""
_CODINGS = "gzip, deflate"


class BodyRefused(Exception):
    """A body that is not accepted. The connection ends with the response, as the rest of the body may still come."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {"Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}


class RequestBody(NamedTuple):
    """A body: its bytes as they were sent, and without their content coding (RFC 9110, section 8.4)."""

    sent: bytes
    content: bytes

    @property
    def signed(self) -> tuple[bytes, ...]:
        """The texts that a sender may have signed. Some sign before they compress, some after."""
        return (self.sent,) if self.sent is self.content else (self.sent, self.content)


class BodyReader:
    """Reads bodies, each in `seconds`. `per_client`: how many a client may send at once while unauthenticated."""

    def __init__(self, seconds: float, per_client: int) -> None:
        self._seconds = seconds
        self._per_client = per_client
        self._authenticated = 0
        self._strangers: Counter[str] = Counter()
        self._bytes_read = 0

    async def read(self, request: Request, limit: int, client: str, *, authenticated: bool) -> RequestBody:
        """Return the body, at most `limit` bytes. `authenticated`: its sender has shown a token. Raises BodyRefused."""
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise BodyRefused(415, f"The body may be compressed by: {_CODINGS}.", Accept_Encoding=_CODINGS)
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_long(limit)
        with self._place(client, authenticated=authenticated):
            sent = await self._read_all(request, limit)
        return RequestBody(sent, sent if coding == "identity" else _inflated(sent, limit))

    @contextmanager
    def _place(self, client: str, *, authenticated: bool) -> Iterator[None]:
        """Take a place among the bodies that are being read. Raises BodyRefused when there is none."""
        if authenticated:
            full = self._authenticated >= _MOST_AUTHENTICATED
        else:
            full = self._strangers.total() >= _MOST_STRANGERS
        if full or self._bytes_read > _MOST_BYTES:
            raise BodyRefused(503, "Too many requests are under way; send it again.", Retry_After="5")
        if authenticated:
            self._authenticated += 1
        elif self._strangers[client] >= self._per_client:
            raise BodyRefused(503, "Too many of your requests are under way; send it again.", Retry_After="5")
        else:
            self._strangers[client] += 1
        try:
            yield
        finally:
            if authenticated:
                self._authenticated -= 1
            else:
                self._strangers[client] -= 1
                self._strangers += Counter()  # removes clients whose count is 0

    async def _read_all(self, request: Request, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        now = asyncio.get_running_loop().time
        end = now() + self._seconds
        try:
            async with asyncio.timeout_at(min(end, now() + _IDLE_SECONDS)) as time_limit:
                async for part in request.stream():
                    size += len(part)
                    self._bytes_read += len(part)
                    if size > limit:
                        raise _too_long(limit)
                    parts.append(part)
                    time_limit.reschedule(min(end, now() + _IDLE_SECONDS))
        except TimeoutError:
            raise BodyRefused(
                408,
                f"The body did not come within {self._seconds:g} s, or nothing of it for {_IDLE_SECONDS:g} s.",
            ) from None
        except ClientDisconnect:
            # It hung up, or broke the rules of HTTP within its body; the connection may have answered that.
            raise BodyRefused(400, "The request was not sent to its end.") from None
        finally:
            self._bytes_read -= size
        return b"".join(parts)


def _too_long(limit: int) -> BodyRefused:
    return BodyRefused(413, f"The body may have at most {counted(limit, 'byte', 'bytes')}.")


def _inflated(sent: bytes, limit: int) -> bytes:
    """Return what was compressed, at most `limit` bytes: a few bytes may stand for gigabytes. Raises BodyRefused.

    gzip (RFC 1952) in one member or several; deflate in its zlib envelope (RFC 1950), or, as some send it, without.
    """
    parts: list[bytes] = []
    size, rest = 0, sent
    # Its first bytes tell more reliably than the header whether it is gzip or deflate, and has an envelope.
    bare = sent[:2] != b"\x1f\x8b" and (len(sent) < 2 or (sent[0] & 15) != 8 or int.from_bytes(sent[:2]) % 31)
    while rest or not parts:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
        try:
            parts.append(unpacker.decompress(rest, limit + 1 - size))
        except zlib.error:
            raise BodyRefused(400, "The body is not compressed as its Content-Encoding says.") from None
        size += len(parts[-1])
        if size > limit:
            raise _too_long(limit)
        if not unpacker.eof:
            raise BodyRefused(400, "The compressed body has no end.")
        rest = unpacker.unused_data
    return b"".join(parts)
