"""The filters of newsrooms' templates: all that a template can do to a value.

Each is given its values weighed, and what it returns is weighed again. One that could make much of little reckons
before it makes it (`replace`, `join`, `pad`, `indent`).
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from html import escape as escape_html
from typing import Any
from urllib.parse import quote

from jinja2.filters import do_map, do_reject, do_rejectattr, do_select, do_selectattr
from jinja2.runtime import Undefined
from lxml import etree
from markupsafe import Markup

from feeds.formats.body import parse_html
from feeds.formats.interface import FormatFault
from feeds.formats.own import budget
from feeds.text import text_of

_PAD_MOST = 1000
_PLACES_MOST = 30
"""To how many places numbers are rounded: before the point, each takes Python twice as long and more."""
_INDENT_MOST = 40
_PERIOD = re.compile(r"%(.)", re.DOTALL)
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):?([0-5]\d)")
_NUMBERS = "YymdjHIMSz"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise FormatFault(f"{name} takes a text, not {kind(value)}")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value)
    if not isinstance(value, list | tuple | range):
        raise FormatFault(f"{name} takes a list, not {kind(value)}")
    return list(value)


def kind(value: Any) -> str:
    """Return what a value is, in the words of whoever writes a template."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        ((int, float), "a number"),
        (str, "a text"),
        ((list, tuple, range), "a list"),
        (Mapping, "a table"),
    )
    return next((words for types, words in kinds if isinstance(value, types)), "something that is no value")


def _replace(value: Any, old: str, new: str) -> str:
    text, old, new = _text(value, "replace"), _text(old, "replace"), _text(new, "replace")
    if not old:
        raise FormatFault("replace needs a text to look for")
    budget.current().characters(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _join(value: Any, separator: str = "", attribute: str | None = None) -> str:
    items = _list(value, "join")
    if attribute is not None:
        items = [item.get(attribute) if isinstance(item, Mapping) else None for item in items]
    if not all(isinstance(item, str | int | float) for item in items):
        raise FormatFault("join takes a list of texts or numbers")
    safe = isinstance(separator, Markup) or any(isinstance(item, Markup) for item in items)
    texts = [item if isinstance(item, str) else str(item) for item in items]
    budget.current().characters(len(_text(separator, "join")) * len(texts) + sum(map(len, texts)))
    return Markup("").join([separator]).join(texts) if safe else separator.join(texts)


def _pad(value: Any, width: int, fill: str = " ") -> str:
    text = value if isinstance(value, str) else _number_as_text(value)
    if not 0 <= width <= _PAD_MOST or len(fill) != 1:
        raise FormatFault(f"pad takes a width up to {_PAD_MOST} and one character")
    # Numbers stand at the right, as in a column.
    return text.ljust(width, fill) if isinstance(value, str) else text.rjust(width, fill)


def _number_as_text(value: Any) -> str:
    if not isinstance(value, int | float):
        raise FormatFault(f"pad takes a text or a number, not {kind(value)}")
    return str(value)


def _indent(value: Any, width: int = 4) -> str:
    text = _text(value, "indent")
    if not 0 <= width <= _INDENT_MOST:
        raise FormatFault(f"indent takes a width up to {_INDENT_MOST}")
    budget.current().characters(len(text) + width * text.count("\n"))
    return text.replace("\n", "\n" + " " * width)


def _wordwrap(value: Any, width: int = 79) -> str:
    if width < 10:
        raise FormatFault("wordwrap takes a width from 10")
    lines = _text(value, "wordwrap").split("\n")
    return "\n".join("\n".join(textwrap.wrap(line, width, break_long_words=False)) for line in lines)


def _date(value: Any, pattern: str = "%Y-%m-%d", offset: str = "+00:00") -> str:
    """A time in a form of one's own, in English; `offset` from UTC as in +03:00."""
    text = _text(value, "date")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 (without an offset, and refused for that)
    if moment.tzinfo is None:
        raise FormatFault("date takes a time such as article.updated")
    zone = _OFFSET.fullmatch(_text(offset, "date"))
    if not zone:
        raise FormatFault('date takes an offset from UTC such as "+03:00"')
    minutes = (int(zone[2]) * 60 + int(zone[3])) * (-1 if zone[1] == "-" else 1)
    local = moment.astimezone(timezone(timedelta(minutes=minutes)) if minutes else UTC)
    budget.current().characters(8 * len(_text(pattern, "date")))
    return _PERIOD.sub(lambda letter: _part(local, letter[1]), pattern)


def _part(moment: datetime, letter: str) -> str:
    """What a letter stands for. Days and months are in English, whatever the language of the machine."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    words = {"A": day, "a": day[:3], "B": month, "b": month[:3], "p": "AM" if moment.hour < 12 else "PM", "%": "%"}
    if letter in words:
        return words[letter]
    if letter == "s":
        return str(int(moment.timestamp()))
    if letter in _NUMBERS:
        return moment.strftime(f"%{letter}")
    raise FormatFault(f"date knows no %{letter}; it knows {' '.join(_NUMBERS)} s A a B b p")


def tojson(value: Any, *, in_markup: bool) -> str:
    """Return a value as JSON; within markup without a character that markup has for itself."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 (Jinja's own way to say what is missing)
    text = json.dumps(value, ensure_ascii=False, default=_unfit)
    if not in_markup:
        return text
    return Markup(text.translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'"}))  # noqa: S704 (just made safe)


def _unfit(value: Any) -> Any:
    raise FormatFault(f"tojson takes texts, numbers, lists and tables, not {kind(value)}")


def _xhtml(value: Any) -> Markup:
    """HTML as well-formed XML, without an element around it."""
    root = parse_html(_text(value, "xhtml"))
    text = escape_html(root.text or "", quote=False)
    return Markup(text + "".join(etree.tostring(part, encoding="unicode") for part in root))  # noqa: S704 (cleaned)


def _truncate(value: Any, length: int) -> str:
    text = _text(value, "truncate")
    return text if len(text) <= length else f"{text[: max(length - 1, 0)].rstrip()}…"


def _default(value: Any, other: Any = "", boolean: Any = False) -> Any:
    return other if isinstance(value, Undefined) or value is None or (boolean and not value) else value


def _escape(value: Any) -> Markup:
    return value if isinstance(value, Markup) else Markup(escape_html(_text(value, "escape")))  # noqa: S704 (escaped)


def _safe(value: Any) -> Markup:
    return Markup(_text(value, "safe"))  # noqa: S704 (whoever wrote the template says so)


def _sort(value: Any, attribute: str | None = None, reverse: Any = False) -> list[Any]:
    items = _list(value, "sort")
    try:
        return sorted(items, key=lambda item: item[attribute] if attribute else item, reverse=bool(reverse))
    except (TypeError, KeyError, IndexError):
        raise FormatFault("sort can't compare what is in the list") from None


def _unique(value: Any) -> list[Any]:
    items = _list(value, "unique")
    try:
        return list(dict.fromkeys(items))
    except TypeError:
        raise FormatFault("unique takes a list of texts or numbers") from None


def _number(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def convert(value: Any, *arguments: int) -> Any:
        try:
            return function(value, *arguments)
        except FormatFault:
            raise
        except (TypeError, ValueError, OverflowError):
            raise FormatFault(f"{name} can't make a number of {kind(value)}") from None

    return convert


def _round(value: Any, places: int | None = None) -> Any:
    if places is not None and abs(places) > _PLACES_MOST:
        raise FormatFault(f"round takes up to {_PLACES_MOST} places")
    return round(value, places)


def _length(value: Any) -> int:
    if not isinstance(value, str | list | tuple | range | Mapping):
        raise FormatFault(f"length takes a text or a list, not {kind(value)}")
    return len(value)


def _text_function(function: Callable[[str], Any], name: str) -> Callable[[Any], Any]:
    return lambda value: function(_text(value, name))


def _end(position: int, name: str) -> Callable[[Any], Any]:
    def end(value: Any) -> Any:
        items = value if isinstance(value, str) else _list(value, name)
        if not items:
            raise FormatFault(f"{name} takes a list with something in it")
        return items[position]

    return end


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _number(abs, "abs"),
    "capitalize": _text_function(str.capitalize, "capitalize"),
    "count": _length,
    "d": _default,
    "date": _date,
    "default": _default,
    "e": _escape,
    "escape": _escape,
    "first": _end(0, "first"),
    "float": _number(float, "float"),
    "indent": _indent,
    "int": _number(int, "int"),
    "items": lambda value: [[name, value[name]] for name in _list(value, "items")],
    "join": _join,
    "last": _end(-1, "last"),
    "length": _length,
    "list": lambda value: list(value) if isinstance(value, str) else _list(value, "list"),
    "lower": _text_function(str.lower, "lower"),
    "pad": _pad,
    "replace": _replace,
    "reverse": lambda value: value[::-1] if isinstance(value, str) else _list(value, "reverse")[::-1],
    "round": _number(_round, "round"),
    "safe": _safe,
    "sort": _sort,
    "split": lambda value, separator: _text(value, "split").split(_text(separator, "split") or None),
    "string": lambda value: value if isinstance(value, str) else _number_as_text(value),
    "striptags": _text_function(text_of, "striptags"),
    "title": _text_function(str.title, "title"),
    "trim": _text_function(str.strip, "trim"),
    "truncate": _truncate,
    "unique": _unique,
    "upper": _text_function(str.upper, "upper"),
    "urlencode": _text_function(lambda text: quote(text, safe=""), "urlencode"),
    "wordwrap": _wordwrap,
    "xhtml": _xhtml,
}
OF_LISTS: dict[str, Callable[..., Any]] = {
    "map": do_map,
    "reject": do_reject,
    "rejectattr": do_rejectattr,
    "select": do_select,
    "selectattr": do_selectattr,
}
"""Jinja2's own, which call filters and tests by their names. What they yield is made a list."""
COSTLY = {"wordwrap": 16, "striptags": 8, "xhtml": 8}
"""How many times as much as another filter one costs for each character."""
