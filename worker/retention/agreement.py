"""Whether Redis and the record agree: by the epoch that both have, and by how many batches both know to be noted.

    agree           nothing is to be done
    new             neither has anything: Redis joins the record
    redis_empty     the record has something and Redis nothing: all of it is rebuilt
    redis_older     Redis has lost time, by a failover, a restored copy or a power cut: what differs is rebuilt
    record_empty    Redis has something and the record nothing: it is new, or was lost, and all of Redis is noted
    record_older    a backup of the record was restored: all of Redis is noted
    strangers       they belong to different installations: nothing is done

No process works with a Redis that it has not looked at (store/server_fence.py). So each looks when it starts, when the
server was started anew, and once a second, because a server can be emptied without a start.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Literal

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from worker.record import agreement as record_agreement
from worker.record import database_errors
from worker.record.agreement import RecordStanding
from worker.record.schema import UnfitRecord
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.record import Record
    from worker.store import Store
    from worker.store.agreement import RedisStanding

log = structlog.get_logger()

Verdict = Literal["agree", "new", "redis_empty", "redis_older", "record_empty", "record_older", "strangers"]

LOOK_SECONDS = 0.5
"""How often it is looked whether they still agree."""
_COMPARE_SECONDS = 10.0
"""How often Redis is compared with the record, and not only with what it was a moment ago."""
_SOON_SECONDS = 0.1
"""The same while nobody may work with Redis."""
_ON_THE_WAY = 50
"""So many batches may have been counted in Redis that are not committed in the record yet, or never were."""
_LOSSES = ("redis_empty", "redis_older")


class Disagreement(Exception):
    """Redis can't be worked with; the message says in one line why, and what to do."""


class Strangers(Disagreement):
    """Redis and the record belong to different installations."""


def judge(redis: RedisStanding, record: RecordStanding, *, redis_holds_anything: bool) -> Verdict:
    """Compare what the two say of themselves at one moment."""
    record_holds_anything = record.holds_anything or record.noted > 0
    if not record_holds_anything and redis.epoch != record.epoch:
        # Redis may have the epoch of a record that was lost.
        return "record_empty" if redis_holds_anything else "new"
    if not redis.epoch:
        return "redis_empty"
    if redis.epoch != record.epoch:
        return "strangers" if redis_holds_anything else "redis_empty"
    if redis.noted < record.noted:
        return "redis_older"
    return "record_older" if record.restored or redis.noted > record.noted + _ON_THE_WAY else "agree"


class Agreement:
    """One process's view of the agreement. It opens and closes the fence before the process's connections to Redis.

    `examiner`: a store of its own on the same Redis, with no fence. `begin` is called with the verdict and both
    standings when something is to be done, and returns whether it has been begun, by this process or another one; in
    a process that begins nothing, it is awaited.
    """

    def __init__(
        self,
        store: Store,
        examiner: Store,
        record: Record,
        begin: Callable[[Verdict, RedisStanding, RecordStanding], bool] = lambda *_: False,
    ) -> None:
        self._store = store
        self.examiner = examiner
        self._record = record
        self.begin = begin
        self._standing: RedisStanding | None = None
        self._certain = False
        self._valid_until = 0.0
        self._reported = ""
        self._lock = Lock()
        self.rebuilding = False
        """Articles in Redis may be older than in the record, or missing: whoever needs one looks there first."""
        self.trouble = ""
        """Why this process does not work with Redis at present, for people."""

    def close(self) -> None:
        """Close the connections of its own."""
        self.examiner.close()

    @property
    def epoch(self) -> str:
        """The epoch that Redis has, as far as was looked."""
        return self._standing.epoch if self._standing else ""

    def wait(self, seconds: float) -> None:
        """Wait until they agree, at most so long.

        Raises RedisError, Disagreement, UnfitRecord, and errors of the record's database that last.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                pause = self.look()
                if not self._store.fence.is_closed:
                    return
            except SQLAlchemyError as error:
                if not is_outage(error):
                    raise
                pause = LOOK_SECONDS
            if time.monotonic() > end:
                raise Disagreement(self.trouble)
            time.sleep(pause)

    def check(self) -> float | None:
        """Look, as a duty does: what is wrong is logged once. Raises errors of Redis."""
        try:
            return self.look()
        except Strangers as error:
            self._report("redis_of_another_record", str(error), critical=True)
        except (SQLAlchemyError, UnfitRecord) as error:
            self._report("agreement_unknown", _sentence(error))
        return None

    def look(self) -> float:
        """Look whether they agree; return after how many seconds to look again.

        Raises RedisError, Strangers, UnfitRecord, and errors of the record's database, when that can't be known.
        """
        with self._lock:
            return self._look()

    def _look(self) -> float:
        redis = self.examiner.agreement.read()
        before = self._standing
        goes_on = before is not None and _goes_on(before, redis)
        if goes_on and self._certain and not self._store.fence.is_closed and time.monotonic() < self._valid_until:
            self._take(redis)
            return LOOK_SECONDS
        if before is None or (before.epoch and before.epoch != redis.epoch) or before.noted > redis.noted:
            self._store.fence.close()
        try:
            return self._compare(redis)
        except (SQLAlchemyError, UnfitRecord) as error:
            if not redis.epoch or (before is not None and (before.epoch, before.noted) > (redis.epoch, redis.noted)):
                self.trouble = f"whether Redis has lost time can't be known: {_sentence(error)}"
                raise
            # All that can be known without the record is right.
            self._work_with(redis, certain=False)
            self._report("agreement_unknown", _sentence(error))
            return LOOK_SECONDS

    def _compare(self, redis: RedisStanding) -> float:
        record = self._read_record()
        if not record.epoch:
            # There is none: nobody has made it yet, or its file is gone. A Redis that lost its epoch waits for it.
            if self._standing is not None and self._standing.epoch and not redis.epoch:
                self.trouble = "Redis has lost everything, and there is no record to rebuild it from: see record_url"
                return _SOON_SECONDS
            self._work_with(redis, certain=False)
            return LOOK_SECONDS
        verdict = judge(redis, record, redis_holds_anything=self.examiner.agreement.holds_anything())
        if verdict in _LOSSES:
            # Redis counts a batch before the record has it, so what was noted between the two looks it has by now.
            redis = self.examiner.agreement.read()
            verdict = judge(redis, record, redis_holds_anything=self.examiner.agreement.holds_anything())
        if verdict == "strangers":
            self._store.fence.close()
            self.trouble = (
                f"Redis belongs to the record with the epoch {redis.epoch}, and record_url names the one with "
                f"{record.epoch}: set record_url or redis_url right; or, if nothing in Redis is needed, empty it "
                "(FLUSHALL), and it is rebuilt"
            )
            raise Strangers(self.trouble)
        begun = verdict == "agree" or self.begin(verdict, redis, record)
        if not begun and verdict in _LOSSES:
            self._store.fence.close()
            self.trouble = "Redis has lost time: it waits for a worker that rebuilds it from the record"
            return _SOON_SECONDS
        # What was begun has changed it.
        self._work_with(redis if verdict == "agree" else self.examiner.agreement.read(), certain=begun)
        return LOOK_SECONDS

    def _read_record(self) -> RecordStanding:
        try:
            with self._record.read() as connection:
                return record_agreement.standing(connection)
        except (SQLAlchemyError, UnfitRecord):
            if self._record.schema() is None:
                # A worker makes the one in the data directory.
                return RecordStanding("", 0, 0, holds_anything=False)
            raise

    def _work_with(self, redis: RedisStanding, *, certain: bool) -> None:
        self._certain = certain
        self._valid_until = time.monotonic() + _COMPARE_SECONDS
        self._take(redis)
        self._store.fence.open_to(redis.run_id)

    def _take(self, redis: RedisStanding) -> None:
        self._standing = redis
        self.rebuilding = redis.work == "rebuild"
        self.trouble = ""
        if self._certain:
            self._reported = ""

    def _report(self, event: str, reason: str, *, critical: bool = False) -> None:
        if self._reported != event:
            self._reported = event
            (log.critical if critical else log.error)(event, reason=reason)


def _goes_on(before: RedisStanding, now: RedisStanding) -> bool:
    """Whether Redis is the one that it was a moment ago, and has gone on since."""
    return (before.epoch, before.run_id) == (now.epoch, now.run_id) and before.noted <= now.noted


def _sentence(error: Exception) -> str:
    return database_errors.sentence(error) if isinstance(error, SQLAlchemyError) else str(error)


def is_outage(error: Exception) -> bool:
    """Whether it can only be known later whether they agree."""
    if isinstance(error, RedisError):
        return redis_errors.kind(error) != "bug"
    return isinstance(error, SQLAlchemyError) and database_errors.kind(error) in {"away", "locked", "full"}
