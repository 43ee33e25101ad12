"""`requests` on top of the engine: its requests become transfers, answers become its responses.

A `requests.Session` with a `CurlAdapter` mounted sends through the same guard, connections and limits as every push.
For many requests at once, `transfer_of` and `response_of` do the two halves without blocking.

Not taken over from `requests`: proxies (none is ever used), cookies (none are kept), streaming (an answer is read
whole, up to a limit) and compressed answers (none are asked for). Redirects are followed only if the session does so,
and each step passes the guard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from http.client import responses

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import default_user_agent, get_encoding_from_headers

from worker.outbound.engine import DEFAULT_TLS, Answer, Engine, Tls, Transfer
from worker.outbound.errors import Fault, exception_for

DEFAULT_SECONDS = 30.0
"""The time limit of a call that names none."""
KEEP_BYTES = 2_000_000
"""The longest answer that a session is given; a longer one is an error."""

# libcurl says these itself, from what it really sends.
_LIBCURLS_OWN = frozenset({"content-length", "transfer-encoding", "connection"})

Timeout = float | tuple[float, float] | tuple[float, None] | None
Cert = bytes | str | tuple[bytes | str, bytes | str] | None


class CurlAdapter(BaseAdapter):
    """Sends a session's requests through an engine. `keep`: bytes of an answer's body at the most."""

    def __init__(self, engine: Engine, *, keep: int = KEEP_BYTES) -> None:
        super().__init__()
        self._engine = engine
        self._keep = keep

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 (an answer is always read whole)
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: Cert = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 (no proxy is ever used)
    ) -> requests.Response:
        """Send a request and wait for its answer. Never in the engine's own thread.

        `timeout` is for all of it, in seconds; of a pair, their sum. It may wait as long again for a place. Raises what
        `requests` raises: ConnectTimeout, ReadTimeout, SSLError, ConnectionError, InvalidURL, RequestException.
        """
        seconds = _seconds(timeout)
        deadline = time.monotonic() + 2 * seconds
        future: Future[Answer] = Future()
        transfer = transfer_of(_as_our_own(request), timeout=seconds, deadline=deadline, on_answer=future.set_result)
        transfer.keep_bytes = self._keep
        transfer.keep_headers = True
        transfer.tls = _tls(verify, cert)
        self._engine.submit([transfer])
        return response_of(request, future.result())

    def close(self) -> None:
        """Do nothing: the engine is not ours."""


def transfer_of(
    prepared: requests.PreparedRequest, *, timeout: float, deadline: float, on_answer: Callable[[Answer], None]
) -> Transfer:
    """Return the transfer that says what a prepared request says. Raises TypeError for a body that is not at hand."""
    body = prepared.body or b""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        raise TypeError("only a request whose body is at hand can be sent")
    return Transfer(
        prepared.url or "", body, header_lines(prepared), timeout, deadline, on_answer, method=prepared.method or "GET"
    )


def header_lines(prepared: requests.PreparedRequest) -> list[str]:
    """Return a request's headers as a transfer has them."""
    return [_line(name, value) for name, value in prepared.headers.items() if name.lower() not in _LIBCURLS_OWN]


def response_of(prepared: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """Return an answer as `requests` has it. Raises the exception of `requests` that stands for its fault."""
    made = requests.Response()
    made.status_code = answer.status
    made.reason = responses.get(answer.status, "")
    made.headers = CaseInsensitiveDict(answer.headers)
    made.encoding = get_encoding_from_headers(made.headers)
    made.url = prepared.url or ""
    made.request = prepared
    made.elapsed = timedelta(seconds=answer.seconds)
    made._content = answer.body  # noqa: SLF001 (there is no other way to say that it has been read)
    made._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
    fault, message = answer.fault, answer.message
    if fault is None and answer.truncated:
        fault, message = Fault.TOO_LARGE, f"the answer has more than {len(answer.body)} bytes"
    if fault is not None:
        raise exception_for(fault, started=answer.started)(
            message, request=prepared, response=made if answer.status else None
        )
    return made


def _as_our_own(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request without what `requests` says of itself: its name, and codings that only it would undo."""
    ours = request.copy()
    ours.headers["Accept-Encoding"] = "identity"
    if ours.headers.get("User-Agent") == default_user_agent():
        del ours.headers["User-Agent"]
    return ours


def _line(name: str | bytes, value: str | bytes) -> str:
    name, value = (text.decode("latin-1") if isinstance(text, bytes) else text for text in (name, value))
    # libcurl takes "Name:" for the wish to leave a header out, and "Name;" for an empty one.
    return f"{name}: {value}" if value else f"{name};"


def _seconds(timeout: Timeout) -> float:
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else max([DEFAULT_SECONDS, *known])


def _tls(verify: bool | str, cert: Cert) -> Tls:
    if verify is True and cert is None:
        return DEFAULT_TLS
    cert_file, key_file = cert if isinstance(cert, tuple) else (cert, None)
    return Tls(bool(verify), verify if isinstance(verify, str) else None, _path(cert_file), _path(key_file))


def _path(path: str | bytes | None) -> str | None:
    return path.decode() if isinstance(path, bytes) else path
