"""Which transfers get a place, and what happens to the others."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from contract.caller import Caller
from contract.misbehaving import PATIENCE, MisbehavingReceiver

from worker.outbound.engine import Engine
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer

Start = Callable[..., Caller]


def test_two_thousand_at_once(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=2000, per_host=2000, connect_timeout=PATIENCE)

    caller.submit([caller.transfer(f"{receiver.url}/together/2000") for _ in range(2000)])

    assert {(answer.status, answer.body) for answer in caller.wait(2000)} == {(200, b"all here")}


def test_answers_are_taken_before_all_that_may_start_have_started(start_engine: Start) -> None:
    caller = start_engine(places=1000, per_host=1000)
    answered_before: list[int] = []

    def is_current() -> bool:
        answered_before.append(len(caller.answers))
        return True

    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/"
        caller.submit([caller.transfer(url, is_current=is_current) for _ in range(500)])
        assert {answer.fault for answer in caller.wait(500)} == {Fault.CONNECT}

    # Each ends as soon as it is started.
    assert len(answered_before) == 500
    assert max(started - answered for started, answered in enumerate(answered_before)) < 100


def test_no_more_are_under_way_than_there_are_places(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=10)
    caller.submit([caller.transfer(f"{receiver.url}/hold") for _ in range(25)])
    receiver.until(lambda: receiver.holding == 10)
    assert caller.engine.room() == -15

    time.sleep(0.1)
    assert len(receiver.requests) == 10
    receiver.release()
    assert {answer.status for answer in caller.wait(25)} == {200}
    assert caller.engine.room() == 10


def test_a_host_at_its_bound_lets_the_others_pass(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=20, per_host=5)
    caller.submit([caller.transfer(f"{receiver.url}/hold") for _ in range(30)])
    receiver.until(lambda: receiver.holding == 5)
    # The 25 that wait for their host keep no more than their allowance from the others.
    assert caller.engine.room() == 20 - 30 + 20

    answers: list[Answer] = []
    other = receiver.url.replace("127.0.0.1", "localhost")
    caller.submit([caller.transfer(f"{other}/ok", on_answer=answers.append) for _ in range(30)])
    receiver.until(lambda: len(answers) == 30)

    assert {answer.status for answer in answers} == {200}
    assert (receiver.holding, caller.answers) == (5, [])
    receiver.release()
    assert {answer.status for answer in caller.wait(30)} == {200}


def test_each_host_is_served_in_the_order_of_submission(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=4, per_host=1)
    caller.submit([caller.transfer(f"{receiver.url}/ok/{i}") for i in range(50)])
    caller.wait(50)

    assert [request.line.split(" ")[1] for request in receiver.requests] == [f"/ok/{i}" for i in range(50)]


def test_a_transfer_that_waits_until_it_is_too_late_is_given_back(
    start_engine: Start, receiver: MisbehavingReceiver
) -> None:
    caller = start_engine(per_host=1)
    caller.submit([caller.transfer(f"{receiver.url}/hold")])
    receiver.until(lambda: receiver.holding == 1)

    late = caller.call(f"{receiver.url}/hold", timeout=1, deadline=time.monotonic() + 1.2)

    assert (late.fault, late.started) == (Fault.NOT_STARTED, False)
    assert receiver.holding == 1


def test_stop_gives_back_what_waits_and_lets_end_what_is_under_way(
    start_engine: Start, receiver: MisbehavingReceiver
) -> None:
    caller = start_engine(places=3)
    caller.submit([caller.transfer(f"{receiver.url}/hold") for _ in range(8)])
    receiver.until(lambda: receiver.holding == 3)

    stopping = threading.Thread(target=caller.engine.stop, args=(30.0,))
    stopping.start()
    assert [answer.fault for answer in caller.wait(5)] == [Fault.NOT_STARTED] * 5
    assert caller.call(f"{receiver.url}/ok").fault is Fault.NOT_STARTED
    receiver.release()
    stopping.join()

    assert [answer.status for answer in caller.answers[6:]] == [200] * 3
    assert len(receiver.requests) == 3
    assert caller.call(f"{receiver.url}/ok").fault is Fault.NOT_STARTED


def test_stop_ends_what_does_not_end_in_time(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine()
    caller.submit([caller.transfer(f"{receiver.url}/hold") for _ in range(3)])
    receiver.until(lambda: receiver.holding == 3)

    caller.engine.stop(0.1)

    assert [(answer.fault, answer.started) for answer in caller.answers] == [(Fault.STOPPED, True)] * 3


def test_an_engine_that_was_never_started_gives_everything_back(receiver: MisbehavingReceiver) -> None:
    caller = Caller(Engine(Guard()))
    caller.submit([caller.transfer(f"{receiver.url}/ok")])
    caller.engine.stop(1)

    assert [answer.fault for answer in caller.answers] == [Fault.NOT_STARTED]


def test_submitting_from_many_threads_and_from_callbacks(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=50, per_host=50)

    def once_more(answer: Answer) -> None:
        assert answer.status == 200
        caller.submit([caller.transfer(f"{receiver.url}/ok")])

    def submit() -> None:
        for _ in range(20):
            caller.submit([caller.transfer(f"{receiver.url}/ok", on_answer=once_more) for _ in range(5)])

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status for answer in caller.wait(400)} == {200}
    assert len(receiver.requests) == 800
    assert caller.engine.room() == 50


def test_receivers_that_misbehave_change_nothing_for_the_others(
    start_engine: Start, receiver: MisbehavingReceiver
) -> None:
    caller = start_engine(places=100, per_host=100)
    bad = ["silent", "deaf", "drip", "drip_head", "reset", "gigabyte", "nonsense", "redirect", "hang_up", "endless"]
    answers: list[Answer] = []
    caller.submit(
        [
            caller.transfer(f"{receiver.url}/{path}", timeout=1, on_answer=answers.append)
            for path in bad
            for _ in range(4)
        ]
    )
    for _ in range(20):
        caller.submit([caller.transfer(f"{receiver.url}/ok") for _ in range(20)])

    assert {(answer.status, answer.fault) for answer in caller.wait(400)} == {(200, None)}
    receiver.until(lambda: len(answers) == 40)
    assert caller.engine.room() == 100


def test_slow_receivers_share_a_tenth_of_the_places(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=20, per_host=100)
    slow: list[Answer] = []

    def call(number: int, timeout: float) -> None:
        caller.submit([caller.transfer(f"{receiver.url}/silent/{number}", timeout=timeout, on_answer=slow.append)])

    for number in range(10):
        call(number, 2)
    receiver.until(lambda: len(slow) == 10)
    assert {answer.fault for answer in slow} == {Fault.TIMEOUT}

    before = len(receiver.requests)
    for number in range(10):
        call(number, PATIENCE)
    caller.submit([caller.transfer(f"{receiver.url}/ok") for _ in range(100)])
    assert {answer.status for answer in caller.wait(100)} == {200}
    assert sum("silent" in request.line for request in receiver.requests[before:]) == 2
    # Two are under way, four wait; the others must come again.
    assert [answer.fault for answer in slow[10:]] == [Fault.CROWDED] * 4


def test_names_without_an_address_take_no_place_and_keep_nobody_waiting(
    start_engine: Start, receiver: MisbehavingReceiver
) -> None:
    speak = threading.Event()

    def lookup(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            speak.wait(60)
        return [(None, None, None, "", ("127.0.0.1", 0))]

    caller = start_engine(places=5, connect_timeout=3.0, lookup=lookup)
    slow: list[Answer] = []
    caller.submit(
        [caller.transfer(f"http://slow{i}.example:{receiver.port}/ok", on_answer=slow.append) for i in range(50)]
    )
    caller.submit([caller.transfer(f"http://quick{i}.example:{receiver.port}/ok") for i in range(10)])

    assert {answer.status for answer in caller.wait(10)} == {200}
    assert slow == []
    receiver.until(lambda: len(slow) == 50)
    assert {(answer.fault, answer.started) for answer in slow} == {(Fault.TIMEOUT, False)}
    speak.set()


def test_questions_that_hang_take_no_place_from_pushes(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(places=20, per_host=20)
    questions = [
        caller.transfer(
            f"{receiver.url}/hold?hub.challenge={number}", method="GET", receiver=f"/{number}", question=True
        )
        for number in range(100)
    ]
    caller.submit(questions)
    receiver.until(lambda: receiver.holding == 2)
    assert caller.engine.room() > 0

    answers: list[Answer] = []
    caller.submit([caller.transfer(f"{receiver.url}/ok", on_answer=answers.append) for _ in range(50)])
    receiver.until(lambda: len(answers) == 50)
    assert (receiver.holding, caller.answers) == (2, [])
    receiver.release()
    assert {answer.status for answer in caller.wait(100)} == {200}
