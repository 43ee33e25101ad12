"""The broker, when it is Redis: Celery's transport on connections that follow the primary, as the store's do.

Errors that pass by themselves (no primary any more, memory or disk full) reach Celery as a lost connection, for
which it knows how to wait; any other would end the worker.
"""

from __future__ import annotations

from typing import Any

import redis
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import Transport as KombuTransport
from redis.exceptions import ResponseError

from worker.runtime.broker_inbox import BrokerInbox
from worker.store import redis_errors


class BrokerAway(redis.ConnectionError):
    """The broker can't be used for now."""


class _Passing:
    """Makes a lost connection of what will pass."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of the connection beside us
        except ResponseError as error:
            if redis_errors.kind(error) in ("away", "full"):
                self.disconnect()  # type: ignore[attr-defined]
                raise BrokerAway(str(error)) from None
            raise


class _Connection(_Passing, redis_errors.RedisConnection):
    pass


class _TlsConnection(_Passing, redis_errors.RedisTlsConnection):
    pass


class _SocketConnection(_Passing, redis_errors.RedisSocketConnection):
    pass


_OURS = {
    redis.Connection: _Connection,
    redis.SSLConnection: _TlsConnection,
    redis.UnixDomainSocketConnection: _SocketConnection,
}


class BrokerChannel(BrokerInbox):
    """A channel on such connections."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._connparams()  # type: ignore[misc]  # missing in its stubs
        ours = _OURS[parameters["connection_class"]]
        parameters["connection_class"] = _reporting_its_end(ours, self) if asynchronous else ours
        return parameters


def _reporting_its_end(ours: type[Any], channel: Any) -> type[Any]:
    """Have the channel hear of a connection's end, so that it is no longer polled; kombu does so for its own class."""

    class ReportingConnection(ours):  # type: ignore[misc]  # one of the three above
        def disconnect(self, *args: Any, **options: Any) -> None:
            super().disconnect(*args, **options)
            if channel._registered:  # noqa: SLF001 (there is no other way to it)
                channel._on_connection_disconnect(self)  # noqa: SLF001

    return ReportingConnection


class Transport(KombuTransport):
    """What Celery uses for broker URLs that begin with redis://, rediss:// and redis+socket://."""

    Channel = BrokerChannel


def use() -> None:
    """Have Celery use this transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
