"""The ASGI application: what each address leads to, and how it goes over to other settings."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.routing import Route

from config.settings import load
from web.announced_address import AddressAnnouncer
from web.api.application import OPEN_PATHS, PREFIX
from web.api.application import application as api_application
from web.api.gate import ApiLimits, Gate
from web.api.parts import ApiParts
from web.change_listener import ChangeListener
from web.client_address import ClientAddresses
from web.connection_limits import ConnectionLimits
from web.coverage import CoverageEndpoint
from web.definition_listener import DefinitionListener
from web.desk.application import application as desk_application
from web.desk.parts import OPENID_DONE
from web.desk.parts import PREFIX as DESK_PREFIX
from web.document_cache import DocumentCache
from web.error_handlers import ERROR_HANDLERS
from web.event_consent import EventConsentEndpoint
from web.events import EventsEndpoint
from web.fast_path import FastPath
from web.feed_heads import FeedHeads
from web.feed_readers import NOTE_SECONDS, FeedReaders
from web.feeds import FeedServer
from web.health import HealthEndpoint
from web.hub import HubEndpoint
from web.key_set import KeySetEndpoint
from web.live_listener import LiveListener
from web.metrics import MetricsEndpoint
from web.pages import Pages
from web.partner.application import application as partner_application
from web.partner.parts import PREFIX as PARTNER_PREFIX
from web.private_feeds import PrivateFeeds, without_referrer
from web.problem_details import ErrorPages
from web.record_health import RecordHealth
from web.request_body import BodyReader
from web.rsscloud import CloudEndpoint
from web.triggers import TriggersEndpoint
from web.wrong_keys import WrongKeys
from worker import clock
from worker.alarms.orders import AlarmOrders
from worker.intake.article_orders import ArticleOrders
from worker.newsroom.publication import CLOUD_PATH
from worker.receivers.clearance import Clearance
from worker.receivers.previews import Previews
from worker.receivers.pull_stream import PullStreams
from worker.retention.agreement import LOOK_SECONDS
from worker.runtime import logs
from worker.runtime.duty import Duty
from worker.runtime.rereading import Rereading
from worker.runtime.services import Services, build
from worker.runtime.web_server import end_with_starter, places
from worker.takedown.event_receipts import EventReceipts
from worker.takedown.running_kills import RunningKills

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from config.settings import Settings
    from feeds.definition import FeedDefinition
    from worker.management.copies import ManagedFormat, ManagementCopy
    from worker.outbound.openid_provider import OpenIdProvider
    from worker.receivers.push_tests import PushTests

log = structlog.get_logger()


class WebProcess:
    """What a web process consists of.

    `application` is what the server calls, and stays. What is behind its fast path is built anew with the settings. The
    cached documents, the listener and the connections stay as well.
    """

    def __init__(self, services: Services) -> None:
        store = services.store
        self._services = services
        self._settings = services.settings
        self._definitions: tuple[FeedDefinition, ...] | None = None
        self._unreadable: frozenset[str] = frozenset()
        self._changing = Lock()
        self._heads = FeedHeads()
        self._cache = DocumentCache(self._heads)
        self._wrong_keys = WrongKeys(store.mistakes)
        self._announcer = AddressAnnouncer(store.address)
        self._formats: tuple[ManagedFormat, ...] = ()
        self._listener = ChangeListener(
            store.changes, self._heads, self._forget, self._each_second, self._announcer.withdraw
        )
        self._current = DefinitionListener(store, self._use_definitions)
        self._live = LiveListener(store.live)
        self._live_summary = LiveListener(store.live.summary)
        self._clearance = Clearance(store.withdrawals, f"web-{uuid4().hex}")
        self._push_tests: PushTests | None = None
        self._openid: OpenIdProvider | None = None
        self._management = services.management.listener(self._use_managed, tends=False)
        # The first of all: nobody is served from a Redis that has lost time.
        self._agreement = Duty("agreement", services.agreement.check, LOOK_SECONDS)
        self._connections = ConnectionLimits(places())
        self._readers = FeedReaders()
        self._readers_duty = Duty("readers", self._keep_readers, NOTE_SECONDS)
        self.application = FastPath(self._cache, self._behind(services), self._connections, self._readers)

    def use(self, settings: Settings) -> None:
        """Go over to other settings, from any thread. Requests that have begun end with the old ones.

        The definitions of feeds stay those that are current: the settings' own are so when workers announce them.
        """
        with self._changing:
            self._go_over(settings, self._definitions, self._unreadable)

    def _use_definitions(self, definitions: tuple[FeedDefinition, ...], unreadable: frozenset[str]) -> None:
        """Go over to other definitions of feeds; see DefinitionListener."""
        with self._changing:
            if (definitions, unreadable) == (self._services.settings.feeds, self._unreadable):
                self._definitions = definitions
            else:
                self._go_over(self._settings, definitions, unreadable)

    def _use_managed(self, copy: ManagementCopy) -> None:
        """Make documents anew when the newsroom's own formats have changed."""
        if copy.formats != self._formats:
            self._formats = copy.formats
            self._heads.settings_changed()

    def _go_over(
        self, settings: Settings, definitions: tuple[FeedDefinition, ...] | None, unreadable: frozenset[str]
    ) -> None:
        effective = settings if definitions is None else settings.model_copy(update={"feeds": definitions})
        services = self._services.rewired(effective)
        behind = self._behind(services, unreadable)
        self._settings, self._definitions, self._unreadable = settings, definitions, unreadable
        self._services, self.application.behind = services, behind
        self._heads.settings_changed()

    def _behind(self, services: Services, unreadable: frozenset[str] = frozenset()) -> ASGIApp:
        services.make_all()
        settings = services.settings.web
        self._cache.keep_private({feed.name for feed in services.settings.feeds if feed.private})
        addresses = ClientAddresses(settings.trusted_proxies)
        self._connections.configure(settings.connections_per_client, addresses.is_proxy)
        bodies = BodyReader(settings.body_timeout, settings.bodies_per_client)
        private = PrivateFeeds(services.management, addresses, self._wrong_keys)
        pages = Pages(services.publication, services.settings)
        feeds = FeedServer(
            services.store,
            services.publication,
            services.documents,
            services.payloads,
            self._cache,
            private,
            unreadable,
            pages,
            self._readers,
        )
        slow_path = _slow_path(services, pages, feeds, self._listener, addresses, bodies, self._lifespan)
        former, self._push_tests = self._push_tests, services.new_push_tests()
        if former is not None:
            former.stop()
        parts = _api_parts(services, self._live, self._live_summary, self._push_tests, self._clearance)
        routes = api_application(parts)
        limits = ApiLimits(requests=services.settings.api.requests, body=settings.max_body_bytes)
        ring, requests = services.management.ring, services.store.api_requests
        api = Gate(routes, ring, requests, bodies, addresses, self._wrong_keys, limits, OPEN_PATHS)
        former_provider, self._openid = self._openid, services.new_openid_provider(OPENID_DONE)
        if former_provider is not None:
            former_provider.stop()
        health = RecordHealth(services.record)
        desk = desk_application(routes, parts, addresses, bodies, health, self._openid)
        partner = partner_application(routes, parts, addresses, bodies)
        return _beside({PREFIX: api, DESK_PREFIX: desk, PARTNER_PREFIX: partner}, slow_path)

    def _keep_readers(self) -> None:
        self._readers.keep(self._services.publication, self._services.recorded)

    def _forget(self) -> None:
        self._services.documents.forget()
        self._services.payloads.forget()

    def _each_second(self) -> None:
        self._services.store.clock.measure()
        self._announcer.announce(self._services.publication.base_url)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._agreement.start()
        self._listener.start()
        self._current.start()
        self._management.start()
        self._live.start()
        self._live_summary.start()
        self._connections.start()
        self._readers_duty.start()
        yield
        self._readers_duty.stop()
        self._live.stop()
        self._live_summary.stop()
        self._clearance.stop()
        if self._push_tests is not None:
            self._push_tests.stop()
        if self._openid is not None:
            self._openid.stop()
        self._agreement.stop()
        self._connections.stop()
        self._management.stop()
        self._current.stop()
        self._listener.stop()
        self._management.join()


def _slow_path(
    services: Services,
    pages: Pages,
    feeds: FeedServer,
    listener: ChangeListener,
    addresses: ClientAddresses,
    body_reader: BodyReader,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> ASGIApp:
    """Return the application behind the fast path, which answers everything that the cache can't."""
    settings, store, publication = services.settings, services.store, services.publication
    signing_keys = tuple(key.get_secret_value() for key in settings.signing_keys)
    ring = services.management.ring
    events = EventsEndpoint(services.intake, settings, ring, body_reader, addresses)
    triggers = TriggersEndpoint(services.intake, settings, body_reader, addresses)
    hub = HubEndpoint(services.hub, body_reader, addresses)
    coverage = CoverageEndpoint(store, services.articles, services.recorded, publication, ring, addresses)
    record_health = RecordHealth(services.record)
    health = HealthEndpoint(store, record_health, services.wakeups, listener, services.agreement)
    metrics = MetricsEndpoint(
        store, record_health, publication, settings, services.management.endpoints_in_use, addresses
    )
    application = Starlette(
        routes=[
            # The first: whoever posts is not to wait for the others to be looked at.
            Route("/events", events.post, methods=["POST"]),
            Route("/", feeds.directory),
            Route("/feeds", feeds.directory),
            Route("/feeds.opml", feeds.opml),
            Route("/feeds/", feeds.without_slash),
            Route("/feeds/{path:path}/", feeds.without_slash),
            Route("/feeds/{path:path}", feeds.feed),
            Route("/events", EventConsentEndpoint(settings.event_origins).options, methods=["OPTIONS"]),
            Route("/events/{adapter}", triggers.post, methods=["POST"]),
            Route("/hub", hub.post, methods=["POST"]),
            Route(CLOUD_PATH, CloudEndpoint(services.rsscloud, body_reader, addresses).post, methods=["POST"]),
            Route(
                "/api/articles/{article:path}/coverage",
                coverage.get,
            ),
            Route("/.well-known/jwks.json", KeySetEndpoint(signing_keys).get),
            Route("/.well-known/tdmrep.json", feeds.tdmrep),
            Route("/logo", feeds.logo),
            Route("/robots.txt", feeds.robots),
            Route("/favicon.svg", feeds.favicon),
            Route("/favicon.ico", feeds.favicon),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", metrics.get),
        ],
        exception_handlers=ERROR_HANDLERS,
        lifespan=lifespan,
    )
    # Starlette would redirect to the host that the client names.
    application.router.redirect_slashes = False
    return without_referrer(ErrorPages(application, pages))


def _beside(applications: Mapping[str, ASGIApp], pages: ASGIApp) -> ASGIApp:
    """Return the application that has others at their addresses and below them, and the pages at all others."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, application in applications.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                await application(scope, receive, send)
                return
        await pages(scope, receive, send)

    return choose


def _api_parts(
    services: Services, live: LiveListener, live_summary: LiveListener, push_tests: PushTests, clearance: Clearance
) -> ApiParts:
    """Return what the API and the desk use."""
    settings, store, management = services.settings, services.store, services.management
    articles, recorded, publication = services.articles, services.recorded, services.publication
    return ApiParts(
        settings=settings,
        store=store,
        record=services.record,
        articles=articles,
        recorded=recorded,
        publication=publication,
        documents=services.documents,
        wakeups=services.wakeups,
        management=management,
        orders=ArticleOrders(store, articles, recorded, services.intake, management.audit, way="api"),
        receipts=EventReceipts(store, services.record, articles, publication),
        endpoint_orders=services.endpoint_orders,
        previews=Previews(store, publication),
        sent_feeds=services.sent_feeds,
        pulls=PullStreams(store, articles, publication.provider, clearance, services.alerts),
        push_tests=push_tests,
        live=live,
        live_summary=live_summary,
        running_kills=RunningKills(store, services.record, articles, publication),
        alarms=AlarmOrders(store, management.audit),
    )


def create(*, aloud: bool = True) -> ASGIApp:
    """Return the application by the settings in this process's environment. The server calls it.

    The settings are read again at each SIGHUP; with `aloud` this process logs what has changed.
    """
    settings = load()
    logs.configure(settings.log_level)
    end_with_starter()
    assert settings.redis_url is not None  # `dateline web` puts it in the environment when it is the embedded one
    services = build(settings, settings.redis_url)
    clock.follow(services.store.clock.now)
    with suppress(RedisError):
        # Before anything connects: the first look at Redis cuts all connections.
        services.agreement.check()
    process = WebProcess(services)
    rereading = Rereading(settings, load, aloud=aloud)
    Thread(target=_follow_settings, args=(process, rereading), name="settings", daemon=True).start()
    _freeze_memory()
    return process.application


def _follow_settings(process: WebProcess, rereading: Rereading) -> None:
    """Go over to new settings at each SIGHUP, which all threads have blocked (worker/cli)."""
    while True:
        signal.sigwait({signal.SIGHUP})
        reading = rereading.read()
        if reading is None:
            continue
        try:
            if reading.changed:
                process.use(reading.settings)
                gc.unfreeze()
                _freeze_memory()
        except Exception:
            log.exception("settings_not_taken", next_step="the old ones stay in force")
        else:
            rereading.note_in_force(reading)
            rereading.tell(reading)


def _freeze_memory() -> None:
    """Keep the garbage collector from looking again and again through objects that live as long as the process."""
    gc.collect()
    gc.freeze()
