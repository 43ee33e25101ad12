"""Sealing: secrets of managed endpoints are in the record and in Redis, and can be opened by our own processes alone.

AES-256 in Galois/Counter Mode (NIST SP 800-38D), with the endpoint's name and the field as associated data: a value
that was put under another name or field can't be opened. While keys are rotated there are several: the first one
seals, all of them open.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = "1"
"""Stands before each sealed value: how it is made."""


class CantSeal(Exception):
    """There is no key to seal by; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "can't be kept without a key: set management.secret_key (`dateline management new-key` prints one)"
        )


class CantOpen(Exception):
    """A sealed value can't be opened; the message says why, in one line, and has nothing of it."""


def new_key() -> str:
    """Return a new key, as it stands in the settings."""
    return b64encode(os.urandom(KEY_BYTES)).decode()


class Sealer:
    """Seals by the first of the keys (base64), and opens by any of them."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in map(b64decode, keys)}

    @property
    def can_seal(self) -> bool:
        """Whether there is a key."""
        return bool(self._ciphers)

    def seal(self, name: str, field: str, value: str) -> str:
        """Return a value of an endpoint's field, sealed. Raises CantSeal without a key."""
        for key_id, cipher in self._ciphers.items():
            nonce = os.urandom(_NONCE_BYTES)
            sealed = cipher.encrypt(nonce, value.encode(), _associated(name, field))
            return f"{_FORM}.{key_id}.{b64encode(nonce + sealed).decode()}"
        raise CantSeal

    def open(self, name: str, field: str, sealed: str) -> str:
        """Return what was sealed. Raises CantOpen when its key is not there, or it is not what was sealed."""
        form, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if form != _FORM or cipher is None:
            raise CantOpen(f"{field} was sealed by another key than those in management.secret_key: put that one back")
        try:
            octets = b64decode(text, validate=True)
            return cipher.decrypt(octets[:_NONCE_BYTES], octets[_NONCE_BYTES:], _associated(name, field)).decode()
        except (InvalidTag, ValueError):
            raise CantOpen(f"{field} is damaged, or was sealed for another endpoint: set it again") from None

    def is_sealed_by_the_first(self, sealed: str) -> bool:
        """Whether a value is sealed by the key that seals now."""
        return sealed.startswith(f"{_FORM}.{next(iter(self._ciphers), '')}.")


def _key_id(key: bytes) -> str:
    """What tells a key from others, and nothing of it: it has 256 random bits."""
    return sha256(b"dateline sealing key" + key).hexdigest()[:8]


def _associated(name: str, field: str) -> bytes:
    return f"{name}\n{field}".encode()
