"""The JSON-LD of a page: every object in it, also where the JSON is not quite JSON.

Sources: JSON-LD 1.1, "Embedding JSON-LD in HTML Documents"; RFC 8259. Templates write JSON by hand, so that a comma is
missing or too many, a quotation mark stands in a text as it is, or a comment beside the data. Browsers never read it,
so nobody notices. What can be read in one way only is mended; what can't is said to be unread, never guessed.
"""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from html import unescape
from typing import Any

from lxml import html

from feeds.errors import FieldError, InvalidEvent

MOST_OBJECTS = 20_000
"""How many JSON-LD objects a page may have; more is no page of an article."""
_MENDED_MOST = 500_000
"""Characters of a script that is mended; what is longer has to be JSON."""
_BEGINS = re.compile(r"(?<!CDATA)[\[{](?!CDATA)")
_DECODER = json.JSONDecoder(strict=False)
# A quotation mark ends a text where JSON could go on after it: with a colon, an end, a comma and a value, or, where a
# comma was forgotten, with the next name.
_STRING = r"""
    "(?P<text>(?:\\.|[^"\\]|"(?!\s*(?::|[}\]]|\Z|/[*/]|,\s*(?:["{\[}\]]|-?\d|true|false|null|/[*/])|"[\w@:.-]{1,60}"\s*:)))*)(?:"|\Z)
"""
_TOKEN = re.compile(
    rf"(?P<string>{_STRING.strip()})|(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*)|(?P<mark>[{{}}\[\],:])|(?P<word>[^\s{{}}\[\],:\"]+)",
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9A-Fa-f]{4})')
_WORD = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_LOCKED = re.compile(
    r"isAccessibleForFree[\"']?\s*:\s*[\"']?(?:https?://schema\.org/)?(?:false|no\b|0\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Data:
    """The JSON-LD objects of a page, those further out first.

    `unread`: how many scripts could not be read. `locked`: one of these says that the page is not free to read.
    """

    objects: list[dict[str, Any]]
    unread: int
    locked: bool


def data(root: html.HtmlElement) -> Data:
    """Return what the JSON-LD of a page says. Raises InvalidEvent when it is more than any article's."""
    waiting: deque[Any] = deque()
    unread = [source for source in map(_source, root.iter("script")) if source and not _read(source, waiting)]
    found = []
    seen = 0
    while waiting:
        value = waiting.popleft()
        seen += 1
        if seen > MOST_OBJECTS:
            raise InvalidEvent([FieldError("", f"the page has more than {MOST_OBJECTS:,} values in JSON-LD")])
        if isinstance(value, dict):
            found.append(value)
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))
    return Data(found, len(unread), any(map(_LOCKED.search, unread)))


def _source(script: html.HtmlElement) -> str:
    kind = (script.get("type") or "").partition(";")[0].strip().lower()
    return (script.text or "") if kind == "application/ld+json" else ""


def _read(source: str, values: deque[Any]) -> bool:
    """Add the values in a script; whether it could be read to its end."""
    if not source.strip():
        return True
    if '"' not in source and "&quot;" in source:
        source = unescape(source)
    # Within a comment or a CDATA section, and with a semicolon after it, it is the same.
    begun = _BEGINS.search(source)
    if begun is None:
        return False
    stated = source[begun.start() :]
    for reading in (_values, lambda stated: _values(_mended(stated))):
        try:
            values.extend(reading(stated))
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _values(source: str) -> list[Any]:
    """The values that stand one after another, as some pages have several in one script."""
    found = []
    place: int | None = 0
    while place is not None:
        value, end = _DECODER.raw_decode(source, place)
        found.append(value)
        following = re.compile(r"[\s,;]*(?=[{\[](?!CDATA))").match(source, end)
        place = following.end() if following else None
    return found


def _mended(source: str) -> str:
    """The same without comments, with the commas that are missing and without those that are too many."""
    if len(source) > _MENDED_MOST:
        return ""
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(source):
        if token["comment"]:
            continue
        if token["mark"]:
            mark = token["mark"]
            if mark in "}]" and parts and parts[-1] == ",":
                parts.pop()
            if mark in "{[" and parts and parts[-1] not in {"{", "[", ",", ":"}:
                parts.append(",")
            depth += (mark in "{[") - (mark in "}]")
            parts.append(mark)
            if depth <= 0:
                break
            continue
        if parts and parts[-1] not in {"{", "[", ",", ":"}:
            parts.append(",")
        if token["string"]:
            inner = _ESCAPE.sub(r"\\\\", token["text"])
            parts.append('"' + re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', inner) + '"')
        else:
            parts.append(token["word"] if _WORD.fullmatch(token["word"]) else "null")
    return "".join(parts)
