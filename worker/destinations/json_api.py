"""The answers of APIs that speak JSON, in the words of all destinations."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from worker.outbound.auth import without
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

_Remote = TypeVar("_Remote")
_RESETS = ("ratelimit-reset", "x-ratelimit-reset")
"""Headers that say when a limit is lifted: a Unix time, or a time as in RFC 3339."""


def ended(status: int, message: str = "", remote: str = "") -> Answer:
    """Return the answer to a push that has come to its end."""
    return Answer(status, {}, b"", None, message, 0.0, started=True, remote=remote)


def remembered(kind: type[_Remote], text: str) -> _Remote:
    """Return what the ledger has of an article, as a dataclass of defaults; nothing of what another kind has noted."""
    try:
        values = json.loads(text or "{}")
    except ValueError:
        values = {}
    noted = values if isinstance(values, dict) else {}
    names = [field.name for field in fields(kind) if type(noted.get(field.name)) is type(field.default)]  # type: ignore[arg-type]  # it is a dataclass
    return kind(**{name: noted[name] for name in names})


def object_in(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that an answer consists of; empty: there is none."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def refusal(answer: Answer, reason: str = "", hidden: Iterable[str] = ()) -> Answer:
    """Return an answer that is not what was wanted: a fault, a refusal for what was sent, for the moment, or for good.

    `reason`: what the API says of it; `hidden`: our secrets, which it may have repeated.
    """
    if answer.fault:
        return answer
    reason = without(reason, *hidden)
    # It stands in logs and on pages: on one line.
    reason = " ".join("".join(filter(str.isprintable, reason.replace("\n", " "))).split())[:200]
    refused = ended(answer.status, f"answered {answer.status}" + (f": {reason}" if reason else ""))
    refused.retry_after = answer.retry_after or _seconds_to_reset(answer)
    if answer.status in {401, 403}:
        refused.fault = Fault.DENIED
    elif answer.status < 400:
        refused.fault, refused.message = Fault.PROTOCOL, f"answered {answer.status} with nothing that can be read"
    return refused


def _seconds_to_reset(answer: Answer) -> int:
    """How long until a limit that was reached is lifted; 0: nobody says."""
    if answer.status != 429:
        return 0
    for name in _RESETS:
        value = answer.headers.get(name, "")
        try:
            moment = float(value) if value.isdecimal() else datetime.fromisoformat(value).astimezone(UTC).timestamp()
        except (ValueError, OverflowError):
            continue
        return max(1, int(moment - time.time()) + 1)
    return 0
