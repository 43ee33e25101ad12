"""What a worker does with the objects of one article, for tests of stores: it pushes, looks, and keeps its ledger."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from contract.caller import arrived
from contract.misbehaving import PATIENCE

from feeds.article import Article
from worker.destinations.interface import Delivery, Message

if TYPE_CHECKING:
    from contract.caller import Caller

    from worker.destinations.objects import Objects
    from worker.outbound.transfer import Answer

MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
_NUMBERS = count(1)


class ObjectWriter:
    """One worker's destination, and what it notes in the ledger of one article."""

    def __init__(self, caller: Caller, objects: Objects) -> None:
        self.caller = caller
        self.id = f"hh-{next(_NUMBERS)}"
        self.key = f"{self.id}.json"
        self.remote = ""
        self.objects = objects

    def message(self, version: int, status: str = "") -> Message:
        status = status or ("published" if version == 1 else "corrected")
        text = json.dumps({"id": self.id, "version": version, "status": status}).encode()
        gone = {"killed": "canceled", "withdrawn": "withheld"}.get(status, "usable")
        article = Article.model_construct(id=self.id, version=version, published=MARCH, edition="en", pubstatus=gone)
        return Message.of(f"msg_{self.id}_{version}_{status}", text, status, article, compressed=self.objects.gzip)

    def begin(self, message: Message, **more: Any) -> list[Answer]:
        """Begin a push; return where its answer will be."""
        answers: list[Answer] = []
        delivery = Delivery(PATIENCE, time.monotonic() + 2 * PATIENCE, remote=self.remote, **more)
        self.caller.submit([self.objects.push(message, delivery, answers.append)])
        return answers

    def push(self, version: int, status: str = "", **more: Any) -> Answer:
        answers = self.begin(self.message(version, status), **more)
        answer = arrived(answers)
        self.remote = answer.remote or self.remote
        return answer

    def look(self) -> Answer:
        answers: list[Answer] = []
        delivery = Delivery(PATIENCE, time.monotonic() + 2 * PATIENCE, remote=self.remote)
        assert self.objects.look is not None
        article = self.message(9, "killed").article
        assert article is not None
        self.caller.submit([self.objects.look(article, delivery, answers.append)])
        return arrived(answers)
