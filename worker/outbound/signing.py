"""Signatures: `X-Hub-Signature` for WebSub subscribers, Standard Webhooks 1.0 for partners and for senders of events.

Svix, from which Standard Webhooks come, names their three headers `svix-...`; a sender of events may do so too.

Sources: W3C WebSub, section 7.1; Standard Webhooks 1.0 (standardwebhooks.com), "Signature scheme"; RFC 2104 (HMAC).
No secret ever stands in a message or an error.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache

from requests import PreparedRequest
from requests.auth import AuthBase

from worker.outbound import public_keys

TOLERANCE_SECONDS = 300.0
"""How far a sender's clock may be from ours, either way."""

_PREFIX = "whsec_"
_NAMES = ("webhook", "svix")
"""How the names of the three headers may begin when somebody sends to us."""


class SignatureError(ValueError):
    """The signature of a message is missing or wrong; `reason` is for our log, not for the sender."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def hub_signature(secret: str | bytes, body: bytes) -> str:
    """Return the value of `X-Hub-Signature`: `sha256=` and the HMAC of the body in lower-case hex.

    WebSub (section 7.1) leaves the choice of the method to the hub.
    """
    return f"sha256={hmac.digest(_octets(secret), body, 'sha256').hex()}"


def verify_hub_signature(secret: str | bytes, body: bytes, signature: str) -> bool:
    """Return whether a subscriber should trust this value of `X-Hub-Signature`. Takes the same time for all values."""
    return hmac.compare_digest(hub_signature(secret, body).encode(), signature.encode())


class WebhookAuth(AuthBase):
    """Signs a request as a Standard Webhook, once with each secret, so that secrets can be rotated.

    A secret is `whsec_` and base64, or plain text; or an Ed25519 key (public_keys.py). `message_id` stays the same when
    a message is sent again; `timestamp` is the time of this attempt in seconds since 1970. Raises ValueError for an
    invalid secret or id.
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
        raise ValueError("a message id must not be empty or have a dot: dots separate the parts that are signed")
    content = _signed_content(message_id, str(timestamp), body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([_signature(secret, content) for secret in secrets]),
    }


def verify_webhook(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Check a Standard Webhook that somebody sent to us.

    `headers` has names in lower case; `now` is in seconds since 1970. Raises SignatureError unless one of the
    signatures was made with one of the secrets. All pairs are compared, so the time taken does not tell which matched.
    """
    message_id, timestamp = _id_and_timestamp(headers, now)
    signatures = [signature.encode() for signature in _header(headers, "signature").split()]
    content = _signed_content(message_id, timestamp, body)
    valid = False
    for secret in secrets:
        expected = _signature(secret, content).encode()
        for signature in signatures:
            valid |= hmac.compare_digest(expected, signature)
    if not valid:
        raise SignatureError("no webhook-signature is right")


def may_be_webhook(headers: Mapping[str, str], now: float) -> bool:
    """Return whether the headers alone allow that a request is a Standard Webhook, before its body has been read."""
    try:
        _id_and_timestamp(headers, now)
    except SignatureError:
        return False
    return bool(_header(headers, "signature").strip())


def _header(headers: Mapping[str, str], name: str) -> str:
    """One of the three headers, under whichever name all of them came."""
    family = next((family for family in _NAMES if headers.get(f"{family}-id")), _NAMES[0])
    return headers.get(f"{family}-{name}", "")


def _id_and_timestamp(headers: Mapping[str, str], now: float) -> tuple[str, str]:
    """The id and the timestamp of a Standard Webhook. Raises SignatureError."""
    message_id = _header(headers, "id")
    timestamp = _header(headers, "timestamp")
    if not message_id:
        raise SignatureError("no webhook-id")
    # Twelve digits last for thirty thousand years, and Python reads them quickly; thousands of digits it would not.
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise SignatureError("no webhook-timestamp in whole seconds")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError("the webhook-timestamp is too far from our clock")
    return message_id, timestamp


@lru_cache(maxsize=1024)
def webhook_key(secret: str) -> bytes:
    """Return the key in a secret: what follows `whsec_`, decoded from base64; any other text in UTF-8.

    Raises ValueError, without repeating the secret, when `whsec_` is not followed by base64, or the key is empty.
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


def _signature(secret: str, content: bytes) -> str:
    if secret.startswith(public_keys.PREFIX):
        return public_keys.signature(secret, content)
    # To begin a code costs more than to copy one that is used again and again.
    code = _begun(secret).copy()
    code.update(content)
    return "v1," + b64encode(code.digest()).decode()


@lru_cache(maxsize=1024)
def _begun(secret: str) -> hmac.HMAC:
    return hmac.new(webhook_key(secret), digestmod="sha256")


def _octets(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
