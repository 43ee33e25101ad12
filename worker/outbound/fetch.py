"""One page from the web, fetched through the guard and the engine like every byte that leaves."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import requests

from feeds import encodings
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.outbound.requests_adapter import session_through

REDIRECTS = 5
"""How many redirects are followed. The guard judges each step."""


class FetchError(Exception):
    """A page could not be fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page, and the URL at which it was after all redirects."""

    content: bytes
    url: str


def fetch(
    url: str, guard: Guard, *, timeout: float, connect_timeout: float, max_bytes: int, accept: str
) -> FetchedPage:
    """Return the page at `url`, of at most `max_bytes`; times in seconds. Raises FetchError.

    `accept`: the media types to ask for (RFC 9110, section 12.5.1).
    """
    engine = Engine(guard, places=1, per_host=1, connect_timeout=connect_timeout)
    engine.start()
    try:
        with session_through(engine, keep_bytes=max_bytes) as session:
            session.max_redirects = REDIRECTS
            response = session.get(url, timeout=timeout, headers={"Accept": accept})
    except requests.RequestException as error:
        raise FetchError(str(error) or type(error).__name__) from None
    finally:
        engine.stop(0)
    if response.status_code != 200:
        raise FetchError(f"it answers {response.status_code} {response.reason}".rstrip())
    return FetchedPage(_in_utf8(response), response.url)


def _in_utf8(response: requests.Response) -> bytes:
    """The body. If the header names its encoding, in UTF-8 with a byte order mark: the header wins over the content.

    Bytes of an HTML page that are invalid in that encoding are replaced, as browsers do; elsewhere they are an error.
    """
    content_type = response.headers.get("content-type", "")
    if "html" in content_type.partition(";")[0].lower():
        encoding = encodings.python_name(encodings.in_header(content_type))
        if not encoding or encodings.marked(response.content)[0]:
            return response.content
        return codecs.BOM_UTF8 + response.content.decode(encoding, "replace").encode()
    charset = content_type.lower().partition("charset=")[2].strip("\"' ;")
    if not charset or charset in {"utf-8", "utf8"}:
        return response.content
    try:
        return codecs.BOM_UTF8 + response.content.decode(charset).encode()
    except (LookupError, UnicodeError) as error:
        raise FetchError(f"its header says {charset[:40]}, and it is not in that encoding: {error}") from None
