"""Looking through a page for passages of a killed text: a large one in a process of its own.

To fold and hash 2 MB of text takes a second or two of Python, and in a thread all others of the process would wait for
that: those that deliver, and those that take in what subscribers and authorization servers answer. A process of its own
takes its time beside them, at low priority, and can be ended when it takes too long. It lives for one page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from feeds import page_text
from feeds.fingerprint import found

if TYPE_CHECKING:
    from collections.abc import Collection

_SMALL = 50_000
"""Bytes of a page that take no longer than it takes to start a process."""
_SECONDS = 20.0
"""How long one may be looked through."""
_NICENESS = 10


def passages(content: bytes, content_type: str, fingerprints: Collection[str]) -> int:
    """Return how many of the passages with these fingerprints a page has. Raises feeds.page_text.Unreadable."""
    if len(content) <= _SMALL:
        return found(page_text.texts(content, content_type), fingerprints)
    asked = json.dumps([content_type, list(fingerprints)]).encode() + b"\n" + content
    command = [sys.executable, "-m", "worker.takedown.page_search"]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 (our own program)
    except subprocess.TimeoutExpired:
        raise page_text.Unreadable(f"takes more than {_SECONDS:g} seconds to look through") from None
    if done.returncode:
        raise RuntimeError(
            f"worker.takedown.page_search: status {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
        )
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise page_text.Unreadable(answer)
    return int(answer)


def _look() -> None:
    """Look through the page on standard input, after a line that says what is sought."""
    os.nice(_NICENESS)
    content_type, fingerprints = json.loads(sys.stdin.buffer.readline())
    answer: int | str
    try:
        answer = found(page_text.texts(sys.stdin.buffer.read(), content_type), fingerprints)
    except page_text.Unreadable as error:
        answer = str(error)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _look()
