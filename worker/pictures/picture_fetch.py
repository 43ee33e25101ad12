"""One picture on its way from a server: a request of the engine's, and another one for each redirect."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from feeds.text import absolute_url
from worker.outbound.errors import RECEIVER_NOT_AT_FAULT, Fault
from worker.outbound.transfer import Answer, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.outbound.engine import Engine

BYTES_MOST = 50_000_000
"""How many bytes of a picture are read at the most."""
_LEAST_SECONDS = 0.5
"""In less time nothing is begun."""
_WAIT_SECONDS = 1.0
"""How long a request may wait for its turn."""
_REDIRECTS = 5
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_HEADERS = ["Accept: image/*", "Accept-Encoding: identity"]


class Unfetched(NamedTuple):
    """Why there is no picture. `final`: no repetition mends it; `counts`: its server has had its chance."""

    reason: str
    final: bool = False
    counts: bool = True


class PictureFetch:
    """Fetches one picture, by about `until` (monotonic seconds). `timeout` of each request in seconds.

    `on_end` gets its bytes, or why there are none, in the engine's thread.
    """

    def __init__(
        self, engine: Engine, url: str, timeout: float, until: float, on_end: Callable[[bytes | Unfetched], None]
    ) -> None:
        self._engine = engine
        self._url = url
        self._timeout = timeout
        self._until = until
        self._on_end = on_end
        self._redirects = _REDIRECTS

    def begin(self) -> None:
        """Send the next request."""
        left = self._until - time.monotonic()
        if left < _LEAST_SECONDS:
            self._on_end(Unfetched("there is no time left", counts=False))
            return
        transfer = Transfer(
            self._url,
            b"",
            _HEADERS,
            min(self._timeout, left),
            self._until + _WAIT_SECONDS,
            self._take,
            method="GET",
            keep_bytes=BYTES_MOST,
            keep_headers=True,
            receiver="{0.scheme}://{0.netloc}".format(urlsplit(self._url)),
        )
        self._engine.submit([transfer])

    def _take(self, answer: Answer) -> None:
        location = answer.headers.get("location", "")
        if answer.fault is None and answer.status in _REDIRECTING and location:
            self._redirects -= 1
            try:
                self._url = absolute_url(urljoin(self._url, location))
            except ValueError as error:
                self._on_end(Unfetched(f"it is redirected to an address that {error}"))
                return
            if self._redirects >= 0:
                self.begin()
                return
        self._on_end(self._outcome(answer))

    @staticmethod
    def _outcome(answer: Answer) -> bytes | Unfetched:
        if answer.fault is not None:
            counts = answer.fault not in RECEIVER_NOT_AT_FAULT
            return Unfetched(answer.message, final=answer.fault is Fault.FORBIDDEN, counts=counts)
        if answer.status in _REDIRECTING:
            return Unfetched(f"it is redirected more than {_REDIRECTS} times")
        if answer.status != 200:
            return Unfetched(f"its server answers {answer.status}")
        if answer.truncated:
            return Unfetched(f"it has more than {BYTES_MOST:,} bytes", final=True)
        return answer.body
