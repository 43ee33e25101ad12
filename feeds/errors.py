"""What can be wrong with an input.

    InvalidInput            one or more fields of an input are wrong; each is named
      InvalidEvent          ... of an event (`event_id` when it could be read)

Every error has its facts as attributes, so that a caller can answer in its own medium (problem+json, a line in a
terminal, a field of a log event) without parsing the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class FieldError(NamedTuple):
    """One wrong field: its path in the sender's JSON (`article.images.0.url`; empty: the whole) and the problem."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


class InvalidInput(ValueError):
    """An input that can't be accepted. `errors` has every wrong field, not only the first."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))


class InvalidEvent(InvalidInput):
    """An event that can't be accepted; `event_id` is its id where that could be read."""

    def __init__(self, errors: Sequence[FieldError], event_id: str | None = None) -> None:
        super().__init__(errors)
        self.event_id = event_id
