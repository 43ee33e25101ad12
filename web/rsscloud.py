"""POST /cloud/pleaseNotify: registrations by rssCloud, answered with its notifyResult."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

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
    from worker.hub.cloud_requests import CloudRequests

_FORM = "application/x-www-form-urlencoded"


class CloudEndpoint:
    """Answers readers. `cloud`: None where registrations are not taken."""

    def __init__(self, cloud: CloudRequests | None, body_reader: BodyReader, addresses: ClientAddresses) -> None:
        self._cloud = cloud
        self._body_reader = body_reader
        self._addresses = addresses

    async def post(self, request: Request) -> Response:
        """Take a registration: it counts once the reader has confirmed it, of which it is asked within moments."""
        if self._cloud is None:
            return _result("registrations by rssCloud are not taken here; there is a hub for WebSub", 404)
        if media_type(request.headers) != _FORM:
            return _result(f"the request must be {_FORM}", 415)
        client = self._addresses.of(request)
        try:
            body = await self._body_reader.read(request, BODY_BYTES, client, authenticated=False)
        except BodyRefused as error:
            return _result(error.detail, error.status, error.headers)
        return await run_in_threadpool(self._registered, self._cloud, body.content, client)

    @staticmethod
    def _registered(cloud: CloudRequests, body: bytes, client: str) -> Response:
        try:
            registration = cloud.register(body, client, clock.agreed())
        except HubRefused as error:
            return _result(str(error), 400)
        except HubBusy as error:
            return _result(str(error), 429, {"Retry-After": "60"})
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return _result("registrations can't be stored at the moment; try again", 503, {"Retry-After": "30"})
        return _result(f"{registration.callback} is asked now; register again within 25 hours", 200)


def _result(message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    success = "true" if status == 200 else "false"
    content = f'<?xml version="1.0" encoding="utf-8"?>\n<notifyResult success="{success}" msg={quoteattr(message)}/>\n'
    return Response(content, status, headers, "text/xml; charset=utf-8")
