"""What an error of the parts below means to a person: lines that say what to do, and the status of the command."""

from __future__ import annotations

import errno
import sqlite3
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from feeds.errors import InvalidInput
from worker.management.callers import Forbidden
from worker.management.changes import Conflict, NotFound
from worker.record import database_errors
from worker.record.availability import RecordAway
from worker.record.backups import BackupFailed
from worker.record.schema import UnfitRecord
from worker.runtime.embedded_redis import EmbeddedRedisError
from worker.runtime.listen_address import CantListen
from worker.runtime.single_instance import RunsAlready
from worker.runtime.up import UpFailed
from worker.store.redis_errors import sentence

_CLEAR = (
    *(UpFailed, RunsAlready, CantListen, EmbeddedRedisError, UnfitRecord, BackupFailed, RecordAway),
    *(NotFound, Conflict, Forbidden),
)
"""Their message is the line."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Of these the disk has no room for what a command prints, or for what it writes."""


class Failure(NamedTuple):
    """How a command ends: lines on standard error, and the status."""

    lines: list[str]
    status: int = 1


def failure_of(error: Exception) -> Failure | None:
    """Return how a command ends by an error; None: nobody has foreseen it, so it is a bug."""
    if isinstance(error, InvalidInput):
        return Failure(error.lines, 2)
    if isinstance(error, _CLEAR):
        return Failure([str(error)])
    if isinstance(error, RedisError):
        return Failure([sentence(error)])
    if isinstance(error, SQLAlchemyError | sqlite3.Error):
        return Failure([database_errors.sentence(error)])
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return Failure([f"can't write: {error.strerror}"])
    return None
