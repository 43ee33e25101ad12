"""A message broker: each message is published to an exchange, and has arrived when the broker confirms it.

AMQP 0-9-1 with publisher confirms (RabbitMQ's extension) by py-amqp, Celery's own client. A message is persistent and
mandatory: one that no queue gets is a refusal, not a loss. Its `message_id` is that of the push, so whoever reads it
knows a repeat; all messages of an article have its id in the header `message-key`, and leave one after the other, so a
consumer or a consistent-hash exchange that goes by it keeps their order.

What lies in a queue can't be called back: a kill is a message of its own, and nobody can look whether it was read.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import IPPROTO_TCP, SOCK_STREAM, gaierror, getaddrinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from config.queue_settings import ROUTING_FIELDS
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.destinations.brokers import BrokerDestination, Unreachable, answered, failed
from worker.destinations.http import tls_of
from worker.outbound.auth import without
from worker.outbound.errors import Fault, insecurity
from worker.outbound.pem_files import pem_files
from worker.outbound.transfer import DEFAULT_TLS, unsent

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message
    from worker.destinations.sender import Sender
    from worker.outbound.guard import Guard
    from worker.outbound.pem_files import PemFiles
    from worker.outbound.transfer import Answer, Tls

_PORTS = {"amqp": 5672, "amqps": 5671}
_CHANNEL = 1
_STATUSES = {311: 413, 404: 404, 406: 400}
"""What AMQP's reply codes (0-9-1, section 1.2) are in the words of HTTP; of all others the broker is at fault."""


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and who we are there. `tls`: how a secure connection is made; None: it is a plain one."""

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(repr=False)
    tls: Tls | None
    guard: Guard

    def connect(self, seconds: float) -> Any:
        """Return a connection of py-amqp's to the first address that the guard permits. Raises Unreachable."""
        with pem_files(self.tls or DEFAULT_TLS) as files:
            return self._connection(seconds, _secured(files, self.host) if self.tls else None)

    def _connection(self, seconds: float, secured: dict[str, Any] | None) -> Any:
        from amqp import Connection
        from amqp.exceptions import AccessRefused, NotAllowed

        reason: Unreachable | None = None
        for address in self._addresses():
            if not self.guard.permits(ip_address(address)):
                reason = reason or Unreachable(Fault.FORBIDDEN, f"the address {address} is not allowed")
                continue
            # An address, so that what was judged is what is called.
            host = f"[{address}]" if ":" in address else address
            connection = Connection(
                f"{host}:{self.port}",
                self.user,
                self.password,
                virtual_host=self.virtual_host,
                login_method="PLAIN",
                ssl=secured or False,
                confirm_publish=True,
                connect_timeout=seconds,
                read_timeout=seconds,
                write_timeout=seconds,
            )
            try:
                connection.connect()
            except (AccessRefused, NotAllowed) as error:
                connection.collect()
                raise Unreachable(Fault.DENIED, f"the broker refuses us: {self.words_of(error)}") from None
            except ssl.SSLError as error:
                connection.collect()
                reason = Unreachable(Fault.TLS, insecurity(error))
            except OSError as error:
                connection.collect()
                timed_out = isinstance(error, TimeoutError)
                reason = Unreachable(
                    Fault.TIMEOUT if timed_out else Fault.CONNECT, f"no connection: {error.strerror or error}"
                )
            except Exception as error:  # noqa: BLE001 (what is no broker answers anything)
                connection.collect()
                reason = Unreachable(Fault.PROTOCOL, f"it does not speak AMQP: {type(error).__name__}")
            else:
                return connection
        raise reason or Unreachable(Fault.DNS, f"{self.host} has no address")

    def words_of(self, error: Any) -> str:
        """Return what the broker says, on one line and without our password."""
        text = " ".join(str(getattr(error, "reply_text", "") or error).split())
        return without(text, self.password)[:200]

    def _addresses(self) -> list[str]:
        try:
            entries = getaddrinfo(self.host, self.port, type=SOCK_STREAM, proto=IPPROTO_TCP)
        except (gaierror, UnicodeError):
            raise Unreachable(Fault.DNS, f"{self.host} has no address") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class QueueDestination(BrokerDestination[Any]):
    """One exchange of a broker."""

    def __init__(self, broker: Broker, exchange: str, routing_key: str, media_type: str) -> None:
        super().__init__(f"{broker.host}:{broker.port}")
        self._broker = broker
        self._exchange = exchange
        self._routing_key = routing_key
        self._media_type = media_type

    def connect(self, seconds: float) -> Any:
        """Return a connection of py-amqp's. Raises Unreachable."""
        return self._broker.connect(seconds)

    @staticmethod
    def disconnect(connection: Any) -> None:
        """End a connection."""
        connection.collect()

    def publish(self, connection: Any, message: Message, delivery: Delivery, seconds: float) -> Answer:
        """Publish a message and wait until it is confirmed."""
        from amqp.exceptions import AMQPError, MessageNacked

        returned: list[str] = []
        blocked: list[str] = []
        connection.on_blocked = blocked.append
        try:
            channel = connection.channels.get(_CHANNEL) or connection.channel(_CHANNEL)
            channel.events["basic_return"] = {lambda error, *_: returned.append(self._broker.words_of(error))}
            channel.basic_publish_confirm(
                self._message(message, delivery),
                exchange=self._exchange,
                routing_key=self._routing_key_of(message),
                mandatory=True,
                timeout=seconds,
                confirm_timeout=seconds,
            )
        except (AMQPError, MessageNacked, OSError) as error:
            return self._unconfirmed(error, blocked, seconds)
        return answered(404, f"no queue gets it: {returned[0]}") if returned else answered(200)

    def _unconfirmed(self, error: Exception, blocked: list[str], seconds: float) -> Answer:
        """What it means that a message was not confirmed. `blocked`: why the broker takes nothing, if it says so."""
        from amqp.exceptions import AccessRefused, MessageNacked

        match error:
            case MessageNacked():
                return answered(507, "the broker did not keep it: its queue is full")
            case AccessRefused():
                return unsent(Fault.DENIED, f"the broker refuses us: {self._broker.words_of(error)}")
            case TimeoutError() if blocked:
                return answered(507, f"the broker takes nothing for now: {blocked[0]}")
            case TimeoutError():
                return failed(Fault.TIMEOUT, f"not confirmed within {seconds:.0f} s")
            case OSError():
                return failed(Fault.RESET, f"the connection broke: {error.strerror or type(error).__name__}")
        status = _STATUSES.get(getattr(error, "reply_code", 0) or 0, 503)
        return answered(status, f"the broker answers: {self._broker.words_of(error)}")

    def _message(self, message: Message, delivery: Delivery) -> Any:
        from amqp.basic_message import Message as QueueMessage

        article = message.article
        headers: dict[str, Any] = {"status": message.status}
        if article is not None:
            headers |= {"article-id": article.id, "article-version": article.version, "message-key": article.id}
        if delivery.replay_id:
            headers["dateline-replay"] = delivery.replay_id
        if delivery.test:
            headers["dateline-test"] = True
        return QueueMessage(
            message.payload,
            content_type=self._media_type,
            content_encoding="utf-8",
            application_headers=headers,
            delivery_mode=2,
            message_id=message.id,
            timestamp=int(time.time()),
            type=message.status,
            app_id="dateline",
        )

    def _routing_key_of(self, message: Message) -> str:
        article = message.article
        fields = dict.fromkeys(ROUTING_FIELDS, "")
        fields["status"] = message.status
        if article is not None:
            fields |= {"id": article.id, "section": article.section}
        key = self._routing_key
        for name, value in fields.items():
            key = key.replace(f"{{{name}}}", value)
        # What is longer AMQP can't say (short strings, 0-9-1, section 4.2.5.3).
        return key.encode()[:255].decode(errors="ignore")


def destination(settings: EndpointSettings, sender: Sender) -> QueueDestination:
    """Return the destination that the settings describe."""
    own = settings.queue
    assert own is not None
    parts = urlsplit(settings.url)
    formats = ARTICLE_FORMATS if settings.mode == "article" else FEED_FORMATS
    broker = Broker(
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        unquote(parts.path[1:]) or "/",
        own.username,
        own.password.get_secret_value(),
        tls_of(settings.tls) if parts.scheme == "amqps" else None,
        sender.guard,
    )
    return QueueDestination(broker, own.exchange, own.routing_key, formats[settings.format].media_type)


def _secured(files: PemFiles, host: str) -> dict[str, Any]:
    """What py-amqp takes to check the certificate of the broker, and to show one of ours."""
    paths = {"ca_certs": files.ca, "certfile": files.cert, "keyfile": files.key}
    return {
        "server_hostname": host,
        "cert_reqs": ssl.CERT_REQUIRED,
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
        **{name: path for name, path in paths.items() if path},
    }
