"""Who may ask: bearer tokens (RFC 6750)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence


def bearer(headers: Mapping[str, str], tokens: Sequence[bytes]) -> bool:
    """Whether a request (names in lower case) carries one of the tokens."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip().encode()
    # All are compared, so that the time taken does not tell which came close.
    return scheme.lower() == "bearer" and sum(hmac.compare_digest(given, known) for known in tokens) > 0
