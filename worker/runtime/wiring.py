"""Wires together what a worker process runs, of the parts that every process has (services.py).

Shims (Celery tasks, the web app, the command line) call what is made here and add nothing.

Rooms import only rooms below them. Where one has to call a room that it may not know, it is given a function here, and
these are all of them:

| function | called by | is | when |
| --- | --- | --- | --- |
| `try_locally` | newsroom (FeedOffers), sweep | Distributor.try_locally | a feed has changed, or receivers are behind |
| `on_killed` | newsroom (FeedApplier) | Readback.schedule | a killed article is recorded in a feed |
| `give_way` | retention (Noting) | Distributor.let_go_first | a few events are to be noted: pushes go first |
| `is_pushing` | retention (twice) | Distributor.is_pushing | words or attempts are to be noted: pushes go first |
| `on_answers` | receivers (AttemptNotes) | Readback.check_again | an endpoint has answered pushes |
| `verify` | sweep | IntentVerifier.verify | requests to the hub are due, or a feed was removed |
| `inform_ended` | sweep | EndedSubscriptions.inform | leases have ended |
| `look` | sweep | Readback.check_due | pages of killed articles are due |
| `check_callback` | hub (HubRequests) | Guard.check_callback_url | somebody asks for a subscription |
| `DamagedRecords.alert` | store | Alerts.raise_alert | a record can't be read |

What the newsroom has to know of endpoints it asks through `newsroom.EndpointTerms`, which EndpointDirectory fulfils.
"""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from worker import clock
from worker.destinations.sender import Sender
from worker.hub.callback_requests import CallbackRequests
from worker.hub.ended_subscriptions import EndedSubscriptions
from worker.hub.intent_verifier import IntentVerifier
from worker.intake.event_feeder import LOOK_SECONDS, EventFeeder
from worker.management.surroundings import Surroundings
from worker.newsroom.definition_epochs import EPOCH_SECONDS
from worker.newsroom.feed_index import INDEX_SECONDS, LEASE_SECONDS
from worker.newsroom.feed_orders import ORDER_SECONDS
from worker.newsroom.newsroom import Newsroom
from worker.outbound.engine import Engine
from worker.outbound.oauth2_tokens import Tokens
from worker.outbound.webhook_consents import Consents
from worker.pictures.pictures import Pictures
from worker.receivers.clearance import Clearance
from worker.receivers.distributor import Distributor
from worker.receivers.endpoint_directory import EndpointDirectory
from worker.receivers.endpoint_planner import EndpointPlanner
from worker.receivers.file_sweep import SWEEP_SECONDS, FileSweep
from worker.receivers.subscribers import Subscribers
from worker.retention import noting, outbox_drain
from worker.retention.agreement import LOOK_SECONDS as AGREE_SECONDS
from worker.retention.known_id_filter import KnownIdFilter
from worker.retention.lost_events import LOOK_SECONDS as LOST_SECONDS
from worker.retention.lost_events import LostEvents
from worker.retention.noting import Noting
from worker.retention.noting_all import NotingAll
from worker.retention.outbox_drain import OutboxDrain
from worker.retention.outdated import OutdatedRows
from worker.retention.rebuild import Rebuild
from worker.retention.trim import TRIM_SECONDS, Trimmer
from worker.retention.word_indexing import INDEX_SECONDS as INDEX_WORDS_SECONDS
from worker.retention.word_indexing import WordIndexing
from worker.runtime import endpoint_enrolment
from worker.runtime.alarm_duties import alarm_duties
from worker.runtime.duty import Duty
from worker.runtime.endpoint_enrolment import EndpointEnrolment
from worker.runtime.operations_webhook import OperationsWebhook
from worker.runtime.sweep import Sweeper
from worker.store import redis_errors
from worker.takedown.event_receipts import EventReceipts
from worker.takedown.readback import Readback
from worker.takedown.receipt_callbacks import INTERVAL as RECEIPT_SECONDS
from worker.takedown.receipt_callbacks import ReceiptSender

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from worker.runtime.services import Services

log = structlog.get_logger()

AGREEMENT_SECONDS = 60.0
"""How long a worker waits, when it starts, for another that lays the ground for a rebuild of Redis."""
_AGREED_SECONDS = 10.0
"""How long a part of a rebuild takes that was begun when a worker stops."""
REBUILD_SECONDS = 0.5
"""How often it is looked for a rebuild to go on with."""


class WorkerRuntime:
    """What a worker process runs beside its tasks, by one reading of the settings. Started once, stopped once.

    The newsroom carries out events under its permit; the distributor claims receivers that are behind and sends by the
    engine, if the clearance allows it; the verifier asks subscribers whether they asked; the readback looks at
    partners' pages; the sweeper does what nobody else was woken for; the enrolment keeps the endpoints in Redis as the
    settings have them. All know each other only by the functions that the table above lists. Two may run side by side,
    as in two processes: so other settings are other runtimes (rereading.py), not changes to one.

    `queues`: what the worker is there for. With `intake` it listens for events; with `distribute` it may itself
    distribute what it publishes. Otherwise other workers do, and this one what is left.
    """

    def __init__(self, services: Services, *, queues: Collection[str]) -> None:
        services.make_all()
        settings, store, site = services.settings, services.store, services.publication
        delivery = settings.delivery
        self.services = services
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._timeout = delivery.timeout
        self._engine = Engine(
            services.guard,
            places=delivery.places,
            per_host=delivery.per_host,
            connect_timeout=delivery.connect_timeout,
        )
        self._tokens = Tokens(self._engine, delivery.timeout)
        self._consents = Consents(self._engine, delivery.timeout)
        self._answers = ThreadPoolExecutor(4, thread_name_prefix="answers")
        subscribers = Subscribers(
            store.changes, services.payloads, site, whole=settings.websub.body == "full", timeout=delivery.timeout
        )
        self._directory = EndpointDirectory()
        self._pictures = Pictures(self._engine, settings.data_dir / "pictures", delivery.timeout)
        planner = EndpointPlanner(
            *(store, services.articles, services.payloads, site.provider, self._directory),
            timeout=delivery.timeout,
            pictures=self._pictures,
        )
        callbacks = CallbackRequests(self._engine, timeout=delivery.timeout, claim_seconds=delivery.claim_seconds)
        ended_subscriptions = EndedSubscriptions(store, site, callbacks)
        self.verifier = IntentVerifier(
            store,
            site,
            callbacks,
            ended_subscriptions,
            services.wakeups,
            self._answers,
            most_per_host=settings.websub.subscriptions_per_host,
            most_per_client=settings.websub.subscriptions_per_client,
        )
        operations = OperationsWebhook(
            store,
            self._engine,
            self._answers,
            settings.operations.url,
            tuple(secret.get_secret_value() for secret in settings.operations.secret),
            delivery.timeout,
        )
        # Of its own: a page takes seconds, and what subscribers and authorization servers answer must not wait.
        self._pages = ThreadPoolExecutor(2, thread_name_prefix="pages")
        self.readback = Readback(
            store,
            self._engine,
            self._pages,
            self._directory,
            services.alerts,
            timeout=delivery.timeout,
            claim_seconds=delivery.claim_seconds,
        )
        self._clearance = Clearance(store.withdrawals, self._consumer)
        self.distributor = Distributor(
            store,
            site,
            self._engine,
            subscribers,
            planner,
            services.alerts,
            services.wakeups,
            self._clearance,
            claim_seconds=delivery.claim_seconds,
            on_answers=self.readback.check_again,
        )
        self._noting = Noting(
            store,
            services.record,
            keep_killed=settings.record.keep_killed,
            receipts=settings.receipts.url is not None,
            give_way=self.distributor.let_go_first,
        )
        try_locally = self.distributor.try_locally if "distribute" in queues else lambda _: False
        self.newsroom = Newsroom(
            store,
            services.record,
            services.articles,
            site,
            services.wakeups,
            self._consumer,
            self._directory,
            services.alerts,
            self._noting,
            try_locally=try_locally,
            on_killed=self.readback.schedule,
        )
        self.trimmer = Trimmer(
            store,
            services.recorded,
            services.articles,
            KnownIdFilter(store, services.recorded),
            OutdatedRows(services.recorded, attempts=settings.retention.attempts, events=settings.retention.events),
            self.newsroom.trim_terms,
            hot=settings.retention.hot,
        )
        self._trimming = Duty("trim", self.trimmer.trim, TRIM_SECONDS)
        agreement = services.agreement
        self.rebuild = Rebuild(store, agreement.examiner, services.record, site.window_of, try_locally)
        self._noting_all = NotingAll(store, services.record)
        self._agreeing = [
            Duty("agreement", agreement.check, AGREE_SECONDS),
            Duty("rebuild", self.rebuild.carry_on, REBUILD_SECONDS),
            Duty("note all", self._noting_all.carry_on, REBUILD_SECONDS),
        ]
        # Neither waits for the other.
        self._indexing = [
            Duty("charge", self._renew_permit, INDEX_SECONDS),
            Duty("epoch", self.newsroom.permit.note_epoch, EPOCH_SECONDS),
            Duty("index", self.newsroom.indexer.fill, INDEX_SECONDS),
            Duty("orders", self.newsroom.orders.carry_out, ORDER_SECONDS),
        ]
        self.outboxes = OutboxDrain(store, services.record, is_pushing=self.distributor.is_pushing)
        words = WordIndexing(
            store,
            services.record,
            keep_killed=settings.record.keep_killed,
            is_pushing=self.distributor.is_pushing,
        )
        self._receipt_sender = self._receipts_to()
        # They keep Redis and the record in agreement.
        self._retention = [
            Duty("feeder", EventFeeder(store, services.record, services.wakeups).feed, LOOK_SECONDS),
            Duty("lost events", LostEvents(store, services.record).look, LOST_SECONDS),
            Duty("noting", self._noting.catch_up, noting.INTERVAL),
            Duty("record", self.outboxes.drain, outbox_drain.INTERVAL),
            Duty("words", words.work, INDEX_WORDS_SECONDS),
        ]
        self._alarms = alarm_duties(services)
        if self._receipt_sender is not None:
            self._retention.append(Duty("receipts", self._receipt_sender.send, RECEIPT_SECONDS))
        self.sweeper = Sweeper(
            store,
            site,
            self.newsroom.events,
            self.newsroom.releases,
            operations,
            services.wakeups,
            self._consumer,
            try_locally=try_locally,
            verify=self.verifier.verify,
            inform_ended=ended_subscriptions.inform,
            look=self.readback.check_due,
            claim_seconds=delivery.claim_seconds,
            listens="intake" in queues,
        )
        sender = Sender.of(settings, self._tokens, self._consents, self._engine, services.guard, store.folders)
        self._enrolment = EndpointEnrolment(
            Surroundings.of(settings),
            store,
            services.articles,
            site,
            self.newsroom,
            self._directory,
            sender,
            services.record,
        )
        self._file_sweep = Duty(
            "file sweep",
            FileSweep(store, self._engine, self._directory, delivery.timeout).sweep,
            SWEEP_SECONDS,
        )
        self._endpoints = Duty("endpoints", self._enrolment.check, endpoint_enrolment.INTERVAL)
        self._management = services.management.listener(self._enrolment.use, tends=True)

    def _receipts_to(self) -> ReceiptSender | None:
        """What sends receipts to the CMS, if it wants them."""
        services, settings = self.services, self.services.settings
        url = settings.receipts.url
        if url is None:
            return None
        receipts = EventReceipts(services.store, services.record, services.articles, services.publication)
        secrets = [secret.get_secret_value() for secret in settings.receipts.secret]
        return ReceiptSender(services.store, receipts, self._engine, url, secrets, settings.delivery.timeout)

    def start(self) -> None:
        """Start. Raises redis.RedisError when Redis is not there; then nothing has begun, and it may be tried again.

        Raises Disagreement when Redis and the record don't belong together.
        """
        self.services.agreement.begin = self.rebuild.begin
        self.services.agreement.wait(AGREEMENT_SECONDS)
        self.services.store.events.create_group()
        self.newsroom.permit.begin()
        self._management.look_first()
        self._enrolment.enroll()
        self.sweeper.appear()
        self._clearance.start()
        self._engine.start()
        self._tokens.start()
        self.distributor.start()
        for duty in (*self._agreeing, *self._indexing, *self._alarms):
            duty.start()
        self.sweeper.start()
        self._endpoints.start()
        self._file_sweep.start()
        self._management.start()
        for duty in self._retention:
            duty.start()
        self._trimming.start()

    def lost(self, reason: str) -> None:
        """Say that this process ends itself, and why. Raises redis.RedisError."""
        self.services.store.workers.report_lost(self._consumer, reason, clock.ms(clock.agreed()))

    def stop(self) -> None:
        """Finish what is in flight or give it back, then stop. The store stays open: others may be at work on it."""
        store = self.services.store
        # At once: what others with newer settings are to push is not pushed by these.
        self.distributor.stop_claiming()
        self.newsroom.permit.retire()
        self._endpoints.stop()
        self._file_sweep.stop()
        self._management.stop()
        self.rebuild.stop()
        self._noting_all.stop()
        for duty in (*self._agreeing, *self._alarms):
            duty.stop()
        steps: Sequence[Callable[[], object]] = (
            self.newsroom.events.stop,
            self.sweeper.stop,
            self._stop_trimming,
            self._stop_indexing,
            partial(self._endpoints.join, self._timeout),
            partial(self._file_sweep.join, self._timeout),
            self._management.join,
            # Before the distributor: what waits for pictures is given back, and not waited for.
            self._pictures.stop,
            partial(self.distributor.stop, self._timeout),
            *(part.stop for part in (self._clearance, self._tokens, self._consents)),
            self._stop_noting,
            self._answers.shutdown,
            *(partial(duty.join, _AGREED_SECONDS) for duty in (*self._agreeing, *self._alarms)),
            partial(self._pages.shutdown, cancel_futures=True),
            store.counters.flush,
            partial(store.events.leave, self._consumer),
        )
        for step in steps:
            try:
                step()
            except Exception as error:
                # The others are to be stopped all the same.
                if redis_errors.kind(error) == "bug":
                    log.exception("stop_failed")

    def _renew_permit(self) -> None:
        # A Redis that has just been emptied gives no charge.
        self.services.agreement.check()
        self.newsroom.permit.renew()

    def _stop_trimming(self) -> None:
        self.trimmer.stop()
        self._trimming.stop()
        self._trimming.join(LEASE_SECONDS)

    def _stop_noting(self) -> None:
        """Note no more, after the batch that is going on: what is left is the next worker's."""
        for duty in self._retention:
            duty.stop()
        self.outboxes.stop()
        self._noting.stop()
        if self._receipt_sender is not None:
            self._receipt_sender.stop()
        for duty in self._retention:
            duty.join(self._timeout)

    def _stop_indexing(self) -> None:
        """Stop after the batch that is going on, and take part no more."""
        self.newsroom.indexer.stop()
        for duty in self._indexing:
            duty.stop()
        for duty in self._indexing:
            duty.join(LEASE_SECONDS)
        self.newsroom.permit.leave()
