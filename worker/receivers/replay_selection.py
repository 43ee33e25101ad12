"""Which articles a replay sends to an endpoint once more. Reads only, but brings back one that is named and cold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from worker import clock
from worker.record.feed_past import changed_since

if TYPE_CHECKING:
    from datetime import datetime

    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store


def articles_to_replay(
    store: Store,
    articles: HotArticles,
    recorded: RecordedArticles,
    feed: str,
    endpoint: str,
    *,
    since: datetime | None,
    article_id: str | None,
    parked: bool,
) -> dict[str, int]:
    """Return the articles that a replay would send, each with the sequence number of its latest change in the feed.

    With `article_id` that article alone; with `parked` those that the endpoint had refused; otherwise all that changed
    `since` then, cold ones too. Those count too that were in the feed before it recorded changes and were published
    since. Raises RecordAway.
    """
    cold: dict[str, int] = {}
    if article_id is not None:
        article_ids = [store.lineage.original(article_id)]
        articles.get_many(article_ids)
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
        in_record = recorded.ask(partial(changed_since, feed=feed, since=since_ms)) or {}
        # Of those that are hot Redis knows better.
        hot = store.changes.states(feed, list(in_record))
        cold = {name: sequence for name, sequence in in_record.items() if name not in hot}
    return cold | {name: change.seq for name, change in store.changes.latest_of(feed, article_ids).items()}
