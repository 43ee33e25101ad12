"""A text as paragraphs, for formats without markup: wires, mails in plain text, templates."""

from __future__ import annotations

from lxml import html

from feeds.formats.body import BLOCKS
from feeds.text import small

_SKIPPED = frozenset({"img", "audio", "video"})


def paragraphs(text: html.HtmlElement) -> list[str]:
    """Return what a tree says (`body.body_tree`), a line for each paragraph, heading or item of a list."""
    lines = [[""]]
    _collect(text, lines)
    return [text for line in lines if (text := " ".join("".join(line).split()))]


def _collect(element: html.HtmlElement, lines: list[list[str]]) -> None:
    tag = element.tag
    if not isinstance(tag, str):  # a comment
        return
    if tag in {"sup", "sub"} and not any(part.tag in BLOCKS or part.tag == "br" for part in element.iterdescendants()):
        lines[-1].append(small(tag, str(element.text_content())))
        return
    if tag in BLOCKS or tag == "br":
        lines.append(["- " if tag == "li" else ""])
    if tag not in _SKIPPED:
        lines[-1].append(element.text or "")
        for part in element:
            _collect(part, lines)
            if part.tag in BLOCKS:
                lines.append([""])
            lines[-1].append(part.tail or "")
