"""What other threads tell the distributor, and what it hears from the engine, in the order in which it came."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer
    from worker.receivers.article_pushes import ArticlePushes
    from worker.receivers.pending_articles import PendingArticle
    from worker.receivers.push_session import PushSession
    from worker.receivers.subscribers import SubscriberPush


class FeedBehind(NamedTuple):
    """A feed may have receivers that are behind."""

    feed: str


class ArticleWithdrawn(NamedTuple):
    """Something was withdrawn from a feed."""

    feed: str


class RequestAnswered(NamedTuple):
    """A session's request was answered; `key` says which."""

    session: PushSession
    key: object
    answer: Answer


class SubscriberAnswered(NamedTuple):
    """A subscriber has answered its push."""

    push: SubscriberPush
    answer: Answer


class PicturesFetched(NamedTuple):
    """The pictures of an article that a session waits for were fetched, or could not be."""

    session: ArticlePushes
    pending: PendingArticle


class StopRequested(NamedTuple):
    """The process is stopping."""


Message = SubscriberAnswered | FeedBehind | ArticleWithdrawn | RequestAnswered | PicturesFetched | StopRequested


class Inbox:
    """A queue that any thread puts messages into, and one thread takes them out of.

    While that one waits, it takes the turns of the engine, from which most messages come.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._taker = 0

    def put(self, message: Message) -> None:
        """Add a message. Returns at once."""
        self._messages.put(message)
        if get_ident() != self._taker:
            self._engine.wake()

    def put_answer(self, push: SubscriberPush, answer: Answer) -> None:
        """Add the answer to a push. Returns at once."""
        self.put(SubscriberAnswered(push, answer))

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return self._messages.empty()

    def take(self, most: int, wait_seconds: float) -> Iterator[Message]:
        """Yield up to `most` messages; when none is there, wait for the first one so long at the most."""
        self._taker = get_ident()
        left, end = wait_seconds, time.monotonic() + wait_seconds
        while is_turning := self._engine.turn(left, self._has_some):
            left = max(0.0, end - time.monotonic())
            if not left or self._has_some():
                break
        if is_turning:
            left = 0.0
        try:
            yield self._messages.get(block=left > 0, timeout=left or None)
            for _ in range(most - 1):
                yield self._messages.get_nowait()
        except Empty:
            pass

    def _has_some(self) -> bool:
        return not self._messages.empty()
