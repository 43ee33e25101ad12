"""A document ready to be served: its bytes in every coding that was asked for, its validators, its headers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from web.conditional import evaluate, http_date, last_modified
from web.content_coding import CODINGS, IDENTITY, chosen

RawHeaders = list[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""


class Answer(NamedTuple):
    """An answer as the server takes it."""

    status: int
    headers: RawHeaders
    body: bytes


_HEEDED = {
    name.encode(): name
    for name in (
        "a-im",
        "accept-encoding",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
    )
}
"""What an answer depends on; nothing else of a request is read."""


def fields(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return those of a request's headers that matter; one that is repeated is one list (RFC 9110, section 5.2)."""
    found: dict[str, str] = {}
    for name, value in raw:
        if key := _HEEDED.get(name):
            found[key] = f"{found[key]}, {value.decode('latin-1')}" if key in found else value.decode("latin-1")
    return found


class Representation:
    """One document at one head of its feed. Complete when made, but for the codings, which are made once each.

    `changed` in ms, None for what has no time. `headers` are those of a 200 and a 304, `content_type` of a 200 alone.
    Every coding has a strong tag of its own (RFC 9110, section 8.8.3.3).
    """

    __slots__ = ("_coded", "_common", "_known", "_modified", "_over", "_tags", "_type", "changed", "digest", "head")

    def __init__(self, body: bytes, content_type: str, headers: RawHeaders, head: int, changed: int | None) -> None:
        self.head = head
        self.changed = changed
        self.digest = sha256(body).hexdigest()[:32]
        self._tags = {IDENTITY: f'"{self.digest}"'} | {coding: f'"{self.digest}-{coding}"' for coding in CODINGS}
        self._known = frozenset(self._tags.values())
        self._type = (b"content-type", content_type.encode())
        self._common = [*headers, (b"vary", b"Accept-Encoding")]
        self._over = 0.0 if changed is None else changed // 1000 + 1.0
        self._modified = self._told(self._over)
        self._coded: dict[str, tuple[RawHeaders, bytes]] = {}
        self._keep(IDENTITY, body)

    @property
    def size(self) -> int:
        """How much memory it takes, in bytes, roughly."""
        # Listed at once: another thread may be adding a coding.
        return 2000 + sum(len(body) for _, body in list(self._coded.values()))

    @property
    def body(self) -> bytes:
        """The document as it is."""
        return self._coded[IDENTITY][1]

    def has(self, coding: str) -> bool:
        """Whether it was put into the coding."""
        return coding in self._coded

    def encode(self, coding: str) -> None:
        """Put it into a coding. Takes milliseconds."""
        self._keep(coding, CODINGS[coding](self.body))

    def status(self, headers: Mapping[str, str]) -> int:
        """Return the status that a GET or HEAD with these headers gets."""
        return evaluate(headers, self._known, self.changed)[0]

    def answer(self, headers: Mapping[str, str]) -> Answer | None:
        """Return the answer to a GET with these headers; None when its coding has yet to be made.

        The server leaves out the body for a HEAD.
        """
        status, known = evaluate(headers, self._known, self.changed)
        if status == 412:
            return Answer(412, [], b"")
        coding = chosen(headers.get("accept-encoding"))
        modified = self._modified if time.time() >= self._over else self._told(time.time())
        if status == 304:
            # The tag of what the client has, so that it finds it (section 15.4.5).
            return Answer(304, [(b"etag", (known or self._tags[coding]).encode()), *self._common, *modified], b"")
        coded = self._coded.get(coding)
        return coded and Answer(200, coded[0] + modified, coded[1])

    def _told(self, now: float) -> RawHeaders:
        if self.changed is None:
            return []
        return [(b"last-modified", http_date(last_modified(self.changed, int(now * 1000))).encode())]

    def _keep(self, coding: str, body: bytes) -> None:
        headers = [(b"etag", self._tags[coding].encode()), *self._common, self._type]
        headers.append((b"content-length", str(len(body)).encode()))
        if coding != IDENTITY:
            headers.append((b"content-encoding", coding.encode()))
        self._coded[coding] = headers, body
