"""Newsnote: what must be there."""

from __future__ import annotations

from feeds.validation import values
from feeds.validation.finding import Finding, Findings, house
from feeds.validation.xml import at, legible, parse, required

_N = "{https://newsnote.example/1}"


def newsnote(document: bytes) -> Findings:
    """One note."""
    root = parse(document)
    if isinstance(root, Finding):
        yield root
        return
    if root.tag != f"{_N}note":
        yield at(root, "newsnote.root", "must be a note")
        return
    yield from house(legible(root))
    if not values.uri(root.get("id") or ""):
        yield at(root, "newsnote.id", "id must be a URI")
    if root.get("status") == "usable":
        yield from required(root, "newsnote", f"{_N}headline")
    elif len(root):
        yield at(root, "newsnote.notice", "a notice must be empty")
