"""What there is and how it stands: feeds and subscriptions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from feeds.counted import counted
from feeds.format_names import FEED_FORMATS
from worker.cli.newsrooms.feeds import feeds_of
from worker.cli.newsrooms.subscriptions import subscriptions
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json, shown
from worker.cli.text_tables import Table


def list_feeds(
    config: Config = None,
    data: Data = None,
    parked: Annotated[bool, typer.Option("--parked", help="The articles that the gate keeps out, by format.")] = False,
    push: Annotated[
        str, typer.Option(help="Push what this feed has taken in by a new definition, and its receivers have not got.")
    ] = "",
    withdraw: Annotated[
        str, typer.Option(help="Withdraw what left this feed by a new definition, and its receivers still have.")
    ] = "",
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Articles a second, at the most.")] = 50,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many articles that would be, and to whom.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the feeds; or push what a new definition has taken in, or withdraw what it has left out."""
    if bool(push) + bool(withdraw) + parked > 1:
        raise Failed("--push, --withdraw and --parked: give one of them", 2)
    if dry_run and not (push or withdraw):
        raise Failed("--dry-run goes with --push or --withdraw", 2)
    there = feeds_of(config, data)
    if parked:
        _list_parked(there.parked(), as_json=as_json)
        return
    if push or withdraw:
        from worker.cli.feed_orders import order

        order(there, push or withdraw, "push" if push else "withdraw", rate=rate, dry_run=dry_run)
        return
    rows = there.rows()
    if as_json:
        print_json({"feeds": rows})
        return
    table = Table(
        *("Feed", "Articles", "Changes", "Last change (UTC)", "Receivers", "Behind", "Parked", "Edition", "Title"),
        details=("Title", "Edition", "Changes", "Last change (UTC)"),
    )
    for row in rows:
        edition = row["edition"] or "mixed"
        if row["pattern"]:
            feeds = counted(row["feeds"], "feed", "feeds")
            table.add_row(row["name"], feeds, "", "", "", "", "", edition, row["title"])
            continue
        numbers = (str(row[name]) for name in ("receivers", "behind", "parked"))
        changed = shown(row["changed"]) or "never"
        counts = (str(row["articles"]), str(row["sequence"]), changed, *numbers)
        table.add_row(row["name"], *counts, edition, row["title"])
    table.show(out, "There are no feeds.")
    filling = [row for row in rows if row["filling"]]
    if filling:
        done, articles = (filling[0]["filling"][name] for name in ("done", "articles"))
        some = ", ".join(row["name"] for row in filling[:5]) + (" ..." if len(filling) > 5 else "")
        part = f"{done} of {counted(articles, 'article', 'articles')}" if articles else "nothing"
        out.print(f"Being filled with what was published before: {some}; gone through: {part}.")
    out.print(f"Formats: {', '.join(FEED_FORMATS)}; addresses: {there.address()}/feeds/FEED.FORMAT")


def _list_parked(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"parked": rows})
        return
    table = Table("Format", "Article", "Version", "Since (UTC)", "Why", details=("Why",))
    for row in rows:
        table.add_row(
            row["format"], row["article"], str(row["version"]), shown(row["since"]), "; ".join(row["reasons"])
        )
    table.show(out, "The gate keeps nothing out.")


def list_subscriptions(
    config: Config = None,
    data: Data = None,
    feed: Annotated[str, typer.Option(help="Only this feed.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the WebSub subscriptions and how they stand."""
    rows, more = subscriptions(config, data, feed, limit)
    if as_json:
        print_json({"subscriptions": rows, "more": more})
        return
    table = Table(
        *("Feed", "Format", "State", "Behind", "Failing since (UTC)", "Ends (UTC)", "Signed", "Why", "Callback"),
        details=("Callback", "Why", "Signed", "Ends (UTC)"),
    )
    for row in rows:
        state = f"backoff until {shown(row['next_try'])}" if row["next_try"] else row["state"] or ""
        table.add_row(
            row["feed"],
            row["format"] if row["protocol"] == "websub" else f"{row['format']} (rssCloud)",
            state,
            "" if row["behind"] is None else str(row["behind"]),
            shown(row["failing_since"]),
            shown(row["lease_ends"]),
            "yes" if row["signed"] else "no",
            row["reason"] or "",
            row["callback"],
        )
    table.show(out, "There are no subscriptions.")
    if more:
        out.print("There are more; see them with --limit.")
