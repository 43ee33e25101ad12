"""A record that nobody has made: for what does without one."""

from pathlib import Path

from worker.record import Record


def no_record() -> Record:
    """A record that is away."""
    return Record.embedded(Path("/nonexistent"))
