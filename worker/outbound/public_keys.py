"""Ed25519 keys with which we sign so that anybody can check it who has our public keys: `v1a` of Standard Webhooks.

Sources: Standard Webhooks 1.0 (standardwebhooks.com), "Signature scheme", asymmetric; RFC 8032 (Ed25519); RFC 7517 and
RFC 8037 (JSON Web Keys), RFC 7638 (thumbprints).
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "whsk_"
_SEED_BYTES = 32


@lru_cache(maxsize=64)
def private_key(text: str) -> Ed25519PrivateKey:
    """Return the key in `whsk_` and the base64 of 32 bytes. Raises ValueError, without the text, for anything else."""
    try:
        octets = b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except binascii.Error:
        octets = b""
    if len(octets) != _SEED_BYTES:
        raise ValueError(f"must be {PREFIX} and the base64 of {_SEED_BYTES} bytes, an Ed25519 private key")
    return Ed25519PrivateKey.from_private_bytes(octets)


def signature(text: str, content: bytes) -> str:
    """Return the signature of a content with the key in this text, as it stands in `webhook-signature`."""
    return "v1a," + b64encode(private_key(text).sign(content)).decode()


def key_set(texts: tuple[str, ...]) -> bytes:
    """Return the public keys of these private ones as a JSON Web Key Set (RFC 7517, section 5)."""
    return json.dumps({"keys": [_public(text) for text in texts]}, separators=(",", ":")).encode()


def _public(text: str) -> dict[str, str]:
    x = _base64url(private_key(text).public_key().public_bytes_raw())
    required = {"crv": "Ed25519", "kty": "OKP", "x": x}
    # RFC 7638, section 3: the members in the order of their names, without white space.
    thumbprint = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    return {**required, "alg": "EdDSA", "use": "sig", "kid": _base64url(thumbprint)}


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
