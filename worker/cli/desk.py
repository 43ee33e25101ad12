"""What the desk orders: kill, hold, release, repeat, an embargo, and which articles a curated list has."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms.orders import orders
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, printable, say
from worker.cli.text_tables import Table

Article = Annotated[str, typer.Argument(metavar="ID|URL", help="The article's id, or the address of its page.")]
_ALONE = {
    "redis": "  (kept by Redis alone: the record is away, and gets it later)",
    "record": "  (kept by the record alone: Redis is away, and gets it later)",
}


def kill(
    article: Article,
    config: Config = None,
    data: Data = None,
    unknown_too: Annotated[
        bool, typer.Option("--unknown-too", help="Also an id that is not known: if the article comes, it is refused.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Kill an article: it leaves every feed, and every receiver hears of it. Only `article.reinstated` undoes it."""
    order = orders(config, data).kill(article, unknown_too=unknown_too)
    if as_json:
        print_json(order)
        return
    _say_accepted(order)
    article_id = order["article"]
    if order["kept_by"] == "record":
        say(f"{article_id} is killed as soon as Redis is back. See: dateline receipt {order['event']}")
    elif order["away"]:
        note(f"{order['away']}: if {article_id} is an older article, it is killed as soon as the record answers")
    else:
        say(_killed(order))


def hold(article: Article, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Withhold an article: it leaves its feeds, and endpoints hear of it, until it is released."""
    order = orders(config, data).give("hold", article)
    _show(order, f"Withheld: {_named(order)}. Back again: dateline release {shlex.quote(order['article'])}", as_json)


def release(article: Article, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Release an article that was withheld: it is back in its feeds."""
    order = orders(config, data).give("release", article)
    _show(order, f"Released: {_named(order)}.", as_json)


def repeat(article: Article, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Have an article sent again, unchanged, to the endpoints that get single articles."""
    order = orders(config, data).give("repeat", article)
    _show(order, f"Sent again: {_named(order)}.", as_json)


def embargo(
    article: Article,
    until: Annotated[str, typer.Option(help="Until when readers do not see it: a time, or 2h.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="It is under embargo no longer.")] = False,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Correct until when an article is under embargo, or lift the embargo."""
    if bool(until) == lift:
        raise Failed("say one of --until and --lift", 2)
    end = None if lift else given_times.deadline("--until", until, zone_of(config, data), clock.agreed())
    order = orders(config, data).embargo(article, end)
    standing = f"Under embargo until {end:%Y-%m-%d %H:%M:%S} UTC" if end else "Under embargo no longer"
    _show(order, f"{standing}: {_named(order)}.", as_json)


def arrange_list(
    name: Annotated[
        str, typer.Argument(help="The list's name, as `list` of a feed has it; without it all lists.")
    ] = "",
    articles: Annotated[list[str] | None, typer.Argument(help="Its articles' ids, the first pick first.")] = None,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Arrange a curated list anew; without articles, show it; without a name, show which there are."""
    there = orders(config, data)
    if not name:
        _show_lists(there.lists(), as_json=as_json)
    elif articles:
        order = there.arrange(name, articles)
        if as_json:
            print_json(order)
            return
        _say_accepted(order)
        if order["unpublished"]:
            say(f"Not published here as yet: {', '.join(order['unpublished'])}")
    else:
        _show_list(there.list_articles(name), as_json=as_json)


def _show_lists(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"lists": rows})
        return
    table = Table("List", "Feeds")
    for row in rows:
        table.add_row(row["name"], ", ".join(row["feeds"]))
    table.show(out, "There are no curated lists: no feed has `list`.")


def _show_list(curated: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(curated)
        return
    for place, entry in enumerate(curated["articles"], 1):
        headline = "(not published here)" if entry["headline"] is None else entry["headline"]
        say(f"{place:3}  {entry['article']}  {headline}")
    if not curated["articles"]:
        say(f"The list {curated['name']} is empty.")


def _show(order: dict[str, Any], outcome: str, as_json: bool) -> None:
    if as_json:
        print_json(order)
        return
    _say_accepted(order)
    say(outcome)


def _say_accepted(order: dict[str, Any]) -> None:
    say(f"{order['status']}  {order['event']}{_ALONE.get(order['kept_by'], '')}")


def _named(order: dict[str, Any]) -> str:
    headline = printable(order["headline"] or "")
    return f'"{headline}" ({order["article"]})' if headline else str(order["article"])


def _killed(order: dict[str, Any]) -> str:
    article_id = order["article"]
    confirmed = f"Who has confirmed it: dateline coverage {shlex.quote(article_id)}"
    if order["was"] is None:
        return f"No article {article_id} was ever published here; if it comes now, it is refused."
    if order["was"] == "canceled":
        return f"{article_id} had been killed before. {confirmed}"
    return f"Killed: {_named(order)}. {confirmed}"
