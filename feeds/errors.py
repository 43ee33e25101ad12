"""What can be wrong with an input.

    InvalidInput            one or more fields of an input are wrong; each is named
      InvalidEvent          ... of an event (`event_id` when it could be read)

Every error has its facts as attributes, so that a caller can answer in its own medium (problem+json, a line in a
terminal, a field of a log event) without parsing the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


MOST_SHOWN = 20
"""So many names, or mistakes, are shown in a message; of the others their number."""
_CHARACTERS = 600
"""A problem that is longer repeats a value that nobody can read in a line."""


def brief(text: str, most: int = _CHARACTERS) -> str:
    """Return a message on one line, of at most about `most` characters: of a longer one the middle is left out."""
    if len(text) > most:
        text = f"{text[: most // 2]} ... {text[-(most // 2) :]}"
    return text if text.isprintable() else " ".join(text.split())


def listed(names: Collection[str], most: int = MOST_SHOWN) -> str:
    """Return names for a message, the first of them if they are many; `none` if there are none."""
    shown = ", ".join(brief(name, 100) for name in list(names)[:most])
    more = len(names) - most
    return f"{shown} and {more:,} more" if more > 0 else shown or "none"


class FieldError(NamedTuple):
    """One wrong field: its path in the sender's JSON (`article.images.0.url`; empty: the whole) and the problem."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


class InvalidInput(ValueError):
    """An input that can't be accepted. `errors` has every wrong field, not only the first; the message the first ones.

    Each is one line that can be read, whatever the sender wrote there.
    """

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(FieldError(brief(error.field, 200), brief(error.problem)) for error in errors)
        super().__init__("; ".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """The errors for people, each a line; of very many the first, and how many there are besides."""
        more = len(self.errors) - MOST_SHOWN
        shown = list(map(str, self.errors[:MOST_SHOWN]))
        return [*shown, f"and {more:,} more are wrong"] if more > 0 else shown


class InvalidEvent(InvalidInput):
    """An event that can't be accepted; `event_id` is its id where that could be read."""

    def __init__(self, errors: Sequence[FieldError], event_id: str | None = None) -> None:
        super().__init__(errors)
        self.event_id = event_id
