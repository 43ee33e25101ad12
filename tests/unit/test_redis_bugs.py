"""A bug that shows as an error of Redis is never called an outage: it becomes a 500, with a line in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
import redis
from starlette.requests import Request
from starlette.responses import Response

from config.settings import Settings
from feeds.definition import FeedDefinition
from web.client_address import ClientAddresses
from web.error_handlers import ERROR_HANDLERS
from web.events import EventsEndpoint
from web.health import HealthEndpoint
from web.hub import HubEndpoint
from web.request_body import BodyReader
from worker.management.keys import KeyRing

BUG = redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
AWAY = redis.ConnectionError("refused")


def request(body: bytes, **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "client": ("127.0.0.1", 1)}
    return Request(scope | {"query_string": b"", "server": ("127.0.0.1", 80), "scheme": "http"}, receive)


def events(error: Exception) -> Awaitable[Response]:
    settings = Settings(feeds=(FeedDefinition(name="a", title="A"),))
    intake = Mock(accept=Mock(side_effect=error))
    ring = KeyRing()
    ring.use_tokens(["token"])
    endpoint = EventsEndpoint(intake, settings, ring, BodyReader(5, 2), ClientAddresses([]))
    return endpoint.post(request(b'{"id": "e"}', authorization="Bearer token"))


def hub(error: Exception) -> Awaitable[Response]:
    endpoint = HubEndpoint(Mock(request=Mock(side_effect=error)), BodyReader(5, 2), ClientAddresses([]))
    return endpoint.post(request(b"hub.mode=subscribe", content_type="application/x-www-form-urlencoded"))


def health(error: Exception) -> Awaitable[Response]:
    record = Mock(absence=AsyncMock(return_value=None))
    endpoint = HealthEndpoint(Mock(probe=Mock(side_effect=error)), record, Mock(), Mock(silent_seconds=2.0))
    return endpoint.ready(request(b""))


@pytest.mark.parametrize("endpoint", [events, hub, health])
def test_an_outage_is_a_503_and_a_bug_is_a_500(endpoint: Callable[[Exception], Awaitable[Response]]) -> None:
    async def status(error: Exception) -> int:
        try:
            return (await endpoint(error)).status_code
        except redis.RedisError as raised:
            handler = cast(Any, ERROR_HANDLERS[redis.RedisError])
            return cast(Response, await handler(request(b""), raised)).status_code

    assert [503, 500] == [asyncio.run(status(error)) for error in (AWAY, BUG)]
