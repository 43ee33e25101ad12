"""What a row of the benchmark comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One number. `met` is None where there is no target; `note` says how the number came about."""

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    note: str = ""


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
