"""The command line: `dateline COMMAND`. What takes a moment to import is in commands.py."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress

from worker.cli.lean_imports import import_leanly

_OBJECTS = 200_000
"""How many new objects a command makes before it is looked for garbage: what it imports is none."""
_READING_SETTINGS_AGAIN = ("up", "worker", "web")
"""What does so on a SIGHUP."""


def main() -> None:
    """Run the command line. What runs for long is not ended by a SIGHUP before it listens to it: it waits till then."""
    # Else pydantic looks for plugins in each distribution that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    command = sys.argv[1] if sys.argv[1:] else ""
    if command in _READING_SETTINGS_AGAIN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    if command in (*_READING_SETTINGS_AGAIN, "demo"):
        _run()
        return
    gc.set_threshold(_OBJECTS)
    import_leanly()
    end = _QuickEnd()
    # What is registered first is called last: whatever else there is to be done at the end is done by then.
    atexit.register(end.leave)
    try:
        _run()
    except SystemExit as ended:
        end.status = 0 if ended.code is None else ended.code
        raise


def _run() -> None:
    from worker.cli.commands import run

    run()


class _QuickEnd:
    """Ends the process without taking hundreds of modules to pieces, which is a fifth of all that a command does.

    `status`: with which it ends; as long as it is no number, Python ends the process as it always does.
    """

    def __init__(self) -> None:
        self.status: object = None

    def leave(self) -> None:
        """End the process, if all that was written is out; else Python tries that once more, and says why not."""
        if isinstance(self.status, int):
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(self.status & 0xFF)
