"""What must not leave any more: withdrawals are made known to every process that sends, before they are recorded.

A process that sends has a lease: until when it may begin requests without hearing of Redis again. Whoever withdraws an
article (a kill, an expiry, a move to another section) makes that known on a channel, and waits until all that have a
lease have heard of it, or their leases have ended. Redis' clock counts, nobody else's.
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
"""How long a process that sends may go on without hearing of Redis; and the longest that a withdrawal waits for one."""
_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""
_HEARD_MS = 10_000
"""How long it is kept who has heard of a withdrawal. Whoever asks waits no longer than a lease."""
_SHORTEST_SECONDS = 0.01
"""The shortest wait that is not without end for Redis."""


class Withdrawal(NamedTuple):
    """Articles that leave feeds: (feed, article) pairs. `answer`: where whoever has heard says so, or empty."""

    gone: tuple[tuple[str, str], ...]
    answer: str


class WithdrawalListener:
    """Hears of withdrawals from the moment it is made until it is closed, on a connection of its own."""

    def __init__(self, client: Client, sender: str) -> None:
        self._heard = client.pubsub()
        self._heard.subscribe(keys.WITHDRAWN, keys.leased(sender))
        # From the moment of these answers on nothing is missed.
        for _ in range(2):
            if self._heard.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
                self.close()
                raise redis.TimeoutError("Redis did not answer a subscription")

    def next(self, timeout: float) -> Withdrawal | int | None:
        """Return a withdrawal, or the number of a lease that is had now; None when nothing comes in `timeout` seconds.

        Raises redis.RedisError when the connection is lost.
        """
        message = self._heard.get_message(timeout=timeout)
        if message is None:
            return None
        if message["type"] == "subscribe":
            # The client has connected anew by itself: what was said meanwhile was missed.
            raise redis.ConnectionError("the connection was lost for a moment")
        if message["type"] != "message":
            return None
        if message["channel"] != keys.WITHDRAWN:
            return int(message["data"])
        told = json.loads(message["data"])
        return Withdrawal(tuple((feed, article) for feed, article in told["gone"]), told.get("answer", ""))

    def close(self) -> None:
        """Hear no more."""
        self._heard.close()


class Withdrawals:
    """The channel, and the leases of those who listen."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def listen(self, sender: str) -> WithdrawalListener:
        """Begin to hear of withdrawals."""
        return WithdrawalListener(self._client, sender)

    def lease(self, sender: str, number: int) -> None:
        """From now on a withdrawal waits until `sender` has heard of it, for LEASE_MS at the most.

        Its listener hears of `number` when it has heard of all withdrawals before.
        """
        self._scripts.run("withdrawals/lease", [keys.SENDERS], [sender, LEASE_MS, keys.leased(sender), number])

    def leave(self, sender: str) -> None:
        """The sender begins no more."""
        self._client.zrem(keys.SENDERS, sender)

    def confirm(self, withdrawal: Withdrawal, sender: str) -> None:
        """The sender begins nothing any more that has the text of what is withdrawn."""
        if withdrawal.answer:
            pipe = self._client.pipeline(transaction=False)
            pipe.rpush(withdrawal.answer, sender)
            pipe.pexpire(withdrawal.answer, _HEARD_MS)
            pipe.execute()

    def announce(self, gone: Sequence[tuple[str, str]]) -> None:
        """Make known that articles leave feeds, (feed, article); return when all that send have heard, or may not send.

        Takes as long as their answers, LEASE_MS at the most.
        """
        answer = keys.heard(uuid4().hex)
        told = json.dumps({"gone": gone, "answer": answer})
        begun = time.monotonic()
        leases = self._scripts.run("withdrawals/announce", [keys.SENDERS], [keys.WITHDRAWN, told])
        waiting = dict(zip(leases[::2], map(int, leases[1::2]), strict=True))
        while waiting:
            left = max(waiting.values()) / 1000 - (time.monotonic() - begun)
            if left <= 0:
                break
            if said := self._client.blpop(answer, timeout=max(left, _SHORTEST_SECONDS)):
                waiting.pop(said[1], None)
