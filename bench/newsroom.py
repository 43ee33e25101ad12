"""Dateline as it is measured: `dateline up` with two workers, its own Redis and the settings it comes with.

Subscriptions are written into Redis as the hub writes them once they are verified; everything else comes in by the
doors that are there for it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from celery import Celery

from bench.machine import Usage, descendants
from bench.receiver import WEBHOOK_SECRET, Receiver, secret_of
from config.settings import EXAMPLE, load
from worker import clock
from worker.runtime.celery_app import app, configure
from worker.runtime.listen_address import free_port
from worker.runtime.up import ProcessTree
from worker.store import Store, keys
from worker.wakeups import Wakeups

WORKERS = 2
TOKEN = "token-of-the-benchmark"
_LEASE_MS = 86_400_000
_AT_ONCE = 5_000
_REST_SECONDS, _REST_CORES = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Pushed:
    """How one change was brought to everybody. Seconds from the moment its event was begun to be posted."""

    seconds: list[float]
    """Of each arrival."""
    body: bytes
    busy: str

    @property
    def rate(self) -> float:
        """Deliveries per second until the last one."""
        return len(self.seconds) / self.seconds[-1]


class Newsroom:
    """A stack that is up."""

    def __init__(self, stack: ProcessTree, base_url: str, receiver: Receiver, config: Path) -> None:
        self.store = Store.connect(stack.redis_url)
        self.base_url = base_url
        self._config = config
        self._stack = stack
        self._receiver = receiver
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {TOKEN}"
        self._wakeups = Wakeups(_application(stack.redis_url))

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a command that is to work on this newsroom."""
        return {
            **os.environ,
            "DATELINE_CONFIG": str(self._config),
            "DATELINE_REDIS_URL": self._stack.redis_url,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }

    def subscribe(self, feed: str, paths: Sequence[str], *, hosts: Sequence[int] | None = None) -> None:
        """Subscribe paths of the receiver, up to date; `hosts`: on which of its hosts each is, by default in turn."""
        k = keys.feed(feed)
        client = self.store.client
        client.sadd(keys.RECEIVING, feed)
        head = int(client.hget(k.meta, "head") or 0)
        expires = clock.ms(clock.now()) + _LEASE_MS
        hosts_held: Counter[str] = Counter()
        for begin in range(0, len(paths), _AT_ONCE):
            details, cursors, leases = {}, {}, {}
            for number, path in enumerate(paths[begin : begin + _AT_ONCE], begin):
                name = f"s{uuid4().hex[:24]}"
                callback = self._receiver.url(path, hosts[number] if hosts else number)
                host = urlsplit(callback).hostname or ""
                hosts_held[f"host:{host}"] += 1
                details[name] = json.dumps(
                    {
                        "callback": callback,
                        "format": "atom",
                        "secret": secret_of(path),
                        "expires": expires,
                        "host": host,
                        "client": "127.0.0.1",
                    },
                    separators=(",", ":"),
                )
                cursors[name], leases[name] = head, expires
            pipe = client.pipeline(transaction=False)
            pipe.hset(k.receivers, mapping=details)
            pipe.zadd(k.settled, cursors)
            pipe.zadd(k.leases, leases)
            pipe.hset(k.subscription_counts, mapping={**hosts_held, "client:127.0.0.1": begin + len(details)})
            pipe.execute()

    def publish(self, article: str, section: str, version: int = 1, text: int = 1_000) -> float:
        """Publish or correct an article with a text of so many characters; return when it was begun to be sent."""
        return self.send([event(article, section, version, text)])

    def push(self, feed: str, receivers: int, version: int, text: int = 1_700, article: str = "") -> Pushed:
        """Publish an article (else one of the feed's name); wait until so many receivers have been told, each once."""
        self._receiver.reset()
        usage = self.usage()
        begun = self.publish(article or feed, feed, version, text)
        self._receiver.wait(receivers, 120)
        busy = usage.report()
        counts = self._receiver.counts()
        if not len(counts.paths) == len(counts.arrivals) == receivers or counts.wrong:
            raise RuntimeError(
                f"{len(counts.paths):,} of {receivers:,} were told in {len(counts.arrivals):,} pushes, "
                f"{counts.wrong:,} of them wrongly signed"
            )
        return Pushed([arrival - begun for arrival in counts.arrivals], counts.body, busy)

    def send(self, events: list[dict[str, Any]]) -> float:
        """Post events; all must be accepted. Return the moment before, on time.monotonic()."""
        begun = time.monotonic()
        body = events[0] if len(events) == 1 else events
        answer = self._session.post(f"{self.base_url}/events", json=body, timeout=30)
        if answer.status_code != 202:
            raise RuntimeError(f"events were answered with {answer.status_code}: {answer.text[:500]}")
        return begun

    def wake(self, feed: str) -> None:
        """Send the wake-up call that goes with resuming an endpoint."""
        self._wakeups.distribute(feed)

    def add(self, tables: str) -> None:
        """Write more tables into the settings, and have all processes read them."""
        self._config.write_text(self._config.read_text() + tables)
        self._stack.hang_up()

    def document(self, feed: str) -> str:
        """The Atom document of a feed; empty: there is none yet."""
        answer = self._session.get(f"{self.base_url}/feeds/{feed}.atom", timeout=30)
        return answer.text if answer.status_code == 200 else ""

    def carried_out(self, seconds: float = 120) -> None:
        """Wait until all events that were accepted are carried out."""

        def done() -> bool:
            # Redis 6.2 tells no lag.
            client = self.store.client
            return all(
                not group["pending"] and group["last-delivered-id"] == client.xinfo_stream(stream)["last-generated-id"]
                for stream in (keys.EVENTS, keys.URGENT)
                if client.exists(stream) and client.xinfo_stream(stream)["last-generated-id"] != "0-0"
                for group in client.xinfo_groups(stream)
            )

        until(done, seconds, "all events to be carried out")

    def text_for(self, size: int, feed: str) -> int:
        """How long a text makes the push of one article `size` bytes long. The feed has one subscriber."""
        length = size // 2
        for version in (1, 2):
            length += size - len(self.push(feed, 1, version, length).body)
        return length

    def settled(self, feed: str, seconds: float = 60) -> None:
        """Wait until nobody of the feed is being served or behind."""

        def done() -> bool:
            counts = self.store.receivers.counts(feed)
            return not counts["claimed"] and not counts["behind"]

        until(done, seconds, f"all receivers of {feed} to be up to date")

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return [child.process.pid for child in self._stack.children[1:] if child.process is not None]

    def web(self) -> list[int]:
        """Process ids of the web server."""
        process = self._stack.children[0].process
        assert process is not None
        return descendants(process.pid)

    def redis(self) -> int:
        """Process id of Redis."""
        return int(self.store.client.info("server")["process_id"])

    def usage(self) -> Usage:
        """Begin to watch who is busy."""
        return Usage(
            {
                "workers": self.workers(),
                "Redis": [self.redis()],
                "web": self.web(),
                "receiver": [self._receiver.pid],
                "this": [os.getpid()],
            }
        )

    def rest(self, seconds: float = 60) -> None:
        """Wait until nothing is left to be done: what goes on afterwards is not what the next measurement is of."""

        def done() -> bool:
            usage = self.usage()
            time.sleep(_REST_SECONDS)
            return usage.cores() < _REST_CORES

        until(done, seconds, "the newsroom to rest")

    def redis_bytes(self) -> int:
        """Bytes that Redis uses."""
        return int(self.store.client.info("memory")["used_memory"])


def event(article: str, section: str, version: int = 1, text: int = 1_000, **more: object) -> dict[str, Any]:
    """The event of an article that is new (version 1) or corrected; `more`: fields of the article."""
    return {
        "id": f"evt-{uuid4()}",
        "type": "article.published" if version == 1 else "article.corrected",
        "article": {
            "id": article,
            "version": version,
            "section": section,
            "headline": f"{article}, version {version}",
            "url": f"https://herald.example/{article}",
            "body_html": f"<p>{'x' * text}</p>",
            **more,
        },
    }


@contextmanager
def start(receiver: Receiver, sections: Sequence[str], endpoints: str = "") -> Iterator[Newsroom]:
    """Bring the stack up, one feed for each section; `endpoints`: tables of settings. On failure its log is shown."""
    with (
        TemporaryDirectory(prefix="dateline-bench-") as folder,
        start_in(Path(folder), receiver, feeds(sections) + endpoints) as newsroom,
    ):
        yield newsroom


@contextmanager
def start_in(
    folder: Path,
    receiver: Receiver,
    tables: str,
    variables: Mapping[str, str] | None = None,
    *,
    interpreter: str | None = None,
) -> Iterator[Newsroom]:
    """Bring the stack up with its data in `folder`/data, where an earlier one may have left them.

    `tables`: the feeds and endpoints, as settings; `variables`: for the environment of its processes;
    `interpreter`: which runs them.
    """
    port = free_port("127.0.0.1")
    config = folder / "dateline.toml"
    config.write_text(_settings(port, folder / "data", tables))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ |= variables or {}
    log = folder / "log"
    try:
        with ExitStack() as undo:
            undo.enter_context(_stderr_to(log))
            with _run_by(interpreter):
                stack = undo.enter_context(ProcessTree(load(config, environ), config, WORKERS, environ))
            newsroom = Newsroom(stack, f"http://127.0.0.1:{port}", receiver, config)
            yield newsroom
            newsroom.store.close()
    except Exception as error:
        error.add_note("The end of the log:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-20:]))
        raise


def _application(redis_url: str) -> Celery:
    """A Celery application for this newsroom alone: that of the process keeps its connections to the one before."""
    configure(redis_url)
    own = Celery("dateline-bench", broker=app.conf.broker_url, set_as_current=False)
    own.conf.task_queues = app.conf.task_queues
    return own


@contextmanager
def _run_by(interpreter: str | None) -> Iterator[None]:
    """Have processes that are started run by another interpreter than this one."""
    ours, sys.executable = sys.executable, interpreter or sys.executable
    try:
        yield
    finally:
        sys.executable = ours


def feeds(sections: Sequence[str]) -> str:
    """The settings of one feed for each section."""
    return "".join(
        f'\n[[feeds]]\nname = "{name}"\ntitle = "{name}"\nselect = [{{ section = ["{name}"] }}]\n' for name in sections
    )


def example_feeds() -> str:
    """The feeds of the example newsroom, as settings."""
    text = EXAMPLE.read_text("utf-8")
    return text[text.index("\n[[feeds]]") : text.index("\n[operations]")]


def endpoint(name: str, feed: str, url: str, **more: object) -> str:
    """The settings of one endpoint in article mode."""
    extra = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{feed}"\nmode = "article"\nformat = "json"\n'
        f'url = "{url}"\nsecret = "{WEBHOOK_SECRET}"\n{extra}'
    )


def until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `done`. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)


def _settings(port: int, data: Path, tables: str) -> str:
    return f"""
api_tokens = ["{TOKEN}"]
data_dir = "{data}"

[site]
title = "The Bench Herald"
base_url = "http://127.0.0.1:{port}"
id_authority = "herald.example,2026"

[web]
port = {port}

[delivery]
allow_networks = ["127.0.0.0/8"]
{tables}"""


@contextmanager
def _stderr_to(path: Path) -> Iterator[None]:
    """Have this process and its children write their standard error to a file: the table is not for logs."""
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
