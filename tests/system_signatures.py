"""How other systems sign what they post to /events/NAME, written down once more beside the code that checks it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

Headers = list[dict[str, str]]


def digest(secret: str, content: bytes, method: str = "sha256") -> str:
    return hmac.new(secret.encode(), content, getattr(hashlib, method)).hexdigest()


def ninjs(secret: str, body: bytes, now: float) -> Headers:
    del now
    return [{"x-superdesk-signature": f"sha1={digest(secret, body, 'sha1')}"}]


def ghost(secret: str, body: bytes, now: float) -> Headers:
    milliseconds = str(int(now * 1000))
    return [{"x-ghost-signature": f"sha256={digest(secret, body + milliseconds.encode())}, t={milliseconds}"}]


def wordpress(secret: str, body: bytes, now: float) -> Headers:
    del now
    return [
        {"x-hub-signature-256": f"sha256={digest(secret, body)}"},
        {"x-webhook-signature": digest(secret, body)},
        {"authorization": f"Bearer {secret}"},
    ]


SIGNED: dict[str, Callable[[str, bytes, float], Headers]] = {"ninjs": ninjs, "ghost": ghost, "wordpress": wordpress}
"""By adapter, the headers of each way to show that a system knows the secret; `now` is in seconds since 1970."""
