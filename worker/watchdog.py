"""Watches the threads of a process: when one of them stands still or has ended, the process ends itself.

A thread works inside `with watched(NAME, SECONDS) as beat` and calls `beat()` each time around its loop, at least once
in so many seconds. While it waits for something that may take any time, it does so inside `with beat.resting()`. The
`Watchdog` of the process notices when a thread ends by an error, or stands still.

To end the process loses nothing, and is safer than to repair it from within. A whole process that was frozen, or got no
time to run, is not at fault: its watchdog was frozen as well.
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
"""How often the watchdog looks."""
_FROZEN_SECONDS = 3.0
"""A look that comes so much too late shows that the whole process was frozen: all threads get their time again."""


class Beat:
    """The signs of life of one thread."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.thread = threading.current_thread()
        self._max_seconds = seconds
        self._last_beat_at = time.monotonic()
        self._resting = 0
        self._error = ""

    def __call__(self) -> None:
        """Show that the thread moves."""
        self._last_beat_at = time.monotonic()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let the thread wait, inside this, for something that may take any time."""
        self._resting += 1
        try:
            yield
        finally:
            self()
            self._resting -= 1

    def ended_by(self, error: BaseException) -> None:
        """Note that the thread ends by an error."""
        self._error = type(error).__name__

    def trouble(self, now: float) -> str:
        """Return what is wrong with the thread at `now` (monotonic seconds); empty if nothing is."""
        if self._error or not self.thread.is_alive():
            return f"the thread {self.name} has ended ({self._error or 'without an error'})"
        silent_seconds = now - self._last_beat_at
        if not self._resting and silent_seconds > self._max_seconds:
            return f"the thread {self.name} has stood still for {silent_seconds:.0f} s"
        return ""


_beats: set[Beat] = set()


@contextmanager
def watched(name: str, seconds: float) -> Iterator[Beat]:
    """Watch the current thread while it is inside. `seconds`: how long it may take between two beats."""
    beat = Beat(name, seconds)
    _beats.add(beat)
    try:
        yield beat
    except BaseException as error:
        if beat.thread is threading.main_thread() and not isinstance(error, Exception):
            # The process ends because somebody asked it to.
            _beats.discard(beat)
        # Otherwise the beat stays among those that are watched, and the watchdog sees the error.
        beat.ended_by(error)
        raise
    _beats.discard(beat)


class Watchdog:
    """Looks after the threads of this process. `on_trouble` is called with what is wrong, once."""

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        self._on_trouble = on_trouble
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no longer: the threads are about to end."""
        self._stopped.set()

    def _run(self) -> None:
        due = time.monotonic() + _LOOK_SECONDS
        while not self._stopped.wait(_LOOK_SECONDS):
            now = time.monotonic()
            beats = list(_beats)
            if now - due > _FROZEN_SECONDS:
                for beat in beats:
                    beat()
            elif troubles := [(beat, trouble) for beat in beats if (trouble := beat.trouble(now))]:
                for beat, trouble in troubles:
                    log.critical("thread_lost", reason=trouble, stack=_stack(beat.thread))
                self._on_trouble(troubles[0][1])
                return
            due = now + _LOOK_SECONDS


def _stack(thread: threading.Thread) -> list[str]:
    """The lines at which a thread is, the innermost last; without the values of its variables."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 (there is no other way to see it)
    return (
        [f"{entry.filename}:{entry.lineno} {entry.name}" for entry in traceback.extract_stack(frame)] if frame else []
    )
