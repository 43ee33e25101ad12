"""How much goes out, and how fast: GET /api/v1/rates, for charts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from web.api.access import LiveReader
from web.api.moments import moment
from web.api.parts import Parts
from worker import clock
from worker.management.scopes import LIVE_READ
from worker.store.counters import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from worker.store.rates import Sample

router = APIRouter(tags=["live"])

Span = Literal["hour", "day", "week"]


class _Chart(NamedTuple):
    """How far back it goes, and from one point to the next, in ms."""

    length: int
    step: int


_CHARTS: dict[Span, _Chart] = {
    "hour": _Chart(3_600_000, 60_000),
    "day": _Chart(86_400_000, 1_800_000),
    "week": _Chart(604_800_000, 10_800_000),
}


class RatePoint(BaseModel):
    """What happened up to a time, since the point before."""

    time: datetime
    delivered: float = Field(description="Deliveries a second.")
    failed: float = Field(description="Attempts a second that failed.")
    p50: float | None = Field(description="Half of the deliveries took no longer from event to receiver (s).")
    p99: float | None = Field(description="99 of 100 took no longer (s). null: more than ten minutes, or none.")


class Rates(BaseModel):
    """The points of a chart, in order."""

    points: list[RatePoint]


@router.get("/rates", summary="How much goes out, and how fast")
def rates(
    parts: Parts, caller: LiveReader, span: Annotated[Span, Query(description="How far back.")] = "hour"
) -> Rates:
    """Return deliveries and failures a second and how long deliveries took, over an hour, a day or a week.

    They are sampled each minute, and are of all feeds: a key that is bound can't see them.
    """
    caller.require(LIVE_READ)
    chart = _CHARTS[span]
    now = clock.ms(clock.agreed())
    samples = parts.store.rates.since(now - chart.length - chart.step, by_minutes=span != "week")
    return Rates(points=list(_points(samples, chart.step)))


def _points(samples: Sequence[Sample], step: int) -> Iterator[RatePoint]:
    before: Sample | None = None
    for sample in samples:
        if before is not None and sample.time - before.time < step:
            continue
        # Counters that have become smaller began anew, with another Redis.
        if before is not None and sample.delivered >= before.delivered:
            seconds = (sample.time - before.time) / 1000
            counts = [max(0.0, now - then) for now, then in zip(sample.durations, before.durations, strict=True)]
            yield RatePoint(
                time=moment(sample.time),
                delivered=round((sample.delivered - before.delivered) / seconds, 3),
                failed=round(max(0.0, sample.failed - before.failed) / seconds, 3),
                p50=quantile(counts, 0.5),
                p99=quantile(counts, 0.99),
            )
        before = sample


def quantile(counts: Sequence[float], share: float) -> float | None:
    """Return the duration (s) that this share does not exceed, as Prometheus reckons it: even within its bounds."""
    total = sum(counts)
    rank, passed, lower = share * total, 0.0, 0.0
    for bound, count in zip(SECONDS, counts, strict=False):
        if count and passed + count >= rank:
            return round(lower + (bound - lower) * (rank - passed) / count, 4)
        passed += count
        lower = bound
    return None
