"""Sends messages to endpoints of files, for tests with real servers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from waiting import PATIENCE_SECONDS

from config.endpoint_settings import EndpointSettings
from feeds.article import Article
from worker.destinations.endpoint import configured
from worker.destinations.files import FileDestination
from worker.destinations.interface import Delivery, Message
from worker.destinations.sender import Sender
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer

LOCAL = Guard((ip_network("127.0.0.0/8"),))


class Folders:
    """Notes which folders are written to."""

    def __init__(self) -> None:
        self.noted: set[tuple[str, str]] = set()

    def note(self, endpoint: str, folder: str) -> None:
        self.noted.add((endpoint, folder))


class FileDesk:
    """Sends messages to a destination, as a session does, and keeps what the ledger would keep."""

    def __init__(self, guard: Guard = LOCAL) -> None:
        self.engine = Engine(guard)
        self.engine.start()
        self.folders = Folders()
        self.remote: dict[str, str] = {}

    def destination(self, kind: str, url: str, own: dict[str, Any], **common: Any) -> FileDestination:
        values = {"name": "a", "feed": "w", "format": "json", "kind": kind, "url": url, kind: own, **common}
        sender: Any = Sender(None, None, "h", self.engine, LOCAL, self.folders)  # type: ignore[arg-type]
        there = configured(EndpointSettings.model_validate(values), sender).destination
        assert isinstance(there, FileDestination)
        return there

    def push(
        self,
        there: FileDestination,
        message: Message,
        *,
        doubtful: bool = False,
        test: bool = False,
        seconds: float = PATIENCE_SECONDS,
    ) -> Answer:
        assert message.article is not None
        name = message.article.id
        delivery = Delivery(
            seconds, time.monotonic() + 2 * PATIENCE_SECONDS, "", self.remote.get(name, ""), doubtful, test
        )
        answers: SimpleQueue[Answer] = SimpleQueue()
        self.engine.submit([there.push(message, delivery, answers.put)])
        answer = answers.get(timeout=2 * PATIENCE_SECONDS)
        self.remote[name] = answer.remote or self.remote.get(name, "")
        return answer

    def look(self, there: FileDestination, article: Article) -> Answer:
        assert there.look is not None
        answers: SimpleQueue[Answer] = SimpleQueue()
        delivery = Delivery(
            PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS, "", self.remote.get(article.id, "")
        )
        self.engine.submit([there.look(article, delivery, answers.put)])
        return answers.get(timeout=2 * PATIENCE_SECONDS)


def message(article_id: str, version: int, status: str = "published", text: bytes = b"") -> Message:
    article = Article.model_construct(
        id=article_id, version=version, edition="en", published=datetime(2026, 3, 1, tzinfo=UTC), headline="H"
    )
    return Message.of("m", text or f"{article_id} {version} {status}".encode(), status, article, compressed=False)


LOGIN = {"username": "herald", "password": "pass"}


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
