"""Logging never stops work, whatever becomes of standard error, and lines of several processes stay whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from worker.runtime.logs import Lines

_PROGRAM = """
import logging, sys, threading
import structlog
from worker.runtime import logs
logs.configure("info")
log = structlog.get_logger()
{}
"""


def _run(program: str, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _PROGRAM.format(program)], stdout=subprocess.PIPE, stderr=stderr)


def _logged(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def _said(lines: int, reason: str) -> str:
    return f"{lines} lost: {reason}"


@pytest.mark.parametrize("end", ["reader gone", "disk full", "closed"])
def test_a_process_works_on_when_standard_error_cannot_be_written(end: str, pipe: tuple[int, int]) -> None:
    program = """
if "closed" in sys.argv: import os; os.close(2)
for number in range(1000): log.error("event", number=number)
try: 1 / 0
except ZeroDivisionError: log.exception("failed")
logging.getLogger("library").error("said"); print("x", file=sys.stderr)
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
logs.flush()
print(logs.lost() > 1000, flush=True)
"""
    reading, writing = pipe
    if end == "disk full":
        writing = os.open("/dev/full", os.O_WRONLY)
    elif end == "reader gone":
        os.close(reading)
    arguments = [sys.executable, "-c", _PROGRAM.format(program), end]
    ended = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=writing, timeout=60, check=False)
    assert (b"True\n", 0) == (ended.stdout, ended.returncode)


def test_a_pipe_that_is_not_read_holds_nobody_up(pipe: tuple[int, int]) -> None:
    process = _run('for number in range(20_000): log.error("event", number=number)\nprint("done", flush=True)', pipe[1])
    try:
        assert process.stdout is not None
        assert b"done\n" == process.stdout.readline()
        assert 0 == process.wait(60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_how_many_lines_were_lost_is_said_when_they_can_be_written_again(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    lines = Lines(full, _said)
    for number in range(5):
        lines.write(f"line {number}")
    until(lambda: lines.lost == 5)
    lines.write("and one that is long" * 10)
    until(lambda: lines.lost == 6)
    path = tmp_path / "log"
    lines.fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    # Without anything more to log.
    until(lambda: path.read_bytes().count(b"\n") == 1)
    lines.write("good again")
    lines.flush()
    assert "6 lost: No space left on device\ngood again\n" == path.read_text()
    os.close(full)
    os.close(lines.fd)


def test_a_line_that_was_cut_off_does_not_run_into_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    real, answers = os.write, [lambda fd, data: real(fd, data[:10]), _no_space]

    def write(fd: int, data: bytes) -> int:
        return answers.pop(0)(fd, data) if answers else real(fd, data)

    lines = Lines(os.open(path, os.O_WRONLY | os.O_CREAT), _said)
    monkeypatch.setattr(os, "write", write)
    lines.write("this line is cut off by a full disk")
    until(lambda: lines.lost == 1)
    lines.write("this is whole")
    lines.flush()
    assert "this line \n1 lost: No space left on device\nthis is whole\n" == path.read_text()
    os.close(lines.fd)


def _no_space(fd: int, data: bytes) -> int:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_lines_of_several_processes_never_run_together(kind: str, tmp_path: Path, pipe: tuple[int, int]) -> None:
    program = """
def fail(depth): return fail(depth - 1) if depth else 1 / 0
for number in range(90):
    log.info("short", number=number)
    log.info("long", text="x" * 3000)
    log.info("too long", text="x" * 9000, names=["y" * 900] * 900)
    if number % 30 == 0:
        try: fail(40)
        except ZeroDivisionError: log.exception("failed")
        logging.getLogger("library").error("foreign")
        print("printed", number, file=sys.stderr)
logs.flush(20)
"""
    reading, writing = pipe
    path = tmp_path / "log"
    heard: list[bytes] = []
    thread = threading.Thread(target=lambda: heard.extend(iter(lambda: os.read(reading, 1000), b"")))
    if kind == "file":
        # As a shell opens it: without O_APPEND, one position for all.
        os.close(writing)
        writing = os.open(path, os.O_WRONLY | os.O_CREAT)
    else:
        thread.start()
    processes = [_run(program, writing) for _ in range(3)]
    for process in processes:
        assert 0 == process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
    os.close(writing)
    if kind == "pipe":
        thread.join()
    text = path.read_bytes() if kind == "file" else b"".join(heard)
    lines = text.splitlines()
    assert 3 * (270 + 9) == len(lines)
    assert 3 * 3 == sum(line.startswith(b"printed ") for line in lines)
    assert 3 * 276 == len(_logged(b"\n".join(line for line in lines if not line.startswith(b"printed "))))


def test_an_error_that_nobody_caught_is_one_line(pipe: tuple[int, int]) -> None:
    program = """
thread = threading.Thread(target=lambda: 1 / 0, name="worker of sorts"); thread.start(); thread.join()
import warnings; warnings.warn("be warned")
raise ValueError("last words")
"""
    process = _run(program, pipe[1])
    assert 1 == process.wait(60)
    assert process.stdout is not None
    process.stdout.close()
    os.close(pipe[1])
    first, second, third = _logged(os.read(pipe[0], 60_000))
    assert ("uncaught", "worker of sorts") == (first["event"], first["thread"])
    assert "be warned" in second["event"]
    assert ("uncaught", "ValueError") == (third["event"], third["exception"][0]["exc_type"])


def test_a_log_call_never_raises(pipe: tuple[int, int]) -> None:
    program = r"""
class Odd:
    def __repr__(self): raise RuntimeError("no name")
    __str__ = __repr__
log.error("odd", value=Odd())
log.error("half a character \ud800", value="\ud800")
logging.getLogger("library").error("%d of %s", "x", Odd())
"""
    process = _run(program, pipe[1])
    assert 0 == process.wait(60)
    assert process.stdout is not None
    process.stdout.close()
    os.close(pipe[1])
    events = [line["event"] for line in _logged(os.read(pipe[0], 60_000))]
    assert ["odd", "half a character \ud800", "%d of %s"] == events
