"""`requests` on top of the engine: its requests become transfers, and answers become its responses.

A `requests.Session` with a `CurlAdapter` mounted sends through the same guard, connections and limits as every push. To
send many requests at once, use its two halves, `transfer_of` and `response_of`: they do not block.

What `requests` does and this does not: proxies (none is ever used), cookies (none are kept), streaming (an answer is
read whole, up to a limit) and compressed answers (none are asked for). Redirects are followed only if the session does
so, and the guard judges each step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from http.client import responses
from typing import TypeVar

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import default_user_agent, get_encoding_from_headers

from worker.outbound.engine import Engine
from worker.outbound.errors import Fault, exception_for
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls, Transfer

DEFAULT_SECONDS = 30.0
"""The time limit of a call that sets none."""
KEEP_BYTES = 2_000_000
"""The longest answer that a session gets; a longer one is an error."""

# libcurl sets these itself, from what it really sends.
_SET_BY_LIBCURL = frozenset({"content-length", "transfer-encoding", "connection"})

AnySession = TypeVar("AnySession", bound=requests.Session)
Timeout = float | tuple[float, float] | tuple[float, None] | None
Cert = bytes | str | tuple[bytes | str, bytes | str] | None


class CurlAdapter(BaseAdapter):
    """Sends a session's requests through an engine. `keep_bytes`: the longest body of an answer that is accepted."""

    def __init__(self, engine: Engine, *, keep_bytes: int = KEEP_BYTES) -> None:
        super().__init__()
        self._engine = engine
        self._keep_bytes = keep_bytes

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 (an answer is always read whole)
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: Cert = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 (no proxy is ever used)
    ) -> requests.Response:
        """Send a request and wait for its answer. Never call it in the engine's own thread.

        `timeout` is for the whole call, in seconds; a pair counts as its sum. The request may wait as long again for a
        place. Raises what `requests` raises: ConnectTimeout, ReadTimeout, SSLError, ConnectionError, InvalidURL,
        RequestException.
        """
        seconds = _seconds(timeout)
        deadline = time.monotonic() + 2 * seconds
        future: Future[Answer] = Future()
        transfer = transfer_of(
            _without_defaults(request), timeout=seconds, deadline=deadline, on_answer=future.set_result
        )
        transfer.keep_bytes = self._keep_bytes
        transfer.keep_headers = True
        transfer.tls = _tls(verify, cert)
        self._engine.submit([transfer])
        return response_of(request, future.result())

    def close(self) -> None:
        """Do nothing: the engine is not ours to stop."""


def session_through(engine: Engine, *, keep_bytes: int = KEEP_BYTES) -> requests.Session:
    """Return a session that sends through an engine. `keep_bytes`: the longest body of an answer that is accepted.

    It knows no .netrc and no proxies: whatever it sends comes from the settings.
    """
    return sent_through(engine, requests.Session(), keep_bytes=keep_bytes)


def sent_through(engine: Engine, session: AnySession, *, keep_bytes: int = KEEP_BYTES) -> AnySession:
    """Have a session of somebody else's making send as those of `session_through` do, and return it."""
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, CurlAdapter(engine, keep_bytes=keep_bytes))
    return session


def transfer_of(
    prepared: requests.PreparedRequest, *, timeout: float, deadline: float, on_answer: Callable[[Answer], None]
) -> Transfer:
    """Return the transfer that sends a prepared request. Raises TypeError for a body that is not at hand."""
    body = prepared.body or b""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        raise TypeError("only a request whose body is at hand can be sent")
    method = prepared.method or "GET"
    return Transfer(prepared.url or "", body, header_lines(prepared), timeout, deadline, on_answer, method=method)


def header_lines(prepared: requests.PreparedRequest) -> list[str]:
    """Return a request's headers as a transfer has them."""
    return [
        _header_line(name, value) for name, value in prepared.headers.items() if name.lower() not in _SET_BY_LIBCURL
    ]


def response_of(prepared: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """Return an answer as `requests` has it. Raises the exception of `requests` that stands for its fault."""
    response = requests.Response()
    response.status_code = answer.status
    response.reason = responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url = prepared.url or ""
    response.request = prepared
    response.elapsed = timedelta(seconds=answer.seconds)
    response._content = answer.body  # noqa: SLF001 (there is no other way to set a body that has been read)
    response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
    fault, message = answer.fault, answer.message
    if fault is None and answer.truncated:
        fault, message = Fault.TOO_LARGE, f"the answer has more than {len(answer.body)} bytes"
    if fault is not None:
        raise exception_for(fault, started=answer.started)(
            message, request=prepared, response=response if answer.status else None
        )
    return response


def _without_defaults(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request without what `requests` adds about itself: its name, and content codings that only it would undo."""
    stripped = request.copy()
    stripped.headers["Accept-Encoding"] = "identity"
    if stripped.headers.get("User-Agent") == default_user_agent():
        del stripped.headers["User-Agent"]
    return stripped


def _header_line(name: str | bytes, value: str | bytes) -> str:
    name, value = (text.decode("latin-1") if isinstance(text, bytes) else text for text in (name, value))
    # To libcurl, "Name:" means that it must leave this header out, and "Name;" that the header is empty.
    return f"{name}: {value}" if value else f"{name};"


def _seconds(timeout: Timeout) -> float:
    limits = timeout if isinstance(timeout, tuple) else (timeout,)
    set_limits = [limit for limit in limits if limit is not None]
    return sum(set_limits) if len(set_limits) == len(limits) else max([DEFAULT_SECONDS, *set_limits])


def _tls(verify: bool | str, cert: Cert) -> Tls:
    if verify is True and cert is None:
        return DEFAULT_TLS
    cert_file, key_file = cert if isinstance(cert, tuple) else (cert, None)
    return Tls(bool(verify), verify if isinstance(verify, str) else None, _path(cert_file), _path(key_file))


def _path(path: str | bytes | None) -> str | None:
    return path.decode() if isinstance(path, bytes) else path
