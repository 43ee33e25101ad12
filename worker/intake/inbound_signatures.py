"""Checks the signatures of other systems that send us articles, each in its own way.

Sources: superdesk-core, `publish/transmitters/http_push.py` (HMAC-SHA1 of the body); Ghost 5 and 6,
`services/webhooks/webhook-trigger.js` (HMAC-SHA256 of body and milliseconds). WordPress signs nothing itself; its
webhook plugins send a bearer token (RFC 6750) or an HMAC-SHA256 of the body in one of two headers.

Superdesk and WordPress sign no time, so whoever has seen a request of theirs can send it again. That changes nothing:
the same bytes are the same event, and later its version or its time is stale.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.outbound.signing import TOLERANCE_SECONDS, SignatureError

Check = Callable[[Mapping[str, str], bytes, Sequence[str], float], None]
"""check(headers, body, secrets, now) raises SignatureError unless one of the secrets has signed the body.

`headers` finds names in lower case; `now` is in seconds since 1970.
"""

_GHOST = re.compile(r"sha256=([0-9a-f]{64}), ?t=([0-9]{10,15})", re.ASCII)


def superdesk(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Check `x-superdesk-signature: sha1=HEX`."""
    del now  # it signs no time
    signature = headers.get("x-superdesk-signature", "")
    _check_any(signature, (f"sha1={_hmac(secret, body, 'sha1')}" for secret in secrets), "x-superdesk-signature")


def ghost(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Check `x-ghost-signature: sha256=HEX, t=MILLISECONDS`, and that its time is near."""
    match = _GHOST.fullmatch(headers.get("x-ghost-signature", ""))
    if not match:
        raise SignatureError("no x-ghost-signature with its time,")
    digest, milliseconds = match.groups()
    if abs(now - int(milliseconds) / 1000) > TOLERANCE_SECONDS:
        raise SignatureError("the time of the x-ghost-signature is too far from our clock")
    signed = body + milliseconds.encode()
    _check_any(digest, (_hmac(secret, signed, "sha256") for secret in secrets), "x-ghost-signature")


def wordpress(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Check `Authorization: Bearer SECRET`, else `X-Hub-Signature-256` or `X-Webhook-Signature: sha256=HEX`."""
    del now  # it signs no time
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        _check_any(token.strip(), secrets, "bearer token")
        return
    signature = headers.get("x-hub-signature-256") or headers.get("x-webhook-signature", "")
    digests = (_hmac(secret, body, "sha256") for secret in secrets)
    _check_any(signature.removeprefix("sha256="), digests, "bearer token, x-hub-signature-256 or x-webhook-signature")


@dataclass(frozen=True, slots=True)
class SigningSystem:
    """How one system signs: the check of a request, and what the request must carry for it.

    signature_headers: a signature is in one of these. takes_bearer: a bearer token will do in place of a signature; it
    does not depend on the body.
    """

    check: Check
    signature_headers: tuple[str, ...]
    takes_bearer: bool = False


SIGNING_SYSTEMS: dict[str, SigningSystem] = {
    "ninjs": SigningSystem(superdesk, ("x-superdesk-signature",)),
    "wordpress": SigningSystem(wordpress, ("x-hub-signature-256", "x-webhook-signature"), takes_bearer=True),
    "ghost": SigningSystem(ghost, ("x-ghost-signature",)),
}
"""The systems that may post to us, by the names of their adapters."""


def checked_by_head(adapter: str, headers: Mapping[str, str], secrets: Sequence[str], now: float) -> bool:
    """Check what can be checked before the body is there; True when that is all, as with a bearer token.

    Raises SignatureError when no body could make the request right.
    """
    system = SIGNING_SYSTEMS[adapter]
    if system.takes_bearer and headers.get("authorization", "").lower().startswith("bearer "):
        system.check(headers, b"", secrets, now)
        return True
    if not any(headers.get(name) for name in system.signature_headers):
        raise SignatureError(f"no {' or '.join(system.signature_headers)} is there")
    return False


def _hmac(secret: str, content: bytes, method: str) -> str:
    return hmac.digest(secret.encode(), content, method).hex()


def _check_any(signature: str, right_signatures: Iterable[str], header: str) -> None:
    # All are compared, so that the time it takes does not show which came close.
    if sum(hmac.compare_digest(signature.encode(), right.encode()) for right in right_signatures) == 0:
        raise SignatureError(f"no {header} is right")
