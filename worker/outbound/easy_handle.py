"""One of libcurl's easy handles, set up once and used for one transfer after another.

A transfer on such a handle costs a few option calls. Whatever never changes is set when the handle is set up, and of
the answer only the beginning of the body goes through Python. A transfer that needs more (another method than POST,
another trust, the answer's headers) sets that on top, and the handle is set up anew after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pycurl
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from worker.outbound.errors import MALFORMED_HEADER_MESSAGES, Fault, fault_of, reason_of
from worker.outbound.file_transfer import FileStep
from worker.outbound.guard import Guard
from worker.outbound.guarded_socket import GuardedSockets
from worker.outbound.pem_files import PEM_BEGINNING
from worker.outbound.scheduler import Place
from worker.outbound.transfer import DEFAULT_TLS, Answer, Phases, SigV4, Tls, Transfer

CONNECTION_SECONDS = 600
"""How long a connection is used. Then a new one is opened, to the addresses that the host has by that time."""
READ_BYTES = 65_536
"""How much of a body is read although nobody wants it, because that is cheaper than a new connection. Beyond that, the
transfer ends."""

_EXPECTING_BYTES = 1_000_000
"""libcurl asks with an "Expect:" before it sends a body of more than 1 MiB. Each header line costs half a microsecond:
what it would not add anyway is not kept from it."""
_USER_AGENT = "Dateline/0.1"
_NO_HEADERS: Mapping[str, str] = {}
_CONSTANT_OPTIONS = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROXY, ""),  # not even one from the environment: the guard would judge the proxy's address
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.TCP_NODELAY, 1),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.POST, 1),
    (pycurl.CAINFO, DEFAULT_CA_BUNDLE_PATH),  # the authorities that `requests` trusts
    (pycurl.USERAGENT, _USER_AGENT),
)
# libcurl writes the escapes of a path in capitals; a receiver that signs or compares the URL would not recognize it.
_LOWER_CASE_ESCAPE = re.compile(r"%(?:[a-f]|[0-9A-F][a-f])")


class EasyHandle:
    """Carries one transfer at a time. Times are on time.monotonic(), spans in seconds."""

    # `curl` is an attribute, not a base class: the attributes of a subclass of it would take ten times as long.
    __slots__ = (
        "_chunks",
        "_getinfo",
        "_has_connection",
        "_header_lines",
        "_is_outdated",
        "_knows_name",
        "_multiplexes",
        "_options",
        "_reusable",
        "_setopt",
        "_size",
        "_sockets",
        "_timeout",
        "begun",
        "curl",
        "place",
        "transfer",
    )
    begun: float
    transfer: Transfer
    place: Place
    _has_connection: bool
    _is_outdated: bool
    _knows_name: bool | None
    _multiplexes: bool
    _reusable: bool
    _timeout: float

    def __init__(self, guard: Guard, connect_timeout: float) -> None:
        self.curl = pycurl.Curl()
        self._setopt = self.curl.setopt
        self._getinfo = self.curl.getinfo
        self._sockets = GuardedSockets(guard)
        self._chunks: list[bytes] = []
        self._header_lines: list[bytes] = []
        self._size = 0
        self._options = (
            *_CONSTANT_OPTIONS,
            (pycurl.CONNECTTIMEOUT_MS, max(1, int(connect_timeout * 1000))),
            (pycurl.MAXLIFETIME_CONN, CONNECTION_SECONDS),
            (pycurl.OPENSOCKETFUNCTION, self._sockets.open),
            (pycurl.PREREQFUNCTION, self._before_request),
            (pycurl.WRITEFUNCTION, self._write),
        )
        self._set_up()

    def load(self, place: Place, now: float, *, name_lines: list[str] | None, multiplexes: bool) -> None:
        """Make ready to send the transfer that has this place.

        `name_lines`: what libcurl must be given for the host's name, see `DnsCache.lines_to_load`; `multiplexes`: the
        host is known to carry many requests on one connection. Raises ValueError, TypeError or pycurl.error when the
        transfer can't be sent as it stands.
        """
        self.place = place
        self.transfer = transfer = place.transfer
        self.begun = now
        self._sockets.forget()
        self._is_outdated = self._has_connection = False
        header_text = "".join(transfer.headers)
        if "\n" in header_text or "\r" in header_text:
            # libcurl would send the rest as another header field.
            raise ValueError("a header has a line end")
        setopt = self._setopt
        setopt(pycurl.URL, transfer.url)
        if transfer.file is None:
            setopt(pycurl.POSTFIELDS, transfer.body)
            setopt(pycurl.HTTPHEADER, _header_lines(transfer))
        else:
            self._reusable = False
            self._sockets.may_listen = transfer.file.server.active
            transfer.file.set_up(setopt, transfer.body, self._write)
        if multiplexes is not self._multiplexes:
            self._multiplexes = multiplexes
            setopt(pycurl.PIPEWAIT, multiplexes)
        if transfer.timeout != self._timeout:
            self._timeout = transfer.timeout
            setopt(pycurl.TIMEOUT_MS, max(1, int(transfer.timeout * 1000)))
        knows_name = name_lines != []
        if knows_name is not self._knows_name:
            # libcurl keeps what it is given. What it resolves by itself it need not keep: searching it costs time.
            self._knows_name = knows_name
            setopt(pycurl.DNS_CACHE_TIMEOUT, -1 if knows_name else 0)
        if name_lines:
            self._reusable = False
            setopt(pycurl.RESOLVE, name_lines)
        self._set_what_is_rare(transfer)

    def answer(self, now: float, code: int, message: str, fault: Fault | None = None) -> Answer:
        """Return what came of the transfer, by the code with which libcurl ended it or the fault for which we did."""
        transfer = self.transfer
        status: int = self._getinfo(pycurl.RESPONSE_CODE)
        truncated = self._size > transfer.keep_bytes
        if transfer.file is not None:
            return self._answer_of_file(transfer.file, now, code, message, fault, truncated=truncated)
        started, retry_after = True, 0
        if code == pycurl.E_WRITE_ERROR and truncated:
            # We did not want the rest of the body, so this is not a failure, and the status stands.
            message = ""
        elif code == pycurl.E_FTP_WEIRD_SERVER_REPLY and status >= 200 and message in MALFORMED_HEADER_MESSAGES:
            # The receiver has answered; only the rest can't be read.
            message, truncated = "", True
        elif code or fault:
            if not fault:
                fault, message = self._own_fault(code) or (fault_of(code), reason_of(code, message))
            started = status > 0 or self._getinfo(pycurl.REQUEST_SIZE) > 0
        if status >= 300:
            retry_after = self._getinfo(pycurl.RETRY_AFTER)
        body = b"".join(self._chunks)[: transfer.keep_bytes] if self._chunks else b""
        headers = _headers_in(self._header_lines) if self._header_lines else _NO_HEADERS
        return Answer(
            status,
            headers,
            body,
            fault,
            message,
            now - self.begun,
            started,
            retry_after,
            truncated,
            phases=self._phases() if transfer.timed else None,
            sent=transfer.headers,
        )

    def _answer_of_file(
        self, step: FileStep, now: float, code: int, message: str, fault: Fault | None, *, truncated: bool
    ) -> Answer:
        status, body = 0, b"".join(self._chunks)[: self.transfer.keep_bytes]
        if code == pycurl.E_WRITE_ERROR and truncated:
            code = pycurl.E_OK
        if fault is None and code and (reason := self._own_fault(code)):
            fault, message = reason
        elif fault is None:
            status, fault, message = step.outcome(
                code, message or self.curl.errstr(), self._getinfo(pycurl.RESPONSE_CODE), body
            )
        if fault is not None and self._has_connection:
            step.server.renew_connections()
        seconds = now - self.begun
        return Answer(
            status,
            _NO_HEADERS,
            body,
            fault,
            message,
            seconds,
            self._has_connection,
            truncated=truncated,
            phases=self._phases(),
        )

    def _phases(self) -> Phases:
        """How long the parts of the transfer took. libcurl counts each from the start; 0: it was not come to."""
        info = self._getinfo
        name, connected, secure = (
            info(pycurl.NAMELOOKUP_TIME),
            info(pycurl.CONNECT_TIME),
            info(pycurl.APPCONNECT_TIME),
        )
        stood, first_byte = info(pycurl.PRETRANSFER_TIME), info(pycurl.STARTTRANSFER_TIME)
        return Phases(
            _microseconds(self.transfer.lookup_seconds + name),
            _microseconds(connected - name),
            _microseconds(secure - connected),
            _microseconds(first_byte - stood),
        )

    def multiplexed(self) -> bool:
        """Return whether the transfer that has just ended could share its connection (HTTP/2)."""
        version: int = self._getinfo(pycurl.INFO_HTTP_VERSION)
        return version == pycurl.CURL_HTTP_VERSION_2_0

    def clear(self) -> None:
        """Forget the transfer. The handle must not be in a multi handle."""
        del self.transfer, self.place
        if self._size:
            self._size = 0
            self._chunks.clear()
        if not self._reusable:
            self.curl.reset()
            self._header_lines.clear()
            self._set_up()

    def _set_up(self) -> None:
        for option, value in self._options:
            self._setopt(option, value)
        self._timeout = 0.0
        self._multiplexes = False
        self._knows_name = None
        self._reusable = True

    def _set_what_is_rare(self, transfer: Transfer) -> None:
        if transfer.method != "POST":
            self._set_method(transfer)
        if transfer.tls is not DEFAULT_TLS:
            self._set_tls(transfer.tls)
        if transfer.keep_headers:
            self._reusable = False
            self._setopt(pycurl.HEADERFUNCTION, self._header_lines.append)
        if transfer.once:
            self._reusable = False
            self._setopt(pycurl.FRESH_CONNECT, 1)
        if transfer.sigv4 is not None:
            self._set_signature(transfer.sigv4)
        elif "%" in transfer.url and transfer.file is None:
            self._keep_escapes(transfer.url)

    def _set_method(self, transfer: Transfer) -> None:
        self._reusable = False
        if transfer.method == "HEAD":
            self._setopt(pycurl.NOBODY, 1)
        elif transfer.method == "GET" and not transfer.body:
            self._setopt(pycurl.HTTPGET, 1)
        else:
            self._setopt(pycurl.CUSTOMREQUEST, transfer.method)

    def _set_tls(self, tls: Tls) -> None:
        self._reusable = False
        if not tls.verify:
            self._setopt(pycurl.SSL_VERIFYPEER, 0)
            self._setopt(pycurl.SSL_VERIFYHOST, 0)
        for pem, path_option, text_option in (
            (tls.ca, pycurl.CAINFO, pycurl.CAINFO_BLOB),
            (tls.cert, pycurl.SSLCERT, pycurl.SSLCERT_BLOB),
            (tls.key, pycurl.SSLKEY, pycurl.SSLKEY_BLOB),
        ):
            if pem is not None:
                is_text = PEM_BEGINNING in pem
                self._setopt(text_option if is_text else path_option, pem.encode() if is_text else pem)

    def _set_signature(self, sigv4: SigV4) -> None:
        self._reusable = False
        # libcurl refuses to sign a path that it may not write as it is signed.
        self._setopt(pycurl.PATH_AS_IS, 0)
        self._setopt(pycurl.AWS_SIGV4, f"aws:amz:{sigv4.region}:{sigv4.service}")
        self._setopt(pycurl.USERNAME, sigv4.key_id)
        self._setopt(pycurl.PASSWORD, sigv4.secret)

    def _keep_escapes(self, url: str) -> None:
        before_query = url.partition("?")[0]
        if _LOWER_CASE_ESCAPE.search(before_query):
            self._reusable = False
            origin = "/".join(before_query.split("/", 3)[:3])
            self._setopt(pycurl.REQUEST_TARGET, url[len(origin) :].partition("#")[0])

    def _own_fault(self, code: int) -> tuple[Fault, str] | None:
        if code == pycurl.E_COULDNT_CONNECT and self._sockets.refusal and not self._sockets.was_opened:
            return self._sockets.refusal
        if code == pycurl.E_ABORTED_BY_CALLBACK and self._is_outdated:
            return Fault.OUTDATED, "not sent: it is out of date"
        return None

    def _before_request(self, *_: object) -> int:
        """Stop a request that has become outdated while its connection was made: libcurl's PREREQFUNCTION.

        libcurl also calls this when it sends a request again on another connection.
        """
        self._has_connection = True
        is_current = self.transfer.is_current
        if is_current is None or is_current():
            return pycurl.PREREQFUNC_OK
        self._is_outdated = True
        return pycurl.PREREQFUNC_ABORT

    def _write(self, data: bytes) -> int | None:
        """Take in a part of the body; None: go on, 0: end the transfer. libcurl's WRITEFUNCTION."""
        keep = self.transfer.keep_bytes
        if self._size < keep:
            self._chunks.append(data)
        self._size += len(data)
        return 0 if self._size > max(keep, READ_BYTES) else None


def _header_lines(transfer: Transfer) -> list[str]:
    """The header fields, with empty ones for those that libcurl would add by itself."""
    lines = transfer.headers
    if not (lines and lines[0].startswith("Content-Type:")):
        lines = ["Content-Type:", *lines]
    return lines if len(transfer.body) < _EXPECTING_BYTES else ["Expect:", *lines]


def _microseconds(seconds: float) -> int:
    return max(0, round(seconds * 1_000_000))


def _headers_in(lines: list[bytes]) -> dict[str, str]:
    """The header fields of the final answer. Interim answers may come before it (RFC 9110, section 15.2)."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):
            headers.clear()
        elif colon:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
