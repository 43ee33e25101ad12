"""What a row of the benchmark comes to, and how it is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Result:
    """One number. `met` is None where there is no target; `note` says how the number came about.

    `low` and `high`: the least and the greatest of `rounds`, whose median `value` is.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    note: str = ""
    low: float | None = None
    high: float | None = None
    rounds: int = 1

    def over(self, values: Sequence[float]) -> Self:
        """The same, with the spread of the rounds of which it is the median."""
        return replace(self, low=min(values), high=max(values), rounds=len(values))


@dataclass
class Row:
    """What came of one row; `error` if it could not be measured. `measured`: when, in UTC; `machine`: on which."""

    name: str
    measured: str
    machine: dict[str, str]
    results: list[Result] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0


def read_rows(file: Path) -> dict[str, Row]:
    """Return the rows that a file keeps, by their names; none when it is not there."""
    if not file.exists():
        return {}
    rows = [
        Row(**row | {"results": [Result(**result) for result in row["results"]]})
        for row in json.loads(file.read_text())
    ]
    return {row.name: row for row in rows}


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """Keep rows in a file."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def median_of(runs: Sequence[Sequence[Result]]) -> list[Result]:
    """Return, of each number of several runs of a row, the one in the middle, with the spread.

    What has rounds of its own keeps its spread when there is one run.
    """
    if len(runs) == 1:
        return list(runs[0])
    middle = []
    for name in dict.fromkeys(result.name for run in runs for result in run):
        same = sorted((result for run in runs for result in run if result.name == name), key=lambda one: one.value)
        middle.append(same[(len(same) - 1) // 2].over([result.value for result in same]))
    return middle


def at_least(name: str, value: float, bound: float, unit: str, note: str = "") -> Result:
    """A number with a target from below."""
    return Result(name, value, unit, f"at least {bound:g} {unit}".rstrip(), value >= bound, note)


def at_most(name: str, value: float, bound: float, unit: str, note: str = "") -> Result:
    """A number with a target from above."""
    return Result(name, value, unit, f"at most {bound:g} {unit}".rstrip(), value <= bound, note)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]
