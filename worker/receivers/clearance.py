"""Decides which requests of this process may still begin: none with the text of an article withdrawn since it was read.

A thread listens to withdrawals, whichever process carries them out, and renews this process's lease: until when
requests may begin without another word from Redis. A renewal counts when it is heard of on the connection on which
withdrawals come, because then everything that was announced before has been heard. A process that was frozen, or cut
off from Redis, begins nothing until it hears of a renewal again.

A decision costs a look at the clock and one into a dictionary. It never asks Redis.
"""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Lock, Thread
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
"""How much earlier we stop than Redis expects: clocks do not run at one speed."""
_RETRY_SECONDS = 0.2
_LATE_SECONDS = 0.005
_STUCK_SECONDS = 60.0
"""How long one step may take before the thread counts as stuck."""
_REMEMBERED = 50_000
"""How many withdrawals are remembered; when there are more, all that was made before them is out of date."""


class Clearance:
    """What may begin in this process. `sender`: its name among the processes that send.

    Withdrawals are numbered in the order in which this process hears of them. Whoever reads an article notes the last
    number beforehand; a request may begin if its articles were not withdrawn under a later one.
    """

    def __init__(self, withdrawals: Withdrawals, sender: str) -> None:
        self._withdrawals = withdrawals
        self._sender = sender
        self._lease_end = 0.0
        self._renewals = 0
        self._number = 0
        self._all_outdated_at = 0
        self._last_of_feed: dict[str, int] = {}
        self._last_of_article: dict[tuple[str, str], int] = {}
        self._on_withdrawal: Callable[[str], None] = lambda _: None
        self._stopped = Event()
        self._starting = Lock()
        self._outage = Outage(log, what="clearance")
        self._thread = Thread(target=self._run, name="clearance", daemon=True)

    def start(self) -> None:
        """Begin to listen. Until Redis has answered nothing may begin."""
        self._thread.start()

    def start_late(self, patience_seconds: float) -> None:
        """Begin to listen, if that has not begun; wait until something may begin, so long at the most. Any thread may.

        For a process that seldom sends anything: withdrawals wait for those alone that listen.
        """
        with self._starting:
            if self._thread.ident is None and not self._stopped.is_set():
                self._thread.start()
        deadline = time.monotonic() + patience_seconds
        while not self.holds() and time.monotonic() < deadline:
            time.sleep(_LATE_SECONDS)

    def stop(self) -> None:
        """Stop listening; nothing may begin from now on."""
        with self._starting:
            self._stopped.set()
        if self._thread.ident is None:
            return
        self._thread.join(2 * LEASE_MS / 1000)
        self._lease_end = 0.0
        with suppress(RedisError):
            # Else the lease ends by itself.
            self._withdrawals.leave(self._sender)

    def subscribe(self, on_withdrawal: Callable[[str], None]) -> None:
        """Have `on_withdrawal` called, in our thread, with the name of each feed that something is withdrawn from."""
        self._on_withdrawal = on_withdrawal

    def holds(self) -> bool:
        """Return whether we are sure to have heard of all withdrawals."""
        return time.monotonic() < self._lease_end

    @property
    def number(self) -> int:
        """The number of the last withdrawal that was heard of, from whatever feed."""
        return self._number

    def last(self, feed: str) -> int:
        """Return the number of the last withdrawal from the feed that was heard of."""
        return max(self._last_of_feed.get(feed, 0), self._all_outdated_at)

    def withdrawn(self, feed: str, articles: Collection[str], after: int) -> bool:
        """Return whether any of the articles was withdrawn from the feed after the withdrawal numbered `after`."""
        if self.last(feed) <= after:
            return False
        return self._all_outdated_at > after or any(
            self._last_of_article.get((feed, article), 0) > after for article in articles
        )

    def may_begin(self, feed: str, articles: Collection[str], after: int) -> bool:
        """Return whether a request with the text of the articles may begin.

        `after`: the last withdrawal that was heard of before the articles were read.
        """
        if time.monotonic() >= self._lease_end:
            return False
        # Asked twice for each request: mostly nothing was withdrawn.
        if self._all_outdated_at <= after and self._last_of_feed.get(feed, 0) <= after:
            return True
        return not self.withdrawn(feed, articles, after)

    def _run(self) -> None:
        with watched("clearance", _STUCK_SECONDS) as beat:
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
        self._number += 1
        self._all_outdated_at = self._number
        try:
            renewed_at, due = 0.0, 0.0
            while not self._stopped.is_set():
                beat()
                now = time.monotonic()
                if not renewed_at and now >= due:
                    renewed_at, due = now, now + _RENEW_SECONDS
                    self._renewals += 1
                    self._withdrawals.lease(self._sender, self._renewals)
                message = listener.next(LEASE_MS / 1000 if renewed_at else max(0.0, due - now))
                if isinstance(message, Withdrawal):
                    self._take(message)
                elif message == self._renewals:
                    self._lease_end = renewed_at + LEASE_MS / 1000 - _MARGIN_SECONDS
                    self._outage.over()
                    renewed_at = 0.0
        finally:
            self._lease_end = 0.0
            listener.close()

    def _take(self, withdrawal: Withdrawal) -> None:
        self._number += 1
        if len(self._last_of_article) >= _REMEMBERED:
            self._all_outdated_at = self._number
            self._last_of_article.clear()
            self._last_of_feed.clear()
        for feed_and_article in withdrawal.gone:
            self._last_of_article[feed_and_article] = self._number
        feeds = {feed for feed, _ in withdrawal.gone}
        for feed in feeds:
            self._last_of_feed[feed] = self._number
        self._withdrawals.confirm(withdrawal, self._sender)
        for feed in feeds:
            self._on_withdrawal(feed)
