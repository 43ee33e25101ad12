"""How transfers get from any thread to the engine's, and how many of them have no answer yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock

from worker.outbound.transfer import Transfer


class Submissions:
    """Transfers that any thread may submit, for the engine's thread to take.

    `wake` makes the engine's thread look; it is called with a lock held, at most once for all that comes before the
    thread does look, and never after `close`.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = Lock()
        self._transfers: deque[Transfer] = deque()
        self._submitted = 0
        self._woken = False
        self._closed = False
        self.answered = 0
        """How many transfers have their answer. Whoever is in a turn of the engine writes it."""

    @property
    def unanswered(self) -> int:
        """How many transfers have no answer yet, wherever they are."""
        return self._submitted - self.answered

    def put(self, transfers: Sequence[Transfer]) -> bool:
        """Take transfers in. Return False, and do not, after `close`."""
        with self._lock:
            if self._closed:
                return False
            self._transfers.extend(transfers)
            self._submitted += len(transfers)
            self._wake_once()
            return True

    def wake(self) -> None:
        """Make the engine's thread look; not after `close`."""
        with self._lock:
            if not self._closed:
                self._wake_once()

    def take_all(self) -> deque[Transfer]:
        """Return the transfers that have come since the last call. In the engine's thread.

        Without the lock, which whoever has woken us still holds for as long as it takes to get Python's lock back: we
        would go to sleep again. Whatever is put in after this has looked finds that nobody was woken for it.
        """
        self._woken = False
        transfers: deque[Transfer] = deque()
        with suppress(IndexError):
            while True:
                transfers.append(self._transfers.popleft())
        return transfers

    def close(self) -> bool:
        """Take no more transfers and wake nobody; return whether this is the first call."""
        with self._lock:
            first, self._closed = not self._closed, True
        return first

    def _wake_once(self) -> None:
        if not self._woken:
            self._woken = True
            self._wake()
