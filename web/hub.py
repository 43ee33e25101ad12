"""POST /hub: subscriptions (W3C WebSub, section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from web.header_fields import media_type
from web.request_body import BodyRefused
from worker import clock
from worker.hub.hub_requests import BODY_BYTES, HubBusy
from worker.hub.request_form import HubRefused
from worker.store import redis_errors

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.client_address import ClientAddresses
    from web.request_body import BodyReader
    from worker.hub.hub_requests import HubRequests

_FORM = "application/x-www-form-urlencoded"


class HubEndpoint:
    """Answers subscribers."""

    def __init__(self, hub: HubRequests, body_reader: BodyReader, addresses: ClientAddresses) -> None:
        self._hub = hub
        self._body_reader = body_reader
        self._addresses = addresses

    async def post(self, request: Request) -> Response:
        """Take a request: 202 at once, before it is verified; else 4xx with a reason as plain text (section 5.1.2)."""
        if media_type(request.headers) != _FORM:
            return PlainTextResponse(f"The request must be {_FORM}\n", 415)
        client = self._addresses.of(request)
        try:
            body = await self._body_reader.read(request, BODY_BYTES, client, authenticated=False)
            await run_in_threadpool(self._hub.request, body.content, client, clock.agreed())
        except BodyRefused as error:
            return PlainTextResponse(f"{error.detail}\n", error.status, error.headers)
        except HubRefused as error:
            return PlainTextResponse(f"{error}\n", 400)
        except HubBusy as error:
            return PlainTextResponse(f"{error}\n", 429, {"Retry-After": "60"})
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return PlainTextResponse(
                "The hub can't store requests at the moment; try again.\n", 503, {"Retry-After": "30"}
            )
        return Response(None, 202)
