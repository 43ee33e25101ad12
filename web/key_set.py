"""GET /.well-known/jwks.json: the public keys that check our signatures (RFC 7517, section 5; RFC 8615)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from worker.outbound.public_keys import key_set

if TYPE_CHECKING:
    from starlette.requests import Request

_CACHED_SECONDS = 300
"""How long a key set may be kept: after a rotation the old key signs for longer than that beside the new one."""


class KeySetEndpoint:
    """Shows the public halves of the signing keys."""

    def __init__(self, signing_keys: tuple[str, ...]) -> None:
        self._document = key_set(signing_keys)

    async def get(self, request: Request) -> Response:
        """Return the keys, the one that signs now first."""
        del request
        headers = {"Cache-Control": f"public, max-age={_CACHED_SECONDS}"}
        return Response(self._document, headers=headers, media_type="application/jwk-set+json")
