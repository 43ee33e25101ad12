"""`dateline up`: Redis, workers and the web server as one tree of processes that starts, stays and stops together.

Children run in sessions of their own, so that Ctrl-C reaches only the parent, which then stops them in order: first the
way in, then the workers, Redis last. A child whose parent has died notices that its standard input has ended and stops.
None of them imports anything from the working directory (`python -P`), whatever lies there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import requests
import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.runtime.embedded_redis import EmbeddedRedis, EmbeddedRedisError
from worker.runtime.listen_address import see_that_it_is_free
from worker.runtime.record_in_use import make_embedded
from worker.runtime.single_instance import SingleInstance
from worker.store import Store, redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from config.settings import Settings

log = structlog.get_logger()

SUPERVISED = "DATELINE_SUPERVISED"
"""In the environment of a child: its standard input ends when the parent does."""
_START_SECONDS = 60
_STOP_SECONDS = (12.0, 30.0)
"""How long the web server may take to stop, and the workers."""
_RESTART_SECONDS = (0.5, 1, 2, 5, 10)
_STEADY_SECONDS = 60.0
"""A process that has run for so long has not failed in a row."""
_LOOK_SECONDS = 1.0
"""How often the embedded Redis is asked whether it is there."""


class UpFailed(RuntimeError):
    """The stack could not be started; the message says what to do."""


@dataclass
class Child:
    """One process of the tree."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    due: float = field(default=0.0)
    begun: float = field(default=0.0)


class ProcessTree:
    """The tree. A context manager: entered it is up, left it is down.

    `environ` is the environment of the children; they read their settings from it. `options` are given to each of them.
    """

    def __init__(
        self,
        settings: Settings,
        config: Path,
        workers: int,
        environ: Mapping[str, str],
        *,
        options: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._redis = None if settings.redis_url else EmbeddedRedis(settings.data_dir)
        self._environ = {**environ, "DATELINE_CONFIG": str(config.resolve()), SUPERVISED: "1", "PYTHONSAFEPATH": "1"}
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._instance = ExitStack()
        self._redis_failures = 0
        self._redis_due = 0.0
        self.redis_url = settings.redis_url or ""
        names = [f"worker-{number}" for number in range(1, workers + 1)]
        self.children = [
            Child("web", ["web", *options]),
            *(Child(name, ["worker", "--name", name, *options]) for name in names),
        ]

    def __enter__(self) -> Self:
        """Start everything and wait until it is ready. Raises UpFailed, RunsAlready, CantListen."""
        with ExitStack() as undo:
            inherited = self._be_the_only_one(undo)
            web = self._settings.web
            see_that_it_is_free(web.host, web.port, _STOP_SECONDS[0] if inherited else 0)
            self._begin()
            self._instance = undo.pop_all()
        return self

    def _be_the_only_one(self, undo: ExitStack) -> bool:
        """Take the data; return whether the one that had them before was killed. Raises RunsAlready, UpFailed."""
        if self._redis is None:
            # Any number may use a Redis that is not ours.
            return False
        try:
            return undo.enter_context(SingleInstance(self._settings.data_dir, self._settings.web.port)).inherited
        except OSError as error:
            raise UpFailed(f"can't write to {self._settings.data_dir}: {error.strerror}") from error

    def _begin(self) -> None:
        try:
            make_embedded(self._settings)
            if self._redis is not None:
                self.redis_url = self._environ["DATELINE_REDIS_URL"] = self._redis.start()
            for child in self.children:
                self._start(child)
            self._wait_until_ready()
        except BaseException:
            self._stop_all()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._instance:
            self._stop_all()

    def watch(self) -> None:
        """Keep the children running until `stop` is called: who dies is started again, soon and then less soon."""
        redis_checked = time.monotonic()
        while not self._stopped.wait(0.2):
            if time.monotonic() - redis_checked > _LOOK_SECONDS:
                self._look_after_redis()
                redis_checked = time.monotonic()
            for child in self.children:
                try:
                    self._look_after(child)
                except OSError as error:
                    child.due = time.monotonic() + _RESTART_SECONDS[-1]
                    log.error("process_not_started", process=child.name, reason=str(error), next_step="trying again")

    def _look_after(self, child: Child) -> None:
        process = child.process
        now = time.monotonic()
        if process is not None and process.poll() is not None:
            if now - child.begun > _STEADY_SECONDS:
                child.failures = 0
            wait = _RESTART_SECONDS[min(child.failures, len(_RESTART_SECONDS) - 1)]
            log.error("process_died", process=child.name, status=process.returncode, restart_in=wait)
            assert process.stdin is not None
            child.process, child.due = None, now + wait
            child.failures += 1
            with suppress(OSError):
                process.stdin.close()
        elif process is None and now >= child.due:
            self._start(child)

    def stop(self) -> None:
        """End `watch`. May be called from a signal handler."""
        self._stopped.set()

    def hang_up(self) -> None:
        """Have all processes read their settings again."""
        for child in self.children:
            process = child.process
            if process is not None:
                process.send_signal(signal.SIGHUP)

    def _look_after_redis(self) -> None:
        """Start the embedded Redis again when it has died; its append-only file has what it knew."""
        if self._redis is None or self._redis.runs() or time.monotonic() < self._redis_due:
            return
        log.error("redis_died", next_step="it is started again")
        try:
            self._redis.start()
            self._redis_failures = 0
        except (EmbeddedRedisError, RedisError) as error:
            wait = _RESTART_SECONDS[min(self._redis_failures, len(_RESTART_SECONDS) - 1)]
            self._redis_failures += 1
            self._redis_due = time.monotonic() + wait
            log.error("redis_not_started", reason=str(error), next_step=f"trying again in {wait} s")

    def _start(self, child: Child) -> None:
        with self._lock:
            if self._stopped.is_set():
                return
            child.begun = time.monotonic()
            child.process = self._spawn(child.command)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-P", "-m", "worker.cli", *command],
            stdin=subprocess.PIPE,
            env=self._environ,
            start_new_session=True,
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        store = Store.connect(self.redis_url)
        begun = _now(store)
        workers = len(self.children) - 1
        reason = ""
        url = f"http://{_reachable(self._settings.web.host)}:{self._settings.web.port}/healthz"
        waits: list[Callable[[], bool]] = [
            lambda: len(store.workers.alive(_now(store), begun)) >= workers,
            lambda: _answers(url),
        ]
        try:
            while waits:
                for child in self.children:
                    if child.process is not None and child.process.poll() is not None:
                        raise UpFailed(f"{child.name} ended with status {child.process.returncode}; its log is above")
                if time.monotonic() > deadline:
                    raise UpFailed(
                        f"not ready within {_START_SECONDS} seconds; the logs above say what each waits for{reason}"
                    )
                try:
                    waits = [wait for wait in waits if not wait()]
                except RedisError as error:
                    # A Redis that is full or slow keeps nobody from being served what there is.
                    reason = f"; {redis_errors.sentence(error)}"
                time.sleep(0.05)
        finally:
            store.close()

    def _stop_all(self) -> None:
        """Stop everything. A second signal meanwhile ends the waiting for what is in flight, and leaves nothing."""
        with self._lock:
            self._stopped.set()
        try:
            for group, seconds in zip((self.children[:1], self.children[1:]), _STOP_SECONDS, strict=True):
                self._stop_group(group, seconds)
        finally:
            for child in self.children:
                if child.process is not None and child.process.poll() is None:
                    _kill(child.process, "its end is not waited for")
            if self._redis is not None:
                self._redis.stop()

    def _stop_group(self, group: list[Child], seconds: float) -> None:
        processes = [child.process for child in group if child.process is not None]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + seconds
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(process, f"did not stop within {seconds:.0f} s")
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()


def _now(store: Store) -> int:
    store.clock.measure()
    return clock.ms(store.clock.now() or clock.now())


def _kill(process: subprocess.Popen[bytes], reason: str) -> None:
    """End a child and what it has started: it leads a group of its own."""
    log.error("process_killed", pid=process.pid, reason=reason)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_with_parent() -> bool:
    """In a child of `ProcessTree`: stop when the parent is gone. Elsewhere: nothing. Return which it is."""
    if os.environ.get(SUPERVISED) != "1":
        return False

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    # Not for the children of this one: their standard input is not ours.
    del os.environ[SUPERVISED]
    threading.Thread(target=wait, name="parent", daemon=True).start()
    return True


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 (read only)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
