"""Which definitions events are carried out by, which workers have them, and which feeds must still be filled.

Each distinct set of definitions has a number, given when a worker first worked by it. The greatest number among those
with a living worker is in charge; a charge has a generation, so that a later charge of the same set is not mistaken
for an earlier one. The keys of the charge lie in the slot of the event streams: one script checks that a worker is
still in charge and acknowledges its events.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis

from worker.store import keys
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.scripts import Client, Scripts

ALIVE_MS = 10_000
"""A worker without a report for so long no longer prevents others from taking charge."""
LOST_MS = 60_000
"""A lost worker is remembered for so long; until then what only its definitions name is not removed."""
_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""


@dataclass(frozen=True, slots=True)
class DefinitionsStanding:
    """Where a set of definitions stands: its number, the greatest number with a living worker, the charge or "".

    `newer_lost`: workers with newer definitions were lost only a moment ago. `reported`: when the worker made this
    report (ms, by the clock of Redis). `forgotten`: Redis has no trace of the worker's last report: it has lost
    its last writes, or the worker has stood still.
    """

    number: int
    newest: int
    charge: str
    newer_lost: bool
    reported: int
    forgotten: bool


@dataclass(frozen=True, slots=True)
class CurrentDefinitions:
    """The set that was announced last: in which announcement, and its definitions as JSON, in their order."""

    announcement: str
    definitions: tuple[str, ...]


class DefinitionAnnouncements:
    """Hears when other definitions become current, from its creation until it is closed, on its own connection."""

    def __init__(self, client: Client) -> None:
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(keys.REDEFINED)
        if self._pubsub.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
            self.close()
            raise redis.TimeoutError("Redis did not answer a subscription")

    def wait(self, seconds: float) -> None:
        """Return at an announcement, or after so long. Raises redis.RedisError when the connection is lost."""
        self._pubsub.get_message(timeout=seconds)

    def close(self) -> None:
        """Hear nothing more."""
        self._pubsub.close()


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far the index is: feeds that are not complete, articles indexed, of how many, and the last of them."""

    feeds: dict[str, str]
    done: int = 0
    articles: int = 0
    last: tuple[str, float] | None = None


class Definitions:
    """The definitions that workers work by."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self.indexing = Lease(client, scripts, keys.INDEXING)
        """Held by the worker that fills feeds."""

    def take_charge(
        self, digest: str, worker: str, reported: int = 0, adopted: int = 0, recorded: tuple[int, int] = (0, 0)
    ) -> DefinitionsStanding:
        """Report that a worker is alive and works by the set with this digest; take charge unless a newer set is known.

        `reported`: the time of its last report, 0 if this is its first; `adopted`: a generation that was adopted, so a
        charge gets a later one: Redis may have lost the charge, and still remember elsewhere what was adopted.
        `recorded`: the set's number by the record, and the greatest number there; 0 where there is none.
        """
        numbers = [keys.NUMBERS, keys.LIVING, keys.CHARGE]
        arguments = [digest, worker, ALIVE_MS, LOST_MS, reported or "", adopted, *recorded]
        number, newest, charge, lost, now, forgotten = self._scripts.run("definitions/take_charge", numbers, arguments)
        return DefinitionsStanding(number, newest, charge, bool(lost), now, bool(forgotten))

    def leave(self, number: int, worker: str) -> None:
        """Note that the worker has stopped."""
        self._client.zrem(keys.LIVING, f"{number} {worker}")

    def outdated_workers(self) -> set[str]:
        """Return the workers whose definitions are not those in charge, and that were alive a moment ago."""
        charge = (self._client.get(keys.CHARGE) or "").partition(" ")[0]
        members = (member.partition(" ") for member in self._client.zrange(keys.LIVING, 0, -1))
        return {worker for number, _, worker in members if number != charge}

    def adopt(self, charge: str, definitions: Mapping[str, str], removed: int) -> int:
        """Have these feeds (name -> definition) maintained under a charge; return how many must be filled.

        When a later charge has been adopted: its generation, as a negative number. Other feeds count as removed since
        `removed` (ms).
        """
        flat = [part for item in definitions.items() for part in item]
        pending = self._scripts.run(
            "definitions/adopt",
            [keys.DEFINITIONS, keys.PENDING, keys.FORMER, keys.INDEX],
            [_generation(charge), removed, *flat],
        )
        return int(pending)

    def announce(self, charge: str, definitions: Sequence[str]) -> bool:
        """Announce the definitions (as JSON) that are current under a charge; False when that has passed to others."""
        arguments = [charge, json.dumps(definitions), keys.REDEFINED]
        return bool(self._scripts.run("definitions/announce", [keys.CHARGE, keys.CURRENT_DEFINITIONS], arguments))

    def last_announcement(self) -> str:
        """Return what tells the last announcement from all others; "" if there was none."""
        return self._client.hget(keys.CURRENT_DEFINITIONS, "announcement") or ""

    def current(self) -> CurrentDefinitions | None:
        """Return the definitions that were announced last; None when there are none, or they are damaged."""
        announcement, text = self._client.hmget(keys.CURRENT_DEFINITIONS, "announcement", "definitions")
        try:
            return CurrentDefinitions(announcement or "", tuple(map(str, json.loads(text or ""))))
        except (ValueError, TypeError):
            return None

    def listen(self) -> DefinitionAnnouncements:
        """Hear of announcements from now on."""
        return DefinitionAnnouncements(self._client)

    def indexed(self) -> dict[str, str]:
        """The definitions by which the articles were put into feeds: feed name -> definition as JSON."""
        definitions: dict[str, str] = self._client.hgetall(keys.DEFINITIONS)
        return definitions

    def former_feeds(self, now: int) -> set[str]:
        """Return the feeds that were removed from the settings (before `now`, ms)."""
        return {name for name, when in self._client.hgetall(keys.FORMER).items() if int(when) <= now}

    def removed_at(self, feed: str, now: int) -> int | None:
        """When the feed was removed from the settings (ms); None when it was not (before `now`), or is back."""
        when = int(self._client.hget(keys.FORMER, feed) or 0)
        return when if 0 < when <= now else None

    def progress(self) -> IndexProgress:
        """Return how far the index is."""
        # Not at one moment: a Redis that is full refuses MULTI, and people need this then.
        pipe = self._client.pipeline(transaction=False)
        pipe.hgetall(keys.PENDING)
        pipe.hmget(keys.INDEX, "done", "all", "article", "place")
        feeds, (done, articles, last, place) = pipe.execute()
        return IndexProgress(feeds, int(done or 0), int(articles or 0), (last, float(place)) if last else None)

    def note_progress(self, charge: str, done: int, articles: int, last: tuple[str, float] | None) -> bool:
        """Note how far the index has come; with no article, that it is complete. False: a later charge was adopted."""
        name, place = last or ("", 0)
        return bool(
            self._scripts.run(
                "definitions/note_progress",
                [keys.DEFINITIONS, keys.PENDING, keys.INDEX],
                [_generation(charge), done, articles, name, place],
            )
        )


def _generation(charge: str) -> str:
    return charge.partition(" ")[2]
