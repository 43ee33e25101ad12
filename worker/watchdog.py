"""Threads are watched, not only processes: each shows that it moves, and a process with one that does not ends itself.

A thread does its work within `with watched(NAME, SECONDS) as beat`, and calls `beat()` each time around: it must not
take longer than so many seconds. While it waits for something that may take any time it says so, `with beat.resting()`.
When it ends by an error, or stands still, the `Watchdog` of the process hears of it.

A whole process that was frozen, or got no time to run, is not at fault: its watchdog was frozen with it.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_FROZEN_SECONDS = 3.0
"""When a look comes so much later than it should, the whole process stood still: everybody begins anew."""


class Beat:
    """The signs of life of one thread."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.thread = threading.current_thread()
        self._seconds = seconds
        self._last = time.monotonic()
        self._resting = 0
        self._broken = ""

    def __call__(self) -> None:
        """The thread moves."""
        self._last = time.monotonic()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Wait for something that may take any time."""
        self._resting += 1
        try:
            yield
        finally:
            self()
            self._resting -= 1

    def broken(self, error: BaseException) -> None:
        """The thread has ended by an error."""
        self._broken = type(error).__name__

    def trouble(self, now: float) -> str:
        """What is wrong with the thread at `now` (monotonic seconds); empty if nothing is."""
        if self._broken or not self.thread.is_alive():
            return f"the thread {self.name} has ended ({self._broken or 'without a word'})"
        if not self._resting and now - self._last > self._seconds:
            return f"the thread {self.name} has stood still for {now - self._last:.0f} s"
        return ""


_beats: set[Beat] = set()


@contextmanager
def watched(name: str, seconds: float) -> Iterator[Beat]:
    """Have the current thread watched while it is in here. `seconds`: how long it may take between two beats."""
    beat = Beat(name, seconds)
    _beats.add(beat)
    try:
        yield beat
    except BaseException as error:
        if beat.thread is threading.main_thread() and not isinstance(error, Exception):
            # The process is told to end.
            _beats.discard(beat)
        # Else it stays among those that are watched, for the watchdog to see.
        beat.broken(error)
        raise
    _beats.discard(beat)


class Watchdog:
    """Looks after the threads of this process; `alarm` is called, once, with what is wrong."""

    def __init__(self, alarm: Callable[[str], None]) -> None:
        self._alarm = alarm
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more: the threads are about to end."""
        self._stopped.set()

    def _run(self) -> None:
        due = time.monotonic() + _LOOK_SECONDS
        while not self._stopped.wait(_LOOK_SECONDS):
            now = time.monotonic()
            beats = list(_beats)
            if now - due > _FROZEN_SECONDS:
                for beat in beats:
                    beat()
            elif troubles := [(beat, said) for beat in beats if (said := beat.trouble(now))]:
                for beat, said in troubles:
                    log.critical("thread_lost", reason=said, stack=_stack(beat.thread))
                self._alarm(troubles[0][1])
                return
            due = now + _LOOK_SECONDS


def _stack(thread: threading.Thread) -> list[str]:
    """Where a thread is, the innermost last; without what its variables hold."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 (there is no other way to see it)
    return (
        [f"{entry.filename}:{entry.lineno} {entry.name}" for entry in traceback.extract_stack(frame)] if frame else []
    )
