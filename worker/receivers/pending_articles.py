"""The articles that a claim has to push: in which order they go, and how far the cursor may move.

Knows nothing of answers: whoever judges them says which article is done, and which goes again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from worker.receivers.push_status import NOTICES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from worker.destinations.interface import Message
    from worker.receivers.ledger import LedgerEntry
    from worker.store.attempts import Dispute
    from worker.store.changes import Change


@dataclass(slots=True, eq=False)
class PendingArticle:
    """One article that is to be pushed because of one change. Times in ms, 0: never.

    `occasion`: the number of the change or the id of the replay; it is part of the message id. `ahead`: a notice that
    goes before all else, while its change keeps its own turn; when that turn has not come yet, the change joins the
    notice as one of its `twins` and is done with it. `refused`: when the endpoint last refused this very message;
    `failed`: when it refused it or gave no good answer. `message` and `entry` (for the ledger) are worked out when the
    article's turn comes; `accepted`: when its event was accepted. `awaits`: the pictures that go beside it are being
    fetched, and others go before it meanwhile; `awaited`: they were.
    """

    change: Change
    occasion: str
    ahead: bool = False
    replayed: bool = False
    dispute: Dispute | None = None
    refused: int = 0
    failed: int = 0
    twins: list[PendingArticle] = field(default_factory=list)
    message: Message | None = None
    entry: LedgerEntry | None = None
    accepted: int = 0
    awaits: bool = False
    awaited: bool = False
    done: bool = False

    @property
    def article_id(self) -> str:
        """The article's id."""
        return self.change.article_id

    @property
    def is_notice(self) -> bool:
        """Whether it is known to be pushed as a notice, which contains nothing of the text."""
        return self.entry is not None and self.entry.status in NOTICES


class PendingQueue:
    """The queue of a claim, and the cursor over it.

    Notices of what the endpoint must no longer show go ahead, kills first. Then come the changes, the oldest first,
    then what is sent again. Two requests of one article are never in flight together. The cursor moves from the oldest
    change on over all that are done, in the order of the changes, whatever the order in which they are sent. Once all
    are done it moves to `end`, which is how far the log was read.
    """

    def __init__(self, changes: Iterable[PendingArticle], cursor: int, end: int) -> None:
        self.cursor = cursor
        self._end = end
        self._ahead: list[PendingArticle] = []
        self._waiting = deque(changes)
        self._open = deque(sorted(self._waiting, key=_number))
        self._in_flight: dict[str, PendingArticle] = {}
        self._any_awaited = False

    def __bool__(self) -> bool:
        return bool(self._ahead or self._waiting)

    @property
    def in_flight(self) -> int:
        """How many articles have a request in flight."""
        return len(self._in_flight)

    @property
    def complete(self) -> bool:
        """Whether it contains all changes up to the feed's head."""
        return self._end > 0

    def next_ids(self, room: int) -> list[str]:
        """Return the ids of the articles that may go next, when there is room for so many requests."""
        # Asked several times for each request: mostly there are no notices, and nothing is fetched.
        waiting: Iterable[PendingArticle] = self._waiting
        if self._any_awaited:
            waiting = (pending for pending in waiting if not pending.awaits)
        next_ids = [pending.change.article_id for pending in islice(waiting, room)]
        if self._ahead:
            ahead = [notice.article_id for notice in self._ahead if notice.article_id not in self._in_flight]
            next_ids = ahead[:room] + next_ids
        return next_ids

    def unfinished_ids(self) -> set[str]:
        """Return the ids of the articles that wait or are in flight."""
        return {pending.article_id for pending in self._waiting} | self._in_flight.keys()

    def take(self, article_ids: Collection[str]) -> PendingArticle | None:
        """Take out the one that goes next, if it is among these articles; None: nothing may go now."""
        for place, notice in enumerate(self._ahead):
            if notice.article_id in article_ids and notice.article_id not in self._in_flight:
                return self._ahead.pop(place)
        if self._any_awaited:
            first = next((pending for pending in self._waiting if not pending.awaits), None)
        else:
            first = self._waiting[0] if self._waiting else None
        if first is None or first.article_id not in article_ids or first.article_id in self._in_flight:
            return None
        if first is self._waiting[0]:
            self._waiting.popleft()
        else:
            self._waiting.remove(first)
        return first

    def await_pictures(self, pending: PendingArticle) -> None:
        """Have others go before one that was taken out, until its pictures are here; it keeps its place."""
        pending.awaits = pending.awaited = self._any_awaited = True
        self.put_back(pending)

    def add_last(self, pending: PendingArticle) -> None:
        """Have something sent after all that waits. The cursor does not wait for it."""
        self._waiting.append(pending)

    def add_first(self, pending: PendingArticle) -> None:
        """Have something sent before all that waits, but after the notices. The cursor does not wait for it."""
        self._waiting.appendleft(pending)

    def add_ahead(self, notices: Iterable[PendingArticle]) -> None:
        """Have these notices sent before all else, those of kills before those of withdrawals."""
        self._ahead += notices
        self._ahead.sort(key=lambda notice: (notice.change.state != "killed", notice.change.seq))

    def notices_under_way(self) -> set[str]:
        """Return the ids of the articles whose notice goes ahead or is in flight."""
        ahead = {notice.article_id for notice in self._ahead}
        return ahead | {article_id for article_id, pending in self._in_flight.items() if pending.is_notice}

    def texts_in_flight(self) -> Iterator[str]:
        """Yield the ids of the articles whose text is in flight."""
        return (article_id for article_id, pending in self._in_flight.items() if not pending.is_notice)

    def update(self, latest: Mapping[str, Change]) -> None:
        """Have what waits know the latest changes of its articles; each keeps its turn."""
        for pending in self._waiting:
            if change := latest.get(pending.article_id):
                pending.change = replace(change, seq=pending.change.seq)

    def depart(self, pending: PendingArticle) -> None:
        """Note that its request is in flight."""
        self._in_flight[pending.article_id] = pending

    def arrive(self, pending: PendingArticle) -> None:
        """Note that its request has been answered."""
        del self._in_flight[pending.article_id]

    def put_back(self, pending: PendingArticle) -> None:
        """Have one that was not sent take its turn again."""
        self._waiting = deque(sorted((pending, *self._waiting), key=_number))

    def retry_next(self, refused: list[PendingArticle]) -> None:
        """Have these sent again before all that waits, in their order."""
        self._waiting.extendleft(reversed(refused))

    def move_to_front(self, suits: Callable[[PendingArticle], bool]) -> None:
        """Have the newest that suits sent next, if any does."""
        for pending in reversed(self._waiting):
            if suits(pending):
                self._waiting.remove(pending)
                self._waiting.appendleft(pending)
                return

    def join(self, notice: PendingArticle) -> None:
        """Have a notice that went ahead stand for the changes of its article that wait: they are not sent beside it."""
        twins = [pending for pending in self._waiting if pending.article_id == notice.article_id]
        for twin in twins:
            self._waiting.remove(twin)
        notice.twins += twins

    def leave_the_rest(self, *, with_notices: bool = False) -> None:
        """Leave what waits to the next claim; the notices as well, if asked for."""
        self._waiting.clear()
        self._end = 0
        if with_notices:
            self._ahead.clear()

    @staticmethod
    def finish(pending: PendingArticle) -> None:
        """Note that nothing more is to be sent of it."""
        pending.done = True
        for twin in pending.twins:
            twin.done = True

    def advance(self, *, to_end: bool) -> None:
        """Move the cursor over all that is done, from the oldest change on.

        `to_end`: and to the end of what was read, when nothing is left.
        """
        while self._open and self._open[0].done:
            self.cursor = max(self.cursor, self._open.popleft().change.seq)
        if to_end and not self._open and not self._waiting:
            self.cursor = max(self.cursor, self._end)


def _number(pending: PendingArticle) -> int:
    return pending.change.seq
