"""Sending articles to an endpoint again, and how far that is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from feeds.counted import counted
from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms.replays import ReplayTerms, replays
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, Failed, err, note, out, print_json

if TYPE_CHECKING:
    from worker.cli.newsrooms.replays import LocalReplays, RemoteReplays, Row

_LOOK_SECONDS = 0.5


def replay(
    endpoint: Annotated[str, typer.Option(help="The endpoint that gets them.")],
    since: Annotated[str, typer.Option(help="All articles that changed since then: a day, a time, or 7d.")] = "",
    article: Annotated[str, typer.Option(help="This one article.")] = "",
    parked: Annotated[bool, typer.Option("--parked", help="Those that the endpoint had refused.")] = False,
    section: Annotated[str, typer.Option(help="Of these only the ones in this section.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would go.")] = False,
    same_ids: Annotated[bool, typer.Option("--same-ids", help="With the message ids of the first time.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Articles a second at the most.")] = 50,
    wait: Annotated[
        bool, typer.Option("--wait", help="End when all are sent; on a terminal it is shown how far it is anyway.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Only show how far the last replay is.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the replay: what was not sent yet is not sent.")] = False,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send articles to an endpoint again, as they are now, marked by the header Dateline-Replay."""
    if sum(map(bool, (since, article, parked, status, stop))) != 1:
        raise Failed("say which: one of --since, --article and --parked; or --status, or --stop", 2)
    zone = zone_of(config, data) if since else None
    moment = given_times.moment("--since", since, zone, clock.agreed()) if since else None
    there = replays(config, data, endpoint)
    if status or stop:
        _look(there, endpoint, stop=stop, as_json=as_json)
        return
    ordered = there.order(ReplayTerms(moment, article or None, parked, section, dry_run, same_ids, rate))
    if as_json:
        print_json(ordered)
    else:
        forms = ("article would go", "articles would go") if dry_run else ("article goes", "articles go")
        out.print(f"{counted(ordered['articles'], *forms)} to {endpoint}")
    if ordered["waits"]:
        raise Failed(f"{endpoint} is being served all the time; the articles go with its next change")
    if ordered["articles"] and not dry_run and (wait or (err.is_terminal and not as_json)):
        _watch(there, endpoint)


def _look(there: LocalReplays | RemoteReplays, endpoint: str, *, stop: bool, as_json: bool) -> None:
    if stop:
        stopped = there.stop()
        if as_json:
            print_json({"articles": stopped})
        else:
            out.print(f"Stopped: {counted(stopped, 'article is', 'articles are')} not sent to {endpoint}.")
        return
    row = there.progress()
    if row is None:
        raise Failed(f"nothing was ever sent to {endpoint} again")
    if as_json:
        print_json(row)
    else:
        out.print(f"{endpoint}: {_done(row)}")


def _done(row: Row) -> str:
    articles = counted(row["total"] or row["left"], "article", "articles")
    if not row["left"]:
        return f"all is sent: {articles}" if row["total"] else "all is sent"
    return f"still to be sent: {row['left']} of {articles}, at most {row['rate']:g} a second"


def _watch(there: LocalReplays | RemoteReplays, endpoint: str) -> None:
    """Show how far a replay is until all is sent. Whoever stops that does not stop the replay."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    try:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            bar = progress.add_task(f"replay to {endpoint}", total=None)
            while (row := there.progress()) is not None and row["left"]:
                total = max(row["total"], row["left"])
                progress.update(bar, total=total, completed=total - row["left"])
                time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        note(f"the workers go on with it: dateline replay --endpoint {endpoint} --status, or --stop")
        return
    out.print(f"All are sent to {endpoint}.")
