"""What the bytes of whole requests for documents ask for, so that whoever asks in the same words is not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from web.feed_readers import ReaderNote
    from web.representation import RelevantFields

_MOST = 5_000
"""How many requests are remembered."""


class Question(NamedTuple):
    """The key of the document, the fields that decide what is answered, and what is noted of who asks."""

    key: str
    fields: RelevantFields
    note: ReaderNote | None


class KnownRequests:
    """What the bytes of whole requests for documents ask for; forgotten all at once when there are too many."""

    def __init__(self) -> None:
        self._questions: dict[bytes, Question] = {}
        self.get = self._questions.get
        """Return what these bytes ask for; None when they are not known."""

    def learn(self, request: bytes, question: Question) -> None:
        """Remember what a request asked for."""
        if len(self._questions) >= _MOST:
            self._questions.clear()
        self._questions[request] = question
