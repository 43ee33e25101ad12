"""What a row of the benchmark comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
