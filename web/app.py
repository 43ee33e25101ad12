"""The ASGI application: which address leads where."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from threading import Thread
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
from worker.runtime.rereading import Rereading
from worker.runtime.web_server import end_with_starter, places
from worker.runtime.wiring import Services, build
from worker.store.redis_errors import kind, report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from config.settings import Settings

log = structlog.get_logger()


class Application:
    """What serves. `front` is the ASGI application: it stays, and what is behind it is made anew with the settings."""

    def __init__(self, services: Services) -> None:
        store = services.store
        self._services = services
        self._shelf = Shelf()
        self._announcement = Announcement(store.address)
        self._watch = Watch(store.changes, self._shelf, self._forget, self._each_second, self._announcement.end)
        self._connections = Connections(services.settings.web.port, places())
        self.front = Front(self._shelf, self._behind(services), self._connections)

    def take(self, settings: Settings) -> None:
        """Go over to other settings. From any thread; requests that have begun end by those that they began with."""
        services = self._services.rewired(settings)
        behind = self._behind(services)
        self._services, self.front.behind = services, behind
        self._shelf.renew()

    def _behind(self, services: Services) -> ASGIApp:
        settings = services.settings.web
        clients = Clients(settings.trusted_proxies)
        self._connections.bound(settings.connections_per_client, clients.proxy)
        return _behind(services, self._shelf, self._watch, clients, self._watching)

    def _forget(self) -> None:
        self._services.documents.forget()
        self._services.payloads.forget()

    def _each_second(self) -> None:
        self._services.store.clock.measure()
        self._announcement.say(self._services.publication.base_url)

    @asynccontextmanager
    async def _watching(self, _: Starlette) -> AsyncIterator[None]:
        self._watch.start()
        self._connections.start()
        yield
        self._connections.stop()
        self._watch.stop()


def _behind(
    services: Services,
    shelf: Shelf,
    watch: Watch,
    clients: Clients,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> ASGIApp:
    """Return what answers all that does not stand on the shelf."""
    settings = services.settings.web
    bodies = Bodies(settings.body_timeout, settings.bodies_per_client)
    events, triggers = EventsIntake(services, bodies, clients), Triggers(services, bodies, clients)
    feeds, hub = FeedServer(services, shelf), HubFront(services, bodies, clients)
    health, metrics = Health(services, watch), Metrics(services, clients)
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
        lifespan=lifespan,
    )
    # It would be to the host that the client names.
    behind.router.redirect_slashes = False
    return ErrorPages(behind, Pages(services.publication))


def create(*, aloud: bool = True) -> ASGIApp:
    """Return the application for the settings of this process's environment: what the server calls.

    They are read again at each SIGHUP; `aloud`: what has changed is said by this process.
    """
    settings = load()
    logs.configure(settings.log_level)
    end_with_starter()
    assert settings.redis_url is not None  # `dateline web` puts it in the environment when it is the embedded one
    services = build(settings, settings.redis_url)
    clock.follow(services.store.clock.now)
    made = Application(services)
    rereading = Rereading(settings, load, aloud=aloud)
    Thread(target=_follow, args=(made, rereading), name="settings", daemon=True).start()
    _keep()
    return made.front


def _follow(made: Application, rereading: Rereading) -> None:
    """Take the settings anew at each SIGHUP, which all threads have blocked (worker/cli)."""
    while True:
        signal.sigwait({signal.SIGHUP})
        reading = rereading.read()
        if reading is None:
            continue
        try:
            if reading.changed:
                made.take(reading.settings)
                gc.unfreeze()
                _keep()
        except Exception:
            log.exception("settings_not_taken", next_step="the old ones stay in force")
        else:
            rereading.taken(reading)
            rereading.tell(reading)


def _keep() -> None:
    """What has been made so far stays: the collector need not look through it again and again between requests."""
    gc.collect()
    gc.freeze()


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
    if kind(error) == "bug":
        # Redis did answer: to ask again changes nothing.
        return problem(500, "This is our fault, and it is in the log.")
    return problem(503, "Redis does not answer; try again.", headers={"Retry-After": "5"})


async def _failed(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, "This is our fault, and it is in the log.")
