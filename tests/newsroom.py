"""A newsroom for tests: the real stack with its own Redis, worker processes and web server, beside a receiver."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import empty_record
import requests
from forked import ForkedProcess
from ports import free_port
from receiver import Receiver

from config.settings import load
from worker import clock
from worker.record.attempts import NotedAttempt
from worker.retention.attempt_history import last_attempts
from worker.runtime.record_in_use import record_of
from worker.runtime.up import ProcessTree
from worker.store import Store, keys
from worker.store.receivers import ReceiverOverview

TOKEN = "test-token"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
CLAIM_SECONDS = 6
SECTIONS = 40


def settings_text(port: int, data: Path, receiver: str) -> str:
    """Settings with one feed for each section, and a partner endpoint in either mode for some of them."""
    feeds = "".join(
        f'\n[[feeds]]\nname = "s{n}"\ntitle = "Section {n}"\nselect = [{{ section = ["s{n}"] }}]\n'
        for n in range(SECTIONS)
    )
    endpoints = "".join(
        f'\n[[endpoints]]\nname = "p{n}"\nfeed = "s{n}"\nmode = "{mode}"\nformat = "{fmt}"\n'
        f'url = "{receiver}/p{n}"\nsecret = "{SECRET}"\n'
        for n, mode, fmt in [
            (0, "article", "json"),
            (1, "feed", "atom"),
            *((n, "article", "json") for n in range(2, 8)),
        ]
    )
    return f"""
api_tokens = ["{TOKEN}"]
event_secrets = ["{SECRET}"]
data_dir = "{data}"

[site]
title = "The Test Herald"
base_url = "http://127.0.0.1:{port}"
id_authority = "herald.example,2026"

[web]
port = {port}
body_timeout = 5

[websub]
lease_min = "1s"

[operations]
url = "{receiver}/operations"
secret = "{SECRET}"

[delivery]
allow_networks = ["127.0.0.0/8"]
timeout = 3
connect_timeout = 2
claim_seconds = {CLAIM_SECONDS}

[[feeds]]
name = "picks"
title = "Editor Picks"
list = "Editor Picks"
{feeds}{endpoints}"""


class ForkedTree(ProcessTree):
    """The stack, its processes forked from one that has done the imports. `dateline up` itself: test_up.py."""

    def _spawn(self, command: list[str]) -> Any:
        return ForkedProcess(command, self._environ)


class Newsroom:
    """A stack that is up, and what a CMS and subscribers do with it."""

    def __init__(
        self, stack: ProcessTree, receiver: Receiver, base_url: str, config: Path, environ: Mapping[str, str]
    ) -> None:
        self.stack = stack
        self.receiver = receiver
        self.base_url = base_url
        self.config = config
        self.store = Store.connect(stack.redis_url)
        self.settings = load(config, environ)
        self.record = record_of(self.settings)

    def publish(self, article_id: str, section: str, version: int = 1, **more: Any) -> dict[str, Any]:
        """Publish or correct an article; return the event."""
        return self.send(published(article_id, section, version, **more))

    def kill(self, article_id: str) -> dict[str, Any]:
        """Kill an article; return the event."""
        return self.send({"type": "article.killed", "article": {"id": article_id}})

    def attempts(self, feed: str, endpoint: str, count: int) -> list[NotedAttempt]:
        """The last attempts at an endpoint, the newest first."""
        return last_attempts(self.store, self.record, feed, endpoint, count)

    def send(self, event: dict[str, Any]) -> dict[str, Any]:
        """Post an event; it must be accepted."""
        event = {"id": f"evt-{uuid4()}", **event}
        answer = self.post(event)
        assert answer.status_code == 202, answer.text
        return event

    def post(self, value: Any, **headers: str) -> requests.Response:
        """Post anything to /events with the right token."""
        return requests.post(
            f"{self.base_url}/events", json=value, headers={"Authorization": f"Bearer {TOKEN}", **headers}, timeout=60
        )

    def is_settled(self, feed: str, receivers: int = 1) -> bool:
        """Whether all that was accepted is carried out, and the feed's receivers, so many, have all of it."""
        if self.store.events.waiting():
            return False
        counts = self.store.receivers.counts(feed)
        return counts["settled"] == receivers and counts["behind"] == 0

    def look_now(self, feed: str, endpoint: str, article_id: str) -> None:
        """Have it looked whether a killed article is gone there, without the pause before that."""
        self.store.page_checks.bring_forward(feed, endpoint, [article_id], clock.ms(clock.now()))

    def topic(self, feed: str, fmt: str = "atom") -> str:
        return f"{self.base_url}/feeds/{feed}.{fmt}"

    def until_in_feed(self, feed: str, *texts: str, fmt: str = "atom") -> requests.Response:
        """Wait until the feed's document has all of these texts; web servers hear of a change within moments."""

        def shown() -> bool:
            return all(text in requests.get(self.topic(feed, fmt), timeout=60).text for text in texts)

        self.receiver.until(shown, 20, f"{texts} in {feed}")
        return requests.get(self.topic(feed, fmt), timeout=60)

    def ask_hub(self, **fields: str) -> requests.Response:
        """Post a request to the hub; `callback="..."` becomes `hub.callback`."""
        return requests.post(
            f"{self.base_url}/hub", {f"hub.{name}": value for name, value in fields.items()}, timeout=60
        )

    def subscribe(self, feed: str, path: str, fmt: str = "atom", **fields: str) -> None:
        """Subscribe a path of the receiver, and wait until the subscription is there."""
        before = self.subscriptions(feed)
        answer = self.ask_hub(
            mode="subscribe", topic=self.topic(feed, fmt), callback=f"{self.receiver.url}{path}", **fields
        )
        assert answer.status_code == 202, answer.text
        self.receiver.until(lambda: self.subscriptions(feed) > before, 20, f"the subscription of {path}")

    def subscriptions(self, feed: str) -> int:
        """How many subscriptions the feed has."""
        return sum("callback" in receiver.details for receiver in self.receivers(feed))

    def receivers(self, feed: str) -> list[ReceiverOverview]:
        """The feed's receivers as they are at one moment: none is missed, or seen twice, because it moves meanwhile."""
        names = list(self.store.client.hkeys(keys.feed(feed).receivers))
        return self.store.receivers.get_many(feed, names)


_PUT_OFF = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local state = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]))
state['until'] = tonumber(ARGV[2])
for name, value in pairs(cjson.decode(ARGV[3])) do state[name] = value end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(state))
return 1
"""


def put_off(store: Store, feed: str, endpoint: str, **more: int) -> bool:
    """Have an endpoint in backoff wait for an hour, as if it had asked for that: nothing but a kill brings it forward.

    `more` of its state is changed with that. False: it is not in backoff.
    """
    k, due = keys.feed(feed), clock.ms(clock.now()) + 3_600_000
    arguments = (f"endpoint:{endpoint}", due, json.dumps(more))
    return bool(store.client.eval(_PUT_OFF, 2, k.backoff, k.receiver_states, *arguments))


def published(article_id: str, section: str, version: int = 1, **more: Any) -> dict[str, Any]:
    """The event that an article is new, or corrected when its version is above 1."""
    article = {
        "id": article_id,
        "version": version,
        "section": section,
        "headline": f"{article_id}, version {version}",
        "url": f"https://herald.example/{article_id}",
        "body_html": f"<p>This is the text of {article_id} in version {version}.</p>",
        **more,
    }
    kind = "article.published" if version == 1 else "article.corrected"
    return {"id": f"evt-{uuid4()}", "type": kind, "article": article}


@contextmanager
def start(
    tmp_path: Path,
    receiver: Receiver,
    workers: int,
    more: str = "",
    variables: Mapping[str, str] | None = None,
    *,
    top: str = "",
) -> Iterator[Newsroom]:
    """Start one. `more`: settings beside the usual, `top` before them; `variables`: those of the environment."""
    port = free_port()
    config = tmp_path / "dateline.toml"
    config.write_text(top + settings_text(port, tmp_path / "data", receiver.url) + more)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ.update(variables or {})
    if "DATELINE_RECORD_URL" not in environ:
        empty_record.put(tmp_path / "data" / "record.db")
    with ForkedTree(load(config, environ), config, workers, environ) as stack:
        newsroom = Newsroom(stack, receiver, f"http://127.0.0.1:{port}", config, environ)
        yield newsroom
        newsroom.store.close()
        newsroom.record.close()
