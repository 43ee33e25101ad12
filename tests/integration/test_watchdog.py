"""A worker whose threads do not move ends itself and says why: real processes, each with one thread made to fail."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import faulty_worker
import pytest
from forked import ForkedProcess
from waiting import PATIENCE_SECONDS, until

from worker import clock
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.store import Store


@pytest.fixture(scope="module")
def redis_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("b"))
    server.start()
    yield server
    server.stop()


def _start(server: EmbeddedRedis, folder: Path, fault: str) -> ForkedProcess:
    config = folder / "dateline.toml"
    config.write_text('[[feeds]]\nname = "all"\ntitle = "All"\n')
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ |= {
        "DATELINE_REDIS_URL": server.url,
        "DATELINE_CONFIG": str(config),
        "DATELINE_DATA_DIR": str(folder / "data"),
    }
    fails = partial(faulty_worker.become, fault, folder / "trigger")
    return ForkedProcess(["worker"], environ, log=folder / "log", first=fails)


def _until_ready(process: ForkedProcess, folder: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        return b"worker_ready" in (folder / "log").read_bytes()

    until(ready, "the worker")


@pytest.mark.parametrize(
    ("fault", "thread"),
    [
        ("worker.outbound.engine Engine _turn hangs", "engine"),
        ("worker.receivers.distributor Distributor _pass ends", "distributor"),
        # All duties do it, and all threads show that they move: the one that is waited for longest would be named.
        ("worker.runtime.duty Duty _once hangs heartbeat", "heartbeat"),
        ("worker.receivers.clearance Clearance _listen ends", "clearance"),
        ("worker.watchdog Beat __call__ hangs MainThread", "consumer"),
    ],
)
def test_a_worker_whose_thread_does_not_move_ends_itself_and_says_why(
    fault: str, thread: str, redis_of_its_own: EmbeddedRedis, tmp_path: Path
) -> None:
    process = _start(redis_of_its_own, tmp_path, fault)
    try:
        _until_ready(process, tmp_path)
        (tmp_path / "trigger").touch()
        if fault.startswith("worker.receivers.clearance"):
            # It listens for as long as the connection holds.
            with Store.connect(redis_of_its_own.url).client as client:
                client.client_kill_filter(_type="pubsub")
        assert 1 == process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
    log = (tmp_path / "log").read_text()
    assert "thread_lost" in log
    assert f"the thread {thread} has" in log
    store = Store.connect(redis_of_its_own.url)
    losses = store.workers.lost_workers(clock.ms(clock.now()))
    assert any(f"-{process.pid}-" in loss for loss in losses)
    assert not any(f"-{process.pid}-" in name for name in store.workers.alive(clock.ms(clock.now())))
    store.close()


def test_a_worker_that_was_frozen_as_a_whole_goes_on(redis_of_its_own: EmbeddedRedis, tmp_path: Path) -> None:
    process = _start(redis_of_its_own, tmp_path, "worker.runtime.duty Duty _once never")
    try:
        _until_ready(process, tmp_path)
        process.send_signal(signal.SIGSTOP)
        time.sleep(8)
        process.send_signal(signal.SIGCONT)
        time.sleep(3)
        assert process.poll() is None
        process.terminate()
        assert 0 == process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
    assert "thread_lost" not in (tmp_path / "log").read_text()
