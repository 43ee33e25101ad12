"""Days and times as readers of a language write them, by Unicode's CLDR: words, order, numerals."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError, dates

if TYPE_CHECKING:
    from datetime import datetime

_ZEROS = {
    "arab": 0x660,
    "arabext": 0x6F0,
    "beng": 0x9E6,
    "deva": 0x966,
    "gujr": 0xAE6,
    "guru": 0xA66,
    "mymr": 0x1040,
    "tibt": 0xF20,
}
"""The code points of zero, in the systems of numerals that are the usual ones of a language (UTS 35, part 3)."""


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale | None:
    """Return what is known of a language (BCP 47), or of the one that it is a kind of; None: nothing."""
    parts = language.split("-")
    while parts:
        try:
            return Locale.parse("_".join(parts))
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return None


def written(moment: datetime, language: str) -> str:
    """Return a day and a time of day, on the clocks that the moment is of; as ISO 8601 has it if nothing is known."""
    locale = locale_of(language)
    if locale is None:
        return f"{moment:%Y-%m-%d %H:%M}"
    pattern = str(dates.get_datetime_format("long", locale=locale)).replace("'", "")
    day = dates.format_date(moment, "long", locale=locale)
    time = dates.format_time(moment, "short", tzinfo=moment.tzinfo, locale=locale)
    return pattern.replace("{1}", day).replace("{0}", time).translate(_digits(locale.default_numbering_system))


def own_name(language: str) -> str:
    """Return what a language is called by those who read it."""
    locale = locale_of(language)
    name = locale.get_display_name(locale) if locale else None
    return name[:1].upper() + name[1:] if name else language


def _digits(system: str) -> dict[int, str]:
    zero = _ZEROS.get(system, ord("0"))
    return {ord("0") + value: chr(zero + value) for value in range(10)}
