"""Health for orchestrators and metrics for Prometheus.

Metrics are totals that all processes add to in Redis, and the state of the sets in Redis at the moment of asking: any
web process of any machine gives the same numbers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from feeds.patterns import pattern_of
from web.problems import answer, problem
from worker import clock
from worker.store import trouble
from worker.store.counters import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from web.client import Clients
    from web.watch import Watch
    from worker.services import Services

COUNTERS = {
    "dateline_events": ("Events carried out, by result", ("result",)),
    "dateline_attempts": (
        "Attempts to bring a receiver up to date, by kind of receiver and outcome",
        ("kind", "outcome"),
    ),
    "dateline_verifications": ("Verifications of intent, by outcome", ("outcome",)),
    "dateline_readbacks": ("Looks at pages of killed articles, by verdict", ("verdict",)),
    "dateline_log_lines_lost": ("Lines that workers could not write to their log", ()),
}


_ASKED_SECONDS = 1.5
"""How long /readyz waits for Redis: who asks often waits no longer than two seconds."""
_ASKERS = 8
"""How many of its questions may wait at once for a Redis that stalls."""


class Health:
    """Answers /healthz, /readyz and /metrics."""

    def __init__(self, services: Services, watch: Watch, clients: Clients) -> None:
        self._services = services
        self._clients = clients
        self._watch = watch
        self._askers = ThreadPoolExecutor(_ASKERS, thread_name_prefix="health")
        self._asking = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def alive(self, request: Request) -> Response:
        """GET /healthz: the process answers."""
        del request
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """GET /readyz: 200 when events can be kept and carried out, else 503 with what is missing."""
        del request
        try:
            workers, older, lost = await self._asked()
        except (RedisError, TimeoutError) as error:
            if isinstance(error, RedisError) and trouble.kind(error) == "full":
                return problem(503, f"{trouble.sentence(error)}. Feeds are served, events are not taken.")
            seconds = round(self._watch.silent)
            return problem(
                503,
                f"Redis does not answer: feeds are served as they were {seconds} s ago, events are not taken.",
                redis_silent_seconds=seconds,
            )
        if not workers:
            return problem(
                503, "No worker is running: events are kept, and carried out once one is.", lost_workers=lost
            )
        if len(older) == len(workers):
            detail = "The workers that know the newest definitions of feeds were lost a moment ago: events are kept."
            return problem(503, detail, older_definitions=older)
        told: dict[str, Any] = {"status": "ready", "workers": len(workers), "older_definitions": older}
        if lost:
            told["lost_workers"] = lost
        if broker := self._services.wakeups.trouble:
            told["broker"] = f"{broker}: events are kept, and carried out by the sweep within a second or two"
        return answer(200, told)

    async def _asked(self) -> tuple[list[str], list[str], list[str]]:
        """What `_workers` says, in threads of its own. Raises TimeoutError when Redis is slow to say it."""
        if self._asking >= _ASKERS:
            raise TimeoutError
        self._asking += 1
        asked = asyncio.get_running_loop().run_in_executor(self._askers, self._workers)
        asked.add_done_callback(self._told)
        return await asyncio.wait_for(asyncio.shield(asked), _ASKED_SECONDS)

    def _told(self, asked: asyncio.Future[tuple[list[str], list[str], list[str]]]) -> None:
        self._asking -= 1
        asked.exception()  # nobody may wait for it any more

    def _workers(self) -> tuple[list[str], list[str], list[str]]:
        """The workers that are alive, and those of them that carry out no events: others have newer definitions.

        At last, which workers have ended themselves of late, and why.

        Raises redis.RedisError when events could not be kept.
        """
        store = self._services.store
        store.probe()
        now = clock.ms(clock.agreed())
        workers, older, lost = store.workers.alive(now), store.definitions.older(), store.workers.losses(now)
        return workers, sorted(older.intersection(workers)), lost

    async def metrics(self, request: Request) -> Response:
        """GET /metrics: 403 for whoever is in none of `web.metrics_networks`."""
        if not self._clients.within(request, self._services.settings.web.metrics_networks):
            return problem(403)
        try:
            body = await run_in_threadpool(generate_latest, self._registry)
        except RedisError:
            return problem(503, "Redis does not answer: there are no metrics.")
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterable[Metric]:
        """Read all metrics."""
        store = self._services.store
        totals = store.counters.read()
        for name, (help_text, labels) in COUNTERS.items():
            family = CounterMetricFamily(name, help_text, labels=labels)
            for (field, pairs), value in sorted(totals.items()):
                if field == name:
                    family.add_metric([dict(pairs)[label] for label in labels], value)
            yield family
        yield _histogram(totals)
        yield GaugeMetricFamily(
            "dateline_events_waiting", "Events accepted and not carried out", store.events.waiting()
        )
        articles = GaugeMetricFamily("dateline_feed_articles", "Articles in the feed", labels=["feed"])
        receivers = GaugeMetricFamily("dateline_receivers", "Receivers, by feed and state", labels=["feed", "state"])
        behind = GaugeMetricFamily("dateline_receivers_behind", "Receivers behind the head", labels=["feed"])
        receiving = set(store.receivers.feeds())
        site = self._services.site
        groups = {definition.name: [definition.name] for definition in site.definitions}
        groups |= {pattern: [] for pattern in site.patterns}
        for feed in receiving - groups.keys():
            # The feeds of a pattern are counted together: labels are to be few.
            groups.get(pattern_of(feed), []).append(feed)
        made = GaugeMetricFamily("dateline_pattern_feeds", "Feeds made of a pattern", labels=["feed"])
        patterns = store.patterns.counts(list(site.patterns))
        sizes = store.changes.sizes([name for name in groups if name not in patterns])
        shown = [feed for feeds in groups.values() for feed in feeds if feed in receiving]
        counted = store.receivers.counts_of(shown)
        for name, feeds in groups.items():
            if name in patterns:
                made.add_metric([name], patterns[name])
            else:
                articles.add_metric([name], sizes[name])
            counts: Counter[str] = Counter()
            for feed in counted.keys() & set(feeds):
                counts.update(counted[feed])
            if counts:
                behind.add_metric([name], counts.pop("behind"))
                for state, count in counts.items():
                    receivers.add_metric([name, state], count)
        yield from (articles, receivers, behind, made)
        yield from self._endpoints()
        alive = len(store.workers.alive(clock.ms(clock.agreed())))
        yield GaugeMetricFamily("dateline_workers", "Worker processes that are alive", alive)
        build = GaugeMetricFamily("dateline_build_info", "The release, always 1", labels=["version"])
        build.add_metric([version("dateline")], 1)
        yield build

    def _endpoints(self) -> Iterable[Metric]:
        """Read the metrics of the endpoints of the settings, and of no others: labels are to be few."""
        endpoints = self._services.settings.endpoints
        labels = ["endpoint"]
        behind = GaugeMetricFamily("dateline_endpoint_behind", "Changes it has not got yet", labels=labels)
        parked = GaugeMetricFamily("dateline_endpoint_parked", "Articles set aside for it", labels=labels)
        success = GaugeMetricFamily(
            "dateline_endpoint_last_success_seconds", "When it took something last, Unix time; 0: never", labels=labels
        )
        attempts = CounterMetricFamily(
            "dateline_endpoint_attempts_total", "Attempts at it, by outcome", labels=["endpoint", "outcome"]
        )
        outlooks = self._services.store.endpoints.outlooks([(endpoint.feed, endpoint.name) for endpoint in endpoints])
        for endpoint, outlook in zip(endpoints, outlooks, strict=True):
            health = outlook.health
            behind.add_metric([endpoint.name], outlook.behind)
            parked.add_metric([endpoint.name], outlook.parked)
            success.add_metric([endpoint.name], health.success / 1000)
            attempts.add_metric([endpoint.name, "delivered"], health.successes)
            attempts.add_metric([endpoint.name, "other"], health.attempts - health.successes)
        yield from (behind, parked, success, attempts)


def _histogram(totals: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> Metric:
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
