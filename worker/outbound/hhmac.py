"""How requests to Apple's News API are signed: HHMAC, an HMAC-SHA256 of the request in an Authorization header.

Source: Apple News API, "About the Apple News Security Model" and "Signing the HTTP Request". What is signed is the
method, the URL, the date and, of a request with a body, its media type and the body, with nothing between them.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the News API: its id, and the secret in Base64 as News Publisher shows it."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    def authorization(self, method: str, url: str, now: datetime, media_type: str = "", body: bytes = b"") -> str:
        """Return the header line that signs a request; `media_type` as its Content-Type has it."""
        date = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        canonical = f"{method}{url}{date}{media_type}".encode() + body
        signature = b64encode(hmac.digest(b64decode(self.secret), canonical, sha256)).decode("ascii")
        return f'Authorization: HHMAC; key="{self.id}"; signature="{signature}"; date="{date}"'
