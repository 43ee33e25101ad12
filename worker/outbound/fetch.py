"""Fetching one page, through the guard and the engine like every byte that leaves."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import requests

from feeds import encodings
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.outbound.requests_adapter import CurlAdapter

REDIRECTS = 5
"""How many steps a page may have moved. Each passes the guard."""


class FetchError(Exception):
    """A page that could not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page as it came, and the address at which it was in the end."""

    content: bytes
    url: str


def fetch(url: str, guard: Guard, *, timeout: float, connect_timeout: float, most: int, accept: str) -> FetchedPage:
    """Return the page at `url`, of at most `most` bytes; times in seconds. Raises FetchError.

    `accept`: the media types that are wanted (RFC 9110, section 12.5.1).
    """
    engine = Engine(guard, places=1, per_host=1, connect_timeout=connect_timeout)
    engine.start()
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.max_redirects = REDIRECTS
            for scheme in ("https://", "http://"):
                session.mount(scheme, CurlAdapter(engine, keep=most))
            answer = session.get(url, timeout=timeout, headers={"Accept": accept})
    except requests.RequestException as error:
        raise FetchError(str(error) or type(error).__name__) from None
    finally:
        engine.stop(0)
    if answer.status_code != 200:
        raise FetchError(f"it answers {answer.status_code} {answer.reason}".rstrip())
    return FetchedPage(_in_utf8(answer), answer.url)


def _in_utf8(answer: requests.Response) -> bytes:
    """The body; where the header names its encoding, which wins over what stands in it, in UTF-8 with its mark.

    Of an HTML page what is wrong in that encoding is replaced, as in a browser.
    """
    content_type = answer.headers.get("content-type", "")
    if "html" in content_type.partition(";")[0].lower():
        encoding = encodings.known(encodings.in_header(content_type))
        if not encoding or encodings.marked(answer.content)[0]:
            return answer.content
        return codecs.BOM_UTF8 + answer.content.decode(encoding, "replace").encode()
    declared = answer.headers.get("content-type", "").lower().partition("charset=")[2].strip("\"' ;")
    if not declared or declared in {"utf-8", "utf8"}:
        return answer.content
    try:
        return codecs.BOM_UTF8 + answer.content.decode(declared).encode()
    except (LookupError, UnicodeError) as error:
        raise FetchError(f"it says that it is in {declared[:40]}, and is not: {error}") from None
