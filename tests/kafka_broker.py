"""A broker of Kafka for tests: one topic log, as much of the protocol as a producer needs, and whatever goes wrong.

How requests and answers are written is aiokafka's; what they mean is told here, after the Kafka protocol guide. Beside
it stands the cluster of librdkafka, which is another's work, and in which nothing goes wrong.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.protocol import admin, metadata, produce, transaction
from aiokafka.record import MemoryRecords
from waiting import until

USER, PASSWORD = "herald", "a-kafka-secret"
_CODES = {"TOPIC_AUTHORIZATION_FAILED": 29, "SASL_AUTHENTICATION_FAILED": 58, "UNKNOWN_TOPIC_OR_PARTITION": 3}
_PARTITIONS = 3


class Record(NamedTuple):
    """A record of a log."""

    partition: int
    key: str
    value: str
    headers: dict[str, str]


class KafkaBroker:
    """A cluster of one, on 127.0.0.1. `advertised`: the host that it says its broker is on.

    `behave(topic)` says what becomes of a record: an error code of Kafka, "lost" (it is kept, and the connection cut
    before the answer), "silent" (it is kept, and nothing is answered), or 0.
    """

    def __init__(self, *topics: str, user: bool = False, tls: str = "") -> None:
        self.advertised = "127.0.0.1"
        self.behave: Callable[[str], int | str] = lambda _: 0
        self.records: dict[str, list[Record]] = {topic: [] for topic in topics}
        self.connections = 0
        self._sequences: dict[tuple[str, int, int], int] = {}
        self._producers = 0
        self._user = user
        self._tls = tls
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(60)

    def cut(self) -> None:
        """Cut all connections."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(60)

    def until_left(self) -> None:
        """Wait until nobody is connected any more: what was sent has been read."""
        until(lambda: not self._open)

    async def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def close(self) -> None:
        self.cut()
        self.until_left()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _run(self) -> None:
        context = None
        if self._tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._tls)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0.01))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        signed_in = not self._user
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(4))
                request = BytesIO(await reader.readexactly(size))
                key, version = int.from_bytes(request.read(2)), int.from_bytes(request.read(2))
                correlation = request.read(4)
                request.read(max(0, int.from_bytes(request.read(2), signed=True)))
                answer: Any
                if key == 36:
                    said = admin.SaslAuthenticateRequest_v0.decode(request).sasl_auth_bytes
                    signed_in = said.split(b"\0")[1:] == [USER.encode(), PASSWORD.encode()]
                    code = 0 if signed_in else _CODES["SASL_AUTHENTICATION_FAILED"]
                    answer = admin.SaslAuthenticateResponse_v0(code, f"who is {said.decode()}?", b"")
                else:
                    assert signed_in or key in {17, 18}, "it asks before it has signed in"
                    answer = self._answer(key, version, request)
                if answer == "lost":
                    break
                if answer != "silent":
                    body = correlation + answer.encode()
                    writer.write(len(body).to_bytes(4) + body)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            self._open.discard(writer)

    def _answer(self, key: int, version: int, request: BytesIO) -> Any:
        match key, version:
            case 18, 0:
                known = [(0, 3, 3), (3, 1, 1), (17, 1, 1), (18, 0, 0), (22, 0, 0), (36, 0, 0)]
                return admin.ApiVersionResponse_v0(0, known)
            case 17, 1:
                return admin.SaslHandShakeResponse_v1(0, ["PLAIN"])
            case 3, 1:
                names = metadata.MetadataRequest_v1.decode(request).topics
                topics = [self._topic(name) for name in (self.records if names is None else names)]
                return metadata.MetadataResponse_v1([(1, self.advertised, self.port, None)], 1, topics)
            case 22, 0:
                self._producers += 1
                return transaction.InitProducerIdResponse_v0(0, 0, self._producers, 0)
            case 0, 3:
                return self._produce(produce.ProduceRequest_v3.decode(request))
        raise AssertionError((key, version))

    def _topic(self, name: str) -> tuple[Any, ...]:
        if name not in self.records:
            return _CODES["UNKNOWN_TOPIC_OR_PARTITION"], name, False, []
        return 0, name, False, [(0, partition, 1, [1], [1]) for partition in range(_PARTITIONS)]

    def _produce(self, request: Any) -> Any:
        assert request.required_acks == -1
        answers: list[Any] = []
        fate: int | str = 0
        for topic, partitions in request.topics:
            for partition, data in partitions:
                fate = self.behave(topic)
                if not isinstance(fate, int) or fate == 0:
                    self._keep(topic, partition, data)
                answers.append((topic, [(partition, fate if isinstance(fate, int) else 0, 0, -1)]))
        return fate if isinstance(fate, str) else produce.ProduceResponse_v3(answers, 0)

    def _keep(self, topic: str, partition: int, data: bytes) -> None:
        batches = MemoryRecords(bytes(data))
        while batches.has_next():
            batch = batches.next_batch()
            last = (topic, partition, batch.producer_id)
            if self._sequences.get(last, -1) >= batch.base_sequence:
                continue  # KIP-98: it has come already
            self._sequences[last] = batch.base_sequence
            for record in batch:
                headers = {name: value.decode() for name, value in record.headers}
                self.records[topic].append(Record(partition, record.key.decode(), record.value.decode(), headers))
