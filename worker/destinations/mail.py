"""Mails (RFC 5321): an article to a list of people, or all that has changed in a feed as one mail.

The Message-ID is made of the id of the push. So what is sent again because its answer was lost has the same one, and
mail programs show it once; nothing else is ever sent twice. Whoever of several recipients is refused is refused: the
others have the mail, the attempt says who has not and why, and the next mail tries it again. Of a kill those are tried
again that were refused for the moment.
"""

from __future__ import annotations

import json
from email.utils import parseaddr
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from feeds.file_names import file_name
from feeds.formats import ARTICLE_FORMATS
from feeds.mail import Attachment, Envelope, article_mail, digest_mail
from worker import clock
from worker.destinations.http import tls_of
from worker.outbound.errors import Fault
from worker.outbound.jobs import Job
from worker.outbound.smtp import Server, Session
from worker.outbound.transfer import Answer, unsent

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from feeds.formats.interface import ArticleFormat
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.outbound.guard import Guard

_PORTS = {"smtp": 587, "smtps": 465}
_NOTICES = frozenset({"killed", "withdrawn"})


class Mail:
    """Mails from one sender to one list. `subject`: a template (feeds/mail.py).

    `attached`: the format of the document that is attached; None: there is none.
    """

    def __init__(
        self,
        guard: Guard,
        server: Server,
        sender: str,
        recipients: tuple[str, ...],
        *,
        reply_to: str = "",
        subject: str = "{headline}",
        attached: ArticleFormat | None = None,
    ) -> None:
        self._guard = guard
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._reply_to = reply_to
        self._subject = subject
        self._attached = attached

    gzip = False
    look = None
    """A mail can't be taken back, nor seen."""

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Job:
        """Return the job that sends a mail."""
        host = f"{self._server.host}:{self._server.port}"
        job = Job(host, partial(unsent, Fault.INTERNAL, ""), delivery.timeout, delivery.deadline, on_answer)
        job.run = partial(self._send, job, message, delivery)
        return job

    def _send(self, job: Job, message: Message, delivery: Delivery) -> Answer:
        memory = json.loads(delivery.remote or "{}")
        # One address may stand there under two names.
        addresses = dict.fromkeys(parseaddr(recipient)[1] for recipient in self._recipients)
        # Who has the notice already, although others have not.
        holders = memory.get("taken", []) if memory.get("push") == message.id else []
        if addresses.keys() <= {*holders}:
            # Those who had not are on the list no more.
            return Answer(200, {}, b"", None, "", 0.0, started=True)
        session = Session(self._server, self._guard, job)
        answer = session.send(
            parseaddr(self._sender)[1],
            [address for address in addresses if address not in holders],
            self._document(message, memory.get("first", "")),
        )
        if holders and answer.status == 403:
            answer.status = 200
        if answer.status != 200 or answer.fault:
            return answer
        memory = {"first": memory.get("first") or message.id}
        owed = [address for address, (code, _) in session.refused.items() if code < 500]
        if owed and message.status in _NOTICES:
            memory |= {"push": message.id, "taken": [address for address in addresses if address not in owed]}
            answer.status = 503
        answer.remote = json.dumps(memory, separators=(",", ":"))
        return answer

    def _document(self, message: Message, first: str) -> bytes:
        origin = self._server.name
        envelope = Envelope(
            self._sender,
            self._recipients,
            f"{message.id}@{origin}",
            clock.agreed(),
            self._reply_to,
            f"{first}@{origin}" if first and first != message.id else "",
        )
        if message.article is None:
            return digest_mail(envelope, message.text).as_bytes()
        attachment = None
        if self._attached is not None:
            name = file_name("{id}-v{version}.{ext}", message.article, self._attached.extension)
            attachment = Attachment(name, self._attached.media_type, message.text)
        pictures = [Attachment(each.name, each.media_type, each.path.read_bytes()) for each in message.pictures]
        mail = article_mail(envelope, message.article, message.status, self._subject, attachment, pictures)
        return mail.as_bytes()


def destination(settings: EndpointSettings, sender: Sender) -> Mail:
    """Return the mails that the settings of an endpoint describe."""
    mail = settings.mail
    assert mail is not None
    address = urlsplit(settings.url)
    server = Server(
        address.hostname or "",
        address.port or _PORTS[address.scheme],
        sender.origin,
        address.scheme == "smtps",
        mail.starttls,
        tls_of(settings.tls),
        mail.username.get_secret_value() if mail.username else "",
        mail.password.get_secret_value() if mail.password else "",
    )
    attached = ARTICLE_FORMATS[settings.format] if mail.attach and settings.mode == "article" else None
    return Mail(
        sender.guard, server, mail.sender, mail.to, reply_to=mail.reply_to, subject=mail.subject, attached=attached
    )
