"""Decodes bytes to text and JSON; its errors name the place that is wrong.

Nothing here guesses an encoding. Text must be in the encoding that it declares, or in UTF-8 if it declares none; other
text is refused. A wrong guess would turn Arabic into nonsense that looks like text.
"""

from __future__ import annotations

import json
from typing import Any

from feeds import encodings
from feeds.errors import FieldError, InvalidEvent

MOST_BYTES = 5_000_000
"""The longest input. An article has at most two million characters, and in UTF-8 few have more than two bytes."""

_GARBLED_SHARE = 0.002
"""If more than this share of a page's characters can't be read, the page is not in the encoding that it declares."""


def plain_text(content: bytes, encoding: str = "utf-8") -> str:
    """Return the text; a byte order mark wins over `encoding`. Raises InvalidEvent that names the first wrong byte."""
    if len(content) > MOST_BYTES:
        raise _refused(f"has {len(content):,} bytes; at most {MOST_BYTES:,} are taken")
    marked, length = encodings.marked(content)
    content, encoding = content[length:], marked or encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _refused(f"is no text in {encoding}: {error.reason} at byte {error.start + 1}") from None


def html_text(content: bytes) -> str:
    """Return the text of an HTML page, decoded by its byte order mark, else by its declaration, else as UTF-8.

    Wrong bytes become U+FFFD, as in a browser. Raises InvalidEvent when they are so many that the page must be in
    another encoding, and when the page declares an encoding that the web does not know.
    """
    if len(content) > MOST_BYTES:
        return plain_text(content)
    marked, length = encodings.marked(content)
    label = "" if marked else encodings.in_page(content)
    encoding = marked or encodings.python_name(label or "utf-8")
    if not encoding:
        raise _refused(f"says it is in {label[:40]}, which is no known encoding")
    text = content[length:].decode(encoding, "replace")
    garbled = text.count(encodings.REPLACEMENT)
    # A page that declares no encoding and is not in UTF-8 may be in any.
    if garbled > max(2, _GARBLED_SHARE * len(text)) or (garbled and not (marked or label)):
        return plain_text(content, encoding)
    return text


def json_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in `content`. Raises InvalidEvent that names the place of the error."""
    text = plain_text(content)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        ended = " (it ends too early)" if error.pos >= len(text.rstrip()) else ""
        raise _refused(f"is no JSON: {error.msg} at line {error.lineno}, column {error.colno}{ended}") from None
    except RecursionError:
        raise _refused("is JSON that is nested too deep") from None
    except ValueError as error:  # a number of more digits than Python converts
        raise _refused(f"is no JSON that can be read: {error}") from None
    if not isinstance(value, dict):
        raise _refused("must be a JSON object")
    return value


def _refused(problem: str) -> InvalidEvent:
    return InvalidEvent([FieldError("", f"the input {problem}")])
