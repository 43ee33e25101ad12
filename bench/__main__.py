"""`python -m bench`: run every row, print the table and write RESULTS.md. `--quick`: a tenth of the work.

Each row is written as soon as it is measured, so a run that is ended loses nothing, and single rows can be measured
anew: `python -m bench fan-out`. The status is 1 when a row could not be measured. A target that is missed is told, and
is no reason to fail.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.machine import description
from bench.results import Result, Row, median_of, read_rows, write_rows
from bench.rows import ROWS

_RESULTS = Path(__file__).with_name("RESULTS.md")
_ROWS = Path(__file__).with_name("results.json")
_QUICK = 0.1
_ROUNDS = 5
"""How often a row is run that does not say so itself."""

out = Console()


def main() -> int:
    """Run, print, write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Dateline beside its peers.")
    parser.add_argument("--quick", action="store_true", help="do a tenth of the work and write nothing")
    parser.add_argument("--rounds", type=int, help="how often each row is run; its median counts")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="only these")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    names = options.rows or list(ROWS)
    scale = _QUICK if options.quick else 1.0
    rows = []
    for number, name in enumerate(names, 1):
        row = _run(name, scale, options.rounds, f"{number}/{len(names)}")
        rows.append(row)
        if not options.quick:
            measured = read_rows(_ROWS) | {name: row}
            write_rows(_ROWS, [measured[name] for name in ROWS if name in measured])
            _RESULTS.write_text(_markdown([measured[name] for name in ROWS if name in measured]))
    out.print(_table(rows))
    if not options.quick:
        out.print(f"Written to {_RESULTS}")
    return int(any(row.error for row in rows))


def _run(name: str, scale: float, rounds: int | None, place: str) -> Row:
    out.print(f"[bold]{place} {name}[/bold] ...", highlight=False)
    row = Row(name, f"{datetime.now(UTC):%Y-%m-%d %H:%M}", description())
    begun = time.monotonic()
    try:
        rounds = rounds or (1 if scale < 1 else getattr(ROWS[name], "ROUNDS", _ROUNDS))
        row.results = median_of([ROWS[name].run(scale) for _ in range(rounds)])
    except Exception as error:  # noqa: BLE001 (the other rows are measured nevertheless)
        row.error = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    row.seconds = time.monotonic() - begun
    out.print(f"    took {row.seconds:.0f} s", highlight=False, style="dim")
    for result in row.results:
        out.print(f"    {result.name}: {_number(result)} {_verdict(result)}", highlight=False, markup=False)
        if result.note:
            out.print(f"        {result.note}", highlight=False, markup=False, style="dim")
    return row


def _table(rows: list[Row]) -> Table:
    table = Table("Row", "What", "Measured", "Spread", "Target", "")
    for row in rows:
        for number, result in enumerate(row.results):
            colour = {True: "green", False: "red", None: "default"}[result.met]
            table.add_row(
                row.name if number == 0 else "",
                escape(result.name),
                _number(result),
                _spread(result),
                result.target,
                f"[{colour}]{_verdict(result)}[/]",
                end_section=number == len(row.results) - 1,
            )
        if row.error:
            table.add_row(row.name, escape(row.error), "", "", "", "[red]FAILED[/]", end_section=True)
    return table


def _markdown(rows: list[Row]) -> str:
    machine = "".join(
        f"| {name} | {value} |\n" for name, value in max(rows, key=lambda row: row.measured).machine.items()
    )
    lines = [
        "# What `make bench` measured\n",
        "A row is measured in one run, and each of its ratios is of numbers measured side by side in that run. When",
        "that was, and how long it took, stands below. A number is the median of its rounds.\n",
        f"| machine | |\n| --- | --- |\n{machine}",
        "| row | what | median | least to greatest | target | |\n| --- | --- | ---: | --- | --- | --- |",
    ]
    for row in rows:
        if row.error:
            lines.append(f"| {row.name} | could not be measured | | | | FAILED |")
        lines += [
            f"| {row.name} | {result.name} | {_number(result)} | {_spread(result)} | {result.target} |"
            f" {_verdict(result)} |"
            for result in row.results
        ]
    for row in rows:
        about, limit = inspect.getdoc(ROWS[row.name]) or "", getattr(ROWS[row.name], "LIMIT", "")
        lines.append(f"\n## {row.name}\n\n{about}\n")
        lines.append(f'On {row.measured} UTC by `python -m bench "{row.name}"`, in {row.seconds / 60:.1f} minutes.\n')
        if row.error:
            lines.append(f"Could not be measured:\n\n    {row.error}\n")
        lines += [f"- {result.name}: {_number(result)}. {_sentence(result)}" for result in row.results if result.note]
        if limit and any(result.met is False for result in row.results):
            lines.append(f"\nWhat limits it: {limit}")
    return "\n".join(lines) + "\n"


def _sentence(result: Result) -> str:
    said = f"{result.note[:1].upper()}{result.note[1:]}."
    return f"**Missed.** {said}" if result.met is False else said


def _verdict(result: Result) -> str:
    return {True: "met", False: "MISSED", None: ""}[result.met]


def _number(result: Result) -> str:
    return f"{_digits(result.value)} {result.unit}".strip()


def _spread(result: Result) -> str:
    if result.low is None or result.high is None:
        return "one round"
    return f"{_digits(result.low)} to {_digits(result.high)}, {result.rounds} rounds"


def _digits(value: float) -> str:
    return f"{value:,.{0 if abs(value) >= 100 or value == int(value) else 2}f}"


if __name__ == "__main__":
    sys.exit(main())
