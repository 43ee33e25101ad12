"""Jobs in threads: one slow host keeps none of the others waiting, and every job is answered once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event

import pytest

from worker.outbound.errors import Fault
from worker.outbound.jobs import Job, JobPool
from worker.outbound.transfer import Answer

PATIENCE = 60


@pytest.fixture
def pool() -> Iterator[JobPool]:
    pool = JobPool(threads=4, per_host=2)
    yield pool
    pool.stop(0)


class Sent:
    """Answers as they come, with the name of their job."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[tuple[str, Answer]] = SimpleQueue()

    def job(self, host: str, run: Callable[[], object] = lambda: None, *, within: float = PATIENCE) -> Job:
        def carry_out() -> Answer:
            run()
            return Answer(200, {}, b"", None, "", 0.0, started=True)

        return Job(host, carry_out, 1.0, time.monotonic() + within, lambda answer: self._answers.put((host, answer)))

    def next(self) -> tuple[str, Answer]:
        return self._answers.get(timeout=PATIENCE)

    def empty(self) -> bool:
        return self._answers.empty()


def test_a_slow_host_has_its_share_of_threads_and_no_more(pool: JobPool) -> None:
    sent, gate = Sent(), Event()
    pool.submit([sent.job("slow", gate.wait) for _ in range(10)])
    pool.submit([sent.job("quick") for _ in range(10)])
    assert {sent.next()[0] for _ in range(10)} == {"quick"}
    assert sent.empty()
    gate.set()
    assert {sent.next()[0] for _ in range(10)} == {"slow"}


def test_an_urgent_one_goes_first(pool: JobPool) -> None:
    sent, gate, order = Sent(), Event(), []
    pool.submit([sent.job("a", gate.wait) for _ in range(2)])
    waiting, urgent = sent.job("a", lambda: order.append("waiting")), sent.job("a", lambda: order.append("urgent"))
    urgent.urgent = True
    pool.submit([waiting])
    pool.submit([urgent])
    gate.set()
    assert [sent.next()[1].status for _ in range(4)] == [200] * 4
    assert order[0] == "urgent"


def test_what_is_too_late_or_out_of_date_is_not_begun(pool: JobPool) -> None:
    sent, begun = Sent(), []
    late, outdated = sent.job("a", lambda: begun.append(1), within=0.5), sent.job("b", lambda: begun.append(2))
    outdated.is_current = lambda: False
    pool.submit([late, outdated])
    assert {sent.next()[1].fault for _ in range(2)} == {Fault.NOT_STARTED, Fault.OUTDATED}
    assert begun == []


def test_one_that_waits_in_vain_is_given_back_while_its_host_is_busy(pool: JobPool) -> None:
    sent, gate = Sent(), Event()
    pool.submit([sent.job("a", gate.wait) for _ in range(2)])
    pool.submit([sent.job("a", within=1.2)])
    assert sent.next()[1].fault is Fault.NOT_STARTED
    gate.set()


def test_a_mistake_of_ours_is_an_answer(pool: JobPool) -> None:
    sent = Sent()
    pool.submit([sent.job("a", lambda: 1 / 0)])
    answer = sent.next()[1]
    assert (answer.fault, answer.message) == (Fault.INTERNAL, "it failed: ZeroDivisionError")


def test_after_a_stop_everything_has_its_answer_once(pool: JobPool) -> None:
    sent, gate, began = Sent(), Event(), Event()

    def hang() -> None:
        began.set()
        gate.wait()

    pool.submit([sent.job("a", hang), sent.job("b", hang)])
    began.wait(PATIENCE)
    pool.submit([sent.job("a") for _ in range(1)])
    pool.stop(0.1)
    pool.submit([sent.job("c")])
    faults = [sent.next()[1].fault for _ in range(4)]
    gate.set()
    assert set(faults) <= {Fault.STOPPED, Fault.NOT_STARTED, None}
    assert Fault.STOPPED in faults
    assert faults[-1] is Fault.NOT_STARTED
    assert sent.empty()
