"""Wake-up calls: nobody waits for the broker, whatever it does, and calls that can't be sent are dropped."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from celery import Celery
from waiting import until

from worker import wakeups as module
from worker.wakeups import Wakeups

# As in worker/runtime/celery_app.py, but sooner out of patience.
PATIENCE = {"socket_timeout": 3, "socket_connect_timeout": 3}


def calls_to(broker: str) -> Wakeups:
    app = Celery("calls", broker=broker)
    app.conf.update(broker_transport_options=PATIENCE)
    return Wakeups(app)


@pytest.fixture
def stalled() -> Iterator[str]:
    """The address of a broker that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def until_in_trouble(wakeups: Wakeups, reason: str) -> None:
    until(lambda: reason in wakeups.trouble, lambda: f"{reason}; there is {wakeups.trouble}")


def test_nobody_waits_for_a_broker_that_stalls(stalled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STALLED_SECONDS", 0.2)
    wakeups = calls_to(stalled)
    begun = time.monotonic()
    wakeups.consume(urgent=True)
    for number in range(20_000):
        wakeups.distribute(f"feed-{number}")
    assert time.monotonic() - begun < 20
    until_in_trouble(wakeups, "it does not answer")
    assert len(wakeups._waiting) <= module._MAX_WAITING
    assert not wakeups.flush(0)


def test_nobody_waits_for_a_broker_that_is_away_and_when_it_is_back_it_is_called_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        wakeups = calls_to(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        begun = time.monotonic()
        for number in range(1000):
            wakeups.verify(f"feed-{number}")
        assert time.monotonic() - begun < 20
        until_in_trouble(wakeups, "refused")
    sent: list[str] = []
    wakeups._send = lambda task, *_: sent.append(task)  # type: ignore[method-assign]
    wakeups.read_back("feed")
    assert wakeups.flush(60)
    assert (["dateline.read_back"], "") == (sent, wakeups.trouble)


def test_kills_go_first_and_what_waits_already_is_not_said_twice(stalled: str) -> None:
    wakeups = calls_to(stalled)
    wakeups.verify("first")
    until(lambda: wakeups._sending_since is not None)
    for _ in range(3):
        wakeups.distribute("news")
        wakeups.consume(urgent=False)
        wakeups.consume(urgent=True)
    assert ["urgent", "distribute", "intake"] == [queue for _, queue, _ in wakeups._waiting]


def test_a_process_that_ends_sends_its_last_call_and_does_not_wait_for_a_broker_that_stalls(stalled: str) -> None:
    program = (
        "import atexit, sys, time\nfrom worker.runtime.celery_app import app, configure\n"
        "from worker.wakeups import Wakeups\n"
        "begun = time.monotonic()\natexit.register(lambda: print(time.monotonic() - begun))\n"
        "configure(sys.argv[1])\nWakeups(app).consume(urgent=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, stalled], check=True, timeout=60, stdout=subprocess.PIPE)
    # Without the imports, which take their time where much else runs.
    assert float(done.stdout) < 30


def test_a_call_is_a_message_that_any_celery_worker_takes() -> None:
    app = Celery("calls", broker="memory://")
    wakeups = Wakeups(app)
    with app.connection() as connection:
        # All tests of a process share what is in memory.
        for queue in ("urgent", "intake", "distribute"):
            connection.SimpleQueue(queue).clear()
        for urgent in (True, False):
            wakeups.consume(urgent=urgent)
        wakeups.distribute("world")
        assert wakeups.flush(60)
        for queue, task, args in (
            ("urgent", "dateline.consume", []),
            ("intake", "dateline.consume", []),
            ("distribute", "dateline.distribute", ["world"]),
        ):
            message = connection.SimpleQueue(queue).get(timeout=60)
            called, named, _ = message.payload
            assert (message.headers["task"], called, named) == (task, args, {})
            assert message.headers["id"] == message.properties["correlation_id"]
            message.ack()
