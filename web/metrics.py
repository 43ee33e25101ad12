"""Metrics, for Prometheus: totals that all processes add to in Redis, and how things stand there when it is asked.

Any web process of any machine gives the same numbers. However many feeds, endpoints and receivers there are, they are
read in the same few round trips, and series are few: labels name feeds and endpoints of the settings alone, and the
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
from worker.store.counters import SECONDS, Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from web.client_address import Clients
    from worker.runtime.wiring import Services
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
"""What is counted: by which name, what it means, and its labels."""
_FROM_ZERO: Totals = {
    ("dateline_events", (("result", "rejected"),)): 0.0,
    ("dateline_events_set_aside", (("kind", "kill"),)): 0.0,
    ("dateline_events_set_aside", (("kind", "other"),)): 0.0,
    ("dateline_readbacks", (("verdict", "there"),)): 0.0,
    ("dateline_log_lines_lost", ()): 0.0,
}
"""What is told before there is any: no increase is seen of a series that begins with its first one."""
_ALWAYS = ("delivered", "retry")
"""Outcomes of attempts at an endpoint that are told although there were none; the others are rare."""
_PAUSED = {"asked": "person", "removed": "removed", "damaged": "damaged"}
"""Why an endpoint is left alone, in the words of the metric; anything else is its suspension."""


class Metrics:
    """Answers /metrics."""

    def __init__(self, services: Services, clients: Clients) -> None:
        self._services = services
        self._clients = clients
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def show(self, request: Request) -> Response:
        """GET /metrics: 403 for whoever is in none of `web.metrics_networks`."""
        if not self._clients.within(request, self._services.settings.web.metrics_networks):
            return problem(403, "Metrics are for the networks in web.metrics_networks.")
        try:
            body = await run_in_threadpool(generate_latest, self._registry)
        except RedisError:
            return problem(503, "Redis does not answer: there are no metrics.")
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterable[Metric]:
        """Read all metrics."""
        store = self._services.store
        now = clock.ms(clock.agreed())
        yield from _counters(_FROM_ZERO | store.counters.read())
        waiting = store.events.waiting()
        yield GaugeMetricFamily("dateline_events_waiting", "Events accepted and not carried out", waiting)
        yield from self._feeds()
        yield from self._endpoints(now)
        alive = len(store.workers.alive(now))
        yield GaugeMetricFamily("dateline_workers", "Worker processes that are alive", alive)
        build = GaugeMetricFamily("dateline_build_info", "The release, always 1", labels=["version"])
        build.add_metric([version("dateline")], 1)
        yield build

    def _feeds(self) -> Iterable[Metric]:
        articles = GaugeMetricFamily("dateline_feed_articles", "Articles in the feed", labels=["feed"])
        made = GaugeMetricFamily("dateline_pattern_feeds", "Feeds made of a pattern", labels=["feed"])
        receivers = GaugeMetricFamily("dateline_receivers", "Receivers, by feed and state", labels=["feed", "state"])
        behind = GaugeMetricFamily("dateline_receivers_behind", "Receivers behind the head", labels=["feed"])
        site, store = self._services.publication, self._services.store
        receiving = set(store.receivers.feeds())
        groups = {definition.name: [definition.name] for definition in site.definitions}
        groups |= {pattern: [] for pattern in site.patterns}
        for feed in receiving - groups.keys():
            groups.get(pattern_of(feed), []).append(feed)
        for pattern, count in store.patterns.counts(list(site.patterns)).items():
            made.add_metric([pattern], count)
        for name, size in store.changes.sizes([definition.name for definition in site.definitions]).items():
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
        yield from (articles, receivers, behind, made)

    def _endpoints(self, now: int) -> Iterable[Metric]:
        labels = ["endpoint"]
        attempts = CounterMetricFamily(
            "dateline_endpoint_pushes_total", "Attempts at an endpoint, by outcome", labels=["endpoint", "outcome"]
        )
        behind = GaugeMetricFamily("dateline_endpoint_behind", "Articles it is to be told of", labels=labels)
        waiting = GaugeMetricFamily(
            "dateline_endpoint_oldest_waiting_seconds", "For how long the first of these waits", labels=labels
        )
        parked = GaugeMetricFamily("dateline_endpoint_parked", "Articles set aside for it", labels=labels)
        disputed = GaugeMetricFamily(
            "dateline_endpoint_disputed", "Articles it refuses while it takes others", labels=labels
        )
        kills = GaugeMetricFamily("dateline_endpoint_kills_refused", "Kills among these", labels=labels)
        failing = GaugeMetricFamily(
            "dateline_endpoint_failing_seconds", "For how long it has taken nothing and failed", labels=labels
        )
        success = GaugeMetricFamily(
            "dateline_endpoint_last_success_timestamp_seconds", "When it took something last; 0: never", labels=labels
        )
        paused = GaugeMetricFamily(
            "dateline_endpoint_paused", "It is left alone; only while it is", labels=["endpoint", "reason"]
        )
        endpoints = self._services.settings.endpoints
        outlooks = self._services.store.endpoints.overviews([(endpoint.feed, endpoint.name) for endpoint in endpoints])
        for endpoint, outlook in zip(endpoints, outlooks, strict=True):
            name = [endpoint.name]
            for outcome, count in _outcomes(outlook).items():
                attempts.add_metric([*name, outcome], count)
            delay = endpoint.rights.delay.total_seconds() if endpoint.rights.delay else 0.0
            behind.add_metric(name, outlook.behind)
            waiting.add_metric(name, max(0.0, _seconds(outlook.waiting, now) - delay))
            parked.add_metric(name, outlook.parked)
            disputed.add_metric(name, outlook.disputed)
            kills.add_metric(name, outlook.kills)
            failing.add_metric(name, _seconds(outlook.failing.since, now))
            success.add_metric(name, outlook.health.success / 1000)
            if outlook.state == "paused":
                paused.add_metric([*name, _PAUSED.get(outlook.reason, "suspended")], 1)
        yield from (attempts, behind, waiting, parked, disputed, kills, failing, success, paused)


def _counters(totals: Totals) -> Iterable[Metric]:
    for name, (help_text, labels) in COUNTERS.items():
        family = CounterMetricFamily(name, help_text, labels=labels)
        for (field, pairs), value in sorted(totals.items()):
            told = dict(pairs)
            # Another release may count by other labels.
            if field == name and told.keys() == set(labels):
                family.add_metric([told[label] for label in labels], value)
        yield family
    yield _histogram(totals)


def _outcomes(outlook: EndpointOverview) -> dict[str, int]:
    # What was delivered has been counted for longer than the rest.
    return dict.fromkeys(_ALWAYS, 0) | outlook.health.outcomes | {"delivered": outlook.health.successes}


def _seconds(since: int, now: int) -> float:
    """How long ago a moment was (ms; 0: none, and no time)."""
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
