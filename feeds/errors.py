"""What can be wrong with what comes in.

    InvalidInput            one or more fields of an input are wrong; each is named
      InvalidEvent          ... of an event (`event_id` when it could be read)
    FormatRefused           an article or a feed cannot be said in a format

Every error carries what it speaks of as attributes, so that a caller can answer in its own medium (problem+json, one
line in a terminal, a log field) without reading the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class FieldError(NamedTuple):
    """One wrong field: its path as the sender wrote it (`article.images.0.url`; empty: the whole) and what is wrong."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


class InvalidInput(ValueError):  # noqa: N818 (the name says what is wrong)
    """An input that can't be taken. `errors` has every wrong field, not only the first."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))


class InvalidEvent(InvalidInput):
    """An event that can't be taken; `event_id` is its id where that could be read."""

    def __init__(self, errors: Sequence[FieldError], event_id: str | None = None) -> None:
        super().__init__(errors)
        self.event_id = event_id


class FormatRefused(ValueError):  # noqa: N818 (the name says what is wrong)
    """An article (`article_id`) that can't be said in `format_name`, with the reason."""

    def __init__(self, format_name: str, article_id: str, reason: str) -> None:
        self.format_name = format_name
        self.article_id = article_id
        self.reason = reason
        super().__init__(f"{article_id} can't be rendered as {format_name}: {reason}")
