"""Redis and the record together against a plain model, driven by hypothesis: events are accepted, carried out,
delivered, noted, taken out of Redis and brought back, in whatever order, while the record comes and goes.

In the end everybody has what the newsroom last said, and the record has all of it, once.
"""

from __future__ import annotations

import itertools
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from receiver import Receiver
from sqlalchemy import delete, func, select

from config.settings import load
from worker import clock
from worker.intake.event_feeder import EventFeeder
from worker.newsroom import event_consumer
from worker.record import tables
from worker.record.availability import Absence
from worker.retention import noting
from worker.retention.known_id_filter import KnownIdFilter
from worker.retention.outdated import OutdatedRows
from worker.retention.trim import Trimmer
from worker.runtime.services import build
from worker.runtime.wiring import WorkerRuntime
from worker.store import Store

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
ARTICLES = st.integers(0, 4)
FEEDS = ("all", "world")
LONG = timedelta(days=4000)


def text_of_settings(folder: Path, receiver: Receiver) -> str:
    feeds = "".join(
        f'\n[[feeds]]\nname = "{name}"\ntitle = "{name}"\nlimit = 1\n{select}\n'
        for name, select in (("all", ""), ("world", 'select = [{ section = ["world"] }]'))
    )
    endpoints = "".join(
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{name}"\nformat = "json"\nurl = "{receiver.url}/{name}"\n'
        f'secret = "{SECRET}"\n'
        for name in FEEDS
    )
    return (
        f'data_dir = "{folder}"\n[site]\nbase_url = "https://herald.example"\n[delivery]\n'
        f'allow_networks = ["127.0.0.0/8"]\n{feeds}{endpoints}'
    )


@dataclass
class Said:
    """What the newsroom has said of an article. Killed articles stay killed here."""

    version: int = 0
    killed: bool = False
    worldly: bool = False


class Process:
    """One worker process: its parts are driven by hand, but for what sends."""

    def __init__(self, folder: Path, redis_url: str, record_url: str, receiver: Receiver) -> None:
        config = folder / "dateline.toml"
        config.write_text(text_of_settings(folder, receiver))
        self.services = build(load(config, {"DATELINE_RECORD_URL": record_url}), redis_url)
        self.store, self.record = self.services.store, self.services.record
        self.receiver = receiver
        self.runtime = WorkerRuntime(self.services, queues=())
        self.services.agreement.begin = self.runtime.rebuild.begin
        recorded = self.services.recorded
        self.trimmer = Trimmer(
            *(self.store, recorded, self.services.articles, KnownIdFilter(self.store, recorded)),
            OutdatedRows(recorded, attempts=LONG, events=LONG),
            self.runtime.newsroom.trim_terms,
            hot=timedelta(0),
            grace_seconds=0,
        )
        self.failing: set[str] = set()
        self.steps: list[str] = []
        for part, names in (
            (self.store.outboxes, ("remove", "read")),
            (self.store.unnoted, ("take_off", "read")),
            (self.store.hasty_events, ("accept",)),
            (self.store.events, ("accept", "acknowledge")),
            (self.store.articles, ("save",)),
            (self.store.changes, ("record",)),
            (self.store.cooling, ("mark", "claim", "documents")),
        ):
            for name in names:
                self.may_fail(part, name)
                self.steps += [name, f"{name}!"]
        self.feeder = EventFeeder(self.store, self.record, self.services.wakeups)
        for part in (self.runtime._clearance, self.runtime._engine, self.runtime._tokens, self.runtime.distributor):
            part.start()

    def may_fail(self, part: object, name: str) -> None:
        """Have the next call of this method raise, as if the process died or Redis went just then, when it is said to.

        `name!`: only after it has done what it does.
        """
        original = getattr(part, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if name in self.failing:
                self.failing.remove(name)
                raise redis.ConnectionError("for the test")
            answer = original(*arguments, **named)
            if f"{name}!" in self.failing:
                self.failing.remove(f"{name}!")
                raise redis.ConnectionError("for the test")
            return answer

        setattr(part, name, call)

    def begin(self) -> None:
        """Begin with nothing, neither in Redis nor in the record."""
        self.is_there(True)
        self.failing.clear()
        # What the example before has left to be noted is not of this one.
        self.runtime._noting._thread.submit(lambda: None).result(60)
        self.store.client.flushall()
        with self.record.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                if table is not tables.meta:
                    connection.execute(delete(table))
        self._find_redis_empty()
        self.receiver.requests.clear()

    def wipe(self) -> None:
        """Have Redis lose everything, and be rebuilt."""
        self.store.client.flushall()
        self._find_redis_empty()

    def _find_redis_empty(self) -> None:
        """Do what a process does when Redis has lost everything."""
        self.services.agreement.wait(60)
        self.runtime.newsroom.permit.lose()
        self.store.events.create_group()
        self.runtime.newsroom.permit.begin()
        self.runtime._enrolment.enroll()
        self.feeder.feed()
        while self.runtime.rebuild.carry_on() is not None:
            self.feeder.feed()
            self.runtime.newsroom.events.consume()
        self.services.agreement.check()
        self.runtime.newsroom.indexer.fill()

    def is_there(self, there: bool) -> None:
        """Have the record be there, or away."""
        self.record.availability.absence = None if there else Absence(0, "for the test")

    def deliver(self) -> None:
        """Have endpoints told of everything."""
        for feed in FEEDS:
            self.runtime.distributor.serve(feed)
        self.receiver.until(self._nobody_is_behind, 20, "endpoints to be up to date")

    def _nobody_is_behind(self) -> bool:
        counts = self.store.receivers.counts_of(FEEDS).values()
        return not any(count["claimed"] or count["behind"] or count["backoff"] for count in counts)

    def note(self) -> None:
        """Have the record have everything, if it is there."""
        self.feeder.feed()
        while self.runtime._noting.catch_up() is not None:
            pass
        self.store.outboxes.report(FEEDS)
        while self.runtime.outboxes.drain() is not None:
            pass

    def close(self) -> None:
        self.is_there(True)
        self.runtime.distributor.stop(1)
        self.runtime._engine.stop(1)
        for part in (self.runtime._clearance, self.runtime._tokens, self.runtime._noting):
            part.stop()
        self.services.close()


EXAMPLE_NUMBERS = itertools.count()


class RecordModel(RuleBasedStateMachine):
    process: Process

    @initialize()
    def begin(self) -> None:
        self.process.begin()
        # What was left of the example before may come late: nothing of this one has the same name.
        self.mark = f"{next(EXAMPLE_NUMBERS)}"
        self.said: dict[str, Said] = {}
        self.is_wiped = False
        self.sent: list[dict[str, Any]] = []

    @rule(number=ARTICLES, worldly=st.booleans())
    def publish_or_correct(self, number: int, worldly: bool) -> None:
        said = self.said.setdefault(self._article(number), Said())
        said.version += 1
        said.worldly = worldly
        self._accept(
            {
                "type": "article.published" if said.version == 1 else "article.corrected",
                "article": {
                    "id": self._article(number),
                    "version": said.version,
                    "section": "world" if worldly else "sport",
                    "headline": f"a{number} in version {said.version}",
                    "url": f"https://herald.example/a{number}",
                    "body_html": f"<p>Version {said.version} of the text.</p>",
                },
            }
        )

    @rule(number=ARTICLES)
    def kill(self, number: int) -> None:
        said = self.said.setdefault(self._article(number), Said())
        said.killed = True
        self._accept({"type": "article.killed", "article": {"id": self._article(number)}})

    @rule(event=st.integers(0, 100))
    def send_again(self, event: int) -> None:
        if self.sent:
            self.process.failing.clear()
            self.process.services.intake.accept([self.sent[event % len(self.sent)]], clock.agreed())

    def _article(self, number: int) -> str:
        return f"a{number}.{self.mark}"

    def _is_mine(self, name: str) -> bool:
        return name.endswith(f".{self.mark}")

    def _accept(self, event: dict[str, Any]) -> None:
        event = {"id": f"evt-{len(self.sent)}.{self.mark}", **event}
        self.sent.append(event)
        try:
            self.process.services.intake.accept([event], clock.agreed())
        except redis.RedisError:  # both are away, so it was not accepted, and is sent again
            self.process.failing.clear()
            self.process.services.intake.accept([event], clock.agreed())

    @rule()
    def consume(self) -> None:
        with suppress(redis.ConnectionError):
            self.process.runtime.newsroom.events.consume()

    @rule()
    def take_over(self) -> None:
        with suppress(redis.ConnectionError):
            self.process.runtime.newsroom.events.take_over()

    @rule()
    def deliver(self) -> None:
        self.process.failing.clear()
        self.process.deliver()

    @rule()
    def note(self) -> None:
        with suppress(redis.ConnectionError):
            self.process.note()

    @rule()
    def trim(self) -> None:
        with suppress(redis.ConnectionError):
            self.process.trimmer.trim()
            self.process.trimmer.trim()

    @rule()
    def redis_loses_everything_that_was_noted(self) -> None:
        self.process.is_there(True)
        self.process.failing.clear()
        # What Redis alone has accepted is in the record when it was carried out.
        self.consume()
        self.take_over()
        self.process.note()
        self.is_wiped = True
        self.process.wipe()

    @rule(step=st.integers(0, 100))
    def a_step_will_fail(self, step: int) -> None:
        self.process.failing.add(self.process.steps[step % len(self.process.steps)])

    @rule(there=st.booleans())
    def the_record_comes_or_goes(self, there: bool) -> None:
        self.process.is_there(there)

    def teardown(self) -> None:
        if not hasattr(self, "sent"):
            return
        process = self.process
        process.is_there(True)
        process.failing.clear()
        process.receiver.until(self._is_done, 30, "all that was accepted is done")
        process.note()
        self._see_that_the_record_has_all()
        self._see_that_endpoints_have_all()

    def _is_done(self) -> bool:
        """Do what is left, once; whether the record has all events as carried out."""
        process = self.process
        process.note()
        self.consume()
        process.runtime.newsroom.events.take_over()
        process.deliver()
        process.note()
        with process.record.read() as connection:
            done = select(tables.events.c.event_id).where(tables.events.c.done.is_not(None))
            return {event["id"] for event in self.sent} <= set(connection.scalars(done))

    def _see_that_the_record_has_all(self) -> None:
        events, articles, places = tables.events.c, tables.articles.c, tables.memberships.c
        with self.process.record.read() as connection:
            rows = connection.execute(select(events.event_id, events.done.is_not(None), events.result)).all()
            done = [row for row in rows if self._is_mine(row.event_id)]
            assert {(event["id"], True) for event in self.sent} == {(name, carried) for name, carried, _ in done}
            assert len(done) == len(self.sent)
            # An earlier version that could not be carried out at once, and came after a later one.
            stale = {name for name, _, result in done if result == "stale"}
            found = connection.execute(select(articles.article_id, articles.version, articles.pubstatus))
            current = {name: (version, status) for name, version, status in found if self._is_mine(name)}
            memberships = connection.execute(select(places.article_id, places.feed).where(places.state == "in"))
            feeds = {(name, feed) for name, feed in memberships if self._is_mine(name)}
            revisions = set(connection.execute(select(tables.revisions.c.article_id, tables.revisions.c.version)).all())
        alive = {name: said for name, said in self.said.items() if not said.killed}
        assert {name: (said.version, "usable") for name, said in alive.items()} == {
            name: current.get(name) for name in alive
        }
        assert all(status == "canceled" for name, (_, status) in current.items() if name not in alive)
        expected = {(name, "all") for name in alive} | {(name, "world") for name, said in alive.items() if said.worldly}
        assert expected == feeds
        changes = (event for event in self.sent if event["id"] not in stale and event["article"]["id"] in alive)
        made = {(event["article"]["id"], event["article"]["version"]) for event in changes}
        assert made <= {(name, version) for name, version in revisions}

    def _see_that_endpoints_have_all(self) -> None:
        held = tables.deliveries.c
        for endpoint in FEEDS:
            bodies = [json.loads(request.body) for request in self.process.receiver.at(f"/{endpoint}")]
            messages = [body for body in bodies if self._is_mine(body["article"]["id"])]
            last = {
                message["article"]["id"]: (message["article"]["version"], message["type"].removeprefix("article."))
                for message in messages
            }
            for name, said in self.said.items():
                version, action = last.get(name, (0, ""))
                if said.killed:
                    assert action in {"killed", ""}, name
                elif endpoint == "all" or said.worldly:
                    assert said.version == version, name
                    assert action in {"published", "corrected"}
                else:
                    assert action in {"withdrawn", ""}, name
            with self.process.record.read() as connection:
                rows = connection.execute(
                    select(held.article_id, held.version, held.action)
                    .where(held.endpoint == endpoint, held.state == "taken")
                    .order_by(held.version, held.sent)
                )
                assert last == {name: (version, action) for name, version, action in rows if self._is_mine(name)}
                tries = select(func.count()).where(
                    tables.attempts.c.receiver == f"endpoint:{endpoint}",
                    tables.attempts.c.outcome == "delivered",
                    tables.attempts.c.article_id.endswith(f".{self.mark}"),
                )
                # What was answered in the moment in which Redis lost everything is sent again.
                noted = connection.scalar(tries) or 0
                assert noted <= len(messages) if self.is_wiped else noted == len(messages)


# The same few examples each time; how many others are tried is said by whoever has the time: MODEL_EXAMPLES=150.
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))


@pytest.mark.timeout(3600 if EXAMPLES else 120)
def test_everybody_has_what_was_said_last_and_the_record_has_all_of_it(
    store: Store,
    redis_url: str,
    record_url: str,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_consumer, "_AGAIN_MS", 0)
    monkeypatch.setattr(noting, "_FRESH_MS", 0)
    process = Process(tmp_path, redis_url, record_url, receiver)
    try:
        machine = type("Machine", (RecordModel,), {"process": process})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES or 10,
                derandomize=not EXAMPLES,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    finally:
        process.close()
