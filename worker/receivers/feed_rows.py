"""Feeds as people and programs look at them: how many articles and receivers each has, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feeds.definition import FeedDefinition
    from worker.store import Store

_OF_A_FEED = ("feeds", "articles", "sequence", "changed", "receivers", "behind", "parked", "filling")


def rows_of(store: Store, definitions: Sequence[FeedDefinition], endpoints: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return feeds and patterns of feeds as they are shown; what one has none of is None.

    `endpoints`: the feed of each endpoint of the settings file, by name; those that are managed are known to Redis.
    """
    names = [definition.name for definition in definitions if definition.by is None]
    feeds_by_pattern = store.patterns.counts(
        [definition.name for definition in definitions if definition.by is not None]
    )
    heads, sizes, counts = store.changes.heads(names), store.changes.sizes(names), store.receivers.counts_of(names)
    parked = _parked(store, {**store.management.endpoints(), **endpoints}, names)
    progress = store.definitions.progress()
    filling = {"done": progress.done, "articles": progress.articles}
    rows = []
    for definition in definitions:
        name = definition.name
        row = {"name": name, "title": definition.title, "pattern": definition.by is not None}
        row |= {"edition": definition.edition, **dict.fromkeys(_OF_A_FEED)}
        if definition.by is not None:
            row["feeds"] = feeds_by_pattern[name]
        else:
            of_feed = dict(counts.get(name, {}))
            row |= {"articles": sizes[name], "sequence": heads[name].seq, "changed": iso(heads[name].changed)}
            row |= {
                "behind": of_feed.pop("behind", 0),
                "receivers": sum(of_feed.values()),
                "parked": parked.get(name, 0),
            }
            row["filling"] = filling if name in progress.feeds else None
        rows.append(row)
    return rows


def _parked(store: Store, endpoints: Mapping[str, str], feeds: Iterable[str]) -> dict[str, int]:
    """How many articles the endpoints of each feed have set aside. It does without the record."""
    names: dict[str, list[str]] = {feed: [] for feed in feeds}
    for name, feed in endpoints.items():
        if feed in names:
            names[feed].append(name)
    return store.attempts.count_parked({feed: endpoints_of for feed, endpoints_of in names.items() if endpoints_of})
