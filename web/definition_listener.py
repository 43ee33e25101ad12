"""Keeps a web process on the feed definitions that are current, whatever its own settings say.

The workers decide which set is current (worker/newsroom/event_permit.py): articles are put into feeds by it. A process
with other settings, in a rollout or a rollback, would show feeds by definitions that nobody works by. So it reads the
current ones when they are announced, which takes milliseconds, and once a second in case an announcement got lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from threading import Event, Thread

import structlog
from pydantic import ValidationError
from redis.exceptions import RedisError

from feeds.definition import FeedDefinition
from worker.store import Store
from worker.store.redis_errors import Outage

log = structlog.get_logger()

_CHECK_SECONDS = 1.0


class DefinitionListener:
    """Follows announcements in a thread, which calls `use` with other definitions that have become current.

    `use` is also given the names of feeds whose definitions this release can't read: they are of a later one.
    """

    def __init__(self, store: Store, use: Callable[[tuple[FeedDefinition, ...], frozenset[str]], None]) -> None:
        self._store = store
        self._use = use
        self._announcement = ""
        self._definitions: tuple[str, ...] | None = None
        self._stopped = Event()
        self._outage = Outage(log, what="definitions")
        self._thread = Thread(target=self._run, name="definitions", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer."""
        self._stopped.set()
        self._thread.join(2 * _CHECK_SECONDS)

    def read(self) -> None:
        """Go over to the current definitions unless that is done. Raises redis.RedisError.

        A Redis that has none, because it was emptied or no worker has come yet, changes nothing.
        """
        announcement = self._store.definitions.last_announcement()
        if not announcement or announcement == self._announcement:
            return
        current = self._store.definitions.current()
        if current is None:
            return
        if current.definitions != self._definitions:
            begun = time.monotonic()
            self._use(*_parsed(current.definitions))
            self._definitions = current.definitions
            milliseconds = round((time.monotonic() - begun) * 1000)
            log.info("definitions_current", feeds=len(current.definitions), took_ms=milliseconds)
        self._announcement = current.announcement

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except RedisError as error:
                self._outage.met(error, "the definitions stay as they are; trying again")
                self._stopped.wait(_CHECK_SECONDS)
            except Exception:
                # Whatever it is: without new definitions feeds would be shown by old ones for ever.
                log.exception("definitions_not_read", next_step="trying again")
                self._stopped.wait(_CHECK_SECONDS)

    def _follow(self) -> None:
        announcements = self._store.definitions.listen()
        try:
            while not self._stopped.is_set():
                self.read()
                self._outage.over()
                announcements.wait(_CHECK_SECONDS)
        finally:
            announcements.close()


def _parsed(definitions: tuple[str, ...]) -> tuple[tuple[FeedDefinition, ...], frozenset[str]]:
    """The definitions, and the names of those that can't be read."""
    readable: list[FeedDefinition] = []
    unreadable: set[str] = set()
    for text in definitions:
        try:
            readable.append(FeedDefinition.model_validate_json(text))
        except ValidationError as error:
            name = str(json.loads(text).get("name", ""))
            unreadable.add(name)
            log.error(
                "definition_unreadable",
                feed=name,
                reason=str(error.errors()[0]["msg"]),
                next_step="workers of a later release made it: bring this process to that release",
            )
    return tuple(readable), frozenset(unreadable)
