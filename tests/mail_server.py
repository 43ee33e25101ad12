"""A mail server for tests: aiosmtpd behind a real socket, which refuses what it is told to."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from ports import free_port
from waiting import until

CERTIFICATE = Path(__file__).parent / "contract" / "localhost.pem"
USER, PASSWORD = "herald", "not-a-real-passwörd"


@dataclass
class Mail:
    """A mail that came in."""

    sender: str
    recipients: list[str]
    message: EmailMessage = field(repr=False)
    encrypted: bool = False

    def text(self, kind: str = "plain") -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class _Server(SMTP):
    """Loses the answer to a mail if the test wants that."""

    async def push(self, status: Any) -> None:
        keeper: MailServer = self.event_handler.server
        if keeper.lose() and str(status).startswith("250 taken"):
            self.transport.abort()
            return
        await super().push(status)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


class MailServer:
    """The server. `refuse[address]` is the reply to this recipient, `refuse_mail(mail)` that to a mail; "" takes it."""

    def __init__(self, *, starttls: bool = True, implicit_tls: bool = False, auth: bool = False) -> None:
        self.mails: list[Mail] = []
        self.refuse: dict[str, str] = {}
        self.refuse_mail: Callable[[EmailMessage], str] = lambda _: ""
        self.lose: Callable[[], bool] = lambda: False
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        self.server = self
        options: dict[str, Any] = {"auth_require_tls": True}
        if starttls and not implicit_tls:
            options["tls_context"] = context
        if auth:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        self.port = free_port()
        context_from_the_start = context if implicit_tls else None
        self._controller = _Controller(
            self, "127.0.0.1", self.port, ready_timeout=60, ssl_context=context_from_the_start, **options
        )
        self._controller.start()

    # aiosmtpd gives these names, and calls with more than is looked at.
    async def handle_RCPT(self, *about: Any) -> str:  # noqa: N802
        _, _, envelope, address, _ = about
        if reply := self.refuse.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        if reply := self.refuse_mail(message):
            return reply
        self.mails.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), message, session.ssl is not None))
        return "250 taken"

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        until(condition, lambda: f"{what}; there are {[str(m) for m in self.mails]}")

    def close(self) -> None:
        self._controller.stop()

    def _authenticate(self, *about: Any) -> AuthResult:
        login = about[-1]
        right = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)
