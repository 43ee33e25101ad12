"""What has changed and is not in the record as it is now; and what the record is given of it.

Whoever changes something marks it, in a round trip that is made anyway: when the change is complete, and of an article
before it is saved as well, should nobody come to complete it. Whoever notes reads the marks first, then what is marked,
and when that is in the record takes off the marks that are still the same. So a change that was not seen has a mark.

A mark is when it was set (ms), a hyphen and random digits. Articles are marked by their ids, which have no white space;
others by what they are and their names, each on a line of its own.
"""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from worker import clock
from worker.store import keys
from worker.store.damaged_records import answers
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from worker.store.scripts import Client, Scripts

AUTHORITY = "authority\n"
"""The name of the authority of ids."""
MARKS = ("head", "changed", "kill", "killed", "left", "arranged", "placed")
"""What a feed says of itself beside its articles; each only grows."""
_SAMPLE = 1000
"""Marks that are looked at to see how old they are."""
_gathered: ContextVar[set[str] | None] = ContextVar("_gathered", default=None)


def name(noun: Literal["update", "list", "pattern"], *names: str) -> str:
    """The name under which something is marked that is no article."""
    return "\n".join((noun, *names))


def mark(*names: str) -> tuple[Any, ...]:
    """The command that marks what has these names."""
    if (gathered := _gathered.get()) is not None:
        gathered.update(names)
    token = f"{clock.ms(clock.agreed())}-{secrets.token_hex(6)}"
    return ("HSET", keys.UNNOTED, *(part for marked in names for part in (marked, token)))


@contextmanager
def marked() -> Iterator[set[str]]:
    """Gather the names of what this thread marks meanwhile."""
    names: set[str] = set()
    token = _gathered.set(names)
    try:
        yield names
    finally:
        _gathered.reset(token)


@dataclass(frozen=True, slots=True)
class UnnotedArticle:
    """An article as Redis has it now. `earlier` revisions: when it was accepted (ms), the event, the document."""

    doc: str
    rev: str
    feeds: tuple[str, ...]
    accepted: int
    fingerprints: str
    event: str
    earlier: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class UnnotedBatch:
    """What was read to be noted. `noted`: how often something was noted, this time included. `marks`: by name.

    `charge`: under which events were carried out when all of it had been read.
    `damaged`: articles that can't be read, with the reason. `updates`: the documents that they update. `lists`: time
    (ms), ids as JSON, event. `patterns`: pattern, value and how that is written.
    """

    noted: int
    marks: dict[str, str]
    articles: dict[str, UnnotedArticle] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    updates: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    patterns: list[tuple[str, str, str]] = field(default_factory=list)
    authority: list[str] = field(default_factory=list)
    charge: str = ""

    def take(self, marked: str, answer: Any) -> None:
        """Take in what Redis answered to the command for a name."""
        noun, _, names = marked.partition("\n")
        if noun == marked:
            self._take_article(marked, answer)
        elif isinstance(answer, Exception):
            self.damaged[marked] = str(answer)
        elif noun == "list" and None not in answer[:2]:
            self.lists[names] = answer[0], answer[1], answer[2] or ""
        elif noun == "update" and answer:
            self.updates[names] = answer
        elif noun == "pattern" and answer:
            pattern, _, value = names.partition("\n")
            self.patterns.append((pattern, value, answer))
        elif noun == "authority" and answer:
            self.authority.append(answer)

    def _take_article(self, article_id: str, answer: Any) -> None:
        try:
            doc, rev, feeds, accepted, fingerprints, event, earlier = answer
            if doc is None and rev is None:
                # It is not there: nobody has saved it yet, or it is in the record only by now.
                return
            int(rev.partition("-")[0])
            lines = tuple(_revision(line) for line in (earlier or "").splitlines())
            names = tuple(json.loads(feeds))
            article = UnnotedArticle(doc, rev, names, int(accepted), fingerprints or "", event or "", lines)
        except (ValueError, TypeError, AttributeError) as error:
            self.damaged[article_id] = str(error)
        else:
            self.articles[article_id] = article


@dataclass(frozen=True, slots=True)
class FeedState:
    """What an article is in a feed: its state as JSON, its place, None when it is not in it, and its last change."""

    state: str
    place: int | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits to be noted; `since` about when (ms), None when nothing waits."""

    marks: int
    results: int
    since: int | None


class Unnoted:
    """The marks of what has changed, and the results of events that the record does not know yet."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self.lease = Lease(client, scripts, keys.NOTING)

    def mark(self, *names: str) -> None:
        """Mark what has these names."""
        self._client.execute_command(*mark(*names))

    def read(self, names: Sequence[str]) -> UnnotedBatch:
        """Read what has these names, its marks first, in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        pipe.incr(keys.NOTED)
        if names:
            pipe.hmget(keys.UNNOTED, names)
        for marked in names:
            pipe.execute_command(*_question(marked))
        pipe.get(keys.CHARGE)
        noted, *rows, charge = answers(pipe)
        tokens = rows.pop(0) if names else ()
        marks = {marked: token for marked, token in zip(names, tokens, strict=True) if token}
        batch = UnnotedBatch(noted, marks, charge=charge or "")
        for marked, row in zip(names, rows, strict=True):
            batch.take(marked, row)
        return batch

    def feed_states(
        self, articles_by_feed: Mapping[str, Sequence[str]]
    ) -> tuple[dict[tuple[str, str], FeedState], dict[str, dict[str, int]], str]:
        """Return what articles are in feeds, by (feed, article), the marks of these feeds, and the charge after that.

        All in one round trip. Of each feed it is as at one moment; what can't be read of one is left out.
        """
        calls = []
        for feed, ids in articles_by_feed.items():
            k = keys.feed(feed)
            places = (("ZMSCORE", key, *ids) for key in (k.members, k.log))
            marks = ("HMGET", k.meta, *MARKS)
            calls.append(self._scripts.reading(("HMGET", k.article_states, *ids), *places, marks))
        calls.append(self._scripts.reading(("GET", keys.CHARGE)))
        *rows, (charge,) = self._scripts.run_each("commands/read", calls)
        states: dict[tuple[str, str], FeedState] = {}
        standings: dict[str, dict[str, int]] = {}
        for (feed, ids), answer in zip(articles_by_feed.items(), rows, strict=True):
            if isinstance(answer, Exception):
                continue
            *of_articles, values = answer
            standings[feed] = {name: int(value) for name, value in zip(MARKS, values, strict=True) if value is not None}
            for article_id, state, place, sequence in zip(ids, *of_articles, strict=True):
                if state is not None:
                    states[feed, article_id] = FeedState(
                        state, None if place is None else int(place), int(sequence or 0)
                    )
        return states, standings, charge or ""

    def take_off(self, batch: UnnotedBatch) -> None:
        """Take off the marks that are still the same; before that, drop the earlier revisions that were read.

        An article that was saved since keeps its earlier ones, and its mark.
        """
        earlier = [
            ([keys.article(article_id)], [article.rev])
            for article_id, article in batch.articles.items()
            if article.earlier
        ]
        if earlier:
            self._scripts.run_many("articles/drop_earlier", earlier)
        if batch.marks:
            self._scripts.run("unnoted/take_off", [keys.UNNOTED], [*chain.from_iterable(batch.marks.items())])

    def charge(self) -> str:
        """Return the charge under which events are carried out; no other has the same name, after a rebuild either."""
        return self._client.get(keys.CHARGE) or ""

    def some(self, cursor: int, count: int) -> tuple[int, dict[str, str]]:
        """Return about `count` marks from a cursor on, 0 at first, and the cursor for the next, 0 at the end."""
        following, marks = self._client.hscan(keys.UNNOTED, cursor, count=count)
        return int(following), dict(marks)

    def results(self, after: str, count: int) -> dict[str, str]:
        """Return the oldest results of events that wait, as JSON, by their entries, from the one after `after` on."""
        entries = self._client.xrange(keys.UNNOTED_RESULTS, f"({after}" if after else "-", count=count)
        return {entry: fields.get("result", "") for entry, fields in entries}

    def drop_results(self, entries: Collection[str]) -> None:
        """Drop results that are in the record."""
        if entries:
            self._client.xdel(keys.UNNOTED_RESULTS, *entries)

    def waiting(self) -> Waiting:
        """Return how much waits, in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hlen(keys.UNNOTED)
        pipe.xlen(keys.UNNOTED_RESULTS)
        pipe.xrange(keys.UNNOTED_RESULTS, count=1)
        pipe.hrandfield(keys.UNNOTED, _SAMPLE, withvalues=True)
        marks, results, first, sample = pipe.execute()
        times = [time for token in (sample or [])[1::2] if (time := _time(token)) is not None]
        times += [int(entry.partition("-")[0]) for entry, _ in first]
        return Waiting(int(marks), int(results), min(times, default=None))


def age(token: str, now: int) -> int:
    """How long before `now` (ms) a mark was set; very long for one that is damaged."""
    return now - (_time(token) or 0)


def _time(token: str) -> int | None:
    time = token.partition("-")[0]
    return int(time) if time.isdecimal() else None


def _revision(line: str) -> tuple[int, str, str]:
    accepted, event, document = line.split(" ", 2)
    return int(accepted), event, document


def _question(marked: str) -> tuple[Any, ...]:
    """The command that reads what has a name."""
    noun, _, names = marked.partition("\n")
    if noun == marked:
        fields = ("doc", "rev", "feeds", "accepted", "fingerprints", "event", "earlier")
        return ("HMGET", keys.article(marked), *fields)
    if noun == "list":
        return ("HMGET", keys.curated(names), "time", "articles", "event")
    if noun == "pattern":
        pattern, _, value = names.partition("\n")
        return ("HGET", keys.pattern(pattern), value)
    return ("HGET", keys.EVOLVED, names) if noun == "update" else ("GET", keys.AUTHORITY)
