"""A web process and a worker in one process, on a real Redis and a real record, for tests of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import empty_record
from newsroom import published
from receiver import Receiver
from starlette.testclient import TestClient
from waiting import PATIENCE_SECONDS, until

from config.settings import load
from web.app import WebProcess
from worker import clock
from worker.management.callers import Bounds, shell
from worker.management.scopes import ALL
from worker.runtime.services import build
from worker.runtime.wiring import WorkerRuntime

TOKEN = "the-token-of-the-file"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
ROOT = shell("test")


def settings_text(folder: Path, receiver: Receiver, more: str = "") -> str:
    return f"""
api_tokens = ["{TOKEN}"]
data_dir = "{folder}"
[management]
secret_key = "{"k" * 42}8="
[site]
base_url = "http://testserver"
[delivery]
allow_networks = ["127.0.0.0/8"]
timeout = 100
connect_timeout = 60
claim_seconds = 120
{more}
[[feeds]]
name = "world"
title = "World"
select = [{{ section = ["world"] }}]
[[feeds]]
name = "sport"
title = "Sport"
select = [{{ section = ["sport"] }}]
[[feeds]]
name = "picks"
title = "Editor Picks"
list = "Editor Picks"
[[endpoints]]
name = "portal"
feed = "world"
format = "json"
url = "{receiver.url}/portal"
secret = "{SECRET}"
[[endpoints]]
name = "arena"
feed = "sport"
format = "ninjs31"
url = "{receiver.url}/arena"
[[endpoints]]
name = "reader"
feed = "world"
mode = "feed"
format = "atom"
url = "{receiver.url}/reader"
"""


class ApiProcess:
    """What a client of the API sees, and what is behind it."""

    def __init__(self, client: TestClient, web: WebProcess, runtime: WorkerRuntime, receiver: Receiver) -> None:
        self.client = client
        self.web = web
        self.runtime = runtime
        self.services = runtime.services
        self.receiver = receiver

    def key(self, *scopes: str, bounds: Bounds = Bounds(), every: bool = False) -> str:  # noqa: B008
        """A key with these scopes, which this process knows."""
        chosen: Collection[str] = ALL if every else scopes
        created = self.services.management.keys.create(ROOT, f"k{uuid4().hex[:10]}", chosen, bounds)
        self.until(lambda: self.services.management.ring.caller(created.token, clock.ms(clock.agreed())), "the key")
        return created.token

    def ask(self, method: str, path: str, token: str = TOKEN, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, token: str = TOKEN, **more: Any) -> Any:
        """The JSON that an address answers, which must be 200."""
        answer = self.ask("GET", path, token, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status_of(
        self, method: str, path: str, fields: Mapping[str, str], receive: Callable[[], Awaitable[dict[str, Any]]]
    ) -> int:
        """What a request is answered whose body comes as `receive` has it (ASGI 3)."""
        statuses: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        headers = [(name.lower().encode(), value.encode()) for name, value in ({"Host": "testserver"} | fields).items()]
        address = {"type": "http", "method": method, "path": path, "query_string": b"", "client": ("127.0.0.1", 1)}
        asyncio.run(self.web.application({**address, "headers": headers}, receive, send))  # type: ignore[arg-type]
        (status,) = statuses
        return status

    def publish(self, article_id: str, section: str = "world", version: int = 1, **more: Any) -> dict[str, Any]:
        """Send an article, and have it carried out; return the event."""
        event = published(article_id, section, version, **more)
        answer = self.client.post("/events", json=event, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 202, answer.text
        self.consume()
        return event

    def consume(self) -> None:
        """Have what was accepted carried out, as a wake-up call would; return when it is, by whichever thread."""
        self.until(lambda: self.runtime.newsroom.events.consume() + self._waiting() == 0, "the events")

    def _waiting(self) -> int:
        return self.services.store.events.waiting()

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until something is so; what is asserted on the way, as that there is an answer at all, may come late."""
        reasons: list[str] = []

        def so() -> Any:
            try:
                return condition()
            except AssertionError as error:
                reasons.append(str(error))
                return None

        return until(so, lambda: f"{what}; {reasons[-1:]}")


@contextmanager
def api_process(folder: Path, redis_url: str, receiver: Receiver, more: str = "") -> Iterator[ApiProcess]:
    """Start one, on an empty Redis and a new record."""
    config = folder / "dateline.toml"
    config.write_text(settings_text(folder, receiver, more))
    empty_record.put(folder / "record.db")
    services = build(load(config, {"DATELINE_REDIS_URL": redis_url}), redis_url)
    services.store.client.flushall()
    # All that is in this process waits for one another: that the record is slow then is no reason to do without it.
    services.commits._wait_seconds = PATIENCE_SECONDS
    runtime = WorkerRuntime(services, queues=("distribute",))
    runtime.start()
    web = WebProcess(services)
    try:
        with TestClient(web.application, raise_server_exceptions=False) as client:
            process = ApiProcess(client, web, runtime, receiver)
            process.until(lambda: runtime.newsroom.events.in_charge, "charge")
            yield process
    finally:
        runtime.stop()
        services.close()
