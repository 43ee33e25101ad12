"""Workers take over what is managed: at once, all of them, and without losing or repeating anything."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from receiver import Answer, Receiver
from standardwebhooks import Webhook

from config.settings import load
from worker.management.callers import shell
from worker.management.sealing import new_key
from worker.record import Record
from worker.runtime.wiring import Services, WorkerRuntime, build
from worker.store import Store

ADMIN = shell("mira")
SETTINGS = """
record_url = "{record_url}"
[management]
secret_key = "{key}"
[delivery]
allow_networks = ["127.0.0.0/8"]
[[feeds]]
name = "all"
title = "All articles"
[[endpoints]]
name = "filed"
feed = "all"
format = "json"
url = "{url}/filed"
"""


class Newsroom:
    """Two workers, each with services of its own, on one Redis and one record."""

    def __init__(self, folder: Path, record_url: str, redis_url: str, receiver: Receiver) -> None:
        config = folder / "dateline.toml"
        config.write_text(SETTINGS.format(record_url=record_url, key=new_key(), url=receiver.url.rstrip("/")))
        self.receiver = receiver
        self._numbers = iter(range(1, 1000))
        self.workers: list[WorkerRuntime] = []
        self._stack = ExitStack()
        self._settings = load(config, {})
        self._redis_url = redis_url
        self.services = self._build()
        for _ in range(2):
            self.start()

    def _build(self) -> Services:
        services = build(self._settings, self._redis_url)
        self._stack.callback(services.close)
        return services

    def start(self) -> WorkerRuntime:
        runtime = WorkerRuntime(self._build(), distributes=True)
        runtime.start()
        self._stack.callback(runtime.stop)
        self.workers.append(runtime)
        return runtime

    def values(self, path: str) -> dict[str, object]:
        return {"feed": "all", "format": "json", "url": f"{self.receiver.url.rstrip('/')}/{path}"}

    def know(self, name: str, path: str) -> bool:
        """Whether every worker pushes to this endpoint at this path."""
        known = [runtime._directory.by_name.get(name) for runtime in self.workers]
        return all(endpoint is not None and endpoint.url.endswith(f"/{path}") for endpoint in known)

    def publish(self) -> str:
        article_id = f"a{next(self._numbers)}"
        event = {
            "id": f"evt-{article_id}",
            "action": "publish",
            "article": {
                "id": article_id,
                "headline": article_id,
                "body_html": "<p>x</p>",
                "url": f"https://paper.example/{article_id}",
                "published": "2026-03-01T10:00:00Z",
                "version": 1,
            },
        }
        from worker import clock

        self.services.intake.accept([event], clock.agreed(), way="cli", sender="test")
        for runtime in self.workers[:1]:
            runtime.newsroom.events.consume()
        return article_id

    def got(self, path: str) -> list[str]:
        return [request.path for request in self.receiver.requests if request.path.endswith(f"/{path}")]

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def newsroom(
    tmp_path: Path, record: Record, record_url: str, redis_url: str, store: Store, receiver: Receiver
) -> Iterator[Newsroom]:
    assert store.client.ping()
    assert record.schema()
    newsroom = Newsroom(tmp_path, record_url, redis_url, receiver)
    yield newsroom
    newsroom.close()
