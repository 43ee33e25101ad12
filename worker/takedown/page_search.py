"""Searches a page for passages of a killed text: a large page in a process of its own.

To fold and hash 2 MB of text takes Python a second or two. In a thread of the worker everything else would wait for
that: deliveries, and the answers of subscribers and authorization servers. A process of its own runs beside them at low
priority, and can be ended when it takes too long. It lives for one page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from feeds import page_text
from feeds.fingerprint import count_matches

if TYPE_CHECKING:
    from collections.abc import Collection

_SMALL_BYTES = 50_000
"""Up to this size a page is searched in less time than it takes to start a process."""
_SECONDS = 20.0
"""How long the search of one page may take."""
_NICENESS = 10


def count_passages(content: bytes, content_type: str, fingerprints: Collection[str]) -> int:
    """Return how many of the passages with these fingerprints a page has. Raises feeds.page_text.Unreadable."""
    if len(content) <= _SMALL_BYTES:
        return count_matches(page_text.texts(content, content_type), fingerprints)
    search = json.dumps([content_type, list(fingerprints)]).encode() + b"\n" + content
    command = [sys.executable, "-m", "worker.takedown.page_search"]
    try:
        process = subprocess.run(command, input=search, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 (our own program)
    except subprocess.TimeoutExpired:
        raise page_text.Unreadable(f"takes more than {_SECONDS:g} seconds to look through") from None
    if process.returncode:
        error = process.stderr.decode(errors="replace")[-500:]
        raise RuntimeError(f"worker.takedown.page_search: status {process.returncode}: {error}")
    count_or_error = json.loads(process.stdout)
    if isinstance(count_or_error, str):
        raise page_text.Unreadable(count_or_error)
    return int(count_or_error)


def _search_standard_input() -> None:
    """Search the page on standard input, which follows a line with its content type and the fingerprints.

    Writes the count of passages as JSON, or the reason why the page can't be read.
    """
    os.nice(_NICENESS)
    content_type, fingerprints = json.loads(sys.stdin.buffer.readline())
    count_or_error: int | str
    try:
        count_or_error = count_matches(page_text.texts(sys.stdin.buffer.read(), content_type), fingerprints)
    except page_text.Unreadable as error:
        count_or_error = str(error)
    sys.stdout.write(json.dumps(count_or_error))


if __name__ == "__main__":
    _search_standard_input()
