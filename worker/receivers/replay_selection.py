"""Which articles a replay sends to an endpoint once more. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock

if TYPE_CHECKING:
    from datetime import datetime

    from worker.store import Store


def articles_to_replay(
    store: Store, feed: str, endpoint: str, *, since: datetime | None, article_id: str | None, parked: bool
) -> dict[str, int]:
    """Return the articles that a replay would send, each with the sequence number of its latest change in the feed.

    With `article_id` that article alone; with `parked` those that the endpoint had refused; otherwise all that changed
    `since` then. Those count too that were in the feed before it recorded changes and were published since.
    """
    if article_id is not None:
        article_ids = [store.lineage.original(article_id)]
    elif parked:
        article_ids = list(store.attempts.parked(feed, endpoint))
    else:
        assert since is not None
        since_ms = clock.ms(since)
        count = store.changes.count_since(feed, since_ms)
        article_ids = [change.article_id for change in store.changes.latest(feed, count)] if count else []
        unannounced = store.changes.unannounced(feed)
        published = zip(unannounced, store.articles.published(unannounced), strict=True)
        article_ids += [name for name, published_ms in published if published_ms >= since_ms]
    return {name: change.seq for name, change in store.changes.latest_of(feed, article_ids).items()}
