"""The command line: `dateline COMMAND`. What takes a moment to import is in commands.py."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line. What runs for long is not ended by a SIGHUP before it listens to it: it waits till then."""
    if sys.argv[1:2] in (["up"], ["worker"], ["web"]):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from worker.cli.commands import run  # noqa: PLC0415 (see above)

    run()
