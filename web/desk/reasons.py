"""Why something failed, in the language of the visitor: our own fixed reasons, and those of libcurl that are frequent.

They are kept as English texts, which machines read too. What is put into one stays as it is. What a partner has
answered is in no table: it is shown as it came, and marked as being in no known language.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from web.desk.arabic_destinations import REASONS_OF_DESTINATIONS
from web.desk.arabic_problems import REASONS_OF_PROBLEMS
from web.desk.arabic_reasons import REASONS
from web.desk.plurals import Forms

_PLACE = re.compile(r"\{(\w+)\}")
_PATTERNS = {"reason": r".+", "number": r"[0-9][0-9,.]*", "status": r"[0-9]{3}[^,;]*"}
"""What may stand in a place of this name; in all others anything. A reason is put into the language as well."""
_LONGEST = 2_000
"""In a longer text no reason of ours is looked for."""


class _Ours(NamedTuple):
    pattern: re.Pattern[str]
    translations: dict[str, str | Forms]


def _ours(english: str, arabic: str | Forms) -> _Ours:
    pieces = _PLACE.split(english)
    pattern = "".join(
        f"(?P<{piece}>{_PATTERNS.get(piece.rstrip('0123456789'), '.+?')})" if place % 2 else re.escape(piece)
        for place, piece in enumerate(pieces)
    )
    return _Ours(re.compile(pattern, re.DOTALL), {"ar": arabic})


_TABLE: dict[str, str | Forms] = {**REASONS_OF_PROBLEMS, **REASONS_OF_DESTINATIONS, **REASONS}
_OURS = [_ours(english, arabic) for english, arabic in _TABLE.items()]


def reason(language: str, text: str | None) -> Markup:
    """Return a reason for a page in a language, escaped."""
    text = str(text or "")
    if not text:
        return Markup()
    translated = _translated(language, text)
    if translated is not None:
        return translated
    return Markup('<span dir="auto" lang="">{}</span>').format(text)


def plain_reason(language: str, text: str | None) -> str:
    """Return the same as text without markup: as it is where it is not known."""
    translated = _translated(language, text or "")
    return text or "" if translated is None else translated.striptags()


@lru_cache(maxsize=2_048)
def _translated(language: str, text: str) -> Markup | None:
    """The reason in a language, None: it is none of ours."""
    if len(text) > _LONGEST:
        return None
    for ours in _OURS:
        if match := ours.pattern.fullmatch(text):
            words = ours.translations.get(language)
            if words is None:
                return Markup('<span lang="en" dir="ltr">{}</span>').format(text)
            if isinstance(words, Forms):
                words = words.of(language, int(re.sub("[,.]", "", match["number"])))
            values = {name: _value(language, name, value) for name, value in match.groupdict().items()}
            return Markup(words).format(**values)  # noqa: S704 (ours; `format` escapes what is put into it)
    parts = text.split("; ")
    if len(parts) > 1 and any(_translated(language, part) is not None for part in parts):
        separator = Markup("؛ ") if language == "ar" else Markup("; ")
        return separator.join(reason(language, part) for part in parts)
    return None


def _value(language: str, name: str, value: str) -> Markup:
    if name.startswith("reason"):
        return reason(language, value)
    return Markup('<bdi dir="auto">{}</bdi>').format(value)
