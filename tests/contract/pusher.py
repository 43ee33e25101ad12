"""One worker's destination, and what the ledger has of one article: pushes, looks, and waits for the answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import count
from typing import Any

from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE

from feeds.article import Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider
from feeds.rights import EVERYTHING
from worker.destinations.interface import Delivery, Destination, Message, message_id
from worker.outbound.transfer import Answer
from worker.receivers.message_cache import subject_of

MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
PROVIDER = Provider("herald.example,2026", "The Herald")
_GONE = {"killed": "canceled", "withdrawn": "withheld"}
_NUMBERS = count(1)


class Pusher:
    """Pushes versions of one article, each with a headline that names it."""

    def __init__(
        self, caller: Caller, destination: Destination, format_name: str = "json", article_id: str = ""
    ) -> None:
        self.caller = caller
        self.destination = destination
        self.id = article_id or f"hh-{next(_NUMBERS)}"
        self.remote = ""
        self._format = format_name

    def message(self, version: int, status: str = "", **more: Any) -> Message:
        status = status or ("published" if version == 1 else "corrected")
        article = Article(
            **{
                "id": self.id,
                "version": version,
                "headline": f"Ferries of {self.id}, version {version}",
                "url": f"https://herald.example/{self.id}",
                "published": MARCH,
                "updated": MARCH,
                "pubstatus": _GONE.get(status, "usable"),
                **more,
            }
        )
        text = ARTICLE_FORMATS[self._format].render(f"article.{status}", article, "", PROVIDER)
        push_id = message_id(text, self.id, version, status)
        return Message.of(push_id, text, status, subject_of(article, status, EVERYTHING), compressed=False)

    def begin(self, message: Message, **more: Any) -> list[Answer]:
        """Begin a push; return where its answer will be."""
        answers: list[Answer] = []
        self.caller.submit([self.destination.push(message, self._delivery(**more), answers.append)])
        return answers

    def push(self, version: int, status: str = "", **more: Any) -> Answer:
        """Push a version, and note what the ledger notes."""
        fields = {name: more.pop(name) for name in ("headline", "url", "summary", "section") if name in more}
        answer = arrived(self.begin(self.message(version, status, **fields), **more))
        self.remote = answer.remote or self.remote
        return answer

    def push_until_taken(self, version: int, status: str = "") -> Answer:
        """Push again and again, as the distributor does, until it is taken."""
        answer = self.push(version, status)
        for _ in range(20):
            if answer.fault is None and 200 <= answer.status < 300:
                return answer
            answer = self.push(version, status, doubtful=True)
        raise AssertionError(f"never taken: {answer}")

    def look(self) -> Answer:
        """Look whether anything is left."""
        assert self.destination.look is not None
        article = self.message(99, "killed").article
        assert article is not None
        answers: list[Answer] = []
        self.caller.submit([self.destination.look(article, self._delivery(), answers.append)])
        return arrived(answers)

    def _delivery(self, **more: Any) -> Delivery:
        return Delivery(PATIENCE, time.monotonic() + 3 * PATIENCE, remote=self.remote, **more)
