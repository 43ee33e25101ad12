"""Processes of the command line, forked from one that has done the imports: they begin in no time.

What runs is what `python -P -m worker.cli` runs, in a process of its own with its own descriptors, variables and
session; only the second that the imports take is saved, some hundreds of times.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from worker.cli.commands import COMMANDS, GROUPS

context = multiprocessing.get_context("forkserver")
"""What all tests fork from. There is one server in a process, so what it imports is said once, here; it knows the
modules of the product, but not those of the tests."""
context.set_forkserver_preload(
    [
        "web.app",
        "worker.runtime.web_server",
        "worker.runtime.worker_process",
        "worker.retention.outbox_drain",
        "worker.cli.failures",
        *(f"worker.cli.{command.place.partition(':')[0]}" for command in (*COMMANDS, *GROUPS)),
        "frozen",
    ]
)


_lock = threading.Lock()
"""How a process has ended can be read once, and `multiprocessing` reads it of all processes when it starts another: so
no two threads may do either at a time."""


def finish(process: Any, seconds: float | None) -> int | None:
    """Wait until a process ends, so long at the most; return its exit status, None: it still runs."""
    wait([process.sentinel], seconds)
    with _lock:
        status: int | None = process.exitcode
        return status


def begin(process: Any) -> None:
    """Start a process."""
    with _lock:
        process.start()


class _Descriptor:
    """A descriptor that goes along with the arguments of a process."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detach, (DupFd(self._number),)


def _detach(descriptor: Any) -> int:
    number: int = descriptor.detach()
    return number


class ForkedProcess:
    """A process as `subprocess.Popen` shows it, with a pipe as its standard input.

    `log`: the file for what it writes, else it goes where ours goes. `first` is called in it before all else: a
    function of a module that can be imported, with what it is given bound to it.
    """

    def __init__(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        *,
        log: Path | None = None,
        first: Callable[[], None] | None = None,
    ) -> None:
        reading, writing = os.pipe()
        self.stdin = os.fdopen(writing, "wb", buffering=0)
        outputs = [1, 2] if log is None else [os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)] * 2
        streams = [_Descriptor(number) for number in (reading, *outputs)]
        self._process = context.Process(
            target=_supervised, args=(list(words), dict(environ), Path.cwd(), streams, first)
        )
        begin(self._process)
        os.close(reading)
        if log is not None:
            os.close(outputs[0])
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        return finish(self._process, 0)

    def wait(self, timeout: float | None = None) -> int:
        status = finish(self._process, timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _supervised(
    words: list[str], environ: dict[str, str], cwd: Path, streams: list[int], first: Callable[[], None] | None
) -> None:
    os.setsid()
    if first is not None:
        first()
    run_command_line(words, environ, cwd, streams)


def run_command_line(words: Sequence[str], environ: Mapping[str, str], cwd: Path | None, streams: list[int]) -> None:
    """In the new process: be what a shell would have made of it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for the rest of the process)
    os.environ.clear()
    os.environ.update(environ)
    if cwd is not None:
        os.chdir(cwd)
    # What a shell starts has Python's own way to start processes, and the web server goes by it.
    multiprocessing.set_start_method(None, force=True)
    sys.argv = ["dateline", *words]
    from worker.cli import main

    try:
        main()
    finally:
        # A forked process of multiprocessing's leaves these out.
        atexit._run_exitfuncs()
