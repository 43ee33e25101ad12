"""What the desk orders: a kill, and which articles a curated list has."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer
from rich.markup import escape

from worker import clock
from worker.cli.terminal import Config, Data, Failed, newsroom, out


def kill(
    article: Annotated[str, typer.Argument(help="The article's id.")], config: Config = None, data: Data = None
) -> None:
    """Kill an article: it leaves every feed, and every receiver is told. Only `article.reinstated` brings it back."""
    services = newsroom(config, data)
    known = services.store.articles.get(article)
    event = {"id": f"kill-{uuid4()}", "type": "article.killed", "article": {"id": article}}
    receipt = services.intake.accept([event], clock.now())[0]
    if receipt.status == "invalid":
        raise Failed("; ".join(map(str, receipt.errors)), 2)
    out.print(f"accepted  {receipt.event_id}", highlight=False)
    if known is None:
        out.print("No article of this id was ever published here; if it comes now, it is refused.")


def arrange_list(
    name: Annotated[str, typer.Argument(help="The list's name, as `list` of a feed has it.")],
    articles: Annotated[list[str] | None, typer.Argument(help="Its articles' ids, the first pick first.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Arrange a curated list anew; without articles, show it."""
    services = newsroom(config, data)
    known = sorted({feed.list for feed in services.site.definitions if feed.list})
    if name not in known:
        raise Failed(f"no feed has a list {name}; known: {', '.join(known) or 'none'}", 2)
    lists, held = services.store.lists, services.store.articles
    if articles:
        event = {"id": f"list-{uuid4()}", "type": "list.updated", "list": {"name": name, "articles": articles}}
        receipt = services.intake.accept([event], clock.now())[0]
        if receipt.status == "invalid":
            raise Failed("; ".join(map(str, receipt.errors)), 2)
        out.print(f"accepted  {receipt.event_id}", highlight=False)
        missing = sorted(set(articles) - held.get_many(articles).keys())
        if missing:
            out.print(f"Not published here as yet: {', '.join(missing)}", highlight=False)
        return
    picks = lists.get_many([name])[name]
    found = held.get_many(picks)
    for place, article_id in enumerate(picks, 1):
        headline = escape(found[article_id].article.headline) if article_id in found else "(not published here)"
        out.print(f"{place:3}  {article_id}  {headline}", highlight=False)
    if not picks:
        out.print(f"The list {name} is empty.", highlight=False)
