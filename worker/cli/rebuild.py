"""The command that compares Redis with the record, and has it rebuilt."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from feeds.counted import counted
from worker import clock
from worker.cli.terminal import Config, Data, Failed, err, out

if TYPE_CHECKING:
    from rich.progress import Progress

    from worker.runtime.services import Services

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
"""How long a rebuild may stand still before the command ends and says that nobody does it."""


def rebuild(
    config: Config = None,
    data: Data = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what differs; status 1 when something does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: print it as JSON.")] = False,
) -> None:
    """Bring Redis up to date from the record. Workers do so by themselves when Redis has lost something."""
    if as_json and not dry_run:
        raise Failed("--json goes with --dry-run", 2)
    from worker.cli.running_newsroom import newsroom

    services = newsroom(config, data)
    services.record.see_that_it_fits()
    if dry_run:
        _show_differences(services, as_json=as_json)
    else:
        _order(services)


def _show_differences(services: Services, *, as_json: bool) -> None:
    from worker.retention.differences import KINDS, Differences

    differences = Differences(services.store, services.record, services.publication.window_of)
    with _bar("comparing") as progress:
        task = progress.add_task("feeds", total=None)
        for done, count in differences.compare():
            progress.update(task, completed=done, total=count)
    if as_json:
        rows = {kind: {"count": row.count, "first": row.names} for kind, row in differences.by_kind.items()}
        out.print(json.dumps(rows, indent=2), soft_wrap=True)
    else:
        for kind, row in differences.by_kind.items():
            if row.count:
                more = ", ..." if row.count > len(row.names) else ""
                line = f"{row.count:,} {KINDS[kind]}: {', '.join(row.names)}{more}"
                out.print(line, soft_wrap=True)
        if not differences.any:
            out.print("Redis has all that the record has.")
    if differences.any:
        raise typer.Exit(1)


def _order(services: Services) -> None:
    from worker.retention.rebuild import Rebuild

    agreement = services.store.agreement
    if not services.store.workers.alive(clock.ms(clock.agreed())):
        raise Failed("no worker is running, and workers do it: start one, and it looks by itself what Redis lacks")
    window_of = services.publication.window_of
    rebuilds = Rebuild(services.store, services.agreement.examiner, services.record, window_of, lambda _: None)
    if not rebuilds.order():
        out.print("A rebuild is going on already.")
    with _bar("rebuilding") as progress:
        task = progress.add_task("parts", total=None)
        last, since = -1, time.monotonic()
        while not (standing := agreement.progress()).finished:
            if standing.done + standing.articles != last:
                last, since = standing.done + standing.articles, time.monotonic()
            elif time.monotonic() - since > _PATIENCE_SECONDS:
                raise Failed("nobody goes on with it: are workers running, and does the record answer? See their logs")
            progress.update(task, completed=standing.done, total=standing.all or None)
            time.sleep(_LOOK_SECONDS)
    out.print(f"Rebuilt: {counted(standing.articles, 'article was', 'articles were')} missing or older.")


def _bar(title: str) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=err, transient=True)
