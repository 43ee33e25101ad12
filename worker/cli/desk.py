"""What the desk orders: a kill, and which articles a curated list has."""

from __future__ import annotations

import shlex
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from redis.exceptions import RedisError

from feeds.text import absolute_url
from worker.cli.running_newsroom import accept, alone, newsroom
from worker.cli.terminal import Config, Data, Failed, note, printable, say
from worker.record.articles import at_address
from worker.record.availability import RecordAway
from worker.store.redis_errors import is_outage

if TYPE_CHECKING:
    from worker.intake.accept import Receipt
    from worker.runtime.wiring import Services
    from worker.store.articles import StoredArticle

_PATIENCE_SECONDS = 5.0
"""How long an article is waited for that is not known, while there are events to be carried out."""


def kill(
    article: Annotated[str, typer.Argument(metavar="ID|URL", help="The article's id, or the address of its page.")],
    config: Config = None,
    data: Data = None,
    unknown_too: Annotated[
        bool, typer.Option("--unknown-too", help="Also an id that is not known: if the article comes, it is refused.")
    ] = False,
) -> None:
    """Kill an article: it leaves every feed, and every receiver hears of it. Only `article.reinstated` undoes it."""
    services = newsroom(config, data)
    article_id = _id_at(services, article) if article.startswith(("https://", "http://")) else article
    may_be_cold = False
    try:
        stored = _published(services, article_id)
    except RecordAway as error:
        # It may be an old one. Nobody waits for the record to order a kill.
        stored, unknown_too = None, True
        may_be_cold = True
        note(f"{error}: if {article_id} is an older article, it is killed as soon as the record answers")
    except RedisError as error:
        if not is_outage(error):
            raise
        # The record takes it; nobody can say now whether the article is known.
        stored, unknown_too = None, True
    if stored is None and not unknown_too:
        raise Failed(
            f"no article {article} is known here, so nothing was killed; see `dateline coverage`, "
            "or add --unknown-too to have it refused if it comes"
        )
    event = {"id": f"kill-{uuid4()}", "type": "article.killed", "article": {"id": article_id}}
    receipt = _accepted(services, event)
    if receipt.kept_by == "record":
        say(f"{article_id} is killed as soon as Redis is back. See: dateline receipt {receipt.event_id}")
        return
    if not may_be_cold:
        say(_killed(article_id, stored))


def _accepted(services: Services, event: dict[str, Any]) -> Receipt:
    """Take an event in, and say so. Raises Failed when it can't be taken."""
    (receipt,) = accept(services, [event])
    if receipt.status == "invalid":
        raise Failed("; ".join(map(str, receipt.errors)), 2)
    say(f"accepted  {receipt.event_id}{alone(receipt)}")
    return receipt


def _killed(article_id: str, stored: StoredArticle | None) -> str:
    if stored is None:
        return f"No article {article_id} was ever published here; if it comes now, it is refused."
    if stored.article.pubstatus == "canceled":
        return f"{article_id} had been killed before. Who has confirmed it: dateline coverage {shlex.quote(article_id)}"
    headline = printable(stored.article.headline)
    return f'Killed: "{headline}" ({article_id}). Who has confirmed it: dateline coverage {shlex.quote(article_id)}'


def _published(services: Services, article_id: str) -> StoredArticle | None:
    """The article; while events wait to be carried out it may be among them, and is waited for a little."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (stored := services.articles.get(services.store.lineage.original(article_id))) is None:
        if time.monotonic() > deadline or not services.store.events.waiting():
            return None
        time.sleep(0.1)
    return stored


def _id_at(services: Services, url: str) -> str:
    """The id of the article whose page is at this address. Raises Failed when there is none, or several."""
    try:
        address = absolute_url(url)
        ids = list(services.store.articles.at_address(address))
    except ValueError as error:
        raise Failed(f"{url}: {error}", 2) from None
    try:
        ids += services.recorded.ask(partial(at_address, url=address)) or []
    except RecordAway:
        # Nobody waits for the record to order a kill, if Redis knows the article.
        if not ids:
            raise
    ids = list(dict.fromkeys(services.store.lineage.originals(ids).values()))
    if len(ids) > 1:
        raise Failed(f"{len(ids)} articles have the address {url}: {', '.join(ids)}; name one of the ids")
    if not ids:
        raise Failed(f"no article has the address {url}; name its id")
    return ids[0]


def arrange_list(
    name: Annotated[str, typer.Argument(help="The list's name, as `list` of a feed has it.")],
    articles: Annotated[list[str] | None, typer.Argument(help="Its articles' ids, the first pick first.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Arrange a curated list anew; without articles, show it."""
    services = newsroom(config, data)
    list_names = sorted({feed.list for feed in services.publication.definitions if feed.list})
    if name not in list_names:
        raise Failed(f"no feed has a list {name}; known: {', '.join(list_names) or 'none'}", 2)
    lists, articles_stored = services.store.lists, services.store.articles
    if articles:
        event = {"id": f"list-{uuid4()}", "type": "list.updated", "list": {"name": name, "articles": articles}}
        if _accepted(services, event).kept_by == "record":
            return
        originals = services.store.lineage.originals(articles)
        there = articles_stored.get_many(set(originals.values()))
        missing = sorted(name for name, original in originals.items() if original not in there)
        if missing:
            say(f"Not published here as yet: {', '.join(missing)}")
        return
    picks = lists.get_many([name])[name]
    originals = services.store.lineage.originals(picks)
    stored_picks = articles_stored.get_many(set(originals.values()))
    for place, article_id in enumerate(picks, 1):
        article = stored_picks.get(originals[article_id])
        headline = article.article.headline if article else "(not published here)"
        say(f"{place:3}  {article_id}  {headline}")
    if not picks:
        say(f"The list {name} is empty.")
