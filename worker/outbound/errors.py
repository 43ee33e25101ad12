"""What can go wrong with a transfer, in a few classes. Only here do libcurl's error codes become these classes.

    Fault
      TIMEOUT       not finished in its time: no connection, no answer, or an answer that comes too slowly
      DNS           the host's name has no address
      CONNECT       no connection to any of its addresses
      TLS           no secure connection: the handshake, the certificate or its name is wrong
      RESET         the connection broke before the answer was whole
      PROTOCOL      the answer is not HTTP
      FORBIDDEN     the guard does not allow the address
      INVALID       the request can't be sent as it stands: not a URL, a scheme or character that HTTP does not have,
                    or it lacks a token or the receiver's consent
      TOO_LARGE     the answer is longer than the caller accepts
      CROWDED       not sent: the receiver is slow, and too many requests to slow receivers are waiting
      NOT_STARTED   not sent: it would have outlasted its deadline, or the engine is stopping
      OUTDATED      not sent: its text was changed or withdrawn meanwhile
      STOPPED       ended by the stop of the engine while it was under way
      UNAUTHORIZED  the token of the request was no longer valid; the request is sent again with another one
      DENIED        it does not let us in by what we show, or shows another key than the one that we know: a person has
                    to mend that
      INTERNAL      anything else: a bug of ours

Any status is an answer, not a fault, also when the header lines after it are malformed. What it means, others decide.
Callers of `requests` get the exception that `requests` itself would raise, see `exception_for`.
"""

from __future__ import annotations

from enum import StrEnum
from ssl import SSLCertVerificationError, SSLError

import pycurl
from requests import exceptions


class Fault(StrEnum):
    """Why a transfer has no answer that counts."""

    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET = "reset"
    PROTOCOL = "protocol"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    CROWDED = "crowded"
    NOT_STARTED = "not_started"
    OUTDATED = "outdated"
    STOPPED = "stopped"
    UNAUTHORIZED = "unauthorized"
    DENIED = "denied"
    INTERNAL = "internal"


class RequestPending(Exception):
    """A request can't be made yet, and can in a moment; the message says what it waits for.

    `seconds`: when to come again.
    """

    def __init__(self, reason: str = "", seconds: float = 0.25) -> None:
        super().__init__(reason)
        self.seconds = seconds


class RequestImpossible(Exception):
    """A request can't be made; the message says why, for people, and has no secret in it."""


RECEIVER_NOT_AT_FAULT = frozenset({Fault.CROWDED, Fault.NOT_STARTED, Fault.OUTDATED, Fault.STOPPED, Fault.UNAUTHORIZED})
"""Faults that say nothing about the receiver: we did not send the request, or ended it, or send it again ourselves."""
TRY_AGAIN_STATUSES = frozenset({408, 425, 429})
"""The client errors that are about the moment, not about the request (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4)."""

# Codes that libcurl may return and for which pycurl has no name.
_HTTP2_STREAM, _RECURSIVE_API_CALL, _AUTH_ERROR, _HTTP3, _QUIC_CONNECT_ERROR = 92, 93, 94, 95, 96
_PROXY, _SSL_CLIENTCERT, _UNRECOVERABLE_POLL, _TOO_LARGE, _ECH_REQUIRED = 97, 98, 99, 100, 101

_CODES: dict[Fault, tuple[int, ...]] = {
    Fault.TIMEOUT: (pycurl.E_OPERATION_TIMEDOUT,),
    Fault.DNS: (pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY),
    Fault.CONNECT: (
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_INTERFACE_FAILED,
        pycurl.E_NO_CONNECTION_AVAILABLE,
        _QUIC_CONNECT_ERROR,
        _PROXY,
    ),
    Fault.TLS: (
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_SSL_CRL_BADFILE,
        pycurl.E_SSL_ENGINE_INITFAILED,
        pycurl.E_SSL_ENGINE_NOTFOUND,
        pycurl.E_SSL_ENGINE_SETFAILED,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
        pycurl.E_SSL_SHUTDOWN_FAILED,
        pycurl.E_USE_SSL_FAILED,
        _SSL_CLIENTCERT,
        _ECH_REQUIRED,
    ),
    Fault.RESET: (
        pycurl.E_GOT_NOTHING,
        pycurl.E_PARTIAL_FILE,
        pycurl.E_RECV_ERROR,
        pycurl.E_SEND_ERROR,
        pycurl.E_SEND_FAIL_REWIND,
        _HTTP2_STREAM,
        _UNRECOVERABLE_POLL,
    ),
    Fault.PROTOCOL: (
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_FTP_WEIRD_SERVER_REPLY,  # libcurl now calls it CURLE_WEIRD_SERVER_REPLY
        pycurl.E_HTTP2,
        pycurl.E_HTTP_RANGE_ERROR,
        pycurl.E_HTTP_RETURNED_ERROR,
        pycurl.E_TOO_MANY_REDIRECTS,
        pycurl.E_UNSUPPORTED_PROTOCOL,  # an answer without a status line: HTTP/0.9
        _HTTP3,
    ),
    Fault.INVALID: (pycurl.E_URL_MALFORMAT,),
    Fault.TOO_LARGE: (pycurl.E_FILESIZE_EXCEEDED, _TOO_LARGE),
    Fault.INTERNAL: (
        # Our own mistakes.
        pycurl.E_ABORTED_BY_CALLBACK,
        pycurl.E_AGAIN,
        pycurl.E_BAD_CALLING_ORDER,
        pycurl.E_BAD_FUNCTION_ARGUMENT,
        pycurl.E_FAILED_INIT,
        pycurl.E_FUNCTION_NOT_FOUND,
        pycurl.E_HTTP_POST_ERROR,
        pycurl.E_NOT_BUILT_IN,
        pycurl.E_OUT_OF_MEMORY,
        pycurl.E_READ_ERROR,
        pycurl.E_SHARE_IN_USE,
        pycurl.E_UNKNOWN_OPTION,
        pycurl.E_WRITE_ERROR,
        _RECURSIVE_API_CALL,
        _AUTH_ERROR,
        # From protocols that we do not use.
        pycurl.E_ALREADY_COMPLETE,
        pycurl.E_BAD_DOWNLOAD_RESUME,
        pycurl.E_BAD_PASSWORD_ENTERED,
        pycurl.E_CHUNK_FAILED,
        pycurl.E_CONV_FAILED,
        pycurl.E_CONV_REQD,
        pycurl.E_FILE_COULDNT_READ_FILE,
        pycurl.E_FTP_ACCEPT_FAILED,
        pycurl.E_FTP_ACCEPT_TIMEOUT,
        pycurl.E_FTP_BAD_FILE_LIST,
        pycurl.E_FTP_CANT_GET_HOST,
        pycurl.E_FTP_COULDNT_GET_SIZE,
        pycurl.E_FTP_COULDNT_RETR_FILE,
        pycurl.E_FTP_COULDNT_SET_ASCII,
        pycurl.E_FTP_COULDNT_SET_TYPE,
        pycurl.E_FTP_COULDNT_USE_REST,
        pycurl.E_FTP_PORT_FAILED,
        pycurl.E_FTP_PRET_FAILED,
        pycurl.E_FTP_QUOTE_ERROR,
        pycurl.E_FTP_WEIRD_227_FORMAT,
        pycurl.E_FTP_WEIRD_PASS_REPLY,
        pycurl.E_FTP_WEIRD_PASV_REPLY,
        pycurl.E_FTP_WRITE_ERROR,
        pycurl.E_LDAP_CANNOT_BIND,
        pycurl.E_LDAP_INVALID_URL,
        pycurl.E_LDAP_SEARCH_FAILED,
        pycurl.E_LIBRARY_NOT_FOUND,
        pycurl.E_LOGIN_DENIED,
        pycurl.E_MALFORMAT_USER,
        pycurl.E_REMOTE_ACCESS_DENIED,
        pycurl.E_REMOTE_DISK_FULL,
        pycurl.E_REMOTE_FILE_EXISTS,
        pycurl.E_REMOTE_FILE_NOT_FOUND,
        pycurl.E_RTSP_CSEQ_ERROR,
        pycurl.E_RTSP_SESSION_ERROR,
        pycurl.E_SSH,
        pycurl.E_TELNET_OPTION_SYNTAX,
        pycurl.E_TFTP_ILLEGAL,
        pycurl.E_TFTP_NOSUCHUSER,
        pycurl.E_TFTP_NOTFOUND,
        pycurl.E_TFTP_PERM,
        pycurl.E_TFTP_UNKNOWNID,
        pycurl.E_UPLOAD_FAILED,
    ),
}
FAULTS: dict[int, Fault] = {code: fault for fault, codes in _CODES.items() for code in codes}
"""libcurl's error code -> the class of failure."""

MALFORMED_HEADER_MESSAGES = frozenset({"Header without colon", "NUL byte in header", "Carriage return found in header"})
"""libcurl's messages when it ends at a line that is not a header field. The status before that line counts."""

_REASONS: dict[Fault, str] = {
    Fault.TIMEOUT: "no answer in time",
    Fault.DNS: "its name has no address",
    Fault.CONNECT: "no connection",
    Fault.TLS: "no secure connection",
    Fault.RESET: "the connection broke before the answer was whole",
    Fault.PROTOCOL: "the answer is not HTTP",
    Fault.INVALID: "the request can't be sent as it stands",
    Fault.TOO_LARGE: "the head of the answer is too long",
}

EXCEPTIONS: dict[Fault, type[exceptions.RequestException]] = {
    Fault.TIMEOUT: exceptions.ReadTimeout,
    Fault.DNS: exceptions.ConnectionError,
    Fault.CONNECT: exceptions.ConnectionError,
    Fault.TLS: exceptions.SSLError,
    Fault.RESET: exceptions.ConnectionError,
    Fault.PROTOCOL: exceptions.ConnectionError,
    Fault.FORBIDDEN: exceptions.ConnectionError,
    Fault.INVALID: exceptions.InvalidURL,
    Fault.TOO_LARGE: exceptions.RequestException,
    Fault.CROWDED: exceptions.ConnectionError,
    Fault.NOT_STARTED: exceptions.ConnectionError,
    Fault.OUTDATED: exceptions.ConnectionError,
    Fault.STOPPED: exceptions.ConnectionError,
    Fault.UNAUTHORIZED: exceptions.HTTPError,
    Fault.DENIED: exceptions.ConnectionError,
    Fault.INTERNAL: exceptions.RequestException,
}


def fault_of(code: int) -> Fault:
    """Return the class of one of libcurl's error codes; INTERNAL for a code that this table does not have."""
    return FAULTS.get(code, Fault.INTERNAL)


def reason_of(code: int, message: str) -> str:
    """Return the reason for one of libcurl's error codes on one line: libcurl's message, or the meaning of the code."""
    # The message may quote the receiver, who may send anything.
    reason = " ".join(message.encode(errors="replace").decode().split())
    return reason or f"{_REASONS.get(fault_of(code), 'it failed')} (error {code} of libcurl)"


def insecurity(error: SSLError) -> str:
    """Return in a line why Python has no secure connection: what is wrong with the certificate, or OpenSSL's word."""
    verdict = error.verify_message if isinstance(error, SSLCertVerificationError) else ""
    return f"no secure connection: {(verdict or error.reason or str(error)).rstrip('.')}"


def exception_for(fault: Fault, *, started: bool) -> type[exceptions.RequestException]:
    """Return the exception that `requests` raises; `started`: the request may have reached the receiver."""
    if fault is Fault.TIMEOUT and not started:
        return exceptions.ConnectTimeout
    return EXCEPTIONS[fault]
