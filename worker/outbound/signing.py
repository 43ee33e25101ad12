"""Signatures: `X-Hub-Signature` for WebSub subscribers, Standard Webhooks 1.0 for partners and for what is sent to us.

Sources: W3C WebSub, section 7.1; Standard Webhooks 1.0 (standardwebhooks.com), "Signature scheme"; RFC 2104 (HMAC).
A secret is never part of a message or an error.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache

from requests import PreparedRequest
from requests.auth import AuthBase

HUB_METHODS = ("sha1", "sha256", "sha384", "sha512")
"""What section 7.1 names. sha1 only for subscribers that ask for it."""
TOLERANCE_SECONDS = 300.0
"""How far the sender's clock may be from ours, either way."""

_PREFIX = "whsec_"


class SignatureError(ValueError):
    """A message that is not signed as it must be; `reason` is for the log, not for the sender."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def hub_signature(secret: str | bytes, body: bytes, method: str = "sha256") -> str:
    """Return the value of `X-Hub-Signature`: the method, "=", and the HMAC of the body in lower-case hex.

    Raises ValueError for a method that section 7.1 does not name.
    """
    if method not in HUB_METHODS:
        raise ValueError(f"{method!r} is no signature method; known are {', '.join(HUB_METHODS)}")
    return f"{method}={hmac.digest(_octets(secret), body, method).hex()}"


def verify_hub_signature(secret: str | bytes, body: bytes, signature: str) -> bool:
    """Return whether `signature`, a value of `X-Hub-Signature`, is right. Takes the same time wherever it is wrong."""
    method, _, digest = signature.partition("=")
    if method not in HUB_METHODS:
        return False
    expected = hmac.digest(_octets(secret), body, method).hex()
    return hmac.compare_digest(expected.encode(), digest.encode())


class WebhookAuth(AuthBase):
    """Signs a request as a Standard Webhook: one signature for each secret, so that secrets can be rotated.

    `secrets` are `whsec_` and base64, or plain text; `message_id` stays the same when a message is sent again;
    `timestamp`, of this attempt, is in seconds since 1970. Raises ValueError for a secret or an id that is none.
    """

    def __init__(self, secrets: Sequence[str], message_id: str, timestamp: int) -> None:
        self._parts = (secrets, message_id, timestamp)
        webhook_headers(*self._parts, b"")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the three headers. The body must be final."""
        body = request.body or b""
        if not isinstance(body, bytes | str):
            raise TypeError("only a request whose body is at hand can be signed")
        request.headers.update(webhook_headers(*self._parts, _octets(body)))
        return request


def webhook_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a Standard Webhook with this body; see `WebhookAuth`."""
    if not message_id or "." in message_id:
        raise ValueError("a message id must not be empty or have a dot: dots part what is signed")
    content = _signed_content(message_id, str(timestamp), body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([_signature(webhook_key(secret), content) for secret in secrets]),
    }


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float,
    tolerance: float = TOLERANCE_SECONDS,
) -> None:
    """Check a Standard Webhook that was sent to us.

    `headers` finds names in lower case; `now` is in seconds since 1970, `tolerance` in seconds. Raises SignatureError
    unless one of its signatures is right for one of the secrets; all are compared, whichever matches.
    """
    message_id, timestamp = _dated(headers, now, tolerance)
    given = [signature.encode() for signature in headers.get("webhook-signature", "").split()]
    content = _signed_content(message_id, timestamp, body)
    right = False
    for secret in secrets:
        expected = _signature(webhook_key(secret), content).encode()
        for signature in given:
            right |= hmac.compare_digest(expected, signature)
    if not right:
        raise SignatureError("no webhook-signature is right")


def may_be_webhook(headers: Mapping[str, str], now: float) -> bool:
    """Whether a request may be a Standard Webhook, by all that can be told before its body is there."""
    try:
        _dated(headers, now, TOLERANCE_SECONDS)
    except SignatureError:
        return False
    return bool(headers.get("webhook-signature", "").strip())


def _dated(headers: Mapping[str, str], now: float, tolerance: float) -> tuple[str, str]:
    """The id and the timestamp. Raises SignatureError."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id:
        raise SignatureError("no webhook-id")
    # Twelve digits last for thirty thousand years and are quick to read.
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise SignatureError("no webhook-timestamp in whole seconds")
    if abs(now - int(timestamp)) > tolerance:
        raise SignatureError("the webhook-timestamp is too far from our clock")
    return message_id, timestamp


@lru_cache(maxsize=1024)
def webhook_key(secret: str) -> bytes:
    """Return the key that a secret stands for: what follows `whsec_` decoded, any other text in UTF-8.

    Raises ValueError, without repeating the secret, when nothing or no base64 follows `whsec_`, or it is empty.
    """
    if not secret.startswith(_PREFIX):
        key = secret.encode()
    else:
        try:
            key = b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"a secret that begins with {_PREFIX} must go on in base64") from None
    if not key:
        raise ValueError("a secret must not be empty")
    return key


def _signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(key: bytes, content: bytes) -> str:
    return "v1," + b64encode(hmac.digest(key, content, "sha256")).decode()


def _octets(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
