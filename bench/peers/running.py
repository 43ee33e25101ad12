"""Programs that run meanwhile. What they say is of no interest: what they do is measured."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 10


@contextmanager
def running(commands: Sequence[Sequence[str]], environ: Mapping[str, str]) -> Iterator[list[int]]:
    """Run them in the root of the repository; yield their process ids."""
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serves(url: str) -> bool:
    """Whether a program that is starting answers there by now."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.ConnectionError:
        return False
