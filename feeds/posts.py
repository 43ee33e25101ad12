"""The text of a post about an article: a template, filled in, and shortened until a network takes it.

    {headline}

    {url}

What is too long loses the end of its summary, then of its headline, never of its link. Characters are counted as people
see them (UAX #29, extended grapheme clusters), as both Mastodon and Bluesky count them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feeds.graphemes import CHARACTER, cut
from feeds.post_template import FIELD, FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feeds.article import Article

_ELLIPSIS = "…"
_LINK = re.compile(r"https?://\S+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def post_text(template: str, article: Article, fits: Callable[[str], bool]) -> str:
    """Return the text of a post that `fits`; if not even its link does, what is left of it."""
    values = {field: getattr(article, field) for field in FIELDS}
    for name in ("summary", "headline"):
        if fits(text := _filled(template, values)):
            return text
        values[name] = _longest(template, values, name, fits)
    return _filled(template, values)


def length(text: str, per_link: int | None = None) -> int:
    """Return how many characters a text has; `per_link`: how many each link in it counts for, whatever its length."""
    if per_link is not None:
        text = _LINK.sub("x" * per_link, text)
    return sum(1 for _ in CHARACTER.finditer(text))


def links(text: str, url: str) -> list[tuple[int, int]]:
    """Return where a link stands in a text: first byte, and byte after the last, of the text in UTF-8."""
    if not url:
        return []
    starts = (len(text[: place.start()].encode()) for place in re.finditer(re.escape(url), text))
    return [(start, start + len(url.encode())) for start in starts]


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = FIELD.sub(lambda field: values[field[1]], template)
    # A field that is empty leaves no gap.
    return _EMPTY_LINES.sub("\n\n", text).strip()


def _longest(template: str, values: Mapping[str, str], name: str, fits: Callable[[str], bool]) -> str:
    """Return as much of the beginning of a value as fits, to the end of a word; empty: none does."""
    value = values[name]
    shortest, longest = 0, len(value)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if fits(_filled(template, {**values, name: _beginning(value, middle)})):
            shortest = middle
        else:
            longest = middle - 1
    return _beginning(value, shortest)


def _beginning(value: str, most: int) -> str:
    """Return the beginning of a value, at most so long, to the end of a word if it has several; and an ellipsis."""
    if most >= len(value):
        return value
    beginning = cut(value, most)
    if not value[len(beginning) :][:1].isspace():
        beginning = beginning.rpartition(" ")[0] or beginning
    return f"{beginning.rstrip()}{_ELLIPSIS}" if beginning.strip() else ""
