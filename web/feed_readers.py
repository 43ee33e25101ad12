"""Notes what feed readers tell of their subscribers, beside the requests: nobody waits for it.

A request adds its path and its User-Agent to a set, if there is a number in that, and nothing of who asked. Once a
minute they are read and go into the record. While that is away they wait.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feeds.feed_readers import KNOWN_READERS, may_tell, readership_of
from feeds.formats import FEED_FORMATS
from worker import clock
from worker.record.availability import RecordAway
from worker.record.feed_readers import ReaderCount, forget_readers, note_readers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.newsroom.publication import Publication
    from worker.retention.recorded import RecordedArticles

NOTE_SECONDS = 60.0
_MOST = 10_000
"""So many different requests wait; what comes then is not noted. A reader comes again."""
_BYTES = 400
_DAY_MS = 86_400_000
_PREFIX = "/feeds/"


class ReaderNote(NamedTuple):
    """What was asked for, and the User-Agent that may tell of subscribers."""

    path: str
    user_agent: bytes


def reader_note(path: str, headers: Iterable[tuple[bytes, bytes]]) -> ReaderNote | None:
    """Return what the header fields of a request for `path` say of subscribers, perhaps; None: nothing."""
    for name, value in headers:
        if name == b"user-agent":
            return ReaderNote(path, value[:_BYTES]) if may_tell(value) else None
    return None


class FeedReaders:
    """Notes them. `note` is called in the event loop, `keep` in a thread."""

    def __init__(self) -> None:
        self._waiting: dict[ReaderNote, None] = {}
        self._tidied = 0

    def note(self, note: ReaderNote | None) -> None:
        """Note what came with a request that was answered with a document; None: nothing."""
        if note is not None and len(self._waiting) < _MOST:
            self._waiting[note] = None

    def take_notes(self) -> list[ReaderNote]:
        """Return what was noted since the last time."""
        waiting, self._waiting = self._waiting, {}
        return list(waiting)

    def keep(self, publication: Publication, recorded: RecordedArticles) -> None:
        """Put what was noted into the record, as of today."""
        requests = self.take_notes()
        today = clock.ms(clock.agreed()) // _DAY_MS
        counts = _counts(publication, requests, today)
        try:
            if counts:
                recorded.write(partial(note_readers, counts=counts, known_readers=KNOWN_READERS))
            if self._tidied != today:
                recorded.write(partial(forget_readers, today=today))
                self._tidied = today
        except RecordAway:
            self._waiting = dict.fromkeys((*requests, *self._waiting))


def _counts(publication: Publication, requests: Iterable[ReaderNote], today: int) -> list[ReaderCount]:
    """What they say, the greatest number of each reader for each document."""
    most: dict[tuple[str, str, str], int] = {}
    for path, user_agent in requests:
        feed, _, format_name = path.removeprefix(_PREFIX).rpartition(".")
        answer = readership_of(user_agent.decode("latin-1"))
        if answer is None or format_name not in FEED_FORMATS or publication.feed(feed) is None:
            continue
        key = (feed, format_name, answer.reader)
        most[key] = max(most.get(key, 0), answer.subscribers)
    return [ReaderCount(feed, today, name, reader, number) for (feed, name, reader), number in most.items()]
