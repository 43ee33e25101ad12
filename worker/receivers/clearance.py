"""Says what of a process's requests may still begin: none with the text of an article that was withdrawn since.

A thread listens to withdrawals, whichever process carries them out, and renews this process's lease: until when
requests may begin without hearing of Redis again. A renewal counts when it is heard of on the connection on which
withdrawals come, so everything that was announced before has been heard. Whoever was frozen, or cut off from Redis,
begins nothing until that has happened anew.

To ask costs a look at the clock and one into a dictionary; nothing is asked of Redis.
"""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker.store.redis_errors import Outage
from worker.store.withdrawals import LEASE_MS, Withdrawal
from worker.watchdog import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.store.withdrawals import WithdrawalListener, Withdrawals
    from worker.watchdog import Beat

log = structlog.get_logger()

_RENEW_SECONDS = 0.2
"""How often the lease is renewed."""
_MARGIN_SECONDS = 0.05
"""How much earlier we stop than Redis takes us to: clocks do not run at one speed."""
_RETRY_SECONDS = 0.2
_STILL_SECONDS = 60.0
"""How long a look may take before the thread is taken to stand still."""
_KNOWN = 50_000
"""Withdrawals that are remembered; when there are more, all that was made before is out of date."""


class Clearance:
    """What may begin in this process. `sender`: its name among those that send."""

    def __init__(self, withdrawals: Withdrawals, sender: str) -> None:
        self._withdrawals = withdrawals
        self._sender = sender
        self._until = 0.0
        self._leases = 0
        self._count = 0
        self._missed = 0
        self._last: dict[str, int] = {}
        self._gone: dict[tuple[str, str], int] = {}
        self._listener: Callable[[str], None] = lambda _: None
        self._stopped = Event()
        self._outage = Outage(log, what="clearance")
        self._thread = Thread(target=self._run, name="clearance", daemon=True)

    def start(self) -> None:
        """Begin to listen. Until Redis has answered nothing may begin."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; nothing may begin from now on."""
        self._stopped.set()
        self._thread.join(2 * LEASE_MS / 1000)
        self._until = 0.0
        with suppress(RedisError):
            # Else the lease ends by itself.
            self._withdrawals.leave(self._sender)

    def tell(self, listener: Callable[[str], None]) -> None:
        """Have `listener` called, in our thread, with the name of each feed that something is withdrawn from."""
        self._listener = listener

    def holds(self) -> bool:
        """Whether we are sure to have heard of all withdrawals."""
        return time.monotonic() < self._until

    def last(self, feed: str) -> int:
        """The number of the last withdrawal from the feed that was heard of."""
        return max(self._last.get(feed, 0), self._missed)

    def withdrawn(self, feed: str, articles: Collection[str], after: int) -> bool:
        """Whether any of the articles was withdrawn from the feed after the withdrawal numbered `after`."""
        if self.last(feed) <= after:
            return False
        return self._missed > after or any(self._gone.get((feed, article), 0) > after for article in articles)

    def may_begin(self, feed: str, articles: Collection[str], after: int) -> bool:
        """Whether a request with the text of the articles may begin that was made when `after` was the last one."""
        return self.holds() and not self.withdrawn(feed, articles, after)

    def _run(self) -> None:
        with watched("clearance", _STILL_SECONDS) as beat:
            while not self._stopped.is_set():
                beat()
                try:
                    self._listen(self._withdrawals.listen(self._sender), beat)
                except RedisError as error:
                    self._outage.met(error, "no push begins until Redis is heard again")
                    self._stopped.wait(_RETRY_SECONDS)
                except Exception:
                    log.exception("clearance_failed", next_step="listening again; no push begins until then")
                    self._stopped.wait(_RETRY_SECONDS)

    def _listen(self, listener: WithdrawalListener, beat: Beat) -> None:
        # Something may have been withdrawn while nobody listened: what was made before is out of date.
        self._count += 1
        self._missed = self._count
        try:
            asked, due = 0.0, 0.0
            while not self._stopped.is_set():
                beat()
                now = time.monotonic()
                if not asked and now >= due:
                    asked, due = now, now + _RENEW_SECONDS
                    self._leases += 1
                    self._withdrawals.lease(self._sender, self._leases)
                heard = listener.next(LEASE_MS / 1000 if asked else max(0.0, due - now))
                if isinstance(heard, Withdrawal):
                    self._take(heard)
                elif heard == self._leases:
                    self._until = asked + LEASE_MS / 1000 - _MARGIN_SECONDS
                    self._outage.over()
                    asked = 0.0
        finally:
            self._until = 0.0
            listener.close()

    def _take(self, withdrawal: Withdrawal) -> None:
        self._count += 1
        if len(self._gone) >= _KNOWN:
            self._missed = self._count
            self._gone.clear()
            self._last.clear()
        for gone in withdrawal.gone:
            self._gone[gone] = self._count
        feeds = {feed for feed, _ in withdrawal.gone}
        for feed in feeds:
            self._last[feed] = self._count
        self._withdrawals.confirm(withdrawal, self._sender)
        for feed in feeds:
            self._listener(feed)
