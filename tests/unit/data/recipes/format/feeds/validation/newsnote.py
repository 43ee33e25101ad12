"""The rules of Newsnote."""

from __future__ import annotations

from feeds.validation import values
from feeds.validation.finding import Findings
from feeds.validation.xml import at, read_root, required

_N = "{https://newsnote.example/1}"


def newsnote(document: bytes) -> Findings:
    """Check one note."""
    root = yield from read_root(document, "newsnote", "must be a note", f"{_N}note")
    if root is None:
        return
    if not values.uri(root.get("id") or ""):
        yield at(root, "newsnote.id", "id must be a URI")
    if root.get("status") == "usable":
        yield from required(root, "newsnote", f"{_N}headline")
    elif len(root):
        yield at(root, "newsnote.notice", "a notice must be empty")
