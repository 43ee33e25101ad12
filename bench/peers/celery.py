"""Runs the peers on Celery: a Redis of the same kind as Dateline's, worker processes, and how fast they deliver."""

from __future__ import annotations

import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import requests

from bench.newsroom import until
from bench.peers import front, hub, post
from bench.peers.running import running
from bench.receiver import Receiver, secret_of
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.runtime.listen_address import free_port


@dataclass(frozen=True, slots=True)
class Pool:
    """So many Celery worker processes with a pool of that kind and size."""

    kind: str
    size: int
    workers: int

    def __str__(self) -> str:
        return f"{self.workers} x {self.kind} {self.size}"


POOLS = (
    Pool("prefork", 2, 1),
    Pool("prefork", 4, 1),
    Pool("prefork", 8, 1),
    Pool("threads", 8, 2),
    Pool("threads", 32, 2),
)
"""What is tried. Two threads workers have as many processes as Dateline's two; prefork has one for each place."""


@contextmanager
def _broker() -> Iterator[str]:
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            yield f"redis+socket://{server.url.removeprefix('unix://')}"
        finally:
            server.stop()


def _processes(commands: Sequence[Sequence[str]], environ: Mapping[str, str]) -> AbstractContextManager[list[int]]:
    """Programs of this Python that run meanwhile."""
    return running([[sys.executable, "-m", *command] for command in commands], environ)


def _workers(module: str, pool: Pool) -> list[list[str]]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "CRITICAL"]
    return [
        ["celery", "-A", module, "worker", "-n", f"peer{n}", "-P", pool.kind, "-c", str(pool.size), *quiet]
        for n in range(pool.workers)
    ]


class PostPeer:
    """Peer (a) running."""

    def __init__(self, receiver: Receiver, broker: str) -> None:
        self._receiver = receiver
        self._deliver = post.make_app(broker).task(name="deliver")(post.deliver.run)

    def rate(self, paths: Sequence[str], body: bytes) -> float:
        """Deliveries per second from the first `delay` to the last arrival."""
        text = body.decode()
        self._receiver.reset()
        begun = time.monotonic()
        for number, path in enumerate(paths):
            self._deliver.delay(self._receiver.url(path, number), secret_of(path), text)
        return len(paths) / (self._receiver.wait(len(paths), 300) - begun)


class HubPeer:
    """Peer (b) running."""

    def __init__(self, receiver: Receiver, broker: str, storage: Path) -> None:
        self._receiver = receiver
        self._hub = hub.make_hub(post.make_app(broker), storage)

    def subscribe(self, topic: str, paths: Sequence[str]) -> None:
        """Write subscriptions into its storage, in one transaction."""
        rows = [(topic, self._receiver.url(path, number), 86_400, secret_of(path)) for number, path in enumerate(paths)]
        with self._hub.storage.connection() as connection:
            connection.executemany(self._hub.storage.SETITEM_SQL, rows)

    def rate(self, topic: str, subscribers: int, body: bytes) -> float:
        """Deliveries per second from the change being told to the last arrival."""
        headers = {"Link": f'<{topic}>; rel="self", <{topic}/hub>; rel="hub"', "Content-Type": "application/atom+xml"}
        content = {"headers": headers, "content": b64encode(body).decode()}
        self._receiver.reset()
        begun = time.monotonic()
        self._hub.send_change_notification.delay(topic, content)
        return subscribers / (self._receiver.wait(subscribers, 300) - begun)


@contextmanager
def post_peer(receiver: Receiver, pool: Pool) -> Iterator[PostPeer]:
    """Run peer (a), warm."""
    with _broker() as broker, _processes(_workers("bench.peers.post", pool), {post.BROKER: broker}):
        peer = PostPeer(receiver, broker)
        peer.rate([f"/o/warm{n}" for n in range(100)], b"warm")
        yield peer


@contextmanager
def hub_peer(receiver: Receiver, pool: Pool) -> Iterator[HubPeer]:
    """Run peer (b), warm."""
    with TemporaryDirectory(prefix="dateline-bench-") as folder, _broker() as broker:
        storage = Path(folder, "hub.sqlite3")
        peer = HubPeer(receiver, broker, storage)
        peer.subscribe("warm", [f"/o/warm{n}" for n in range(100)])
        environ = {post.BROKER: broker, hub.STORAGE: str(storage)}
        with _processes(_workers("bench.peers.hub", pool), environ):
            peer.rate("warm", 100, b"warm")
            yield peer


@contextmanager
def front_peer(receiver: Receiver, pool: Pool, path: str) -> Iterator[str]:
    """Run peer (a) with a web server before it; yield the URL that takes events."""
    with ExitStack() as stack:
        broker = stack.enter_context(_broker())
        environ = {post.BROKER: broker, front.TARGET: receiver.url(path, 0), front.SECRET: secret_of(path)}
        port = free_port("127.0.0.1")
        server = ["uvicorn", "--port", str(port), "--log-level", "error", "--no-access-log", "bench.peers.front:app"]
        stack.enter_context(_processes([*_workers("bench.peers.post", pool), server], environ))
        url = f"http://127.0.0.1:{port}/events"

        def listens() -> bool:
            try:
                return requests.get(url, timeout=2).status_code == 405
            except requests.ConnectionError:
                return False

        until(listens, 30, "the web server of peer (a)")
        PostPeer(receiver, broker).rate([f"/o/warm{n}" for n in range(100)], b"warm")
        yield url


@cache
def best_pool(scale: float) -> tuple[Pool, str]:
    """The pool with which peer (a) delivers fastest here, and how fast each was. Tried once in a run."""
    body, probes = b"x" * 4_096, max(200, int(500 * scale))
    rates: dict[Pool, float] = {}
    with Receiver() as receiver:
        for pool in POOLS if scale >= 1 else POOLS[1::2]:
            with post_peer(receiver, pool) as peer:
                rates[pool] = median(peer.rate([f"/o/{n}" for n in range(probes)], body) for _ in range(3))
    best = max(rates, key=rates.__getitem__)
    return best, ", ".join(f"{pool}: {rate:.0f}/s" for pool, rate in rates.items())
