"""Which definitions events are carried out by, which workers have them, and which feeds must still be filled.

Each distinct set of definitions has a number, given when a worker first worked by it. The greatest number among those
with a living worker is in charge; a charge has a generation, so that a later charge of the same set is not mistaken
for an earlier one. The keys of the charge lie in the slot of the event streams: one script checks that a worker is
still in charge and acknowledges its events.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.store import keys
from worker.store.announcements import Announcements
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.scripts import Client, Scripts

ALIVE_MS = 10_000
"""A worker without a report for so long no longer prevents others from taking charge."""
LOST_MS = 60_000
"""A lost worker is remembered for so long; until then what only its definitions name is not removed."""


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


Position = tuple[str, ...]
"""Where a pass through the articles goes on."""


@dataclass(frozen=True, slots=True)
class PassProgress:
    """How far a pass through articles is: how many were gone through, of how many, and where it goes on.

    `position`: None at its beginning, and when it `is_over`.
    """

    done: int = 0
    articles: int = 0
    position: Position | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far the index is: feeds that are not complete (name -> definition), and each pass that has begun, by name."""

    feeds: dict[str, str]
    passes: dict[str, PassProgress] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many articles were gone through, in all passes."""
        return sum(each.done for each in self.passes.values())

    @property
    def articles(self) -> int:
        """Of how many, in all passes that have begun."""
        return sum(each.articles for each in self.passes.values())


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

    def listen(self) -> Announcements:
        """Hear of announcements from now on."""
        return Announcements(self._client, keys.REDEFINED)

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
        pipe.hgetall(keys.INDEX)
        feeds, passes = pipe.execute()
        passes.pop("generation", None)
        return IndexProgress(feeds, {name: _pass(text) for name, text in passes.items()})

    def note_progress(self, charge: str, name: str, progress: PassProgress) -> bool:
        """Note how far a pass has come; False: a later charge was adopted."""
        text = json.dumps([progress.done, progress.articles, progress.position, progress.is_over])
        return bool(self._scripts.run("definitions/note_progress", [keys.INDEX], [_generation(charge), name, text]))

    def note_filled(self, charge: str) -> bool:
        """Note that the feeds are complete; False: a later charge was adopted."""
        return bool(
            self._scripts.run(
                "definitions/note_filled", [keys.DEFINITIONS, keys.PENDING, keys.INDEX], [_generation(charge)]
            )
        )


def _pass(text: str) -> PassProgress:
    """Read how far a pass is. What is damaged begins anew."""
    try:
        done, articles, position, is_over = json.loads(text)
        return PassProgress(int(done), int(articles), tuple(map(str, position)) if position else None, bool(is_over))
    except (ValueError, TypeError):
        return PassProgress()


def _generation(charge: str) -> str:
    return charge.partition(" ")[2]
