"""The machine: what it is, and what it is busy with."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_PEERS = ("celery", "redis", "requests", "pycurl", "feedgen", "flask", "flask-websub")
_TICKS = os.sysconf("SC_CLK_TCK")


def description() -> dict[str, str]:
    """What somebody who compares numbers has to know."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "peers": ", ".join(f"{name} {version(name)}" for name in _PEERS if find_spec(name.replace("-", "_"))),
    }


def resident(pid: int) -> float:
    """The memory of a process in MiB."""
    return int((_field(Path(f"/proc/{pid}/status"), "VmRSS") or "0").split()[0]) / 1024


def descendants(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


class Usage:
    """Who used the processors since this was made: the first thing to look at when a target is missed."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = {name: list(pids) for name, pids in groups.items()}
        self._begun = time.monotonic()
        self._before = self._seconds()
        self._others = _busy_seconds()

    def report(self) -> str:
        """Cores that each group kept busy, and those that strangers did."""
        elapsed = time.monotonic() - self._begun
        after = self._seconds()
        cores = {name: (after[name] - self._before[name]) / elapsed for name in after}
        cores["others"] = max(0.0, (_busy_seconds() - self._others) / elapsed - sum(cores.values()))
        shares = ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
        return f"cores busy: {shares}; {len(os.sched_getaffinity(0))} there are"

    def cores(self) -> float:
        """Cores that all groups together kept busy."""
        elapsed = time.monotonic() - self._begun
        return (sum(self._seconds().values()) - sum(self._before.values())) / elapsed

    def seconds(self, *groups: str) -> float:
        """Processor time that these groups have used."""
        after = self._seconds()
        return sum(after[name] - self._before[name] for name in groups)

    def _seconds(self) -> dict[str, float]:
        return {name: sum(map(_cpu_seconds, pids)) for name, pids in self._groups.items()}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _busy_seconds() -> float:
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS


def _field(path: Path, name: str) -> str | None:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
