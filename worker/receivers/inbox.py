"""What other threads tell the distributor, in the order in which it came."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """A queue that any thread puts messages into, and one thread takes them out of."""

    def __init__(self) -> None:
        self._messages: SimpleQueue[Message] = SimpleQueue()

    def put(self, message: Message) -> None:
        """Add a message. Returns at once."""
        self._messages.put(message)

    def put_answer(self, push: SubscriberPush, answer: Answer) -> None:
        """Add the answer to a push. Returns at once."""
        self._messages.put(SubscriberAnswered(push, answer))

    def empty(self) -> bool:
        """Return whether nothing waits."""
        return self._messages.empty()

    def take(self, most: int, wait_seconds: float) -> Iterator[Message]:
        """Yield up to `most` messages; when none is there, wait for the first one so long at the most."""
        try:
            yield self._messages.get(block=wait_seconds > 0, timeout=wait_seconds or None)
            for _ in range(most - 1):
                yield self._messages.get_nowait()
        except Empty:
            pass
