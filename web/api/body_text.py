"""Bodies of requests to the API are JSON in UTF-8 (RFC 8259, section 8.1), and each of their texts can be kept.

JSON can name halves of characters (lone surrogates) and NUL. No database keeps the one, PostgreSQL not the other; and
what was kept as JSON could be answered to nobody, neither to whoever asks for it nor in the audit.
"""

from __future__ import annotations

import json
import re
from typing import Any

from web.api.problems import invalid

_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)|\0")
_NO_JSON = "must be JSON in UTF-8"
_UNFIT = re.compile("[\0\ud800-\udfff]")


def see_that_it_is_text(body: bytes) -> None:
    """Raise RequestProblem if a body is not UTF-8, or has a text that can't be kept; that it is JSON others see."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise invalid("", _NO_JSON) from None
    # Nearly no body has any of these.
    if not _SUSPECT.search(body):
        return
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise invalid("", _NO_JSON) from None
    wrong = _unfit(value)
    if wrong is not None:
        raise invalid(wrong, "has NUL or half of a character (a lone surrogate), which can't be kept")


def _unfit(value: Any) -> str | None:
    """The name of the first field whose name or text can't be kept."""
    remaining: list[tuple[str, Any]] = [("", value)]
    while remaining:
        place, item = remaining.pop()
        if isinstance(item, str) and _UNFIT.search(item):
            return place
        if isinstance(item, list):
            remaining += [(f"{place}.{number}".lstrip("."), part) for number, part in enumerate(item)]
        elif isinstance(item, dict):
            if any(map(_UNFIT.search, item)):
                return place
            remaining += [(f"{place}.{name}".lstrip("."), part) for name, part in item.items()]
    return None
