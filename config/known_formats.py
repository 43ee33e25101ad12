"""Which formats endpoints may name: those of Dateline, and those that are defined where the endpoints are.

While a settings file is read, its own formats are known by their names alone: pydantic's context brings them along. At
any other time they are those that the process has taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationInfo

from feeds import format_names

_CONTEXT = "formats"


class KnownFormats(NamedTuple):
    """The names of the formats of articles and of feeds, and of those that can mark an embargo."""

    article: tuple[str, ...]
    feed: tuple[str, ...]
    marks_embargo: frozenset[str]

    @property
    def partners(self) -> list[str]:
        """The formats of feeds that are not for people's feed readers."""
        return [name for name in self.feed if name not in format_names.READERS]


def context_of(values: Mapping[str, Any]) -> dict[str, KnownFormats]:
    """Return the context in which these values of settings are checked. Nothing in them is checked yet."""
    own = list(_own(values.get("formats")))
    articles = [name for name, of, _ in own if of != "feed"]
    marking = set(format_names.ARTICLE_FORMATS).difference(format_names.MARK_NO_EMBARGO)
    return {
        _CONTEXT: KnownFormats(
            (*format_names.ARTICLE_FORMATS, *articles),
            (*format_names.FEED_FORMATS, *(name for name, of, _ in own if of == "feed")),
            frozenset({*marking, *(name for name, _, marks in own if marks is True)}),
        )
    }


def known_formats(info: ValidationInfo) -> KnownFormats:
    """Return the formats that may be named in what is validated."""
    if info.context and _CONTEXT in info.context:
        there_are: KnownFormats = info.context[_CONTEXT]
        return there_are
    from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS  # noqa: PLC0415 (who reads settings waits for no format)

    marking = frozenset(name for name, article_format in ARTICLE_FORMATS.items() if article_format.marks_embargo)
    return KnownFormats(tuple(ARTICLE_FORMATS), tuple(FEED_FORMATS), marking)


def _own(tables: Any) -> Iterator[tuple[str, Any, Any]]:
    listed: Iterable[Any] = tables if isinstance(tables, list | tuple) else ()
    for table in listed:
        if not isinstance(table, dict) or not isinstance(name := table.get("name"), str):
            continue
        if name not in format_names.FORMATS:
            yield name, table.get("of"), table.get("embargo")
