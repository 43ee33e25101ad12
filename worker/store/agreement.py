"""Whether this Redis belongs to a record and has all that was noted there, and how far a rebuild from it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from worker.store import keys
from worker.store.leases import Lease
from worker.store.redis_errors import Demoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.scripts import Client, Scripts

CLOCKS_MS = 1_000
"""By so much the clocks of two processes differ at the most: each is an estimate of Redis' clock."""
Work = Literal["", "rebuild", "note"]
"""What is under way: the record is read to rebuild Redis; or all that Redis has is marked to be noted in the record."""


class RedisStanding(NamedTuple):
    """What a Redis says of itself at one moment.

    `epoch`: that of the record that it belongs to, "" without one; `noted`: how many batches were noted; `run_id`: it
    is another one after each start, "" when we may not know; `work`: what is under way.
    """

    epoch: str
    noted: int
    run_id: str
    work: Work


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `begun` and `since` in ms: what has changed before `since` was in Redis still, 0: nothing was.

    `done` of `all`: feeds and other parts; `articles`: how many articles were restored; `step`: the last one of those
    after the feeds that is complete; `finished` (ms): 0 while it is under way.
    """

    work: Work = ""
    reason: str = ""
    begun: int = 0
    since: int = 0
    done: int = 0
    all: int = 0
    articles: int = 0
    step: str = ""
    finished: int = 0


class Agreement:
    """The agreement of Redis and the record, as far as Redis knows it."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self.rebuilding = Lease(client, scripts, keys.REBUILDING)
        """Held by the worker that rebuilds."""

    def read(self) -> RedisStanding:
        """Return where this Redis stands. Raises Demoted when it is no primary, now and on a new connection."""
        try:
            return self._read()
        except Demoted:
            # Nothing is written here, so nothing else would tell. A new connection may lead to the new primary. Those
            # that other threads are using are theirs.
            self._client.connection_pool.disconnect(inuse_connections=False)
            return self._read()

    def _read(self) -> RedisStanding:
        pipe = self._client.pipeline(transaction=False)
        pipe.get(keys.EPOCH)
        pipe.get(keys.NOTED)
        pipe.hmget(keys.REBUILD, "work", "finished")
        pipe.info("server")
        pipe.info("replication")
        answers = pipe.execute(raise_on_error=False)
        for answer in answers[:3]:
            if isinstance(answer, Exception):
                raise answer
        epoch, noted, (work, finished), server, replication = answers
        # Our user of Redis may lack the right to ask.
        if not isinstance(replication, Exception) and replication.get("role") == "slave":
            raise Demoted("it is a replica, and no primary")
        run_id = "" if isinstance(server, Exception) else str(server.get("run_id", ""))
        return RedisStanding(epoch or "", int(noted or 0), run_id, "" if finished else work or "")

    def holds_anything(self) -> bool:
        """Whether there are articles, receivers or lists of feeds in it: more than events that wait."""
        pipe = self._client.pipeline(transaction=False)
        for key in (keys.ARTICLES, keys.RECEIVING, keys.DEFINITIONS):
            pipe.exists(key)
        return any(pipe.execute())

    def now(self) -> int:
        """Return what the time is by its clock (ms)."""
        seconds, microseconds = self._client.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def alive_last(self) -> int:
        """Return when workers last wrote to it (ms), as far as it knows; 0: never."""
        pipe = self._client.pipeline(transaction=False)
        pipe.hget(keys.GRACE, "swept")
        pipe.zrevrange(keys.WORKERS, 0, 0, withscores=True)
        pipe.zrevrange(keys.LIVING, 0, 0, withscores=True)
        swept, *workers = pipe.execute()
        return max(int(swept or 0), *(int(scores[0][1]) if scores else 0 for scores in workers))

    def begin(self, work: Work, reason: str, now: int, since: int) -> None:
        """Note that a rebuild, or the noting of all, begins."""
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(keys.REBUILD, keys.REBUILD_FEEDS)
        pipe.hset(keys.REBUILD, mapping={"work": work, "reason": reason, "begun": now, "since": since})
        pipe.execute()

    def join(self, epoch: str, noted: int) -> None:
        """Note that this Redis belongs to the record with this epoch, and has all that the first `noted` batches had.

        Whoever was in charge of events before is so no longer.
        """
        self._scripts.run("agreement/join", [keys.EPOCH, keys.CHARGE], [epoch])
        # Last: until it has so many, others take it for one that has lost time.
        if int(self._client.get(keys.NOTED) or 0) < noted:
            self._client.set(keys.NOTED, noted)

    def progress(self) -> Progress:
        """Return how far the rebuild is that is under way, or was the last."""
        fields = self._client.hgetall(keys.REBUILD)
        numbers = {name: int(fields.get(name, 0)) for name in ("begun", "since", "done", "all", "articles", "finished")}
        return Progress(fields.get("work", ""), fields.get("reason", ""), step=fields.get("step", ""), **numbers)

    def note_progress(self, fields: Mapping[str, int | str]) -> None:
        """Note how far it is, by the names of `Progress`."""
        self._client.hset(keys.REBUILD, mapping=dict(fields))

    def advance(self, *, parts: int = 0, articles: int = 0) -> None:
        """Count what was done."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hincrby(keys.REBUILD, "done", parts)
        pipe.hincrby(keys.REBUILD, "articles", articles)
        pipe.execute()

    def queue(self, feeds: Mapping[str, int]) -> None:
        """Have these feeds rebuilt, in the order of their turns (feed -> turn)."""
        if feeds:
            self._client.zadd(keys.REBUILD_FEEDS, dict(feeds))

    def next_feed(self) -> str | None:
        """The feed whose turn it is; None when all are done."""
        first = self._client.zrange(keys.REBUILD_FEEDS, 0, 0)
        return first[0] if first else None

    def finish_feed(self, feed: str) -> bool:
        """Note that a feed is rebuilt; False: it was done."""
        return bool(self._client.zrem(keys.REBUILD_FEEDS, feed))

    def waiting_feeds(self) -> int:
        """How many feeds are still to be rebuilt."""
        return int(self._client.zcard(keys.REBUILD_FEEDS))
