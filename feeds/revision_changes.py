"""What changed from one revision of an article to the next, field by field, for people.

Long texts are compared sentence by sentence. Sentences are never mixed within a line: text from right to left stays
readable on every terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

import regex

from feeds.article import ORDERING, Article
from feeds.text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from feeds.article import Alternate, Image

Sign = Literal["-", "+"]

_NOT_SHOWN = frozenset({"id", "version", *ORDERING})
_BLOCK = regex.compile(r"</?(?:blockquote|br|dd|dt|figcaption|figure|h[1-6]|hr|li|ol|p|pre|table|td|th|tr|ul)\b[^>]*>")
# After the signs that end a sentence in the scripts of the world, with the quotes and brackets that may follow them.
_SENTENCE = regex.compile(
    r"(?<=[.!?\u061f\u06d4\u2026]['\"\p{Pe}\p{Pf}]*)\s+|(?<=[\u3002\uff01\uff1f][\p{Pe}\p{Pf}]*)(?![\p{Pe}\p{Pf}]|$)"
)
_COMPARED_MOST = 4_000_000
"""Pairs of sentences that are compared at the most; of longer texts all between what is the same has changed."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What changed in one field: the parts that went (-) and that came (+), in the order in which they stand."""

    field: str
    parts: tuple[tuple[Sign, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "field": self.field,
            "removed": [text for sign, text in self.parts if sign == "-"],
            "added": [text for sign, text in self.parts if sign == "+"],
            "order": "".join(sign for sign, _ in self.parts),
        }


def changes(before: Article | None, after: Article) -> list[FieldChange]:
    """Return what changed between two revisions; of the first revision (`before`: None) what it began with.

    Of a kill it is only that: all of the text has gone.
    """
    changed = []
    fields = [field for field in type(after).model_fields if field not in _NOT_SHOWN]
    for field in ["pubstatus"] if after.pubstatus == "canceled" else fields:
        old, new = getattr(before, field, None), getattr(after, field)
        if old == new:
            continue
        parts = tuple(_differences(_parts(field, old), _parts(field, new)))
        if parts:
            changed.append(FieldChange(field, parts))
        elif field == "body_html" and old:
            changed.append(FieldChange(field, (("-", "(the words are the same,"), ("+", "their markup is not)"))))
    return changed


def paragraphs(markup: str) -> list[str]:
    """Return the paragraphs of a text, as people read them."""
    return [text for block in _BLOCK.split(markup) if (text := text_of(block))]


def _parts(field: str, value: Any) -> list[str]:
    """The parts of a value that are compared with each other."""
    if not value:
        return []
    match field:
        case "body_html":
            parts = [sentence for paragraph in paragraphs(value) for sentence in _sentences(paragraph)]
        case "summary":
            parts = _sentences(value)
        case "images":
            parts = [_image(image) for image in value]
        case "alternates":
            parts = [_alternate(alternate) for alternate in value]
        case "subjects" | "authors":
            parts = list(value)
        case _:
            parts = [value.isoformat() if isinstance(value, datetime) else str(value)]
    return parts


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in map(str.strip, _SENTENCE.split(text)) if sentence]


def _image(image: Image) -> str:
    size = f"{image.width} x {image.height}" if image.width and image.height else ""
    return " | ".join(filter(None, (image.url, image.type, size, image.caption, image.credit)))


def _alternate(alternate: Alternate) -> str:
    return " ".join(filter(None, (alternate.edition, alternate.url, alternate.id)))


def _differences(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Sign, str]]:
    start = _same_beginning(old, new)
    old, new = old[start:], new[start:]
    end = _same_beginning(old[::-1], new[::-1])
    old, new = old[: len(old) - end], new[: len(new) - end]
    if len(old) * len(new) > _COMPARED_MOST:
        steps: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(old), 0, len(new))]
    else:
        steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for step, first, last, new_first, new_last in steps:
        if step != "equal":
            yield from (("-", text) for text in old[first:last])
            yield from (("+", text) for text in new[new_first:new_last])


def _same_beginning(old: Sequence[str], new: Sequence[str]) -> int:
    """How many parts at the beginning are the same."""
    return next(
        (place for place, (before, after) in enumerate(zip(old, new, strict=False)) if before != after),
        min(len(old), len(new)),
    )
