"""Who may ask: bearer tokens (RFC 6750)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence


def carries_token(headers: Mapping[str, str], tokens: Sequence[bytes]) -> bool:
    """Whether a request (names in lower case) carries one of the tokens."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    client_token = credentials.strip().encode()
    # It is compared with all of them, so that the time taken does not tell which it resembles.
    return scheme.lower() == "bearer" and sum(hmac.compare_digest(client_token, token) for token in tokens) > 0
