"""Waiting in tests for what comes within moments on a machine that has nothing else to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""How long is waited at least before something counts as failed."""
T = TypeVar("T")


def until(
    true: Callable[[], T],
    what: str | Callable[[], object] = "it",
    seconds: float = PATIENCE_SECONDS,
    *,
    pause: float = 0.02,
) -> T:
    """Wait until something is true; return it. `what` is awaited, or says at the end what there is instead."""
    deadline = time.monotonic() + seconds
    while not (result := true()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what() if callable(what) else what}"
        time.sleep(pause)
    return result
