"""Wires together what every process has: the store, the record, the site and its documents, the ways in.

Each part is made, and what it needs is imported, when it is asked for: a command that asks Redis alone starts without
the record, Celery and libcurl. wiring.py has what workers run beside these, and the table of all functions that
rooms are given.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from worker.management.formats_in_use import take_over
from worker.store import Store
from worker.store.alerts import Alerts

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.settings import Settings
    from worker.destinations.endpoint import Endpoint
    from worker.documents.feed_documents import FeedDocuments
    from worker.documents.feed_payloads import FeedPayloads
    from worker.documents.feed_renderer import FeedRenderer
    from worker.hub.cloud_requests import CloudRequests
    from worker.hub.hub_requests import HubRequests
    from worker.intake.accept import Intake
    from worker.management.management import Management
    from worker.newsroom.publication import Publication
    from worker.outbound.guard import Guard
    from worker.outbound.oauth2_tokens import Tokens
    from worker.outbound.openid_provider import OpenIdProvider
    from worker.outbound.webhook_consents import Consents
    from worker.receivers.endpoint_orders import EndpointOrders
    from worker.receivers.push_tests import PushTests
    from worker.receivers.sent_feeds import SentFeeds
    from worker.record import Record
    from worker.record.group_commit import GroupCommit
    from worker.retention.agreement import Agreement
    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.wakeups import Wakeups


class Backends:
    """Redis, the record and the broker, as a process uses them whatever its settings become later."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        self._settings = settings
        self._redis_url = redis_url
        self.store = Store.connect(redis_url)

    @cached_property
    def record(self) -> Record:
        """What has happened."""
        from worker.runtime.record_in_use import record_of

        return record_of(self._settings)

    @cached_property
    def commits(self) -> GroupCommit:
        """Commits accepted events to the record, those that come at a time together."""
        from worker.record.group_commit import GroupCommit

        return GroupCommit(self.record)

    @cached_property
    def agreement(self) -> Agreement:
        """Sees whether Redis has what the record has."""
        from worker.retention.agreement import Agreement

        return Agreement(self.store, Store.connect(self._redis_url), self.record)

    @cached_property
    def management(self) -> Management:
        """Who may do what. It goes over to the settings of the newest services."""
        from worker.management.management import Management
        from worker.management.surroundings import Surroundings

        management = Management(self.store, self.record, Surroundings.of(self._settings))
        management.go_over(self._settings)
        return management

    def go_over(self, settings: Settings) -> None:
        """Go by other settings in what is not made anew for them."""
        self._settings = settings
        if "management" in vars(self):
            self.management.go_over(settings)
        else:
            take_over(settings.formats)

    @cached_property
    def wakeups(self) -> Wakeups:
        """Wakes workers through Celery."""
        from worker.runtime.celery_app import app, configure
        from worker.wakeups import Wakeups

        configure(self._settings.broker_url or self._redis_url)
        return Wakeups(app)

    def close(self) -> None:
        """Commit what is left, and close the connections that were opened."""
        opened = vars(self)
        if "commits" in opened:
            self.commits.stop()
        self.store.close()
        if "agreement" in opened:
            self.agreement.close()
        if "record" in opened:
            self.record.close()


class Services:
    """What every process needs. By other settings there are others on the same backends (`rewired`)."""

    def __init__(self, settings: Settings, backends: Backends) -> None:
        self._backends = backends
        backends.go_over(settings)
        self.settings = settings
        self.store = backends.store
        self.alerts = Alerts(self.store.operations, webhook=settings.operations.url is not None)
        self.store.damaged_records.alert = partial(self.alerts.raise_alert, "record.damaged")

    @cached_property
    def publication(self) -> Publication:
        """Which feeds there are, and what documents say of the newsroom."""
        from worker.newsroom.publication import Publication

        settings = self.settings
        return Publication(
            base_url=settings.site.base_url,
            title=settings.site.title,
            authority=settings.site.id_authority,
            edition=settings.site.edition,
            configured=settings.feeds,
            logo_url=settings.site.logo_url or "",
            partner_formats=settings.site.partner_formats,
            machines=settings.site.machines,
            rsscloud=settings.websub.rsscloud,
        )

    @property
    def record(self) -> Record:
        """What has happened."""
        return self._backends.record

    @property
    def commits(self) -> GroupCommit:
        """Commits accepted events to the record."""
        return self._backends.commits

    @property
    def agreement(self) -> Agreement:
        """Sees whether Redis has what the record has."""
        return self._backends.agreement

    @property
    def management(self) -> Management:
        """Who may do what."""
        return self._backends.management

    @property
    def wakeups(self) -> Wakeups:
        """Wakes workers."""
        return self._backends.wakeups

    @cached_property
    def guard(self) -> Guard:
        """Judges where a request may go."""
        from worker.outbound.guard import Guard

        return Guard(self.settings.delivery.allow_networks)

    @cached_property
    def recorded(self) -> RecordedArticles:
        """Articles as the record has them."""
        from worker.retention.recorded import RecordedArticles

        return RecordedArticles(self.record)

    @cached_property
    def articles(self) -> HotArticles:
        """Articles, brought back to Redis when they are cold."""
        from worker.retention.restoration import Restoration
        from worker.retention.warm import HotArticles

        restoration = Restoration(self.store, self.record)

        def renew(article_ids: Collection[str]) -> None:
            # While Redis is rebuilt it is to know articles as the record does before anybody decides about them.
            if self.agreement.rebuilding:
                restoration.restore(article_ids)

        return HotArticles(self.store, self.recorded, renew)

    @cached_property
    def _renderer(self) -> FeedRenderer:
        from worker.documents.feed_renderer import FeedRenderer
        from worker.documents.quality_gate import QualityGate

        return FeedRenderer(self.store, self.publication, QualityGate(self.store, self.alerts))

    @cached_property
    def documents(self) -> FeedDocuments:
        """Feeds as they are served."""
        from worker.documents.archive_pages import ArchivePages
        from worker.documents.feed_documents import FeedDocuments

        return FeedDocuments(self.store, self.publication, self._renderer, ArchivePages(self.store, self.recorded))

    @cached_property
    def payloads(self) -> FeedPayloads:
        """Feeds as they are pushed."""
        from worker.documents.feed_payloads import FeedPayloads

        return FeedPayloads(self.store, self._renderer)

    @cached_property
    def sent_feeds(self) -> SentFeeds:
        """Pushes of feeds, made anew."""
        from worker.receivers.sent_feeds import SentFeeds

        return SentFeeds(self.store, self.publication, self.documents, self.payloads)

    @cached_property
    def intake(self) -> Intake:
        """Takes events in."""
        from worker.intake.accept import Intake

        return Intake(self.store, self.wakeups, self.commits)

    @cached_property
    def endpoint_orders(self) -> EndpointOrders:
        """What people and keys order of endpoints."""
        from worker.receivers.endpoint_orders import EndpointOrders

        return EndpointOrders(self.store, self.articles, self.recorded, self.wakeups, self.management.audit)

    @cached_property
    def hub(self) -> HubRequests:
        """Takes requests of WebSub subscribers."""
        from worker.hub.hub_requests import HubLimits, HubRequests, LeaseBounds

        websub = self.settings.websub
        limits = HubLimits(
            per_client=websub.requests_per_client,
            per_host=websub.requests_per_host,
            pending=websub.pending_per_feed,
            held_per_host=websub.subscriptions_per_host,
            held_per_client=websub.subscriptions_per_client,
        )
        leases = LeaseBounds(websub.lease_default, websub.lease_min, websub.lease_max)
        return HubRequests(self.store, self.publication, self.wakeups, leases, limits, self.guard.check_callback_url)

    @cached_property
    def rsscloud(self) -> CloudRequests | None:
        """Takes registrations by rssCloud, if they are wanted."""
        from worker.hub.cloud_requests import CloudRequests

        return CloudRequests(self.hub) if self.settings.websub.rsscloud else None

    def new_push_tests(self) -> PushTests:
        """Return what sends test articles; it starts an engine of its own when it is asked first."""
        from worker.destinations.endpoint import configured
        from worker.destinations.sender import Sender
        from worker.outbound.engine import Engine
        from worker.receivers.push_tests import PushTests

        delivery, management = self.settings.delivery, self.management

        def endpoint(name: str, tokens: Tokens, consents: Consents, engine: Engine) -> Endpoint | None:
            settings = management.endpoints_in_use().settings.get(name)
            if settings is None:
                return None
            return configured(
                settings, Sender.of(self.settings, tokens, consents, engine, self.guard, self.store.folders)
            )

        def new_engine() -> Engine:
            return Engine(self.guard, places=10, per_host=2, connect_timeout=delivery.connect_timeout)

        return PushTests(new_engine, endpoint, self.publication, management.audit, delivery.timeout)

    def new_openid_provider(self, done: str) -> OpenIdProvider | None:
        """Return the provider by which people sign in at the desk; None: the settings have none.

        `done`: the path that it sends browsers back to.
        """
        from worker.outbound.engine import Engine
        from worker.outbound.openid_provider import OpenIdClient, OpenIdProvider

        oidc, delivery = self.settings.desk.oidc, self.settings.delivery
        if oidc.issuer is None:
            return None
        secret, back = oidc.client_secret.get_secret_value(), f"{self.publication.base_url}{done}"
        client = OpenIdClient(oidc.issuer, oidc.client_id, secret, oidc.scope, back, delivery.timeout)
        return OpenIdProvider(
            client, lambda: Engine(self.guard, places=10, per_host=4, connect_timeout=delivery.connect_timeout)
        )

    def make_all(self) -> None:
        """Make every part now, for a process of many threads: none makes a second one, and no request waits for it."""
        from feeds import event

        event.prepare()
        self.store.make_all()
        for name, part in vars(type(self)).items():
            if isinstance(part, cached_property | property):
                getattr(self, name)

    def rewired(self, settings: Settings) -> Services:
        """The services by other settings, on the same Redis, record and broker. These go on as they are."""
        return Services(settings, self._backends)

    def close(self) -> None:
        """Commit what is left, and close the connections to Redis and to the record."""
        self._backends.close()


def build(settings: Settings, redis_url: str) -> Services:
    """Return the services on the Redis at `redis_url`. Nothing connects before it is used."""
    return Services(settings, Backends(settings, redis_url))
