"""A document ready to be served: its bytes in every coding that was asked for, its validators, its headers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from web.conditional import evaluate, format_http_date, last_modified
from web.content_coding import CODINGS, IDENTITY, preferred

RawHeaders = list[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""
RelevantFields = tuple[tuple[bytes, bytes], ...]
"""Those fields of a request that decide what it gets, as they came."""
_ANSWERS_MOST = 100
"""How many different requests for a document have their responses kept."""
_BYTES_MOST = 200
"""Of the values of such a request, at the most."""


class RawResponse(NamedTuple):
    """A response as the server takes it."""

    status: int
    headers: RawHeaders
    body: bytes


class KeptAnswer(NamedTuple):
    """A response that is given again, with the lines of its header fields as HTTP/1.1 has them, and the empty one."""

    response: RawResponse
    lines: bytes


class Representation:
    """One document at one head of its feed. It never changes, except that codings are added, each made once.

    `changed` in ms, None for a document without a time. `headers` are those of a 200 and a 304, `content_type` of a 200
    alone. Every coding has a strong tag of its own (RFC 9110, section 8.8.3.3).
    """

    __slots__ = (
        "_all_tags",
        "_answers",
        "_coded",
        "_content_type",
        "_last_modified",
        "_second_over",
        "_shared_headers",
        "_tags",
        "changed",
        "digest",
        "head",
    )

    def __init__(self, body: bytes, content_type: str, headers: RawHeaders, head: int, changed: int | None) -> None:
        self.head = head
        self.changed = changed
        self.digest = sha256(body).hexdigest()[:32]
        self._tags = {IDENTITY: f'"{self.digest}"'} | {coding: f'"{self.digest}-{coding}"' for coding in CODINGS}
        self._all_tags = frozenset(self._tags.values())
        self._content_type = (b"content-type", content_type.encode())
        self._shared_headers = [*headers, (b"vary", b"Accept-Encoding")]
        self._second_over = 0.0 if changed is None else changed // 1000 + 1.0
        self._last_modified = self._last_modified_at(self._second_over)
        self._coded: dict[str, tuple[RawHeaders, bytes]] = {}
        self._answers: dict[RelevantFields, KeptAnswer] = {}
        self._add(IDENTITY, body)

    @property
    def size(self) -> int:
        """How much memory it takes, in bytes, roughly."""
        # A list, because another thread may add a coding meanwhile.
        return 2000 + sum(len(body) for _, body in list(self._coded.values()))

    @property
    def body(self) -> bytes:
        """The document in no coding."""
        return self._coded[IDENTITY][1]

    @property
    def codings(self) -> list[str]:
        """The codings that it is there in, beside none."""
        return [coding for coding in list(self._coded) if coding != IDENTITY]

    def has(self, coding: str) -> bool:
        """Whether it is there in the coding."""
        return coding in self._coded

    def encode(self, coding: str) -> None:
        """Add a coding. Takes milliseconds."""
        self._add(coding, CODINGS[coding](self.body))

    def status(self, fields: Mapping[str, str]) -> int:
        """Return the status that a GET or HEAD with these header fields gets."""
        return evaluate(fields, self._all_tags, self.changed)[0]

    def respond(self, fields: Mapping[str, str]) -> RawResponse | None:
        """Return the response to a GET with these header fields; None when the coding has yet to be made.

        The server leaves out the body for a HEAD.
        """
        status, clients_tag = evaluate(fields, self._all_tags, self.changed)
        if status == 412:
            return RawResponse(412, [(b"content-length", b"0")], b"")
        coding = preferred(fields.get("accept-encoding"))
        dated = self._last_modified if time.time() >= self._second_over else self._last_modified_at(time.time())
        if status == 304:
            # With the tag that the client has, so that it finds its copy (section 15.4.5).
            tag = (b"etag", (clients_tag or self._tags[coding]).encode())
            return RawResponse(304, [tag, *self._shared_headers, *dated], b"")
        coded = self._coded.get(coding)
        return coded and RawResponse(200, coded[0] + dated, coded[1])

    def answer_to(self, fields: RelevantFields) -> KeptAnswer | None:
        """Return the response that `remember` was given for a request with exactly these fields."""
        return self._answers.get(fields)

    def remember(self, fields: RelevantFields, response: RawResponse) -> None:
        """Keep a response for the next who ask in the same words, as nearly all do; few and short ones only.

        Not before the second of the change is over, after which its date stays as it is.
        """
        few = len(self._answers) < _ANSWERS_MOST and sum(len(value) for _, value in fields) <= _BYTES_MOST
        if few and response.status in (200, 304) and time.time() >= self._second_over:
            lines = [b"%b: %b\r\n" % header for header in response.headers]
            self._answers[fields] = KeptAnswer(response, b"".join((*lines, b"\r\n")))

    def _last_modified_at(self, now: float) -> RawHeaders:
        """Return the Last-Modified at `now` (seconds since the epoch), as headers."""
        if self.changed is None:
            return []
        return [(b"last-modified", format_http_date(last_modified(self.changed, int(now * 1000))).encode())]

    def _add(self, coding: str, body: bytes) -> None:
        headers = [(b"etag", self._tags[coding].encode()), *self._shared_headers, self._content_type]
        headers.append((b"content-length", str(len(body)).encode()))
        if coding != IDENTITY:
            headers.append((b"content-encoding", coding.encode()))
        self._coded[coding] = headers, body
