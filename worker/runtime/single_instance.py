"""One `dateline up` to a data directory: a lock on `data_dir/up.lock`, with the process and the port of who holds it.

The lock ends with the process, however that ends: neither its children nor Redis inherit the file (PEP 446). The text
stays after a kill, which tells the next one that children of the dead may still be about to end.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_SAYS_SECONDS = 1.0
"""How long is waited for one that has just taken the lock to say who it is."""
_POLL_SECONDS = 0.02
_TEXT_BYTES = 100


class RunsAlready(RuntimeError):
    """Another `dateline up` has the data directory; the message says which."""


class SingleInstance:
    """The only `dateline up` on a data directory, while it is entered. `inherited`: the one before was killed."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self._path = data_dir.resolve() / "up.lock"
        self._port = port
        self._file = -1
        self.inherited = False

    def __enter__(self) -> Self:
        """Take the lock. Raises RunsAlready, and OSError when nothing can be written there."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.inherited = bool(_text(file))
            os.ftruncate(file, 0)
            os.pwrite(file, f"pid {os.getpid()}, port {self._port}".encode(), 0)
        except BaseException as error:
            holder = _holder(file) if isinstance(error, BlockingIOError) else ""
            os.close(file)
            if holder:
                raise RunsAlready(
                    f"already running here ({holder}; {self._path.parent}); end it first, or give another --data"
                ) from None
            raise
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        try:
            os.ftruncate(self._file, 0)
        finally:
            os.close(self._file)


def _holder(file: int) -> str:
    deadline = time.monotonic() + _SAYS_SECONDS
    while not (text := _text(file)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return text or "it has just started"


def _text(file: int) -> str:
    return os.pread(file, _TEXT_BYTES, 0).decode(errors="replace")
