"""Tables: on a terminal as wide as it is, into a file or a pipe as wide as they need to be.

Where a terminal has no room for all columns, those that matter least leave the table and go on under their row, each
with its name. Nothing is ever cut, and what is piped is never folded: a line there is a row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from worker.cli.terminal import printable

_GAP = "   "
_INDENT = "    "
_LEAST = 10
"""A column that has to be folded is left this wide at least, whatever the width of the terminal."""


class Table:
    """Rows under the names of their columns. `details`: those that leave first when there is no room, in that order."""

    def __init__(self, *columns: str, details: Sequence[str] = ()) -> None:
        self._columns = columns
        self._details = [columns.index(name) for name in details]
        self._rows: list[tuple[str, ...]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row: a text for each column, which may be anybody's."""
        self._rows.append(tuple(map(printable, cells)))

    def show(self, console: Console, nothing: str) -> None:
        """Print the table, or `nothing` where there is no row."""
        if not self._rows:
            console.print(nothing, soft_wrap=True)
            return
        in_row = list(range(len(self._columns)))
        widths = [max(map(cell_len, column)) for column in zip(self._columns, *self._rows, strict=True)]
        under: list[int] = []
        if console.is_terminal:
            for place in self._details:
                if self._width(widths, in_row) <= console.width:
                    break
                in_row.remove(place)
                under.append(place)
            self._narrow(widths, in_row, console.width)
        self._line(console, self._columns, in_row, widths, "bold")
        console.print("─" * min(self._width(widths, in_row), console.width), style="dim")
        for row in self._rows:
            self._line(console, row, in_row, widths)
            self._below(console, [(self._columns[place], row[place]) for place in sorted(under) if row[place]])

    @staticmethod
    def _width(widths: Sequence[int], in_row: Sequence[int]) -> int:
        return sum(widths[place] for place in in_row) + len(_GAP) * (len(in_row) - 1)

    def _narrow(self, widths: list[int], in_row: Sequence[int], most: int) -> None:
        """Give the widest of the columns that stay less room, as long as all together have too much."""
        while (over := self._width(widths, in_row) - most) > 0:
            widest = max(in_row, key=lambda place: widths[place])
            if widths[widest] <= _LEAST:
                return
            widths[widest] = max(_LEAST, widths[widest] - over)

    @staticmethod
    def _line(
        console: Console, cells: Sequence[str], in_row: Sequence[int], widths: Sequence[int], style: str = ""
    ) -> None:
        columns = [_folded(cells[place], widths[place]) for place in in_row]
        for number in range(max(map(len, columns))):
            parts = [lines[number] if number < len(lines) else "" for lines in columns]
            padded = [part + " " * (widths[place] - cell_len(part)) for part, place in zip(parts, in_row, strict=True)]
            console.print(Text(_GAP.join(padded).rstrip(), style), soft_wrap=True)

    @staticmethod
    def _below(console: Console, details: Sequence[tuple[str, str]]) -> None:
        """Print what goes on under a row: as many in a line as there is room for, each with its name."""
        line, used = Text(_INDENT), cell_len(_INDENT)
        for name, cell in details:
            width = cell_len(name) + 1 + cell_len(cell)
            if used > len(_INDENT) and used + len(_GAP) + width > console.width:
                console.print(line, soft_wrap=True)
                line, used = Text(_INDENT), cell_len(_INDENT)
            elif used > len(_INDENT):
                line.append(_GAP)
                used += len(_GAP)
            first, *rest = _folded(cell, max(_LEAST, console.width - used - cell_len(name) - 1))
            line.append(f"{name} ", "dim").append(first)
            used += cell_len(name) + 1 + cell_len(first)
            for part in rest:
                console.print(line, soft_wrap=True)
                line = Text(f"{_INDENT}{' ' * (cell_len(name) + 1)}{part}")
                used = cell_len(line.plain)
        if details:
            console.print(line, soft_wrap=True)


def _folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells: between words where there are any, else within one."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in re.findall(r"\S+\s*", text):
        if cell_len(lines[-1] + word.rstrip()) <= width:
            lines[-1] += word
        else:
            pieces = chop_cells(word, width)
            lines = [*(lines if lines[-1] else []), *pieces]
    return [line.rstrip() for line in lines]
