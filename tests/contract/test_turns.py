"""Whoever lives on an engine's answers takes turns of its loop; whenever he does not, its own thread does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from contract.caller import Caller
from contract.misbehaving import PATIENCE, MisbehavingReceiver

from worker.outbound.errors import Fault
from worker.receivers.inbox import FeedBehind, Inbox

Start = Callable[..., Caller]


class Turning:
    """A thread that takes one turn after the other, `seconds` each at most, until it is to pause."""

    def __init__(self, caller: Caller, seconds: float) -> None:
        self._caller = caller
        self._seconds = seconds
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._ended = False
        self.thread.start()

    def _run(self) -> None:
        while not self._ended and self._caller.engine.turn(self._seconds):
            pass

    def end(self) -> None:
        self._ended = True
        self._caller.engine.wake()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def answering(caller: Caller, url: str, count: int) -> set[int]:
    """Send so many requests, one after the other; return the threads in which their answers were passed on."""
    threads = set()

    def on_answer(answer: object) -> None:
        threads.add(threading.get_ident())
        caller.on_answer(answer)  # type: ignore[arg-type]

    for _ in range(count):
        assert caller.call(url, on_answer=on_answer).status == 200
    return threads


def test_answers_are_passed_on_to_whoever_takes_turns(caller: Caller, receiver: MisbehavingReceiver) -> None:
    turning = Turning(caller, 0.5)
    # A turn that waits for half a second ends at once when something is submitted.
    begun = time.monotonic()
    threads = answering(caller, f"{receiver.url}/ok", 200)
    assert time.monotonic() - begun < 0.5 * 200 / 2
    assert turning.thread.ident in threads
    turning.end()


def test_its_own_thread_goes_on_when_nobody_else_does(caller: Caller, receiver: MisbehavingReceiver) -> None:
    for _ in range(3):
        turning = Turning(caller, 0.5)
        answering(caller, f"{receiver.url}/ok", 3)
        turning.end()
        # He is busy with something else from now on.
        assert turning.thread.ident not in answering(caller, f"{receiver.url}/ok", 3)


def test_two_that_take_turns_lose_nothing(start_engine: Start, receiver: MisbehavingReceiver) -> None:
    caller = start_engine(per_host=20)
    # Now and then he does something else for longer than the engine's own thread waits.
    stopped = threading.Event()

    def now_and_then() -> None:
        while not stopped.is_set():
            caller.engine.turn(0.01)
            stopped.wait(0.03)

    turning = threading.Thread(target=now_and_then, daemon=True)
    turning.start()
    for lot in range(20):
        caller.submit([caller.transfer(f"{receiver.url}/ok") for _ in range(50)])
        caller.wait(50 * (lot + 1))
    stopped.set()
    turning.join(PATIENCE)
    assert {answer.status for answer in caller.answers} == {200}
    assert caller.engine.unanswered == 0


def test_a_message_ends_the_wait_for_answers_whoever_has_the_loop(caller: Caller) -> None:
    inbox = Inbox(caller.engine)
    for pause in (0.0, 0.002, 0.01, 0.05) * 10:
        threading.Timer(pause, lambda: inbox.put(FeedBehind("world"))).start()
        begun = time.monotonic()
        assert list(inbox.take(10, PATIENCE)) == [FeedBehind("world")]
        assert time.monotonic() - begun < PATIENCE / 2
        time.sleep(pause)
    assert list(inbox.take(10, 0.01)) == []


def test_a_stop_ends_turns_and_answers_everything(caller: Caller, receiver: MisbehavingReceiver) -> None:
    turning = Turning(caller, PATIENCE)
    caller.submit([caller.transfer(f"{receiver.url}/hold")])
    receiver.until(lambda: receiver.holding == 1)
    caller.engine.stop(0.1)
    assert [answer.fault for answer in caller.wait(1)] == [Fault.STOPPED]
    turning.thread.join(PATIENCE)
    assert not turning.thread.is_alive()
    assert not caller.engine.turn(PATIENCE)
    inbox = Inbox(caller.engine)
    threading.Timer(0.05, lambda: inbox.put(FeedBehind("world"))).start()
    assert list(inbox.take(1, PATIENCE)) == [FeedBehind("world")]
