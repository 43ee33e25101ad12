"""A topic of Apache Kafka: each message is produced with the article's id as its key, and acknowledged by all replicas.

The key is what keeps the order: all messages of an article lie in one partition. Kafka's own clients agree on which,
by the hash that aiokafka has, too. kombu's transport for Kafka says no key, so it is no use here.

The cluster names the brokers that are called after the first, so each connection is judged when it is made, not only
the one that the settings name. An event loop runs while a message is under way, and at no other time: when that has
failed, all that the client still had to do ends with it.

Source: Kafka protocol guide, "Produce API", "Error codes"; KIP-98 (idempotent producer).
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import gaierror
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from feeds.formats import ARTICLE_FORMATS
from worker.destinations.brokers import BrokerDestination, Unreachable, answered, failed, properties
from worker.destinations.http import tls_of
from worker.outbound.auth import without
from worker.outbound.errors import Fault, insecurity
from worker.outbound.pem_files import pem_files
from worker.outbound.transfer import DEFAULT_TLS, unsent

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from socket import socket

    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message
    from worker.destinations.sender import Sender
    from worker.outbound.guard import Guard
    from worker.outbound.transfer import Answer, Tls

_PORT = 9092
_REQUEST_BYTES = 64 * 2**20
"""How large a request may be to our client: the broker says what it takes (`message.max.bytes`)."""
_TOO_LARGE = frozenset({"MessageSizeTooLargeError", "RecordListTooLargeError", "RecordTooLargeError"})
_FOR_A_PERSON = frozenset(
    {
        *("TopicAuthorizationFailedError", "ClusterAuthorizationFailedError", "InvalidTopicError"),
        *("UnknownTopicOrPartitionError", "UnsupportedSaslMechanismError", "IllegalSaslStateError"),
        *("AuthenticationFailedError", "AuthenticationMethodNotSupported", "SaslAuthenticationFailed"),
        *("UnsupportedVersionError", "IncompatibleBrokerVersion", "TransactionalIdAuthorizationFailed"),
    }
)
"""What no repetition mends."""
_OF_THE_MESSAGE = frozenset({"CorruptRecordException", "InvalidTimestampError", "PolicyViolationError"})
_END_SECONDS = 1.0
"""How long tasks may take to end that were cancelled."""
_ENDINGS = 5


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that calls only addresses that the guard permits, and that can be ended at any moment.

    `refused`: the last address that the guard does not permit.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard
        self._opened: list[asyncio.Transport] = []
        self.refused = ""

    async def sock_connect(self, sock: socket, address: Any) -> None:
        """Connect a socket. Raises PermissionError."""
        host = str(address[0])
        if not self._guard.permits(ip_address(host)):
            self.refused = host
            raise PermissionError(f"the address {host} is not allowed")
        await super().sock_connect(sock, address)

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Make a connection."""
        connection = await super().create_connection(*args, **options)
        self._opened = [transport for transport in self._opened if not transport.is_closing()] + [connection[0]]
        return connection

    def end(self, last_words: Coroutine[Any, Any, None] | None = None) -> None:
        """Begin with the last words, give up all tasks and connections, and close."""
        tasks = {self.create_task(last_words)} if last_words else set()
        self.run_until_complete(asyncio.sleep(0))
        # What is cancelled may begin something else as it ends.
        for _ in range(_ENDINGS):
            if not (tasks := asyncio.all_tasks(self) | {task for task in tasks if not task.done()}):
                break
            for task in tasks:
                task.cancel()
            self.run_until_complete(asyncio.wait(tasks, timeout=_END_SECONDS))
        for transport in self._opened:
            # Python 3.11.2, which Debian 12 has, raises it where one over TLS was closed twice.
            with suppress(AttributeError):
                transport.abort()
        # What they still have to say to their protocols.
        for _ in range(3):
            self.run_until_complete(asyncio.sleep(0))
        self.close()


class _LoggedErrors(logging.Handler):
    """Keeps the last error that the client has logged in each thread: it raises a general one."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: dict[int, Exception] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        for argument in arguments:
            if isinstance(argument, type) and issubclass(argument, Exception):
                self.errors[get_ident()] = argument()
            elif isinstance(argument, Exception):
                self.errors[get_ident()] = argument


_logged_errors = _LoggedErrors()
_client_log = logging.getLogger("aiokafka")
_client_log.addHandler(_logged_errors)
_client_log.propagate = False


class Producer(NamedTuple):
    """A client that is connected, and the loop that it lives in."""

    client: Any
    loop: _Loop


@dataclass(frozen=True)
class Cluster:
    """Where a cluster is, and who we are there. `tls`: how secure connections are made; None: they are plain ones."""

    servers: tuple[str, ...]
    tls: Tls | None
    mechanism: str
    username: str
    password: str = field(repr=False)
    guard: Guard

    def client(self, seconds: float) -> Any:
        """Return a producer of aiokafka's that is to be started. Called in its loop. Raises Unreachable."""
        from aiokafka import AIOKafkaProducer

        signed_in = {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }
        return AIOKafkaProducer(
            bootstrap_servers=list(self.servers),
            client_id="dateline",
            acks="all",
            enable_idempotence=True,
            # Before we give up: it knows what it waits for.
            request_timeout_ms=max(1, round(seconds * 800)),
            max_request_size=_REQUEST_BYTES,
            security_protocol=("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT"),
            ssl_context=self._secured() if self.tls else None,
            **(signed_in if self.username else {}),
        )

    def line(self, error: Exception) -> str:
        """Return an error in the words of the client, on one line, without our password."""
        text = "".join(filter(str.isprintable, str(error).replace("\n", " ")))
        return f"{type(error).__name__}: {without(text, self.password)}".rstrip(": ")[:200]

    def _secured(self) -> ssl.SSLContext:
        with pem_files(self.tls or DEFAULT_TLS) as files:
            try:
                context = ssl.create_default_context(cafile=files.ca)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                if files.cert:
                    context.load_cert_chain(files.cert, files.key)
            except (OSError, ValueError) as error:
                raise Unreachable(Fault.TLS, f"its certificates can't be used: {self.line(error)}") from None
        return context


class Topic(BrokerDestination[Producer]):
    """One topic of a cluster."""

    def __init__(self, cluster: Cluster, topic: str, media_type: str) -> None:
        super().__init__(cluster.servers[0])
        self._cluster = cluster
        self._topic = topic
        self._media_type = media_type

    def connect(self, seconds: float) -> Producer:
        """Return a producer that knows the cluster. Raises Unreachable."""
        loop = _Loop(self._cluster.guard)
        producer = Producer(None, loop)

        async def start() -> Any:
            nonlocal producer
            producer = Producer(self._cluster.client(seconds), loop)
            await producer.client.start()

        try:
            _run(loop, start(), seconds)
        except Exception as error:
            self.disconnect(producer)
            if isinstance(error, Unreachable):
                raise
            raise _unreachable(_cause(error), loop, self._cluster) from None
        return producer

    def publish(self, connection: Producer, message: Message, delivery: Delivery, seconds: float) -> Answer:
        """Produce a message and wait until all replicas that are in sync have it."""
        assert message.article is not None
        words = properties(message, delivery, self._media_type)
        headers = [(name, value.encode()) for name, value in words.items() if name != "article-id"]
        sent = connection.client.send_and_wait(
            self._topic, message.payload, message.article.id.encode(), headers=headers
        )
        try:
            _run(connection.loop, sent, seconds)
        except Exception as error:  # noqa: BLE001 (as above)
            return _judged(_cause(error), connection.loop, self._cluster, seconds)
        return answered(200)

    @staticmethod
    def disconnect(connection: Producer) -> None:
        """End a producer with all that it had to do."""
        client, loop = connection
        if loop.is_closed():
            return
        # It waits until all is sent, and is not waited for: it knows that it is stopped as soon as that has begun.
        loop.end(client.stop() if client is not None else None)


def _run(loop: _Loop, work: Coroutine[Any, Any, Any], seconds: float) -> None:
    _logged_errors.errors.pop(get_ident(), None)
    loop.run_until_complete(asyncio.wait_for(work, seconds))


def _cause(error: Exception) -> Exception:
    """What is behind an error: what the client has logged, if it raises none of its own."""
    logged = _logged_errors.errors.pop(get_ident(), error)
    general = isinstance(error, TimeoutError) or type(error).__name__ in {"KafkaConnectionError", "KafkaTimeoutError"}
    return logged if general else error


def _unreachable(error: Exception, loop: _Loop, cluster: Cluster) -> Unreachable:
    """Return why there is no connection."""
    if loop.refused:
        return Unreachable(Fault.FORBIDDEN, f"the address {loop.refused} is not allowed")
    if type(error).__name__ in _FOR_A_PERSON:
        return Unreachable(Fault.DENIED, f"the cluster refuses us: {cluster.line(error)}")
    match error:
        case ssl.SSLError():
            fault, reason = Fault.TLS, insecurity(error)
        case gaierror():
            fault, reason = Fault.DNS, "a broker's name has no address"
        case TimeoutError():
            fault, reason = Fault.TIMEOUT, "no broker has answered in time"
        case OSError():
            fault, reason = Fault.CONNECT, f"no connection: {os.strerror(error.errno) if error.errno else error}"
        case _:
            fault, reason = Fault.PROTOCOL, f"it does not speak Kafka's protocol: {cluster.line(error)}"
    return Unreachable(fault, reason)


def _judged(error: Exception, loop: _Loop, cluster: Cluster, seconds: float) -> Answer:
    """What it means that a message was not acknowledged."""
    name = type(error).__name__
    if loop.refused:
        answer = unsent(Fault.FORBIDDEN, f"the address {loop.refused} is not allowed")
    elif name in _FOR_A_PERSON:
        answer = unsent(Fault.DENIED, f"the cluster refuses us: {cluster.line(error)}")
    elif name in _TOO_LARGE:
        answer = answered(413, "the message is larger than the topic takes")
    elif name in _OF_THE_MESSAGE:
        answer = answered(400, f"refused: {cluster.line(error)}")
    elif isinstance(error, TimeoutError) or name == "RequestTimedOutError":
        answer = failed(Fault.TIMEOUT, f"not acknowledged within {seconds:.0f} s")
    elif isinstance(error, OSError) or name == "KafkaConnectionError":
        answer = failed(Fault.RESET, f"the connection broke: {cluster.line(error)}")
    else:
        answer = answered(503, f"not acknowledged: {cluster.line(error)}")
    return answer


def destination(settings: EndpointSettings, sender: Sender) -> Topic:
    """Return the topic that the settings of an endpoint describe."""
    own = settings.kafka
    assert own is not None
    parts = urlsplit(settings.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    cluster = Cluster(
        (f"{host}:{parts.port or _PORT}", *own.servers),
        tls_of(settings.tls) if parts.scheme == "kafka+ssl" else None,
        own.mechanism,
        own.username,
        own.password.get_secret_value(),
        sender.guard,
    )
    return Topic(cluster, own.topic, ARTICLE_FORMATS[settings.format].media_type)
