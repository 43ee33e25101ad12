"""OPTIONS /events: senders of CloudEvents ask whether they may send to us.

Source: CloudEvents 1.0, "HTTP 1.1 Web Hooks for Event Delivery", section 4 (abuse protection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request


class EventConsentEndpoint:
    """Consents to senders from these origins (DNS names; "*": all)."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.lower() for origin in origins)

    async def options(self, request: Request) -> Response:
        """Say which methods there are; and to a sender that asks, that it may send as much as it likes.

        An origin that is not allowed gets no consent, and the same status: the handshake does not go by that.
        """
        headers = {"Allow": "POST, OPTIONS"}
        origin = request.headers.get("webhook-request-origin", "").strip()
        if origin and (origin.lower() in self._origins or "*" in self._origins):
            headers |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
        return Response(headers=headers)
