"""What the desk orders: a kill, and which articles a curated list has."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.management import at_the_shell
from worker.cli.running_newsroom import alone, newsroom
from worker.cli.terminal import Config, Data, Failed, note, printable, say
from worker.intake.article_orders import ArticleOrders
from worker.management.changes import NotFound

if TYPE_CHECKING:
    from worker.intake.accept import Receipt
    from worker.runtime.services import Services
    from worker.store.articles import StoredArticle


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
    orders = _orders(services)
    article_id = orders.id_at(article) if article.startswith(("https://", "http://")) else article
    try:
        order = orders.kill(at_the_shell(), article_id, unknown_too=unknown_too)
    except NotFound:
        raise Failed(
            f"no article {article} is known here, so nothing was killed; see `dateline coverage`, "
            "or add --unknown-too to have it refused if it comes"
        ) from None
    _say_accepted(order.receipt)
    if order.receipt.kept_by == "record":
        say(f"{article_id} is killed as soon as Redis is back. See: dateline receipt {order.receipt.event_id}")
    elif order.away:
        note(f"{order.away}: if {article_id} is an older article, it is killed as soon as the record answers")
    else:
        say(_killed(article_id, order.article))


def _orders(services: Services) -> ArticleOrders:
    recorded, audit = services.recorded, services.management.audit
    return ArticleOrders(services.store, services.articles, recorded, services.intake, audit, way="cli")


def _say_accepted(receipt: Receipt) -> None:
    say(f"accepted  {receipt.event_id}{alone(receipt)}")


def _killed(article_id: str, stored: StoredArticle | None) -> str:
    if stored is None:
        return f"No article {article_id} was ever published here; if it comes now, it is refused."
    if stored.article.pubstatus == "canceled":
        return f"{article_id} had been killed before. Who has confirmed it: dateline coverage {shlex.quote(article_id)}"
    headline = printable(stored.article.headline)
    return f'Killed: "{headline}" ({article_id}). Who has confirmed it: dateline coverage {shlex.quote(article_id)}'


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
        receipt = _orders(services).arrange_list(at_the_shell(), name, articles)
        _say_accepted(receipt)
        if receipt.kept_by == "record":
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
