"""The ASGI application: which address leads where."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse
from starlette.routing import Route

from config.settings import load
from web.address import Announcement
from web.change_listener import Watch
from web.client_address import Clients
from web.connection_limits import Connections
from web.coverage import Articles
from web.document_cache import Shelf, Withheld
from web.events import EventsIntake
from web.fast_path import Front
from web.feeds import FeedServer
from web.health import Health
from web.hub import HubFront
from web.metrics import Metrics
from web.pages import Pages
from web.problem_details import ErrorPages, problem
from web.request_body import Bodies, BodyRefused
from web.triggers import Triggers
from worker import clock
from worker.documents.quality_gate import FeedRefused
from worker.runtime import logs
from worker.runtime.web_server import end_with_starter, places
from worker.runtime.wiring import Services, build
from worker.store.redis_errors import report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

log = structlog.get_logger()


def application(services: Services) -> ASGIApp:
    """Return the application on these services."""
    shelf = Shelf()
    store = services.store
    announcement = Announcement(store.address, services.publication.base_url)

    def each_second() -> None:
        store.clock.measure()
        announcement.renew()

    watch = Watch(store.changes, shelf, services.documents.forget, each_second, announcement.end)
    settings = services.settings.web
    clients = Clients(settings.trusted_proxies)
    connections = Connections(settings.port, places(), settings.connections_per_client, clients.proxy)
    bodies = Bodies(settings.body_timeout, settings.bodies_per_client)
    events, triggers = EventsIntake(services, bodies, clients), Triggers(services, bodies, clients)
    feeds, hub = FeedServer(services, shelf), HubFront(services, bodies, clients)
    health, metrics = Health(services, watch), Metrics(services, clients)

    @asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        watch.start()
        connections.start()
        yield
        connections.stop()
        watch.stop()

    behind = Starlette(
        routes=[
            Route("/", _home),
            Route("/feeds", feeds.directory),
            Route("/feeds.opml", feeds.opml),
            Route("/feeds/", feeds.without_slash),
            Route("/feeds/{path:path}/", feeds.without_slash),
            Route("/feeds/{path:path}", feeds.feed),
            Route("/events", events.post, methods=["POST"]),
            Route("/events/{adapter}", triggers.post, methods=["POST"]),
            Route("/hub", hub.post, methods=["POST"]),
            Route("/api/articles/{article:path}/coverage", Articles(services).coverage),
            Route("/robots.txt", feeds.robots),
            Route("/favicon.svg", feeds.favicon),
            Route("/favicon.ico", feeds.favicon),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", metrics.show),
        ],
        exception_handlers={
            HTTPException: _refused,
            BodyRefused: _body_refused,
            FeedRefused: _kept_back,
            Withheld: _withheld,
            RedisError: _away,
            ClientDisconnect: _left,
            Exception: _failed,
        },
        lifespan=watching,
    )
    # It would be to the host that the client names.
    behind.router.redirect_slashes = False
    return Front(shelf, ErrorPages(behind, Pages(services.publication)), connections)


def create() -> ASGIApp:
    """Return the application for the settings of this process's environment: what the server calls."""
    settings = load()
    logs.configure(settings.log_level)
    end_with_starter()
    assert settings.redis_url is not None  # `dateline web` puts it in the environment when it is the embedded one
    services = build(settings, settings.redis_url)
    clock.follow(services.store.clock.now)
    made = application(services)
    # What has been made so far stays: the collector need not look through it again and again between requests.
    gc.collect()
    gc.freeze()
    return made


async def _home(request: Request) -> Response:
    del request
    return RedirectResponse("/feeds", 302)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    return problem(error.status_code, headers=error.headers)


async def _body_refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, BodyRefused)
    return problem(error.status, error.detail, headers=error.headers)


async def _left(request: Request, error: Exception) -> Response:
    """Nobody waits for this answer."""
    del request, error
    return problem(400)


async def _kept_back(request: Request, error: Exception) -> Response:
    del request
    return problem(503, f"The gate keeps it back: {error}", headers={"Retry-After": "300"})


async def _withheld(request: Request, error: Exception) -> Response:
    del request, error
    detail = "Redis has lost time and may not know of an article that was killed; until it does, nothing is shown."
    return problem(503, detail, headers={"Retry-After": "30"})


async def _away(request: Request, error: Exception) -> Response:
    assert isinstance(error, RedisError)
    report(log, error, "whoever asked may try again", path=request.url.path)
    return problem(503, "Redis does not answer; try again.", headers={"Retry-After": "5"})


async def _failed(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, "This is our fault, and it is in the log.")
