"""Alarms on a real Redis: one for each cause, few messages, none lost, and channels that really send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from ports import free_port
from receiver import Receiver

from config.alarm_settings import AlarmSettings
from config.credentials import TlsSettings
from config.endpoint_settings import EndpointSettings
from worker.alarms import texts
from worker.alarms.certificates import Certificates
from worker.alarms.channels import AlarmChannel, AppriseSender, OperationsForwarder
from worker.alarms.endpoint_causes import EndpointCauses
from worker.store import Store, keys
from worker.store.alarms import AlarmMessage, Cause, Pace

PACE = Pace(120_000, 15_000, 3_600_000)
LOOPBACK = [ip_network("127.0.0.0/8")]
ROOT = Path(__file__).parents[2]
T0 = 1_800_000_000_000


def look(store: Store, now: int, *causes: Cause, rules: tuple[str, ...] = ("r", "q")) -> list[AlarmMessage]:
    return store.alarms.evaluate(now, PACE, ["hook"], rules, causes).messages


def failing(name: str) -> Cause:
    return Cause("r", name, "it fails")


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 (aiosmtpd calls it so)
        self.mails.append(envelope.content.decode())
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    yield box, port
    controller.stop()


def test_an_alarm_is_raised_once_and_is_over_when_its_cause_was_gone_for_a_while(store: Store) -> None:
    (message,) = look(store, T0, failing("a"))
    assert [alarm["subject"] for alarm in message.raised] == ["a"]
    assert look(store, T0 + 1000, failing("a")) == []
    assert look(store, T0 + 300_000) == []
    assert look(store, T0 + 301_000, failing("a")) == []
    assert look(store, T0 + 302_000) == []
    (message,) = look(store, T0 + 318_000)
    assert (message.raised, message.over[0]["id"]) == ([], store_id(message))
    assert message.over[0]["ended"] == T0 + 302_000
    assert store.alarms.standing() == []


def store_id(message: AlarmMessage) -> str:
    return str((message.raised or message.over)[0]["id"])


def test_a_thousand_endpoints_that_fail_at_once_and_recover_are_three_messages(store: Store) -> None:
    names = [f"e{number}" for number in range(1000)]
    messages = look(store, T0, *map(failing, names[:3]))
    for second in range(1, 121):
        messages += look(store, T0 + second * 1000, *map(failing, names[: second * 20]))
    assert [message.raised_count for message in messages] == [3, 997]
    assert len(messages[1].raised) == 20
    messages += look(store, T0 + 200_000)
    for second in range(201, 300):
        messages += look(store, T0 + second * 1000)
    assert [(message.raised_count, message.over_count) for message in messages[2:]] == [(0, 1000)]


def test_a_rule_that_was_not_looked_at_changes_nothing(store: Store) -> None:
    look(store, T0, failing("a"))
    assert look(store, T0 + 300_000, rules=("q",)) == []
    assert look(store, T0 + 600_000, rules=("q",)) == []
    assert [alarm.subject for alarm in store.alarms.standing()] == ["a"]


def test_acknowledged_ones_are_not_repeated_and_snoozed_ones_come_again(store: Store) -> None:
    look(store, T0, failing("a"), failing("b"))
    a = store.alarms.standing()[0]
    assert store.alarms.mark(a.id, "user:mira", acknowledged=T0 + 1) == [("r", "a")]
    (message,) = look(store, T0 + 3_600_000, failing("a"), failing("b"))
    assert [alarm["subject"] for alarm in message.raised] == ["b"]
    assert store.alarms.mark("r", "user:mira", snoozed=T0 + 9_000_000) == [("r", "a"), ("r", "b")]
    assert look(store, T0 + 8_000_000, failing("a"), failing("b")) == []
    (message,) = look(store, T0 + 9_000_000, failing("a"), failing("b"))
    assert message.raised_count == 2
    assert store.alarms.mark("nothing", "user:mira", snoozed=1) == []


def test_what_redis_has_lost_is_raised_again_and_reaches_its_channel(store: Store) -> None:
    look(store, T0, failing("a"))
    store.client.flushall()
    (message,) = look(store, T0 + 1000, failing("a"))
    sent = store.alarms.next_message("hook")
    assert sent is not None
    assert sent.id == message.id
    # A channel that comes later begins with what comes later.
    store.alarms.evaluate(T0 + 2000, PACE, ["hook", "new"], ["r"], [failing("a")])
    assert store.alarms.next_message("new") is None


def test_a_damaged_alarm_is_raised_anew(store: Store) -> None:
    look(store, T0, failing("a"), failing("b"))
    store.client.hset(keys.ALARMS, "r\ta", "{")
    (message,) = look(store, T0 + 200_000, failing("a"), failing("b"))
    assert [alarm["subject"] for alarm in message.raised] == ["a"]


class OneAlarmForEachCause(RuleBasedStateMachine):
    store: Store

    @initialize()
    def begin(self) -> None:
        self.store.client.flushall()
        self.now = T0
        self.raised: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.causes: set[Cause] = set()

    @rule(causes=st.sets(st.builds(Cause, st.sampled_from("rq"), st.sampled_from("abc"), st.just("d"))))
    def world_changes(self, causes: set[Cause]) -> None:
        self.causes = causes

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        pace = PACE._replace(repeat=0)
        for message in self.store.alarms.evaluate(self.now, pace, ["hook"], "rq", sorted(self.causes)).messages:
            assert self.now - self.last.get(message.rule, 0) >= PACE.window
            self.last[message.rule] = self.now
            assert message.raised_count + message.over_count > 0
            for alarm in message.raised:
                self.raised[alarm["id"]] = self.raised.get(alarm["id"], 0) + 1
            for alarm in message.over:
                self.ended[alarm["id"]] = self.ended.get(alarm["id"], 0) + 1

    @invariant()
    def each_cause_has_one_alarm(self) -> None:
        standing = [(alarm.rule, alarm.subject) for alarm in self.store.alarms.standing()]
        assert len(standing) == len(set(standing))
        assert set(self.raised.values()) <= {1}
        assert set(self.ended.values()) <= {1}

    def teardown(self) -> None:
        # Whatever stands at the end is in a message once the window is over; whatever is gone is over.
        for _ in range(3):
            self.time_passes(121)
        ids = {alarm.id for alarm in self.store.alarms.standing()}
        assert ids <= self.raised.keys()
        assert self.raised.keys() - ids <= self.ended.keys()


def test_there_is_one_alarm_for_each_cause_whatever_happens(store: Store) -> None:
    OneAlarmForEachCause.store = store
    run_state_machine_as_test(
        OneAlarmForEachCause,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def endpoint(name: str) -> EndpointSettings:
    return EndpointSettings(name=name, feed="f", format="json", url="https://partner.example/x")


def test_a_thousand_endpoints_are_looked_at_in_milliseconds(store: Store) -> None:
    endpoints = [endpoint(f"e{number}") for number in range(1000)]
    k = keys.feed("f")
    store.client.hset(k.meta, "head", "5")
    store.client.zadd(k.log, {"hh-1": 5})
    store.client.hset(k.article_states, "hh-1", f'{{"version":1,"asof":{T0},"state":"in"}}')
    store.client.zadd(k.settled, {f"endpoint:e{number}": 5 for number in range(999)})
    store.client.zadd(k.settled, {"endpoint:e999": 4})
    store.client.hset(k.receivers, "endpoint:e999", '{"since": 0}')
    now = T0 + 600_000
    began = time.process_time()
    causes = EndpointCauses(store).at(endpoints, now, 300_000, 120_000)
    assert [(cause.rule, cause.subject) for cause in causes] == [("endpoint_lag", "e999")]
    state = '{"token":0,"cursor":4,"since":%d,"last":1,"until":0,"reason":""}'
    store.client.hset(k.receiver_states, mapping={f"endpoint:e{n}": state % T0 for n in range(1000)})
    causes = EndpointCauses(store).at(endpoints, now, 300_000, 120_000)
    # What fails does not lag as well: one alarm for one cause.
    assert [cause.rule for cause in causes] == ["endpoint_failing"] * 1000
    assert EndpointCauses(store).at(endpoints, T0 + 1000, 300_000, 120_000) == []
    assert time.process_time() - began < 2, "they are asked one by one"


def test_an_endpoint_lags_no_longer_once_its_ledger_or_its_cursor_says_so(store: Store) -> None:
    k = keys.feed("f")
    store.client.hset(k.meta, "head", "5")
    store.client.zadd(k.log, {"hh-1": 5})
    store.client.hset(k.article_states, "hh-1", f'{{"version":1,"asof":{T0},"state":"in"}}')
    store.client.zadd(k.settled, {"endpoint:a": 4, "endpoint:b": 4})
    store.client.hset(k.receivers, mapping={"endpoint:a": '{"since":0}', "endpoint:b": '{"since":0}'})
    causes = EndpointCauses(store)
    endpoints = [endpoint("a"), endpoint("b")]

    def lagging(now: int) -> list[str]:
        return [cause.subject for cause in causes.at(endpoints, now, 300_000, 120_000)]

    assert lagging(T0 + 119_999) == []
    assert lagging(T0 + 120_000) == ["a", "b"]
    store.client.hset(k.ledger("a"), "hh-1", f'{{"version":1,"status":"published","at":{T0},"sha256":""}}')
    store.client.zadd(k.settled, {"endpoint:b": 5})
    assert lagging(T0 + 121_000) == ["a"]
    assert lagging(T0 + 140_000) == []


def test_what_stays_as_it_is_is_not_gone_through_again_and_nothing_is_missed(store: Store) -> None:
    def changed(now: int, *causes: Cause) -> bool:
        return store.alarms.evaluate(now, PACE, ["hook"], ["r"], causes).changed

    assert changed(T0, failing("a"))
    assert not changed(T0 + 1000, failing("a"))
    looked = store.client.hgetall(keys.ALARMS_LOOKED_AT)
    assert not changed(T0 + 2000, failing("a"))
    assert looked == store.client.hgetall(keys.ALARMS_LOOKED_AT)
    assert changed(T0 + 3000, failing("a"), failing("b"))
    store.alarms.mark("r", "user:mira", snoozed=T0 + 10_000)
    assert not changed(T0 + 9_999, failing("a"), failing("b"))
    assert store.client.hget(keys.ALARMS_LOOKED_AT, "until") == str(T0 + 60_000 + 9_999)
    assert changed(T0 + 120_000, failing("a"), failing("b"))


def message_of(store: Store, count: int = 1) -> AlarmMessage:
    look(store, T0, *(failing(f"e{number}") for number in range(count)))
    message = store.alarms.next_message("hook")
    assert message is not None
    return message


def apprise(url: str, networks: Any = LOOPBACK) -> AppriseSender:
    return AppriseSender(url, "The Herald", "https://herald.example", networks)


def test_a_channel_sends_mail(store: Store, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    url = f"mailto://127.0.0.1:{port}?from=alarms@herald.example&to=night@herald.example"
    message = message_of(store, 30)
    channel = AlarmChannel(store, "hook", apprise(url))
    assert channel.work() == 0
    assert channel.work() is None
    (mail,) = box.mails
    assert "Subject: [The Herald] r (30)" in mail
    assert "- e0: it fails" in mail
    assert "and 10 more" in mail
    assert message.id in mail
    assert store.alarms.channel("hook").success


def test_nothing_inside_is_reached_and_a_channel_that_takes_nothing_is_seen(
    store: Store, mailbox: tuple[Mailbox, int], receiver: Receiver
) -> None:
    box, port = mailbox
    message_of(store)
    for url in (f"mailto://127.0.0.1:{port}?from=a@b.example&to=c@d.example", f"json://{receiver.url[7:]}/token-1234"):
        store.alarms.note_channel("hook", store.alarms.channel("hook")._replace(again=0))
        assert AlarmChannel(store, "hook", apprise(url, [])).work() is None
        state = store.alarms.channel("hook")
        assert "the address 127.0.0.1 is not public" in state.error
        assert state.failing
        assert state.again > state.failing
    assert (box.mails, receiver.requests) == ([], [])
    assert store.alarms.next_message("hook") is not None


def test_a_reason_shows_no_secret_and_the_message_comes_again_under_its_id(store: Store, receiver: Receiver) -> None:
    message = message_of(store)
    receiver.otherwise = lambda _: (500, b"no")
    channel = AlarmChannel(store, "hook", apprise(f"json://{receiver.url[7:]}/token-1234"))
    channel.work()
    state = store.alarms.channel("hook")
    assert state.failing
    assert "token-1234" not in state.error
    receiver.otherwise = lambda _: (200, b"")
    store.alarms.note_channel("hook", state._replace(again=0))
    assert channel.work() == 0
    bodies = [request.body.decode() for request in receiver.requests]
    assert len(bodies) == 2
    assert all(message.id in body for body in bodies)
    assert store.alarms.channel("hook").failing == 0


def test_the_operations_webhook_gets_them_as_events(store: Store) -> None:
    message = message_of(store, 2)
    assert AlarmChannel(store, "hook", OperationsForwarder(store)).work() == 0
    _, waiting = store.operations.claim(10, 1000)
    (event,) = [event for _, event in waiting]
    assert (event["id"], event["type"]) == (message.id, "alarm")
    assert [alarm["subject"] for alarm in event["data"]["raised"]] == ["e0", "e1"]
    assert event == texts.event(message)


def test_one_worker_sends_at_a_time(store: Store) -> None:
    message_of(store)
    assert store.alarms.lease("hook").acquire(10_000)
    assert AlarmChannel(store, "hook", OperationsForwarder(store)).work() is None
    assert store.alarms.next_message("hook") is not None
    assert store.alarms.settle("hook", "another", "9-9", store.alarms.channel("hook")) is False


@pytest.mark.parametrize("when", ["before", "after"])
def test_none_is_lost_when_the_worker_is_killed_at_any_step(
    store: Store, redis_url: str, tmp_path: Path, when: str
) -> None:
    assert store.client.ping()
    step = Path(__file__).with_name("alarm_step.py")
    words = [sys.executable, str(step), redis_url, str(tmp_path / "sent"), when]
    output = subprocess.run(words, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}).stdout
    rows = [json.loads(line) for line in output.splitlines()]
    assert len(rows) > 6
    assert [status for status, *_ in rows] == [-signal.SIGKILL] * (len(rows) - 1) + [0]
    for _, ids, standing, left in rows:
        assert len(set(ids)) == 1, "none or two"
        assert len(ids) <= 2
        assert (standing, left) == (["record_away"], False)


def test_the_settings_refuse_what_is_no_channel() -> None:
    for channels in ({"operations": "json://h"}, {"a b": "json://h"}, {"a": "no url"}):
        with pytest.raises(ValueError, match="channels"):
            AlarmSettings.model_validate({"channels": channels})
    assert AlarmSettings.model_validate({"window": "5m"}).window == timedelta(minutes=5)


def test_a_dead_worker_is_lost_until_another_began_in_its_place(store: Store) -> None:
    now = T0
    for name in ("a", "b", "c"):
        store.workers.report_alive(name, now)
    for second in range(1, 60):
        store.workers.report_alive("a", now + second * 1000)
    assert store.workers.vanished(now + 59_000) == {"b": now, "c": now}
    store.workers.report_alive("d", now + 60_000)
    store.workers.report_alive("a", now + 60_000)
    assert list(store.workers.vanished(now + 60_000).values()) == [now]
    store.workers.report_alive("e", now + 60_000)
    assert store.workers.vanished(now + 60_000) == {}
    # One that stops by itself is not missed.
    store.workers.leave("d")
    assert store.workers.vanished(now + 60_000).keys() <= {"b", "c"}


def test_a_worker_that_has_stopped_is_not_missed_however_late_its_last_report(store: Store) -> None:
    for name in ("a", "b"):
        store.workers.report_alive(name, T0)
    store.workers.leave("b")
    store.workers.report_alive("b", T0 + 1_000)
    store.workers.report_alive("a", T0 + 60_000)
    assert store.workers.vanished(T0 + 60_000) == {}
    assert store.workers.alive(T0 + 1_000) == ["a"]


def test_a_certificate_that_ends_is_a_cause(tmp_path: Path) -> None:
    pem = tmp_path / "own.pem"
    pem.write_bytes((ROOT / "tests" / "contract" / "localhost.pem").read_bytes())
    own = EndpointSettings(name="a", feed="f", format="json", url="https://p.example/", tls={"cert": str(pem)})  # type: ignore[arg-type]
    certificates = Certificates()
    century = 100 * 365 * 86_400_000
    assert [cause.subject for cause in certificates.ending([own, own], T0, 50 * century)] == [str(pem)]
    assert certificates.ending([own], 0, 0) == []
    text = own.model_copy(update={"tls": TlsSettings(cert=pem.read_text())})  # type: ignore[arg-type]
    (cause,) = certificates.ending([text], T0, 50 * century)
    assert cause.subject == "endpoints.a.tls.cert"
    pem.write_text("nothing")
    os.utime(pem, (1, 1))
    assert "can't be read" in certificates.ending([own], 0, 0)[0].detail


def test_what_waits_and_which_leases_end(store: Store) -> None:
    assert store.events.waiting_since() == 0
    store.client.xadd(keys.EVENTS, {"event": "{}"}, id="1000-1")
    assert store.events.waiting_since() == 1000
    store.client.zadd(keys.feed("f").leases, {"s1": 5000, "s2": 9000})
    assert store.receivers.leases_ending(["f", "g"], 1000, 6000) == {"f": 1}
