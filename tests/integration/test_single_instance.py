"""One `dateline up` to a data directory, whatever way the one before has ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from worker.runtime.single_instance import RunsAlready, SingleInstance

_HOLD = (
    "import pathlib, subprocess, sys; from worker.runtime.single_instance import SingleInstance; "
    "SingleInstance(pathlib.Path(sys.argv[1]), 8420).__enter__(); "
    "child = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL); "
    "print(child.pid, flush=True); sys.stdin.read()"
)


def _hold(data_dir: Path) -> subprocess.Popen[str]:
    """A process that has the lock, and a child that outlives it."""
    command = [sys.executable, "-c", _HOLD, str(data_dir)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_second_one_is_told_who_is_there_and_changes_nothing(tmp_path: Path) -> None:
    with SingleInstance(tmp_path / "data", 8420) as first:
        text = (tmp_path / "data" / "up.lock").read_text()
        expected = re.escape(f"already running here (pid {os.getpid()}, port 8420; {tmp_path / 'data'})")
        with pytest.raises(RunsAlready, match=expected), SingleInstance(tmp_path / "data", 8421):
            pass
        assert text == (tmp_path / "data" / "up.lock").read_text()
        assert not first.inherited
    with SingleInstance(tmp_path / "data", 8421) as next_one:
        assert not next_one.inherited


def test_of_many_at_the_same_moment_one_gets_it(tmp_path: Path) -> None:
    holders = [_hold(tmp_path) for _ in range(3)]
    children = []
    for holder in holders:
        assert holder.stdout is not None
        if line := holder.stdout.readline():
            children.append(int(line))
    for holder in holders:
        holder.communicate()
    for child in children:
        os.kill(child, 9)
    assert len(children) == 1


def test_after_a_kill_the_next_one_gets_it_though_children_live(tmp_path: Path) -> None:
    with _hold(tmp_path) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        holder.kill()
    try:
        with SingleInstance(tmp_path, 8420) as heir:
            assert heir.inherited
    finally:
        os.kill(child, 9)
