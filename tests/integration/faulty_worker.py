"""A worker of which one thread fails when a file appears, and whose watchdog waits for less time than usual."""

from __future__ import annotations

import importlib
import threading
import time
from pathlib import Path
from typing import Any

_LIMITS = ("_STILL_SECONDS", "_TURN_SECONDS")
_SECONDS = 4.0
_LIMITED = (
    *("outbound.engine", "receivers.distributor", "receivers.clearance"),
    *("runtime.duty", "runtime.celery_consumer"),
)


def become(fault: str, trigger: Path) -> None:
    """Make this process one.

    `fault`: module, class, method, and what that does then: "hangs", or "ends" its thread. If a thread is named after
    that, in this one alone.
    """
    for name in _LIMITED:
        part = importlib.import_module(f"worker.{name}")
        for limit in _LIMITS:
            if hasattr(part, limit):
                setattr(part, limit, _SECONDS)
    module, owner, method, how, *threads = fault.split()
    part = getattr(importlib.import_module(module), owner)
    real = getattr(part, method)

    def faulty(*args: Any, **options: Any) -> Any:
        if trigger.exists() and (not threads or threading.current_thread().name in threads):
            if how == "ends":
                raise SystemExit
            time.sleep(600)
        return real(*args, **options)

    setattr(part, method, faulty)
