"""Reading a request's body: not more of it than is wanted, not longer than is bearable, not too many at once.

A sender may stall for ever, or send a byte now and then; who has shown a token may too, by mistake. So a body has a
time for all of it and a time between two pieces, and bodies of those whom nobody knows as yet have few places, of which
no client has more than its share.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.requests import Request

_IDLE_SECONDS = 15.0
"""How long nothing may come of a body that is under way."""
_KNOWN, _STRANGERS = 2000, 256
"""How many bodies are read at once of senders that have shown a token, and of others."""
_BYTES = 256_000_000
"""How much of bodies that are under way is held in memory."""
_CODINGS = "gzip, deflate"


class BodyRefused(Exception):
    """A body that is not taken. The connection ends with the answer, as the rest of the body may still come."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {"Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}


class Body(NamedTuple):
    """A body: its bytes as they were sent, and as they are without their content coding (RFC 9110, section 8.4)."""

    sent: bytes
    content: bytes

    @property
    def signed(self) -> tuple[bytes, ...]:
        """What a sender may have signed. Some sign before they compress, some after."""
        return (self.sent,) if self.sent is self.content else (self.sent, self.content)


class Bodies:
    """Reads bodies. `seconds`: how long one may take; `per_client`: how many one stranger may be sending at once."""

    def __init__(self, seconds: float, per_client: int) -> None:
        self._seconds = seconds
        self._per_client = per_client
        self._known = 0
        self._strangers: Counter[str] = Counter()
        self._held = 0

    async def read(self, request: Request, limit: int, client: str, *, known: bool) -> Body:
        """Return the body, of `limit` bytes at the most. `known`: its sender has shown a token. Raises BodyRefused."""
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise BodyRefused(415, f"The body may be compressed by: {_CODINGS}.", Accept_Encoding=_CODINGS)
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise _too_long(limit)
        with self._place(client, known=known):
            sent = await self._whole(request, limit)
        return Body(sent, sent if coding == "identity" else _inflated(sent, limit))

    @contextmanager
    def _place(self, client: str, *, known: bool) -> Iterator[None]:
        """A place among the bodies that are read. Raises BodyRefused when there is none."""
        full = self._known >= _KNOWN if known else self._strangers.total() >= _STRANGERS
        if full or self._held > _BYTES:
            raise BodyRefused(503, "Too many requests are under way; send it again.", Retry_After="5")
        if known:
            self._known += 1
        elif self._strangers[client] >= self._per_client:
            raise BodyRefused(503, "Too many of your requests are under way; send it again.", Retry_After="5")
        else:
            self._strangers[client] += 1
        try:
            yield
        finally:
            if known:
                self._known -= 1
            else:
                self._strangers[client] -= 1
                self._strangers += Counter()  # those who have none are forgotten

    async def _whole(self, request: Request, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        now = asyncio.get_running_loop().time
        end = now() + self._seconds
        try:
            async with asyncio.timeout_at(min(end, now() + _IDLE_SECONDS)) as patience:
                async for part in request.stream():
                    size += len(part)
                    self._held += len(part)
                    if size > limit:
                        raise _too_long(limit)
                    parts.append(part)
                    patience.reschedule(min(end, now() + _IDLE_SECONDS))
        except TimeoutError:
            raise BodyRefused(
                408,
                f"The body did not come within {self._seconds:g} seconds, or nothing of it for {_IDLE_SECONDS:g}.",
            ) from None
        finally:
            self._held -= size
        return b"".join(parts)


def _too_long(limit: int) -> BodyRefused:
    return BodyRefused(413, f"The body may have at most {limit} bytes.")


def _inflated(sent: bytes, limit: int) -> bytes:
    """What was compressed, of `limit` bytes at the most: a few bytes may stand for gigabytes. Raises BodyRefused.

    gzip (RFC 1952) in one member or several; deflate in its envelope (RFC 1950), or, as some send it, without.
    """
    parts: list[bytes] = []
    size, rest = 0, sent
    # Whether it is gzip or deflate, and in an envelope, its first bytes say more reliably than its header.
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
