"""What else a worker has to do waits until its pushes have gone, and not for slow receivers."""

from __future__ import annotations

import threading
import time

from distributing import Worker
from receiver import Answer, Request


def test_it_is_waited_until_what_was_published_is_pushed(worker: Worker) -> None:
    worker.endpoint()
    for number in range(20):
        worker.change(f"a{number}")
        worker.go()
        worker.distributor.let_go_first(60)
        assert len(worker.pushes()) == number + 1
    assert worker.settled()


def test_nobody_waits_longer_for_a_slow_receiver(worker: Worker) -> None:
    worker.endpoint()
    came, answered = threading.Event(), threading.Event()

    def slow(_: Request) -> Answer:
        came.set()
        answered.wait(60)
        return 204, b""

    worker.receiver.behave["/e"] = slow
    worker.change("a")
    worker.go()
    assert came.wait(60)
    begun = time.monotonic()
    worker.distributor.let_go_first(0.02)
    assert time.monotonic() - begun >= 0.02
    assert not worker.settled()
    answered.set()
    worker.distributor.let_go_first(60)
    assert worker.settled()
