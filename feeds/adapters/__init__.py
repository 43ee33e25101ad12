"""Foreign inputs, one file each: pure functions from what another system sends to our events, not yet checked.

CloudEvents carry our own event and need no entry here; `POST /events` takes them.
"""

from __future__ import annotations

import json

from feeds.adapters import ghost, ninjs, page, plain_text, wordpress
from feeds.adapters.interface import Adapter
from feeds.encodings import without_mark

ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (ninjs.ADAPTER, wordpress.ADAPTER, ghost.ADAPTER, page.ADAPTER, plain_text.ADAPTER)
}
"""The adapters, by name."""

_BY_ENDING = {".html": "page", ".htm": "page", ".xhtml": "page", ".txt": "text", ".text": "text"}
ENDINGS = (".json", *_BY_ENDING)
"""The endings of files that may be articles."""


def guess(content: bytes, name: str) -> Adapter | None:
    """Return the adapter that an input is plainly for, by the ending of its file's `name` or by what is in it.

    None: it is for none of them, and may be our own JSON.
    """
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in _BY_ENDING:
        return ADAPTERS[_BY_ENDING[ending]]
    if without_mark(content).lstrip()[:1] == b"<":
        return page.ADAPTER
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return next((found for found in ADAPTERS.values() if found.recognizes and found.recognizes(value)), None)
