"""Withdrawals: every process that sends hears that an article must no longer leave, before that is recorded.

A process that sends has a lease: until when it may begin requests without hearing from Redis again. Whoever withdraws
an article (a kill, an expiry, a move to another section) publishes that on a channel, and waits until all processes
with a lease have confirmed it, or their leases have ended. Only the clock of Redis counts.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import redis

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts

LEASE_MS = 1_000
"""How long a process that sends may go on without hearing from Redis; a withdrawal waits for none longer."""
_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""
_CONFIRMATIONS_MS = 10_000
"""How long the confirmations of a withdrawal are kept. Whoever waits for them waits no longer than a lease."""
_SHORTEST_SECONDS = 0.01
"""The shortest wait in BLPOP: for Redis 0 means to wait without end."""


class Withdrawal(NamedTuple):
    """Articles that leave feeds: (feed, article) pairs. `answer`: the key for confirmations, or empty."""

    gone: tuple[tuple[str, str], ...]
    answer: str


class WithdrawalListener:
    """Receives all withdrawals from its creation until it is closed, on its own connection."""

    def __init__(self, client: Client, sender: str) -> None:
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(keys.WITHDRAWN, keys.lease_channel(sender))
        # From these answers on nothing is missed.
        for _ in range(2):
            if self._pubsub.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
                self.close()
                raise redis.TimeoutError("Redis did not answer a subscription")

    def next(self, timeout: float) -> Withdrawal | int | None:
        """Return a withdrawal, or the number of a lease that has begun; None when nothing comes in `timeout` seconds.

        Raises redis.RedisError when the connection is lost.
        """
        message = self._pubsub.get_message(timeout=timeout)
        if message is None:
            return None
        if message["type"] == "subscribe":
            # The client has reconnected by itself: messages of the time between were missed.
            raise redis.ConnectionError("the connection was lost for a moment")
        if message["type"] != "message":
            return None
        if message["channel"] != keys.WITHDRAWN:
            return int(message["data"])
        fields = json.loads(message["data"])
        return Withdrawal(tuple((feed, article) for feed, article in fields["gone"]), fields.get("answer", ""))

    def close(self) -> None:
        """Receive nothing more."""
        self._pubsub.close()


class Withdrawals:
    """The channel, and the leases of those who listen."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def listen(self, sender: str) -> WithdrawalListener:
        """Return a listener that receives withdrawals from now on."""
        return WithdrawalListener(self._client, sender)

    def lease(self, sender: str, number: int) -> None:
        """Have withdrawals wait until `sender` has confirmed them, for LEASE_MS at the most.

        Its listener receives `number` after all withdrawals that were published before.
        """
        self._scripts.run("withdrawals/lease", [keys.SENDERS], [sender, LEASE_MS, keys.lease_channel(sender), number])

    def leave(self, sender: str) -> None:
        """Note that the sender no longer begins requests."""
        self._client.zrem(keys.SENDERS, sender)

    def confirm(self, withdrawal: Withdrawal, sender: str) -> None:
        """Confirm that the sender no longer begins requests with the text of the withdrawn articles."""
        if withdrawal.answer:
            pipe = self._client.pipeline(transaction=False)
            pipe.rpush(withdrawal.answer, sender)
            pipe.pexpire(withdrawal.answer, _CONFIRMATIONS_MS)
            pipe.execute()

    def announce(self, gone: Sequence[tuple[str, str]]) -> None:
        """Publish that articles leave feeds, (feed, article); return when every sender has confirmed or may not send.

        Takes as long as their answers, LEASE_MS at the most.
        """
        answer = keys.confirmations(uuid4().hex)
        withdrawal = json.dumps({"gone": gone, "answer": answer})
        begun = time.monotonic()
        leases = self._scripts.run("withdrawals/announce", [keys.SENDERS], [keys.WITHDRAWN, withdrawal])
        waiting = dict(zip(leases[::2], map(int, leases[1::2]), strict=True))
        while waiting:
            left = max(waiting.values()) / 1000 - (time.monotonic() - begun)
            if left <= 0:
                break
            if confirmation := self._client.blpop(answer, timeout=max(left, _SHORTEST_SECONDS)):
                waiting.pop(confirmation[1], None)
