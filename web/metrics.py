"""Metrics, for Prometheus: totals to which all processes add in Redis, and the state of things there at the moment.

Every web process of every machine gives the same numbers. However many feeds, endpoints and receivers there are, they
are read in the same few round trips. Series are few: labels name only feeds and endpoints of the settings, and the
feeds of a pattern are counted together.
"""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from feeds.patterns import pattern_of
from web.problem_details import problem
from worker import clock
from worker.store import redis_errors
from worker.store.counters import SECONDS, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from config.settings import Settings
    from web.client_address import ClientAddresses
    from web.record_health import RecordHealth
    from worker.management.endpoints_in_use import EndpointsInUse
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.endpoints import EndpointOverview

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "dateline_events": ("Events carried out, by result", ("result",)),
    "dateline_events_set_aside": ("Accepted events that could not be carried out", ("kind",)),
    "dateline_attempts": (
        "Attempts to bring a receiver up to date, by kind of receiver and outcome",
        ("kind", "outcome"),
    ),
    "dateline_verifications": ("Verifications of intent, by outcome", ("outcome",)),
    "dateline_readbacks": ("Looks at pages of killed articles, by verdict", ("verdict",)),
    "dateline_log_lines_lost": ("Lines that workers could not write to their log", ()),
}
"""The counters: name -> its help text and its labels."""
_FROM_ZERO: Totals = {
    ("dateline_events", (("result", "rejected"),)): 0.0,
    ("dateline_events_set_aside", (("kind", "kill"),)): 0.0,
    ("dateline_events_set_aside", (("kind", "other"),)): 0.0,
    ("dateline_readbacks", (("verdict", "there"),)): 0.0,
    ("dateline_log_lines_lost", ()): 0.0,
}
"""Series that are there before anything was counted: Prometheus sees no increase in one that begins with 1."""
_OUTCOMES_FROM_ZERO = ("delivered", "retry")
"""Outcomes of attempts at an endpoint that are there before there was any attempt; the others are rare."""
_PAUSED = {"asked": "person", "removed": "removed", "damaged": "damaged"}
"""Why an endpoint is paused, in the words of the metric; any other reason is a suspension."""


class MetricsEndpoint:
    """Answers /metrics."""

    def __init__(
        self,
        store: Store,
        record: RecordHealth,
        publication: Publication,
        settings: Settings,
        endpoints: Callable[[], EndpointsInUse],
        addresses: ClientAddresses,
    ) -> None:
        self._store = store
        self._record = record
        self._away_since = 0
        self._publication = publication
        self._endpoints = endpoints
        self._networks = settings.web.metrics_networks
        self._addresses = addresses
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def get(self, request: Request) -> Response:
        """GET /metrics: 403 for clients outside `web.metrics_networks`. Raises redis.RedisError for a bug."""
        if not self._addresses.within(request, self._networks):
            return problem(403, "Metrics are for the networks in web.metrics_networks.")
        absence = await self._record.absence()
        self._away_since = absence.since if absence else 0
        try:
            body = await run_in_threadpool(generate_latest, self._registry)
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return problem(503, f"There are no metrics. {redis_errors.sentence(error)}.")
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterable[Metric]:
        """Read all metrics."""
        store = self._store
        now = clock.ms(clock.agreed())
        yield from _counters(_FROM_ZERO | store.counters.read())
        waiting = store.events.waiting()
        yield GaugeMetricFamily("dateline_events_waiting", "Events accepted and not carried out", waiting)
        away = _seconds(self._away_since, now)
        yield GaugeMetricFamily("dateline_record_away_seconds", "How long the record has been away", away)
        yield from self._unnoted_metrics(now)
        progress = self._store.agreement.progress()
        parts = progress.all - progress.done if progress.work == "rebuild" and not progress.finished else 0
        yield GaugeMetricFamily("dateline_rebuild_parts", "Parts of Redis still to be rebuilt from the record", parts)
        outboxes = store.outboxes.waiting(store.outboxes.reported())
        oldest = _seconds(outboxes.oldest, now)
        yield GaugeMetricFamily(
            "dateline_outbox_entries", "What receivers did, not yet in the record", outboxes.entries
        )
        yield GaugeMetricFamily(
            "dateline_outbox_oldest_seconds", "How long the first of these has been waiting", oldest
        )
        yield from self._feed_metrics()
        yield from self._endpoint_metrics(now)
        yield from self._alarm_metrics(now)
        alive = len(store.workers.alive(now))
        yield GaugeMetricFamily("dateline_workers", "Worker processes that are alive", alive)
        build = GaugeMetricFamily("dateline_build_info", "The release, always 1", labels=["version"])
        build.add_metric([version("dateline")], 1)
        yield build

    def _unnoted_metrics(self, now: int) -> Iterable[Metric]:
        waiting = self._store.unnoted.waiting()
        unnoted = GaugeMetricFamily(
            "dateline_unnoted", "What has changed and is not in the record yet, by kind", labels=["kind"]
        )
        unnoted.add_metric(["change"], waiting.marks)
        unnoted.add_metric(["result"], waiting.results)
        yield unnoted
        age = _seconds(waiting.since or 0, now)
        yield GaugeMetricFamily("dateline_unnoted_seconds", "How long the oldest of it has been waiting", age)

    def _alarm_metrics(self, now: int) -> Iterable[Metric]:
        standing, states = self._store.alarms.shown()
        alarms = GaugeMetricFamily("dateline_alarms", "Alarms that stand, by rule", labels=["rule"])
        unattended = GaugeMetricFamily(
            "dateline_alarms_open", "Those that nobody has acknowledged or snoozed", labels=["rule"]
        )
        by_rule = Counter(alarm.rule for alarm in standing if alarm.is_open(now))
        for rule, count in sorted(Counter(alarm.rule for alarm in standing).items()):
            alarms.add_metric([rule], count)
            unattended.add_metric([rule], by_rule[rule])
        channels = GaugeMetricFamily(
            "dateline_alarm_channel_failing_seconds", "How long a channel has taken no alarms", labels=["channel"]
        )
        for name, state in states.items():
            channels.add_metric([name], _seconds(state.failing, now))
        yield from (alarms, unattended, channels)

    def _feed_metrics(self) -> Iterable[Metric]:
        articles = GaugeMetricFamily("dateline_feed_articles", "Articles in the feed", labels=["feed"])
        pattern_feeds = GaugeMetricFamily("dateline_pattern_feeds", "Feeds made of a pattern", labels=["feed"])
        receivers = GaugeMetricFamily("dateline_receivers", "Receivers, by feed and state", labels=["feed", "state"])
        behind = GaugeMetricFamily("dateline_receivers_behind", "Receivers behind the head", labels=["feed"])
        publication, store = self._publication, self._store
        receiving = set(store.receivers.feeds())
        groups = {definition.name: [definition.name] for definition in publication.definitions}
        groups |= {pattern: [] for pattern in publication.patterns}
        for feed in receiving - groups.keys():
            groups.get(pattern_of(feed), []).append(feed)
        for pattern, count in store.patterns.counts(list(publication.patterns)).items():
            pattern_feeds.add_metric([pattern], count)
        for name, size in store.changes.sizes([definition.name for definition in publication.definitions]).items():
            articles.add_metric([name], size)
        counted = store.receivers.counts_of([feed for feeds in groups.values() for feed in feeds if feed in receiving])
        for name, feeds in groups.items():
            counts: Counter[str] = Counter()
            for feed in feeds:
                counts.update(counted.get(feed, {}))
            if counts:
                behind.add_metric([name], counts.pop("behind"))
                for state, count in counts.items():
                    receivers.add_metric([name, state], count)
        yield from (articles, receivers, behind, pattern_feeds)

    def _endpoint_metrics(self, now: int) -> Iterable[Metric]:
        labels = ["endpoint"]
        attempts = CounterMetricFamily(
            "dateline_endpoint_pushes_total", "Attempts at an endpoint, by outcome", labels=["endpoint", "outcome"]
        )
        behind = GaugeMetricFamily("dateline_endpoint_behind", "Articles that it must still be sent", labels=labels)
        waiting = GaugeMetricFamily(
            "dateline_endpoint_oldest_waiting_seconds", "How long the first of these has been waiting", labels=labels
        )
        parked = GaugeMetricFamily("dateline_endpoint_parked", "Articles set aside for it", labels=labels)
        disputed = GaugeMetricFamily(
            "dateline_endpoint_disputed", "Articles it refuses while it takes others", labels=labels
        )
        kills = GaugeMetricFamily("dateline_endpoint_kills_refused", "Kills among these", labels=labels)
        failing = GaugeMetricFamily(
            "dateline_endpoint_failing_seconds", "How long it has failed without accepting anything", labels=labels
        )
        success = GaugeMetricFamily(
            "dateline_endpoint_last_success_timestamp_seconds",
            "When it last accepted something; 0: never",
            labels=labels,
        )
        paused = GaugeMetricFamily("dateline_endpoint_paused", "1 while it is paused", labels=["endpoint", "reason"])
        endpoints = self._endpoints().settings.values()
        overviews = self._store.endpoints.overviews([(endpoint.feed, endpoint.name) for endpoint in endpoints])
        for endpoint, overview in zip(endpoints, overviews, strict=True):
            name = [endpoint.name]
            for outcome, count in _outcomes(overview).items():
                attempts.add_metric([*name, outcome], count)
            delay = endpoint.rights.delay.total_seconds() if endpoint.rights.delay else 0.0
            behind.add_metric(name, overview.behind)
            waiting.add_metric(name, max(0.0, _seconds(overview.waiting, now) - delay))
            parked.add_metric(name, overview.parked)
            disputed.add_metric(name, overview.disputed)
            if overview.kills:
                # Few have any, and a series of zeros for each endpoint tells nobody anything.
                kills.add_metric(name, overview.kills)
            failing.add_metric(name, _seconds(overview.failing.since, now))
            success.add_metric(name, overview.health.success / 1000)
            if overview.state == "paused":
                paused.add_metric([*name, _PAUSED.get(overview.reason, "suspended")], 1)
        yield from (attempts, behind, waiting, parked, disputed, kills, failing, success, paused)


def _counters(totals: Totals) -> Iterable[Metric]:
    for name, (help_text, labels) in COUNTERS.items():
        family = CounterMetricFamily(name, help_text, labels=labels)
        for (field, pairs), value in sorted(totals.items()):
            label_values = dict(pairs)
            # Another release may count by other labels.
            if field == name and label_values.keys() == set(labels):
                family.add_metric([label_values[label] for label in labels], value)
        yield family
    yield _histogram(totals)


def _outcomes(overview: EndpointOverview) -> dict[str, int]:
    # Deliveries have been counted for longer than other outcomes.
    return dict.fromkeys(_OUTCOMES_FROM_ZERO, 0) | overview.health.outcomes | {"delivered": overview.health.successes}


def _seconds(since: int, now: int) -> float:
    """Return how long ago a moment was (ms); 0 for the moment 0, which stands for never."""
    return max(0, now - since) / 1000 if since else 0.0


def _histogram(totals: Totals) -> Metric:
    family = HistogramMetricFamily(
        "dateline_delivery_seconds", "From the accepted event to a receiver's 2xx, by kind", labels=["kind"]
    )
    for kind in ("endpoint", "websub"):
        buckets, running = [], 0.0
        for bound in (*map(str, SECONDS), "+Inf"):
            running += totals.get(("dateline_delivery_seconds_bucket", (("kind", kind), ("le", bound))), 0.0)
            buckets.append((bound, running))
        family.add_metric([kind], buckets, totals.get(("dateline_delivery_seconds_sum", (("kind", kind),)), 0.0))
    return family
