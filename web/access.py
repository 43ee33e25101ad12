"""Who may ask: bearer tokens (RFC 6750), which are keys or the `api_tokens` of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.management.callers import Caller
    from worker.management.keys import KeyRing


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the token that a request (names in lower case) carries; "" when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def caller_of(headers: Mapping[str, str], ring: KeyRing, address: str) -> Caller | None:
    """Return whom the token of a request stands for; None without one, and for a wrong one."""
    token = bearer_token(headers)
    return ring.caller(token, clock.ms(clock.agreed()), address) if token else None
