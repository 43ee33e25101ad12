"""Replays: articles that are sent to an endpoint again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from worker.cli.management import at_the_shell
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.newsrooms.endpoints import RemoteEndpoints, no_endpoint
from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.receivers.endpoint_orders import EndpointName

Row = dict[str, Any]


class ReplayTerms(NamedTuple):
    """What is sent again: what has changed `since` then, one `article`, or what is `parked`; how fast; how marked."""

    since: datetime | None = None
    article: str | None = None
    parked: bool = False
    section: str = ""
    dry_run: bool = False
    same_ids: bool = False
    rate: float = 50


class LocalReplays:
    """The replays of one endpoint, beside Redis."""

    def __init__(self, config: Path | None, data: Path | None, endpoint: str) -> None:
        from worker.cli.running_newsroom import newsroom

        self._services = newsroom(config, data)
        self._endpoint = endpoint

    def order(self, terms: ReplayTerms) -> Row:
        """Order one, or say what it would send."""
        from worker.receivers.endpoint_orders import ReplayChoice

        name = self._named(articles_only=True)
        choice = ReplayChoice(terms.since, terms.article, terms.parked, terms.section)
        orders, caller = self._services.endpoint_orders, at_the_shell()
        articles = orders.to_replay(caller, name, choice)
        waits = False
        if articles and not terms.dry_run:
            patience = self._services.settings.delivery.claim_seconds + 5
            waits = not orders.replay(
                caller, name, articles, same_ids=terms.same_ids, rate=terms.rate, patience_seconds=patience
            )
        return {"articles": len(articles), "dry_run": terms.dry_run, "waits": waits}

    def progress(self) -> Row | None:
        """Return how far the last one is; None: there was none."""
        last = self._services.endpoint_orders.replay_progress(self._named())
        return last.as_json() if last else None

    def stop(self) -> int:
        """Stop it; return how many articles are not sent."""
        return self._services.endpoint_orders.stop_replay(at_the_shell(), self._named())

    def _named(self, *, articles_only: bool = False) -> EndpointName:
        from worker.receivers.endpoint_orders import EndpointName

        in_use = self._services.management.endpoints_in_use()
        settings = in_use.settings.get(self._endpoint)
        if settings is None:
            raise no_endpoint(self._endpoint, list(in_use.settings))
        if articles_only and settings.mode != "article":
            raise Failed(f"{self._endpoint} gets feeds; only endpoints in mode article can be replayed to", 2)
        return EndpointName(self._endpoint, settings.feed, in_use.managed.get(self._endpoint))


class RemoteReplays:
    """The replays of one endpoint, over the API."""

    def __init__(self, api: Api, endpoint: str) -> None:
        self._api = api
        self._endpoint = endpoint

    def order(self, terms: ReplayTerms) -> Row:
        """Order one, or say what it would send."""
        since = terms.since.isoformat() if terms.since else None
        value = {**terms._asdict(), "since": since}
        try:
            row: Row = self._api.post("endpoints", self._endpoint, "replays", value=value)
        except Refused as error:
            if error.status_code == 404:
                # It says which there are.
                RemoteEndpoints(self._api).get(self._endpoint)
            raise
        return row

    def progress(self) -> Row | None:
        """Return how far the last one is; None: there was none."""
        try:
            row: Row = self._api.get("endpoints", self._endpoint, "replays")
        except Refused as error:
            if error.status_code != 404:
                raise
            RemoteEndpoints(self._api).get(self._endpoint)
            return None
        return row

    def stop(self) -> int:
        """Stop it; return how many articles are not sent."""
        return int(self._api.delete("endpoints", self._endpoint, "replays")["articles"])


def replays(config: Path | None, data: Path | None, endpoint: str) -> LocalReplays | RemoteReplays:
    """Return the replays of an endpoint of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteReplays(api, endpoint) if api else LocalReplays(config, data, endpoint)
