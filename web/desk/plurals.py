"""What a phrase is of none, one, two, few and many, where a language has words of its own for them (Unicode's CLDR)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from babel import Locale

if TYPE_CHECKING:
    from collections.abc import Callable


class Forms(NamedTuple):
    """A phrase in each of the six categories of numbers (UTS 35, part 3, section 5); Arabic has them all."""

    zero: str
    one: str  # style: ignore (CLDR)
    two: str
    few: str
    many: str
    other: str

    def of(self, language: str, count: int) -> str:
        """Return the phrase for a number."""
        form: str = getattr(self, category(language, count))
        return form


def category(language: str, count: int) -> str:
    """Return the category of a number in a language: zero, one, two, few, many or other."""
    return _rule(language)(count)


@cache
def _rule(language: str) -> Callable[[int], str]:
    return Locale(language).plural_form
