"""Workers take over what is managed: at once, all of them, and without losing or repeating anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

import pytest
from news_desk import article
from receiver import Answer, Receiver, Request
from redis.exceptions import RedisError
from sqlalchemy import text
from standardwebhooks import Webhook

from config.settings import load
from worker import clock
from worker.destinations.http import HttpDestination
from worker.management.callers import shell
from worker.management.sealing import new_key
from worker.record import Record
from worker.record.availability import RecordAway
from worker.runtime.endpoint_enrolment import EndpointEnrolment
from worker.runtime.services import Services, build
from worker.runtime.wiring import WorkerRuntime
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
        self.services = self.build()
        for _ in range(2):
            self.start(self.build())

    def build(self) -> Services:
        services = build(self._settings, self._redis_url)
        self._stack.callback(services.close)
        return services

    def start(self, services: Services) -> WorkerRuntime:
        runtime = WorkerRuntime(services, queues=("distribute",))
        runtime.start()
        self._stack.callback(runtime.stop)
        self.workers.append(runtime)
        return runtime

    def values(self, path: str) -> dict[str, object]:
        return {"feed": "all", "format": "json", "url": f"{self.receiver.url.rstrip('/')}/{path}"}

    def know(self, name: str, path: str) -> bool:
        """Whether every worker pushes to this endpoint at this path."""
        known = [runtime._directory.by_name.get(name) for runtime in self.workers]
        destinations = [endpoint.destination if endpoint else None for endpoint in known]
        return all(isinstance(there, HttpDestination) and there.url.endswith(f"/{path}") for there in destinations)

    def publish(self) -> str:
        """Publish an article; some worker carries it out."""
        article_id = f"a{next(self._numbers)}"
        self.services.intake.accept([article(article_id)], clock.agreed())
        self.workers[0].newsroom.events.consume()
        return article_id

    def got(self, path: str) -> list[str]:
        """The articles that came there, in order."""
        return [json.loads(request.body)["article"]["id"] for request in self.receiver.at(f"/{path}")]

    def comes(self, path: str, *articles: str) -> None:
        """Wait until just these articles came there."""
        self.receiver.until(lambda: len(self.got(path)) >= len(articles), 20, f"{articles} to come to {path}")
        assert self.got(path) == list(articles)

    def secrets(self, name: str) -> list[tuple[str, ...]]:
        """The secrets by which each worker signs."""
        known = [runtime._directory.by_name.get(name) for runtime in self.workers]
        destinations = [endpoint.destination if endpoint else None for endpoint in known]
        return [there.secrets if isinstance(there, HttpDestination) else () for there in destinations]

    def is_whole(self) -> bool:
        with suppress(RedisError):
            return self.states() == {"filed": "settled", "herald": "settled"} and bool(
                self.services.store.management.stamp()
            )
        return False

    def publish_at_last(self) -> str:
        """Publish as soon as Redis takes it and a worker may carry it out."""
        article_id = self.publish()
        self.receiver.until(lambda: bool(self.got("filed")) and self._carried_out(article_id), 30, "it to be published")
        return article_id

    def _carried_out(self, article_id: str) -> bool:
        with suppress(RedisError):
            self.workers[0].newsroom.events.consume()
            return article_id in self.services.store.changes.members("all")
        return False

    def states(self) -> dict[str, str]:
        # At one moment: one that moves meanwhile is not missed.
        names = ["endpoint:filed", "endpoint:herald"]
        receivers = self.services.store.receivers.get_many("all", names)
        return {each.details["endpoint"]: each.state for each in receivers}

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


def test_made_changed_and_removed_while_everything_runs(newsroom: Newsroom) -> None:
    endpoints, until = newsroom.services.management.endpoints, newsroom.receiver.until
    before = newsroom.publish()
    newsroom.comes("filed", before)
    _, secret = endpoints.create(ADMIN, "herald", newsroom.values("one"))
    assert secret is not None
    until(lambda: newsroom.know("herald", "one"), 60, "all workers to know it")
    first = newsroom.publish()
    newsroom.comes("one", first)
    (push,) = newsroom.receiver.at("/one")
    Webhook(secret).verify(push.body, dict(push.headers))
    shown = endpoints.get(ADMIN, "herald").settings
    endpoints.change(ADMIN, "herald", {**shown, **newsroom.values("two")})
    until(lambda: newsroom.know("herald", "two"), 60, "all workers to know the new address")
    second = newsroom.publish()
    newsroom.comes("two", second)
    endpoints.remove(ADMIN, "herald")
    until(lambda: newsroom.states() == {"filed": "settled", "herald": "paused"}, 60, "it to be paused")
    third = newsroom.publish()
    newsroom.comes("filed", before, first, second, third)
    endpoints.restore(ADMIN, "herald")
    newsroom.comes("two", second, third)
    newsroom.comes("one", first)


def test_what_is_published_before_a_worker_has_heard_of_it_comes(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, take_over = Event(), EndpointEnrolment._take_over

    def late(enrolment: EndpointEnrolment) -> None:
        assert heard.wait(60)
        take_over(enrolment)

    before = newsroom.publish()
    newsroom.comes("filed", before)
    monkeypatch.setattr(EndpointEnrolment, "_take_over", late)
    newsroom.services.management.endpoints.create(ADMIN, "herald", newsroom.values("one"))
    first = newsroom.publish()
    newsroom.comes("filed", before, first)
    heard.set()
    newsroom.comes("one", first)


def test_what_is_in_flight_ends_by_the_old_settings(newsroom: Newsroom) -> None:
    arrived, answer = Event(), Event()

    def slow(request: Request) -> Answer:
        assert request.path == "/one"
        arrived.set()
        assert answer.wait(60)
        return 204, b""

    newsroom.receiver.behave["/one"] = slow
    endpoints = newsroom.services.management.endpoints
    _, old = endpoints.create(ADMIN, "herald", newsroom.values("one"))
    newsroom.receiver.until(lambda: newsroom.know("herald", "one"), 60, "all workers to know it")
    first = newsroom.publish()
    assert arrived.wait(60)
    endpoints.change(ADMIN, "herald", {**newsroom.values("two"), "secret": []})
    newsroom.receiver.until(lambda: newsroom.know("herald", "two"), 60, "all workers to know the new address")
    second = newsroom.publish()
    answer.set()
    newsroom.comes("two", second)
    newsroom.comes("one", first)
    assert old is not None
    (push,) = newsroom.receiver.at("/one")
    Webhook(old).verify(push.body, dict(push.headers))
    assert "webhook-signature" not in dict(newsroom.receiver.at("/two")[0].headers)


def test_both_secrets_sign_while_one_is_rotated(newsroom: Newsroom) -> None:
    endpoints, until = newsroom.services.management.endpoints, newsroom.receiver.until
    _, old = endpoints.create(ADMIN, "herald", newsroom.values("one"))
    _, new = endpoints.rotate(ADMIN, "herald", 60_000)
    until(lambda: all(len(secrets) == 2 for secrets in newsroom.secrets("herald")), 60, "both secrets to be in use")
    newsroom.comes("one", newsroom.publish())
    (push,) = newsroom.receiver.at("/one")
    for secret in (old, new):
        Webhook(str(secret)).verify(push.body, dict(push.headers))
    # By a short time alone that of before would not end sooner.
    endpoints.rotate(ADMIN, "herald", 0)
    until(lambda: all(len(secrets) == 1 for secrets in newsroom.secrets("herald")), 20, "the old secret to end")
    before = newsroom.secrets("herald")
    endpoints.rotate(ADMIN, "herald", 1500)

    def ended() -> bool:
        now = newsroom.secrets("herald")
        return all(len(secrets) == 1 for secrets in now) and not set(now) & set(before)

    until(ended, 20, "the old secret to end by itself")


def test_without_the_record_nobody_is_removed_and_nothing_is_changed(
    newsroom: Newsroom, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.services.management.endpoints.create(ADMIN, "herald", newsroom.values("one"))
    newsroom.receiver.until(lambda: newsroom.know("herald", "one"), 60, "all workers to know it")
    with record.write() as connection:
        connection.execute(text("UPDATE dateline_schema SET version_num = '9999'"))
    # A worker that starts by now has the copy in Redis.
    services = newsroom.build()
    with pytest.raises(RecordAway):
        services.management.endpoints.remove(ADMIN, "herald")
    late = newsroom.start(services)
    assert late._directory.by_name.keys() == {"filed", "herald"}
    # One that has neither takes nobody for removed.
    blinded = newsroom.build()
    monkeypatch.setattr(blinded.store.management, "stamp", lambda: "")
    blind = newsroom.start(blinded)
    assert blind._directory.by_name.keys() == {"filed"}
    blind._enrolment._charge = None
    blind._enrolment.check()
    assert newsroom.states() == {"filed": "settled", "herald": "settled"}


def test_redis_is_emptied(newsroom: Newsroom) -> None:
    newsroom.services.management.endpoints.create(ADMIN, "herald", newsroom.values("one"))
    newsroom.receiver.until(lambda: newsroom.know("herald", "one"), 60, "all workers to know it")
    first = newsroom.publish()
    newsroom.comes("one", first)
    newsroom.services.store.client.flushall()
    newsroom.receiver.until(newsroom.is_whole, 30, "Redis to be as it was")
    assert newsroom.know("herald", "one")
    second = newsroom.publish_at_last()
    newsroom.receiver.until(lambda: second in newsroom.got("one"), 30, "the next article to come")
