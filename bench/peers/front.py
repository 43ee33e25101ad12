"""Peer (a) behind the web server that Dateline runs on: an event comes in over HTTP and one task is sent for it.

At `/events/nothing` none is sent: what client and server take alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.post import deliver

if TYPE_CHECKING:
    from starlette.requests import Request

TARGET, SECRET = "BENCH_TARGET", "BENCH_SECRET"
"""Environment variables: the one subscriber, and its secret."""


async def _events(request: Request) -> Response:
    event = await request.json()
    await run_in_threadpool(deliver.delay, os.environ[TARGET], os.environ[SECRET], event["body"])
    return Response(status_code=202)


async def _nothing(request: Request) -> Response:
    await request.json()
    return Response(status_code=202)


app = Starlette(
    routes=[Route("/events", _events, methods=["POST"]), Route("/events/nothing", _nothing, methods=["POST"])]
)
