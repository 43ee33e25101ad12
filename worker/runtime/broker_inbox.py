"""How messages come off a Redis broker: none is lost when a worker is killed, and none can end one.

kombu pops a message (BRPOP) and then notes that it has it; a worker that is killed in between takes the message along.
Wake-up calls may be lost, `dateline.accept` may not. So a message is taken and noted by one script, unless it is a call
of ours: to note it, and to forget that again, would cost a worker more than what it calls for. A script can't wait, so
a channel that found nothing waits for a bell, which rings for every message that we send; what others send, a CMS for
one, is found within `_REST_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from time import monotonic, time
from typing import Any

import redis
import structlog
from kombu.transport import virtual
from kombu.transport.redis import Channel as KombuChannel
from kombu.transport.redis import QoS as KombuQoS
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads
from redis import Redis
from redis.exceptions import ResponseError

from worker.runtime.unusable_messages import set_aside
from worker.store import redis_errors

log = structlog.get_logger()

OPTIONS = {
    # Names of our own: what follows must hold for no other application on the same broker.
    "unacked_key": "dateline.unacked",
    "unacked_index_key": "dateline.unacked_index",
    "unacked_mutex_key": "dateline.unacked_mutex",
    # Seconds until what a killed worker had is given to others. To take a message twice does no harm: events are
    # recognised by their ids, and all others are wake-up calls.
    "visibility_timeout": 10,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # A worker that was killed while it gave back must not keep others from it.
    "unacked_mutex_expire": 10,
}
"""Options of the transport."""

_BELL = "dateline.bell"
_RINGS = 8
"""How many calls of the bell are kept: a worker looks once for each."""
_REST_SECONDS = 0.2
"""How long a channel waits for the bell before it looks again."""

# KEYS 1 unacked   2 its index   3.. the lists, in the order in which they are looked at
# ARGV 1 now (s)   2.. the queue of each list
# Returns {queue, message}; {queue, message, false, 1} for a wake-up call, which is noted nowhere, and with which those
# behind it go that call for the same; {queue, message, why} for one that no worker can use, also noted nowhere;
# {false, false, why} when it can't be noted just now; false when there is none.
_TAKE = """
for i = 3, #KEYS do
  local message = redis.pcall('LINDEX', KEYS[i], -1)
  if type(message) == 'string' then
    local ok, decoded = pcall(cjson.decode, message)
    local properties = ok and type(decoded) == 'table' and decoded.properties
    local tag = type(properties) == 'table' and properties.delivery_tag
    if type(tag) ~= 'string' or type(properties.delivery_info) ~= 'table' then
      redis.call('RPOP', KEYS[i])
      return {ARGV[i - 1], message, 'is no message of Celery'}
    end
    local task = type(decoded.headers) == 'table' and decoded.headers.task
    if type(task) == 'string' and task:sub(1, 9) == 'dateline.' and task ~= 'dateline.accept' then
      redis.call('RPOP', KEYS[i])
      for _ = 1, 1000 do
        local valid, other = pcall(cjson.decode, redis.call('LINDEX', KEYS[i], -1) or '')
        local headers = valid and type(other) == 'table' and other.body == decoded.body and other.headers
        if type(headers) ~= 'table' or headers.task ~= task then
          break
        end
        redis.call('RPOP', KEYS[i])
      end
      return {ARGV[i - 1], message, false, 1}
    end
    local kept = '[' .. message .. ',"",' .. cjson.encode(ARGV[i - 1]) .. ']'
    local noted = redis.pcall('HSET', KEYS[1], tag, kept)
    if type(noted) == 'table' then
      return {false, false, noted.err}
    end
    redis.call('ZADD', KEYS[2], ARGV[1], tag)
    redis.call('RPOP', KEYS[i])
    return {ARGV[i - 1], message}
  end
end
return false
"""


class QoS(KombuQoS):
    """Knows what the channel has taken; that it has was noted in Redis as it took it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.unnoted: set[str] = set()
        """The tags of wake-up calls that were taken: nothing in Redis is to be forgotten of them."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Know of a message."""
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Forget a message."""
        if delivery_tag in self.unnoted:
            self.unnoted.discard(delivery_tag)
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Forget a message, or give it back if it was noted."""
        self.unnoted.discard(delivery_tag)
        super().reject(delivery_tag, requeue=requeue)


class BrokerInbox(KombuChannel):
    """A channel that loses nothing. What it overrides is kombu's own, so its version is locked."""

    QoS = QoS
    _empty = False
    _resting = False
    _full = False
    _own_client: Redis | None = None

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        """Send a message and ring the bell, in one round trip."""
        del options
        channel = _untyped(self)
        with self.conn_or_acquire() as client:
            call = client.pipeline(transaction=False)
            call.lpush(channel._q_for_pri(queue, channel._get_message_priority(message, reverse=False)), dumps(message))
            call.lpush(_BELL, 1)
            call.ltrim(_BELL, 0, _RINGS - 1)
            call.execute()

    @contextmanager
    def conn_or_acquire(self, client: Redis | None = None) -> Iterator[Redis]:
        """Yield the client, or one of our own: to make one for each call, as kombu does, costs more than the call.

        Raises redis.ConnectionError when the channel is closed: who still has a message of it has lost a connection.
        """
        channel = _untyped(self)
        if client is None:
            if channel.connection is None or channel.connection.client is None:
                raise redis.ConnectionError("its connection to the broker is closed")
            if self._own_client is None or self._own_client.connection_pool is not channel.pool:
                self._own_client = channel._create_client()
            client = self._own_client
        yield client

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Ask for a message, or for the bell after there was none. The answer is read when it is there."""
        del timeout
        channel = _untyped(self)
        queues = channel._queue_cycle.consume(len(channel.active_queues))
        if not queues:
            return
        connection = channel.client.connection
        channel._in_poll = connection
        channel._brpop_sent_at = monotonic()
        if self._empty:
            self._empty, self._resting = False, True
            connection.send_command("BRPOP", _BELL, _REST_SECONDS)
            return
        lists = {channel._q_for_pri(queue, step): queue for step in channel.priority_steps for queue in queues}
        names = (channel.unacked_key, channel.unacked_index_key, *lists)
        connection.send_command("EVAL", _TAKE, len(names), *names, time(), *lists.values())

    def _brpop_read(self, **options: Any) -> bool:
        """Read the answer to what was asked. Raises Empty when it has no message."""
        channel = _untyped(self)
        try:
            rested, self._resting = self._resting, False
            try:
                answer = channel.client.parse_response(channel.client.connection, "EVAL", **options)
            except channel.connection_errors:
                channel.client.connection.disconnect()
                raise
            if rested or not answer:
                self._empty = not rested
                raise Empty
            *texts, is_call = [*answer, None, None][:4]
            self._arrived(*(text if text is None else bytes_to_str(text) for text in texts), is_call=bool(is_call))
            return True
        finally:
            channel._in_poll = None
            channel._flush_brpop_reauth()

    def _arrived(self, queue: str | None, message: str | None, why: str | None, *, is_call: bool) -> None:
        """Hand a message on. Raises Empty when none can be taken just now."""
        channel = _untyped(self)
        if queue is None or message is None:
            self._empty = True
            if not self._full:
                self._full = True
                redis_errors.report(
                    log, ResponseError(why or ""), "messages stay in their queues meanwhile", what="broker"
                )
            raise Empty
        self._full = False
        if why:
            set_aside(message, f"{why} (queue {queue})")
            return
        channel._queue_cycle.rotate(queue)
        raw = loads(message)
        if is_call:
            channel.qos.unnoted.add(raw["properties"]["delivery_tag"])
        try:
            channel.connection._deliver(raw, queue)
        except channel.connection_errors:
            raise
        except Exception as error:
            log.exception("message_failed", queue=queue)
            set_aside(message, f"can't be taken as a message: {type(error).__name__}: {error}")
            channel.qos.ack(raw["properties"]["delivery_tag"])


def _untyped(channel: BrokerInbox) -> Any:
    """The channel with what is kombu's own, of which its types say nothing."""
    return channel
