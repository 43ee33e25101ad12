"""How events get into a newsroom, and what it takes where an input is silent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from config.settings import DeliverySettings
    from feeds.errors import FieldError
    from worker.cli.newsrooms.api import Api
    from worker.outbound.fetch import FetchedPage
    from worker.runtime.services import Services

_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.5"
_LOT = 100
_LOT_BYTES = 500_000
"""So many events, and about so many bytes of them, are sent at a time."""


class SentEvent(NamedTuple):
    """What became of one event: accepted, duplicate or invalid. `alone`: record or redis, where one alone has it."""

    id: str | None
    status: str
    alone: str = ""
    errors: tuple[FieldError, ...] = ()


class Silence(NamedTuple):
    """What is taken where an input is silent: by adapter the page's address and the language; the time zone."""

    pages: dict[str, str]
    languages: dict[str, str]
    edition: str
    editions: frozenset[str]
    zone: ZoneInfo | None


class LocalIntake:
    """Events beside Redis."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data
        self._settings = settings_of(config, data)
        self._services: Services | None = None

    def silence(self) -> Silence:
        """Return what is taken where an input is silent."""
        settings = self._settings
        return Silence(
            {name: own.url for name, own in settings.adapters if own.url},
            {name: own.edition for name, own in settings.adapters if own.edition},
            settings.site.edition,
            settings.editions,
            settings.site.zone,
        )

    def page(self, url: str) -> FetchedPage:
        """Return the page at an address. Raises InputError."""
        return _page(url, self._settings.delivery)

    def accept(self, events: Sequence[Any]) -> list[SentEvent]:
        """Have events taken in."""
        from worker.cli.running_newsroom import accept, newsroom

        if self._services is None:
            self._services = newsroom(*self._place)
        return [
            SentEvent(
                *(receipt.event_id, receipt.status, "" if receipt.kept_by == "both" else receipt.kept_by),
                receipt.errors,
            )
            for receipt in accept(self._services, events)
        ]


class RemoteIntake:
    """Events over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def silence(self) -> Silence:
        """Return what is taken where an input is silent."""
        newsroom = self._api.newsroom()
        adapters = newsroom["adapters"]
        return Silence(
            {name: own["url"] for name, own in adapters.items() if own["url"]},
            {name: own["edition"] for name, own in adapters.items() if own["edition"]},
            newsroom["edition"],
            frozenset(newsroom["editions"]),
            self._api.zone(),
        )

    def page(self, url: str) -> FetchedPage:
        """Return the page at an address, had from here: the newsroom's settings of what may be had are not ours."""
        from config.settings import DeliverySettings

        return _page(url, DeliverySettings())

    def accept(self, events: Sequence[Any]) -> list[SentEvent]:
        """Have events taken in."""
        return [event for lot in _lots(events) for event in self._accept(lot)]

    def _accept(self, events: list[Any]) -> list[SentEvent]:
        try:
            answer = self._api.ask("POST", "/events", events)
        except Refused as error:
            # None of them could be taken: it says why of each.
            if error.status_code != 400 or "events" not in error.problem:
                raise
            answer = error.problem
        return [_sent(row) for row in answer["events"]]


def intake(config: Path | None, data: Path | None) -> LocalIntake | RemoteIntake:
    """Return how events get into the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteIntake(api) if api else LocalIntake(config, data)


def _sent(row: dict[str, Any]) -> SentEvent:
    from feeds.errors import FieldError

    errors = tuple(FieldError(error["field"], error["problem"]) for error in row.get("errors", ()))
    return SentEvent(row["id"], row["status"], row.get("kept", ""), errors)


def _lots(events: Sequence[Any]) -> list[list[Any]]:
    """The events in lots that a request may have."""
    lots: list[list[Any]] = []
    size = 0
    for event in events:
        length = len(json.dumps(event))
        if not lots or len(lots[-1]) >= _LOT or size + length > _LOT_BYTES:
            lots.append([])
            size = 0
        lots[-1].append(event)
        size += length
    return lots


def _page(url: str, delivery: DeliverySettings) -> FetchedPage:
    from feeds.adapters.decode import MOST_BYTES
    from worker.cli.named_pages import page

    return page(url, delivery, most=MOST_BYTES, accept=_ACCEPT)
