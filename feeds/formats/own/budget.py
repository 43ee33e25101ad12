"""How much one rendering of a newsroom's own format may do, counted in units.

A turn of a loop or a call costs what its body is long, a text a unit for each 64 characters, a list or table a unit for
each value in it. A unit took half a microsecond at the most of all that was tried, so `UNITS` is half a second; an
article of 5,000 words takes some thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite
from typing import Any

from feeds.formats.interface import FormatFault

UNITS = 1_000_000
"""What one rendering may use. It also bounds the document to 64 million characters."""
CHARACTERS_PER_UNIT = 64
NUMBER_MOST = 10**30
"""Beyond it numbers are refused: a few multiplications make numbers that take minutes."""
DEPTH_MOST = 50
"""How deep calls of macros may lie within each other."""


class Budget:
    """What is left of one rendering's units. `call`: what a call of a macro costs."""

    def __init__(self, units: int = UNITS, call: int = 1) -> None:
        self._left = units
        self.call_units = call
        self._depth = 0

    def spend(self, units: int) -> None:
        """Take units off. Raises FormatFault when there are none left."""
        self._left -= units
        if self._left < 0:
            raise FormatFault("does too much for one document: loops, texts or lists without end?")

    def characters(self, count: int) -> None:
        """Take off what a text of so many characters costs, before it is made."""
        self.spend(1 + count // CHARACTERS_PER_UNIT)

    def weigh(self, value: Any) -> None:
        """Take off what a value costs, with all that is in it, however often it is in it."""
        remaining = [value]
        while remaining:
            item = remaining.pop()
            if isinstance(item, str):
                self.characters(len(item))
                continue
            self.spend(1)
            if isinstance(item, range):
                self.spend(len(item))
            elif isinstance(item, Mapping):
                # Before they are copied: what has a million members is refused here.
                self.spend(2 * len(item))
                remaining += item.keys()
                remaining += item.values()
            elif isinstance(item, list | tuple):
                self.spend(len(item))
                remaining += item
            elif isinstance(item, int) and abs(item) > NUMBER_MOST:
                raise FormatFault("makes a number of more than 30 digits")
            elif isinstance(item, float) and not isfinite(item):
                raise FormatFault("makes a number that has no end, or is none")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Count a call within a call."""
        self._depth += 1
        try:
            if self._depth > DEPTH_MOST:
                raise FormatFault(f"has calls within calls, more than {DEPTH_MOST}")
            yield
        finally:
            self._depth -= 1


_current: ContextVar[Budget] = ContextVar("budget")


def current() -> Budget:
    """Return the budget of the rendering that is under way."""
    return _current.get()


def paying() -> Budget | None:
    """Return the budget of the rendering that is under way, if there is any: constants are written before."""
    return _current.get(None)


@contextmanager
def within(budget: Budget) -> Iterator[Budget]:
    """Have what is rendered meanwhile pay from this budget."""
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)
