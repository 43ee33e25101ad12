"""What an error of Redis means, in one place, and connections that react to it.

    away      it does not answer, is loading, is not the primary, or somebody else answers in its place:
              nothing is lost, the same call works later
    full      it answers and takes no writes: memory or disk is full. The same call works when there is room again
    refused   it does not let us in, or forbids this command: its users or our settings must be changed
    bug       everything else: a command of ours is wrong, or what Redis holds is not what we wrote

Only a bug gets a traceback, and only a bug is the fault of the event or receiver that was being worked on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import hiredis
import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, DataError, RedisError, ResponseError
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from structlog.typing import FilteringBoundLogger

    from worker.store.server_fence import ServerFence

Kind = Literal["away", "full", "refused", "bug"]

_WORDS: dict[str, Kind] = {
    "READONLY": "away",
    "LOADING": "away",
    "MASTERDOWN": "away",
    "CLUSTERDOWN": "away",
    "TRYAGAIN": "away",
    "NOREPLICAS": "away",
    "UNBLOCKED": "away",
    "BUSY": "away",
    "OOM": "full",
    "MISCONF": "full",
    "NOAUTH": "refused",
    "WRONGPASS": "refused",
    "NOPERM": "refused",
}
"""The words that errors begin with; Redis 6.2 quotes those that come from within a script."""
_WORD = re.compile(rf"(?:^|\s-)({'|'.join(_WORDS)})\b")
_REBUILT = "is being rebuilt from the record"
"""What our scripts answer about a feed that is (lua/changes/window.lua)."""
_DEMOTED = frozenset({"READONLY", "UNBLOCKED"})


class Demoted(redis.ConnectionError):
    """The former primary is a replica now. The connection is closed: a new one may lead to the new primary."""


def _word(error: BaseException) -> str:
    code = str(getattr(error, "status_code", None) or "")
    if code in _WORDS:
        return code
    match = _WORD.search(_message(error))
    return match[1] if match else ""


def _message(error: BaseException) -> str:
    """The message of Redis; of an error in a pipeline without our command, which may have the text of an article."""
    return str(error).rpartition(" of pipeline caused error: ")[2]


def kind(error: BaseException) -> Kind:
    """Return what an error means."""
    if word := _word(error):
        return _WORDS[word]
    if isinstance(error, (AuthenticationError, AuthorizationError)):
        return "refused"
    # What is no Redis answers in its place: a proxy, or whoever has its port now.
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.InvalidResponse)):
        return "away"
    return "bug"


def sentence(error: RedisError) -> str:
    """Return one line for people: what has happened and what to do."""
    error_kind = kind(error)
    if error_kind == "full":
        if _word(error) == "OOM":
            return "Redis takes no writes because its memory is full: give it more (maxmemory)"
        return "Redis takes no writes because it can't write to its disk: make room there, see its log"
    if error_kind == "refused":
        return f"Redis refuses us ({_first_line(error)}): see the name and password in redis_url, and its ACL"
    if of_rebuild(error):
        return "Redis is being rebuilt from the record, and this feed is not there yet: try again in a moment"
    if error_kind == "away":
        return f"Redis does not answer ({_first_line(error)}): is `dateline up` running, and is redis_url right?"
    return f"Redis could not do it ({_first_line(error)}): a bug of ours, or its data was changed by somebody else"


def of_rebuild(error: BaseException) -> bool:
    """Return whether Redis is there, and has still to be given back what was asked for."""
    return _word(error) == "TRYAGAIN" and _REBUILT in _message(error)


def is_outage(error: BaseException) -> bool:
    """Return whether it is an outage of Redis: nobody's fault, and the same call works later."""
    return isinstance(error, RedisError) and kind(error) != "bug"


def report(log: FilteringBoundLogger, error: RedisError, next_step: str, **about: Any) -> None:
    """Log an error of Redis by its kind, in one line; a bug with its traceback."""
    error_kind = kind(error)
    if error_kind == "bug":
        log.error("store_failed", reason=_first_line(error), next_step=next_step, exc_info=error, **about)
    elif error_kind == "full":
        log.error("redis_full", reason=sentence(error), next_step=next_step, **about)
    elif error_kind == "refused":
        log.error("redis_refuses", reason=sentence(error), next_step=next_step, **about)
    else:
        log.error("redis_away", reason=_first_line(error), next_step=next_step, **about)


class Outage:
    """An outage of Redis as one part of a process meets it: logged when it begins, changes its kind and ends.

    `about`: fields of these log events.
    """

    def __init__(self, log: FilteringBoundLogger, **about: Any) -> None:
        self._log = log
        self._about = about
        self._kind: Kind | None = None

    def met(self, error: RedisError, next_step: str) -> None:
        """Note that Redis could not do something. A bug is logged each time, and is not an outage."""
        error_kind = kind(error)
        if error_kind == "bug" or error_kind != self._kind:
            report(self._log, error, next_step, **self._about)
        if error_kind != "bug":
            self._kind = error_kind

    def over(self) -> None:
        """Note that Redis works."""
        if self._kind is not None:
            self._kind = None
            self._log.info("redis_back", **self._about)


def _first_line(error: BaseException) -> str:
    return _message(error).partition("\n")[0][:200] or type(error).__name__


class _Packer:
    """Writes commands as Redis reads them. redis-py's own looks at each argument for kinds that we never send."""

    def pack(self, *command: Any) -> list[bytes]:
        """Return a command, as parts that are sent one after the other."""
        name = command[0]
        if " " in name:
            command = (*name.split(), *command[1:])
        try:
            return [hiredis.pack_command(command)]
        except TypeError as error:
            raise DataError(str(error)) from None


_packer = _Packer()


class _Following:
    """Closes the connection that leads to a demoted primary, as redis-py's own connections through Sentinel do.

    It sends a pipeline at once: in pieces of 6 kB, each lets go of Python's lock, and waits for it again.
    """

    def pack_commands(self, commands: Iterable[Sequence[Any]]) -> list[bytes]:
        return [b"".join([part for command in commands for part in _packer.pack(*command)])]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of the connection beside us
        except ResponseError as error:
            if _word(error) in _DEMOTED:
                self.disconnect()  # type: ignore[attr-defined]
                raise Demoted(_first_line(error)) from None
            raise

    def can_read(self, timeout: float = 0) -> bool:
        try:
            readable: bool = super().can_read(timeout)  # type: ignore[misc]  # as above
        except (TypeError, ValueError, AttributeError):
            if self._sock is not None:  # type: ignore[attr-defined]
                raise
            # redis-py asks the socket that was there when it began.
            raise redis.ConnectionError("the connection was ended by another thread of ours") from None
        return readable


class RedisConnection(_Following, redis.Connection):
    """A connection over TCP."""


class RedisTlsConnection(_Following, redis.SSLConnection):
    """A connection over TLS."""


class RedisSocketConnection(_Following, redis.UnixDomainSocketConnection):
    """A connection over a unix socket."""


_FOLLOWING = {
    redis.Connection: RedisConnection,
    redis.SSLConnection: RedisTlsConnection,
    redis.UnixDomainSocketConnection: RedisSocketConnection,
}


def connect(
    url: str, *, connect_seconds: float, answer_seconds: float, fence: ServerFence | None = None
) -> redis.Redis:
    """Return a client of the Redis at `url` (redis://, rediss:// or unix://), which connects when first used.

    A call that reached a demoted primary is repeated once, on a new connection: the first had no effect.
    """
    pool = redis.ConnectionPool.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",
        socket_timeout=answer_seconds,
        socket_connect_timeout=connect_seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(Demoted,)),
        command_packer=_packer,
    )
    pool.connection_class = _FOLLOWING.get(pool.connection_class, pool.connection_class)
    if fence is not None:
        fence.guard(pool)
    return redis.Redis.from_pool(pool)
