"""One session with a mail server (RFC 5321), for one mail: encrypted, signed in, and within its time.

The guard judges the address of the connection. A reply of the server becomes an answer in the words of HTTP: 4xx for
what it refuses for good, 5xx for what it refuses for the moment, DENIED for what it would refuse of every mail.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, NamedTuple

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from worker.outbound.auth import without
from worker.outbound.errors import Fault, insecurity
from worker.outbound.guarded_connection import AddressRefused, connect
from worker.outbound.pem_files import pem_files
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls, unsent

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.outbound.guard import Guard
    from worker.outbound.jobs import Job

_LEAVE_SECONDS = 2.0
"""How long the server may take to say good-bye."""
_READY, _OK, _FORWARDED, _NO_ROOM, _FOR_GOOD, _TOO_LARGE = 220, 250, 251, 452, 500, 552
"""Replies (RFC 5321, section 4.2.3)."""


class Server(NamedTuple):
    """The server that takes mails. `name`: what we call ourselves there."""

    host: str
    port: int
    name: str
    implicit_tls: bool = False
    starttls: bool = True
    tls: Tls = DEFAULT_TLS
    username: str = ""
    password: str = ""


class _Refused(Exception):
    """The server does not go on; the answer says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class _NotSmtp(smtplib.SMTPException):
    """A reply without a code, or without an end."""


class _Utf8(str):
    """What signs us in, in UTF-8 (RFC 4616, section 2): smtplib asks for ASCII."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        """Return the text in UTF-8, whatever is asked for."""
        return super().encode()


class _Smtp(smtplib.SMTP):
    """A session whose connection the guard judges, and in whose replies there is nothing that is `hidden`."""

    guard: Guard
    hidden: tuple[str, ...] = ()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(self.guard, host, port, timeout)

    def getreply(self) -> tuple[int, bytes]:
        """Return a reply of the server. Whoever keeps it, or a part of it, keeps none of our secrets."""
        try:
            code, reply = super().getreply()
        except smtplib.SMTPResponseException:
            code = -1
        if code < 0:
            raise _NotSmtp("the server answers otherwise than SMTP has it")
        return code, without(reply.decode("utf-8", "surrogateescape"), *self.hidden).encode("utf-8", "surrogateescape")

    def auth(
        self, mechanism: str, authobject: Callable[..., str | None], *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """Sign in by a mechanism, in UTF-8."""

        def response(challenge: bytes | None = None) -> str | None:
            text = authobject(challenge)
            return None if text is None else _Utf8(text)

        return super().auth(mechanism, response, initial_response_ok=initial_response_ok)  # type: ignore[arg-type]


class _SmtpOverTls(smtplib.SMTP_SSL, _Smtp):
    """The same over TLS: the one wraps what the other connects."""


class Session:
    """One connection to the server, for one mail. `refused`: which recipients it has refused, and how."""

    def __init__(self, server: Server, guard: Guard, job: Job) -> None:
        self._server = server
        self._guard = guard
        self._job = job
        self._over = False
        self.refused: dict[str, tuple[int, bytes | str]] = {}
        self._in_data = False

    def send(self, sender: str, recipients: list[str], mail: bytes) -> Answer:
        """Send a mail; return what came of it."""
        smtp = self._unconnected()
        limit = Timer(self._job.timeout, self._end, (smtp,))
        limit.daemon = True
        limit.start()
        try:
            self._enter(smtp)
            return self._hand_over(smtp, sender, recipients, mail)
        except (_Refused, OSError, smtplib.SMTPException) as error:
            return self._failed(error)
        finally:
            limit.cancel()
            _leave(smtp)

    def _unconnected(self) -> _Smtp:
        server = self._server
        smtp: _Smtp
        if server.implicit_tls:
            smtp = _SmtpOverTls(local_hostname=server.name, timeout=self._job.timeout, context=_context(server.tls))
        else:
            smtp = _Smtp(local_hostname=server.name, timeout=self._job.timeout)
        smtp.guard = self._guard
        if server.password:
            # As it is, and as it is sent (RFC 4616, AUTH LOGIN).
            sent = (f"\0{server.username}\0{server.password}", server.password)
            smtp.hidden = (server.password, *(b64encode(part.encode()).decode() for part in sent))
        # TLS checks the certificate against this name, which only a constructor that connects at once would set.
        smtp._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001
        return smtp

    def _end(self, smtp: smtplib.SMTP) -> None:
        self._over = True
        with suppress(OSError, AttributeError):
            smtp.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]

    def _enter(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        code, reply = smtp.connect(server.host, server.port)
        if code != _READY:
            raise _Refused(_judged(code, reply, "connection", denied=True))
        smtp.ehlo_or_helo_if_needed()
        if server.starttls and not server.implicit_tls:
            if not smtp.has_extn("starttls"):
                raise _Refused(unsent(Fault.DENIED, "it offers no STARTTLS: nothing is sent unencrypted"))
            try:
                smtp.starttls(context=_context(server.tls))
            except smtplib.SMTPResponseException as error:
                raise _Refused(_judged(error.smtp_code, error.smtp_error, "STARTTLS", denied=True)) from None
            smtp.ehlo_or_helo_if_needed()
        if server.username:
            self._sign_in(smtp)

    def _sign_in(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self._server.username, _Utf8(self._server.password))
        except smtplib.SMTPAuthenticationError as error:
            raise _Refused(_judged(error.smtp_code, error.smtp_error, "sign-in", denied=True)) from None
        except smtplib.SMTPNotSupportedError:
            raise _Refused(unsent(Fault.DENIED, "it lets nobody sign in, and a username is set")) from None
        except (smtplib.SMTPServerDisconnected, _NotSmtp):
            raise
        except smtplib.SMTPException:
            offered = " ".join(smtp.esmtp_features["auth"].split())[:200]
            reason = f"it lets nobody sign in by a password, only by {offered}"
            raise _Refused(unsent(Fault.DENIED, reason)) from None

    def _hand_over(self, smtp: smtplib.SMTP, sender: str, recipients: list[str], mail: bytes) -> Answer:
        code, reply = smtp.mail(sender, [f"size={len(mail)}"] if smtp.has_extn("size") else [])
        if code != _OK:
            return _judged(code, reply, "sender", denied=code != _TOO_LARGE)
        for address in recipients:
            code, reply = smtp.rcpt(address)
            if code not in {_OK, _FORWARDED}:
                self.refused[address] = code, reply
        if len(self.refused) == len(recipients):
            code = min(code for code, _ in self.refused.values())
            return Answer(403 if code >= _FOR_GOOD else 503, {}, b"", None, self._refusals(), 0.0, started=True)
        if self._job.is_current is not None and not self._job.is_current():
            return unsent(Fault.OUTDATED, "not sent: it is out of date")
        self._in_data = True
        code, reply = smtp.data(mail)
        self._in_data = False
        if code != _OK:
            return _judged(code, reply, "mail", denied=False)
        return Answer(200, {}, b"", None, self._refusals(), 0.0, started=True)

    def _refusals(self) -> str:
        return "; ".join(f"{address} refused: {_line(code, reply)}" for address, (code, reply) in self.refused.items())

    def _failed(self, error: Exception) -> Answer:
        match error:
            case _Refused(answer=answer):
                return answer
            case (
                smtplib.SMTPDataError(smtp_code=code, smtp_error=reply)
                | smtplib.SMTPHeloError(smtp_code=code, smtp_error=reply)
            ):
                of_mail = isinstance(error, smtplib.SMTPDataError)
                return _judged(code, reply, "mail" if of_mail else "greeting", denied=not of_mail)
            case AddressRefused():
                return unsent(Fault.FORBIDDEN, str(error))
            case socket.gaierror():
                return unsent(Fault.DNS, f"the name {self._server.host} has no address")
            case ssl.SSLError():
                return unsent(Fault.TLS, insecurity(error))
            case _:
                return self._broken(error)

    def _broken(self, error: Exception) -> Answer:
        # smtplib makes a disconnection of a timeout while it reads a reply.
        timeout = self._over or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        fault = Fault.TIMEOUT if timeout else Fault.RESET
        if isinstance(error, ConnectionRefusedError):
            fault = Fault.CONNECT
        elif isinstance(error, _NotSmtp):
            return Answer(0, {}, b"", Fault.PROTOCOL, str(error), 0.0, started=self._in_data)
        message = "no answer in time" if timeout else f"the connection broke: {' '.join(str(error).split())[:200]}"
        return Answer(0, {}, b"", fault, message, 0.0, started=self._in_data)


def _leave(smtp: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if smtp.sock is not None:
            smtp.sock.settimeout(_LEAVE_SECONDS)
            smtp.quit()
    smtp.close()


def _context(tls: Tls) -> ssl.SSLContext:
    with pem_files(tls) as files:
        context = ssl.create_default_context(cafile=files.ca or DEFAULT_CA_BUNDLE_PATH)
        if files.cert:
            context.load_cert_chain(files.cert, files.key)
    return context


def _line(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".split())[:200]


def _judged(code: int, reply: bytes | str, about: str, *, denied: bool) -> Answer:
    """Return what a reply of the server means; `denied`: a refusal for good is of every mail, not of this one alone."""
    message = f"{about} refused: {_line(code, reply)}"
    if code < _FOR_GOOD:
        return Answer(507 if code == _NO_ROOM else 503, {}, b"", None, message, 0.0, started=True)
    if denied:
        return Answer(0, {}, b"", Fault.DENIED, message, 0.0, started=False)
    return Answer(413 if code == _TOO_LARGE else 422, {}, b"", None, message, 0.0, started=True)
