"""One of libcurl's easy handles, made ready once and used for one transfer after another.

A transfer on a handle costs a few option calls: what never changes is set when the handle is made, and of the answer
nothing goes through Python but the beginning of its body. A transfer that needs more (another method than POST, other
trust, the answer's headers) sets that on top, and the handle is made ready anew after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pycurl

from worker.outbound.errors import MALFORMED_LINES, Fault, fault_of, reason_of
from worker.outbound.guard import Guard
from worker.outbound.guarded_socket import GuardedSockets
from worker.outbound.scheduler import Turn
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls, Transfer

READ_MOST = 65_536
"""Bytes of a body that are read although nobody wants them, which is cheaper than a new connection. Then they end."""

_NO_HEADERS: Mapping[str, str] = {}
_FIXED = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROXY, ""),  # not even one from the environment: the guard would see the proxy's address
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.TCP_NODELAY, 1),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.POST, 1),
)
# libcurl writes the escapes in a path in capitals; whoever signed or compares the URL would not know it again.
_REWRITTEN = re.compile(r"%(?:[a-f]|[0-9A-F][a-f])")


class Handle:
    """A place for one transfer at a time. Times are on time.monotonic()."""

    # `curl` is held, not inherited from: attributes of a subclass of it would take ten times as long.
    __slots__ = (
        "_chunks",
        "_fixed",
        "_gate",
        "_getinfo",
        "_lines",
        "_multiplexes",
        "_named",
        "_outdated",
        "_plain",
        "_setopt",
        "_size",
        "_timeout",
        "begun",
        "curl",
        "transfer",
        "turn",
    )
    begun: float
    transfer: Transfer
    turn: Turn
    _outdated: bool
    _multiplexes: bool
    _named: bool | None
    _timeout: float

    def __init__(
        self, guard: Guard, connect_timeout: float, connection_seconds: int, user_agent: str, ca_file: str
    ) -> None:
        self.curl = pycurl.Curl()
        self._setopt = self.curl.setopt
        self._getinfo = self.curl.getinfo
        self._gate = GuardedSockets(guard)
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._size = 0
        self._fixed = (
            *_FIXED,
            (pycurl.CAINFO, ca_file),
            (pycurl.CONNECTTIMEOUT_MS, max(1, int(connect_timeout * 1000))),
            (pycurl.MAXLIFETIME_CONN, connection_seconds),
            (pycurl.USERAGENT, user_agent),
            (pycurl.OPENSOCKETFUNCTION, self._gate.open),
            (pycurl.PREREQFUNCTION, self._about_to_send),
            (pycurl.WRITEFUNCTION, self._write),
        )
        self._make_ready()

    def load(self, turn: Turn, now: float, *, names: list[str] | None, multiplexes: bool) -> None:
        """Make ready to send the transfer whose turn it is.

        `names`: what libcurl must be told of the host's name, see `Names.untold`; `multiplexes`: the host is known to
        carry many requests on one connection. Raises ValueError, TypeError or pycurl.error when the transfer can't be
        sent as it stands.
        """
        self.turn = turn
        self.transfer = transfer = turn.transfer
        self.begun = now
        self._gate.passed = False
        self._gate.refusal = None
        self._outdated = False
        lines = "".join(transfer.headers)
        if "\n" in lines or "\r" in lines:
            # libcurl would send it, as a line of its own.
            raise ValueError("a header has a line end")
        setopt = self._setopt
        setopt(pycurl.URL, transfer.url)
        setopt(pycurl.POSTFIELDS, transfer.body)
        # No waiting for "100 Continue", and no media type that nobody gave.
        setopt(pycurl.HTTPHEADER, ["Expect:", "Content-Type:", *transfer.headers])
        if multiplexes is not self._multiplexes:
            self._multiplexes = multiplexes
            setopt(pycurl.PIPEWAIT, multiplexes)
        if transfer.timeout != self._timeout:
            self._timeout = transfer.timeout
            setopt(pycurl.TIMEOUT_MS, max(1, int(transfer.timeout * 1000)))
        named = names != []
        if named is not self._named:
            # What libcurl is told it keeps; what it sees for itself it need not, and looking through it costs time.
            self._named = named
            setopt(pycurl.DNS_CACHE_TIMEOUT, -1 if named else 0)
        if names:
            self._plain = False
            setopt(pycurl.RESOLVE, names)
        if transfer.method != "POST":
            self._set_method(transfer)
        if transfer.tls is not DEFAULT_TLS:
            self._set_tls(transfer.tls)
        if transfer.keep_headers:
            self._plain = False
            setopt(pycurl.HEADERFUNCTION, self._lines.append)
        if "%" in transfer.url:
            self._set_target(transfer.url)

    def answer(self, now: float, code: int, message: str, fault: Fault | None = None) -> Answer:
        """Return what came of the transfer: what libcurl ended it with, or the fault that we ended it for."""
        transfer = self.transfer
        status: int = self._getinfo(pycurl.RESPONSE_CODE)
        cut = self._size > transfer.keep_bytes
        started, retry_after = True, 0
        if code == pycurl.E_WRITE_ERROR and cut:
            # A body that we did not want to the end is no failure: the status stands.
            message = ""
        elif code == pycurl.E_FTP_WEIRD_SERVER_REPLY and status >= 200 and message in MALFORMED_LINES:
            # It has answered; only the rest can't be read.
            message, cut = "", True
        elif code or fault:
            if not fault:
                fault, message = self._fault(code, message)
            started = status > 0 or self._getinfo(pycurl.REQUEST_SIZE) > 0
        if status >= 300:
            retry_after = self._getinfo(pycurl.RETRY_AFTER)
        body = b"".join(self._chunks)[: transfer.keep_bytes] if self._chunks else b""
        headers = _parsed(self._lines) if self._lines else _NO_HEADERS
        return Answer(status, headers, body, fault, message, now - self.begun, started, retry_after, cut)

    def multiplexed(self) -> bool:
        """Return whether the transfer that has just ended shared its connection, or could have."""
        version: int = self._getinfo(pycurl.INFO_HTTP_VERSION)
        return version == pycurl.CURL_HTTP_VERSION_2_0

    def clear(self) -> None:
        """Forget the transfer. The handle must not be in a multi handle."""
        if self._size:
            self._size = 0
            self._chunks.clear()
        if not self._plain:
            self.curl.reset()
            self._lines.clear()
            self._make_ready()

    def _make_ready(self) -> None:
        for option, value in self._fixed:
            self._setopt(option, value)
        self._timeout = 0.0
        self._multiplexes = False
        self._named = None
        self._plain = True

    def _set_method(self, transfer: Transfer) -> None:
        self._plain = False
        if transfer.method == "HEAD":
            self._setopt(pycurl.NOBODY, 1)
        elif transfer.method == "GET" and not transfer.body:
            self._setopt(pycurl.HTTPGET, 1)
        else:
            self._setopt(pycurl.CUSTOMREQUEST, transfer.method)

    def _set_tls(self, tls: Tls) -> None:
        self._plain = False
        if not tls.verify:
            self._setopt(pycurl.SSL_VERIFYPEER, 0)
            self._setopt(pycurl.SSL_VERIFYHOST, 0)
        for option, path in ((pycurl.CAINFO, tls.ca), (pycurl.SSLCERT, tls.cert), (pycurl.SSLKEY, tls.key)):
            if path is not None:
                self._setopt(option, path)

    def _set_target(self, url: str) -> None:
        before_query = url.partition("?")[0]
        if _REWRITTEN.search(before_query):
            self._plain = False
            origin = "/".join(before_query.split("/", 3)[:3])
            self._setopt(pycurl.REQUEST_TARGET, url[len(origin) :].partition("#")[0])

    def _fault(self, code: int, message: str) -> tuple[Fault, str]:
        if code == pycurl.E_COULDNT_CONNECT and self._gate.refusal and not self._gate.passed:
            return self._gate.refusal
        if code == pycurl.E_ABORTED_BY_CALLBACK and self._outdated:
            return Fault.OUTDATED, "not sent: it is out of date"
        return fault_of(code), reason_of(code, message)

    def _about_to_send(self, *_: object) -> int:
        """PREREQFUNCTION: the connection stands, which may have taken long; also when libcurl sends it once more."""
        is_current = self.transfer.is_current
        if is_current is None or is_current():
            return pycurl.PREREQFUNC_OK
        self._outdated = True
        return pycurl.PREREQFUNC_ABORT

    def _write(self, data: bytes) -> int | None:
        """WRITEFUNCTION. Returns None to go on."""
        keep = self.transfer.keep_bytes
        if self._size < keep:
            self._chunks.append(data)
        self._size += len(data)
        return 0 if self._size > max(keep, READ_MOST) else None


def _parsed(lines: list[bytes]) -> dict[str, str]:
    """The header fields of the last block: before it there may be interim answers (RFC 9110, section 15.2)."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):
            headers.clear()
        elif colon:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
