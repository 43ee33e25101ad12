"""Which article somebody means: it is named by its id, or by the address of its page."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from feeds.errors import FieldError, InvalidInput, listed
from feeds.text import absolute_url
from worker.management.changes import Conflict, NotFound
from worker.record.articles import at_address, has_id
from worker.record.availability import RecordAway

if TYPE_CHECKING:
    from worker.retention.recorded import RecordedArticles
    from worker.store import Store


def named_id(store: Store, recorded: RecordedArticles, article: str) -> str:
    """Return the id of the article that is named so.

    Raises InvalidInput when it is no address, NotFound when there is no article, Conflict when there are several; and
    RecordAway when Redis does not know the article, and the record can't be asked.
    """
    # Many systems make ids that look like addresses, and an article may be elsewhere than where its id says.
    is_id = not article.startswith(("http://", "https://")) or bool(store.articles.hot([article]))
    return article if is_id else _id_at(store, recorded, article)


def _id_at(store: Store, recorded: RecordedArticles, url: str) -> str:
    with suppress(RecordAway):
        if recorded.ask(partial(has_id, article_id=url)):
            return url
    try:
        address = absolute_url(url)
        ids = list(store.articles.at_address(address))
    except ValueError as error:
        raise InvalidInput([FieldError(url, str(error))]) from None
    try:
        ids += recorded.ask(partial(at_address, url=address)) or []
    except RecordAway:
        # Nobody waits for the record to order a kill, if Redis knows the article.
        if not ids:
            raise
    ids = list(dict.fromkeys(store.lineage.originals(ids).values()))
    if len(ids) > 1:
        raise Conflict(f"{len(ids)} articles have the address {url}: {listed(ids)}; name one of the ids")
    if not ids:
        raise NotFound(f"no article has the address {url}; name its id")
    return ids[0]
