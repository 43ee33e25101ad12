"""What happens, as it happens, for whoever wants to follow it: a bounded stream. Nothing depends on it.

There is a summary of it, for those who look on: of an article that a thousand endpoints have taken it says so once.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.store.scripts import Client, Scripts

LAST_MOST = 10_000
"""So many of the last ones are kept, about, for those who were away for a moment."""
SUMMARY_MOST = 1_000
"""So many of the summary: one of its entries may name a thousand endpoints."""
ALARMS = "alarms"
_AT_ONCE = 250
"""How many one script appends, while Redis answers nobody else. A command for each takes us ten times as long."""
_TOGETHER = frozenset({"delivered", "kill_confirmed"})
"""What the summary says once of an article, with the names of all endpoints of which it is so."""
_ID = re.compile(r"\d{1,15}-\d{1,10}", re.ASCII)


class LiveEvent(NamedTuple):
    """One thing that has happened. `kind`: accepted, carried_out, delivered, failed, kill_confirmed, parked, ...

    One of the kind ALARMS says to the desk that other alarms stand than before, or that somebody takes care of some.

    `id`: its place in the stream. `fields`: what it is about; `feeds` and `endpoint` say who may see it.
    """

    id: str
    kind: str
    fields: dict[str, Any]


class LiveStream:
    """A stream of what happens, to be read."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self._key = key

    def last(self) -> str:
        """Return the id of the last one; "0-0" when there is none."""
        entries = self._client.xrevrange(self._key, count=1)
        return str(entries[0][0]) if entries else "0-0"

    def after(self, last: str, count: int) -> list[LiveEvent]:
        """Return up to `count` of those after an id, in order."""
        return [_event(*entry) for entry in self._client.xrange(self._key, min=f"({last}", count=count)]

    def latest(self, count: int) -> list[LiveEvent]:
        """Return up to `count` of the last ones, the newest first."""
        return [_event(*entry) for entry in self._client.xrevrange(self._key, count=count)]

    def wait(self, last: str, count: int, wait_ms: int) -> list[LiveEvent]:
        """Return up to `count` of those after an id; wait for the first."""
        answer: Any = self._client.xread({self._key: last}, count=count, block=wait_ms)
        return [_event(*entry) for _, entries in answer or () for entry in entries]


class Live(LiveStream):
    """The stream, and its summary. Each endpoint that has taken an article stands in the stream by itself."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        super().__init__(client, keys.LIVE)
        self._scripts = scripts
        self.summary = LiveStream(client, keys.LIVE_SUMMARY)

    def append(self, happenings: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Tell of what has happened: (kind, fields) pairs, in order."""
        calls = [
            *_calls(keys.LIVE, LAST_MOST, happenings),
            *_calls(keys.LIVE_SUMMARY, SUMMARY_MOST, summed_up(happenings)),
        ]
        if calls:
            # In one round trip: this stands in the way of every batch of events.
            self._scripts.run_many("live/append", calls)


def _calls(
    key: str, most: int, happenings: Sequence[tuple[str, dict[str, Any]]]
) -> Iterator[tuple[list[str], list[Any]]]:
    """Yield the calls of the script that append these to a stream."""
    for start in range(0, len(happenings), _AT_ONCE):
        lot = [part for kind, fields in happenings[start : start + _AT_ONCE] for part in (kind, text(fields))]
        yield [key], [most, *lot]


def summed_up(happenings: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the same for those who look on: what many endpoints took of one article is one, with `endpoints`."""
    rows: list[tuple[str, dict[str, Any]]] = []
    together: dict[tuple[str, Any, Any], list[Any]] = {}
    for kind, fields in happenings:
        if kind not in _TOGETHER:
            rows.append((kind, fields))
            continue
        article, action = fields.get("article"), fields.get("action")
        endpoints = together.get((kind, article, action))
        if endpoints is None:
            endpoints = together[kind, article, action] = []
            rows.append((kind, {"article": article, "action": action, "endpoints": endpoints}))
        if endpoint := fields.get("endpoint"):
            endpoints.append(endpoint)
    return rows


def text(fields: dict[str, Any]) -> str:
    """Return what something is about, as it is kept."""
    return json.dumps(fields, separators=(",", ":"))


def is_id(last: str) -> bool:
    """Whether a text may be the id of one."""
    return _ID.fullmatch(last) is not None


def place(name: str) -> tuple[int, ...]:
    """Return the place of an id, to compare it with others."""
    return tuple(map(int, name.split("-")))


def _event(name: str, fields: dict[str, str]) -> LiveEvent:
    kind, content = next(iter(fields.items()), ("", "{}"))
    try:
        about = json.loads(content)
    except ValueError:
        about = None
    return LiveEvent(name, kind, about if isinstance(about, dict) else {})
