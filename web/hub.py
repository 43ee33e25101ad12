"""POST /hub: subscriptions (W3C WebSub, section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from web.request_body import BodyRefused
from worker import clock
from worker.hub.hub_requests import BODY_BYTES, HubBusy
from worker.hub.request_form import HubRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.client_address import Clients
    from web.request_body import Bodies
    from worker.runtime.wiring import Services

_FORM = "application/x-www-form-urlencoded"


class HubFront:
    """Answers subscribers."""

    def __init__(self, services: Services, bodies: Bodies, clients: Clients) -> None:
        self._bodies = bodies
        self._clients = clients
        self._hub = services.hub

    async def post(self, request: Request) -> Response:
        """Take a request: 202 at once, whatever its verification will bring; else 4xx with a reason as plain text."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return PlainTextResponse(f"The request must be {_FORM}\n", 415)
        client = self._clients.address(request)
        try:
            body = await self._bodies.read(request, BODY_BYTES, client, known=False)
            await run_in_threadpool(self._hub.request, body.content, client, clock.agreed())
        except BodyRefused as error:
            return PlainTextResponse(f"{error.detail}\n", error.status, error.headers)
        except HubRefused as error:
            return PlainTextResponse(f"{error}\n", 400)
        except HubBusy as error:
            return PlainTextResponse(f"{error}\n", 429, {"Retry-After": "60"})
        except RedisError:
            return PlainTextResponse(
                "The hub can't keep requests at the moment; try again.\n", 503, {"Retry-After": "30"}
            )
        return Response(None, 202)
