"""What endpoints took, day by day: what contracts are settled by.

A version counts once for each endpoint, feed and action, on the day on which the endpoint took it first, however often
it was sent. It is asked by the indexes of an endpoint and a time, so it costs what it counts, however old the rest is.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, select

from feeds.moments import moment, ms
from worker.record.tables import deliveries, endpoints, parked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date, tzinfo

    from sqlalchemy import ColumnElement, Connection


_STATUSES = {"published": "usable", "corrected": "usable", "killed": "canceled", "withdrawn": "withheld"}
"""The pubstatus that each action brings."""


class Group(NamedTuple):
    """What is counted together. `day` is None in totals."""

    day: date | None
    endpoint: str
    feed: str
    action: str


@dataclass(slots=True)
class Counts:
    """How many versions an endpoint took, of how many articles; how many it refused, and how many are parked since."""

    delivered: int = 0
    articles: int = 0
    refused: int = 0
    parked: int = 0

    def add(self, other: Counts) -> None:
        """Add what was counted elsewhere, except the articles, which may be the same."""
        self.delivered += other.delivered
        self.refused += other.refused
        self.parked += other.parked


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The counts by day, and their totals by endpoint and feed, by endpoint, and of all."""

    days: dict[Group, Counts]
    by_feed: dict[Group, Counts]
    by_endpoint: dict[Group, Counts]
    total: Counts = field(default_factory=Counts)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {
            "days": [_row(*pair) for pair in self.days.items()],
            "feeds": [_row(*pair) for pair in self.by_feed.items()],
            "endpoints": [_row(*pair) for pair in self.by_endpoint.items()],
            "total": asdict(self.total),
        }


class NoEndpoint(Exception):
    """No endpoint is called so. `parameter`: partner or endpoint; `names`: those that there are."""

    def __init__(self, parameter: str, message: str, names: Sequence[str]) -> None:
        super().__init__(f"{message}; endpoints: {', '.join(names) or 'none'}")
        self.parameter = parameter


def _row(group: Group, counts: Counts) -> dict[str, Any]:
    return {
        "day": str(group.day) if group.day else None,
        "endpoint": group.endpoint,
        "feed": group.feed or None,
        "action": group.action or None,
        "pubstatus": _STATUSES.get(group.action),
        **asdict(counts),
    }


def chosen(names: Sequence[str], partner: str | None, endpoint: str | None) -> list[str]:
    """Return the endpoints that are meant: one, or all of a partner by their names, or all. Raises NoEndpoint."""
    if endpoint is not None:
        if endpoint not in names:
            raise NoEndpoint("endpoint", f'there is no endpoint "{endpoint}"', names)
        return [endpoint]
    if partner is not None:
        beginnings = tuple(partner + sign for sign in "-./")
        of_partner = [name for name in names if name == partner or name.startswith(beginnings)]
        if not of_partner:
            raise NoEndpoint("partner", f'nobody is called "{partner}"', names)
        return of_partner
    return list(names)


def known_endpoints(connection: Connection) -> list[str]:
    """Return the endpoints that ever got anything, or are there now."""
    names: set[str] = set(connection.scalars(select(endpoints.c.endpoint).distinct()))
    last = ""
    # From one to the next by the key: a DISTINCT would read every row.
    while (
        name := connection.scalar(select(func.min(deliveries.c.endpoint)).where(deliveries.c.endpoint > last))
    ) is not None:
        names.add(name)
        last = name
    return sorted(names)


def delivery_report(
    connection: Connection, names: Sequence[str], first: date, last: date, zone: tzinfo
) -> DeliveryReport:
    """Return what endpoints took from the first day to the last, days of a time zone."""
    days: dict[Group, Counts] = {}
    by_feed: dict[Group, Counts] = {}
    by_endpoint: dict[Group, Counts] = {}
    total = Counts()
    begin, end = _beginning(first, zone), _beginning(last + timedelta(days=1), zone)
    for name in names:
        for day in _days(connection, name, begin, end, zone):
            until = _beginning(day + timedelta(days=1), zone)
            for group, counts in _of_day(connection, name, day, _beginning(day, zone), until).items():
                days[group] = counts
                by_feed.setdefault(Group(None, name, group.feed, ""), Counts()).add(counts)
                by_endpoint.setdefault(Group(None, name, "", ""), Counts()).add(counts)
                total.add(counts)
        in_time = _first_taken(name, begin, end)
        for group in [group for group in by_feed if group.endpoint == name]:
            by_feed[group].articles = _articles(connection, and_(in_time, deliveries.c.feed == group.feed))
        if (group := Group(None, name, "", "")) in by_endpoint:
            by_endpoint[group].articles = _articles(connection, in_time)
    if len(by_endpoint) == 1:
        total.articles = next(iter(by_endpoint.values())).articles
    elif by_endpoint:
        total.articles = _articles(connection, _first_taken([group.endpoint for group in by_endpoint], begin, end))
    return DeliveryReport(dict(sorted(days.items(), key=_order)), by_feed, by_endpoint, total)


def _order(group_and_counts: tuple[Group, Counts]) -> tuple[str, ...]:
    group = group_and_counts[0]
    return (str(group.day), *group[1:])


def _beginning(day: date, zone: tzinfo) -> int:
    return ms(datetime(day.year, day.month, day.day, tzinfo=zone))


def _first_taken(names: str | Collection[str], begin: int, end: int) -> ColumnElement[bool]:
    mine = deliveries.c.endpoint == names if isinstance(names, str) else deliveries.c.endpoint.in_(names)
    return and_(mine, deliveries.c.taken >= begin, deliveries.c.taken < end)


def _refused(name: str, begin: int, end: int) -> ColumnElement[bool]:
    sent = deliveries.c.sent
    never = deliveries.c.taken.is_(None)
    return and_(deliveries.c.endpoint == name, deliveries.c.state == "refused", never, sent >= begin, sent < end)


def _parked(name: str, begin: int, end: int) -> ColumnElement[bool]:
    return and_(parked.c.endpoint == name, parked.c.since >= begin, parked.c.since < end)


def _articles(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count(deliveries.c.article_id.distinct())).where(condition)) or 0


def _days(connection: Connection, name: str, begin: int, end: int, zone: tzinfo) -> Iterator[date]:
    """The days on which anything happened, in order; from one to the next by the indexes."""
    while begin < end:
        moments = (
            connection.scalar(select(func.min(deliveries.c.taken)).where(_first_taken(name, begin, end))),
            connection.scalar(select(func.min(deliveries.c.sent)).where(_refused(name, begin, end))),
            connection.scalar(select(func.min(parked.c.since)).where(_parked(name, begin, end))),
        )
        earliest = min((time for time in moments if time is not None), default=None)
        if earliest is None:
            return
        day = moment(earliest).astimezone(zone).date()
        yield day
        begin = _beginning(day + timedelta(days=1), zone)


def _of_day(connection: Connection, name: str, day: date, begin: int, end: int) -> dict[Group, Counts]:
    groups: dict[Group, Counts] = {}
    kinds = (deliveries.c.feed, deliveries.c.action)
    of_taken = select(*kinds, func.count(), func.count(deliveries.c.article_id.distinct()))
    for feed, action, delivered, articles in connection.execute(
        of_taken.where(_first_taken(name, begin, end)).group_by(*kinds)
    ):
        groups[Group(day, name, feed, action)] = Counts(delivered, articles)
    of_refused = select(*kinds, func.count()).where(_refused(name, begin, end)).group_by(*kinds)
    for feed, action, refused in connection.execute(of_refused):
        groups.setdefault(Group(day, name, feed, action), Counts()).refused = refused
    rows = connection.execute(select(parked.c.feed, parked.c.attempt).where(_parked(name, begin, end)))
    for (feed, action), count in Counter((row.feed, _action(row.attempt)) for row in rows).items():
        groups.setdefault(Group(day, name, feed, action), Counts()).parked = count
    return groups


def _action(attempt: str) -> str:
    """What the attempt that was refused meant."""
    try:
        fields: Any = json.loads(attempt)
        return str(fields["action"])
    except (ValueError, TypeError, KeyError):
        return ""
