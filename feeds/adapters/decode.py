"""From bytes to text and JSON, with an error that says where it goes wrong.

Nothing here guesses: text that is not in the encoding it says, or in UTF-8 where it says none, is refused, because a
guess turns Arabic into nonsense that looks like text.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from feeds.errors import FieldError, InvalidEvent

MOST_BYTES = 5_000_000
"""The longest input. An article has at most two million characters, and in UTF-8 few have more than two bytes."""

# HTML Living Standard, "prescan a byte stream": the declaration stands in the first 1,024 bytes.
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def plain_text(content: bytes, encoding: str = "utf-8") -> str:
    """Return text; a byte order mark wins over `encoding`. Raises InvalidEvent naming the first byte that is wrong."""
    if len(content) > MOST_BYTES:
        raise _refused(f"has {len(content):,} bytes; at most {MOST_BYTES:,} are taken")
    for mark, named in _BOMS:
        if content.startswith(mark):
            content, encoding = content.removeprefix(mark), named
            break
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _refused(f"is no text in {encoding}: {error.reason} at byte {error.start + 1}") from None
    except LookupError:
        raise _refused(f"says it is in {encoding}, which is no known encoding") from None


def html_text(content: bytes) -> str:
    """Return the text of an HTML page, in the encoding that it declares. Raises InvalidEvent as `plain_text` does."""
    return plain_text(content, declared_encoding(content) or "utf-8")


def declared_encoding(content: bytes) -> str:
    """Return the encoding that an HTML page says it is in, in lower case; empty when it does not say."""
    declared = _META.search(content[:1024])
    name = declared[1].decode("ascii").lower() if declared else ""
    # A declaration that could be read as ASCII is not in UTF-16, whatever it says (the standard has it so).
    return "utf-8" if name.startswith("utf-16") else name


def json_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in `content`. Raises InvalidEvent with the place where it stops being one."""
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
