"""Reads the JSON-LD in a page: every node object, also from scripts with small errors in their JSON.

Sources: JSON-LD 1.1, "Embedding JSON-LD in HTML Documents"; RFC 8259. Templates write JSON by hand, so commas are
missing or too many, quotation marks in texts are not escaped, and comments stand beside the data. Browsers never read
it, so nobody notices. An error that can be mended in just one way is mended; other scripts are counted as unread.
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

MOST_VALUES = 20_000
"""A page with more values in JSON-LD than this is not the page of an article."""
_MENDED_MOST = 500_000
"""Most characters of a script that is mended; a longer one must be correct JSON."""
_BEGINS = re.compile(r"(?<!CDATA)[\[{](?!CDATA)")
_PREFIX = re.compile(r"(?:https?://schema\.org/|schema:)(?=\w)")


def _without_prefixes(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, its properties of schema.org by their bare names."""
    return {_PREFIX.sub("", name, count=1) if ":" in name else name: value for name, value in pairs}


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_without_prefixes)
# A quotation mark ends a text if valid JSON can follow it: a colon, the end of an object or array, a comma and a value
# or, where a comma is missing, the next name.
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
class JsonLd:
    """The JSON-LD of a page.

    nodes: its node objects, outer ones before those within them. unread_scripts: how many scripts could not be read.
    locked: one of the unread scripts has the statement that the page is not free to read.
    """

    nodes: list[dict[str, Any]]
    unread_scripts: int
    locked: bool


def read_page(root: html.HtmlElement) -> JsonLd:
    """Return the JSON-LD of a page. Raises InvalidEvent when it has more values than the page of an article has."""
    waiting: deque[Any] = deque()
    unread = [source for source in map(_source, root.iter("script")) if source and not _read(source, waiting)]
    nodes = []
    visited = 0
    while waiting:
        value = waiting.popleft()
        visited += 1
        if visited > MOST_VALUES:
            raise InvalidEvent([FieldError("", f"the page has more than {MOST_VALUES:,} values in JSON-LD")])
        if isinstance(value, dict):
            nodes.append(value)
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))
    return JsonLd(nodes, len(unread), any(map(_LOCKED.search, unread)))


def _source(script: html.HtmlElement) -> str:
    kind = (script.get("type") or "").partition(";")[0].strip().lower()
    return (script.text or "") if kind == "application/ld+json" else ""


def _read(source: str, values: deque[Any]) -> bool:
    """Add the values in a script to `values`; return whether it could be read."""
    if not source.strip():
        return True
    if '"' not in source and "&quot;" in source:
        source = unescape(source)
    # The JSON may stand in a comment or a CDATA section, and a semicolon may follow it.
    start = _BEGINS.search(source)
    if start is None:
        return False
    json_text = source[start.start() :]
    for parse in (_values, lambda json_text: _values(_mended(json_text))):
        try:
            values.extend(parse(json_text))
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _values(source: str) -> list[Any]:
    """The values in a script: some pages write several, one after another."""
    values = []
    position: int | None = 0
    while position is not None:
        value, end = _DECODER.raw_decode(source, position)
        values.append(value)
        following = re.compile(r"[\s,;]*(?=[{\[](?!CDATA))").match(source, end)
        position = following.end() if following else None
    return values


def _mended(source: str) -> str:
    """The JSON without comments, with missing commas added and surplus ones removed; empty if it is too long."""
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
