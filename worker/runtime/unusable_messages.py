"""What came by Celery and can't be used is set aside with the reason, where people find it; and the worker goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

_MOST_CHARACTERS = 1_000_000
"""How much of a message is kept."""


class RejectedMessages:
    """Where it is kept: put here by the worker process (worker/runtime/worker_process.py)."""

    keep: Callable[[str, str], None] | None = None


def set_aside(message: str, reason: str, event_id: str | None = None) -> None:
    """Keep what can't be used, with the reason. When even that can't be done, the log has it."""
    about = {"event_id": event_id} if event_id else {}
    try:
        if RejectedMessages.keep is not None:
            RejectedMessages.keep(message[:_MOST_CHARACTERS], reason)
    except Exception as error:  # noqa: BLE001 (it must not end the worker, whatever it is)
        log.error("event_rejected", reason=reason, kept_in="the log", why=str(error), message=message[:2000], **about)
    else:
        log.error("event_rejected", reason=reason, kept_in=keys.REJECTED, **about)
