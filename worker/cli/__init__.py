"""The command line: `dateline COMMAND`. What takes a moment to import is in commands.py."""

from __future__ import annotations

import gc
import os
import signal
import sys

_OBJECTS = 50_000
"""How many new objects a command makes before it is looked for garbage: what it imports is none."""


def main() -> None:
    """Run the command line. What runs for long is not ended by a SIGHUP before it listens to it: it waits till then."""
    if sys.argv[1:2] in (["up"], ["worker"], ["web"]):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    else:
        gc.set_threshold(_OBJECTS)
    # Else pydantic looks for plugins in each distribution that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from worker.cli.commands import run

    run()
