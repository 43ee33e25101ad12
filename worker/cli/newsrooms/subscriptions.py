"""The WebSub subscriptions of a newsroom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed, feed_names

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.runtime.services import Services

Row = dict[str, Any]


def subscriptions(config: Path | None, data: Path | None, feed: str, limit: int) -> tuple[list[Row], bool]:
    """Return the subscriptions of a feed, or of all, at most so many, and whether there are more. Raises Failed."""
    if api := api_of(config, data):
        return _over_the_api(api, feed, limit)
    from worker.cli.running_newsroom import newsroom
    from worker.receivers.subscription_rows import subscription_row

    services = newsroom(config, data)
    if feed and services.publication.feed(feed) is None:
        raise _no_feed(feed, feed_names(services.settings))
    overviews = []
    for name in [feed] if feed else sorted(services.store.receivers.feeds()):
        for overview in services.store.receivers.scan(name):
            if "callback" in overview.details:
                overviews.append((name, overview))
            if len(overviews) > limit:
                break
    shown = sorted(overviews[:limit], key=lambda pair: (pair[0], pair[1].id))
    began = _began(services, [(name, overview.id) for name, overview in shown])
    heads = services.store.changes.heads(list(dict.fromkeys(name for name, _ in shown)))
    rows = [
        subscription_row(name, overview, heads[name].seq, began.get((name, overview.id))) for name, overview in shown
    ]
    return rows, len(overviews) > limit


def _began(services: Services, receivers: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """When subscriptions began, which the record knows, if it is there."""
    from worker.record.availability import RecordAway
    from worker.record.subscriptions import beginnings

    try:
        return services.recorded.ask(lambda connection: beginnings(connection, receivers)) or {}
    except RecordAway:
        return {}


def _over_the_api(api: Api, feed: str, limit: int) -> tuple[list[Row], bool]:
    if feed:
        try:
            api.get("feeds", feed)
        except Refused as error:
            if error.status_code != 404:
                raise
            raise _no_feed(feed, ", ".join(row["name"] for row in api.items("feeds"))) from None
    rows = list(api.items("subscriptions", limit=limit + 1, feed=feed))
    return rows[:limit], len(rows) > limit


def _no_feed(feed: str, names: str) -> Failed:
    return Failed(f"--feed: there is no feed {feed}; known: {names}", 2)
