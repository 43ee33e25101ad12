"""Who has an article: the report of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from feeds.errors import listed
from worker.cli.newsrooms.coverage import coverage as coverage_of
from worker.cli.terminal import AsJson, Config, Data, out, print_json, say, shown
from worker.cli.text_tables import Table

_SUBSCRIPTIONS = "(subscriptions)"
"""Stands for all subscriptions of a feed."""


def coverage(
    article: Annotated[str, typer.Argument(metavar="ID|URL", help="The article's id, or its address.")],
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show who has which version of an article since when, who is behind, and why."""
    report = coverage_of(config, data, article)
    if as_json:
        print_json(report)
        return
    now = report["article"]
    say(f"{now['id']}: version {now['version']}, {now['pubstatus']}, updated {shown(now['updated'])} UTC")
    if report["embargoed"]:
        say(f"Under embargo until {shown(report['embargoed'])} UTC.")
    table = Table("Feed", "Receiver", "Holds", "Since (UTC)", "Standing", "Why", details=("Why",))
    for row in report["receivers"]:
        why = "" if row["receiver"] == _SUBSCRIPTIONS else row["why"]
        table.add_row(row["feed"], row["receiver"], _holds(row), shown(row["since"]), row["standing"], why)
    table.show(out, "It is in no feed that has receivers.")
    for refusal in report["kept_out_of"]:
        say(f"Kept out of {refusal['format']}: {'; '.join(refusal['reasons'])}")
    if now["pubstatus"] == "canceled" and report["receivers"]:
        say(_takedown(report))


def _holds(row: dict[str, Any]) -> str:
    """What a receiver has, in words."""
    if row["status"]:
        return f"version {row['version']}, {row['status']}"
    return str(row["why"]) if row["receiver"] == _SUBSCRIPTIONS else "nothing"


def _takedown(report: dict[str, Any]) -> str:
    """What an editor wants to know after a kill."""
    if missing := sorted({row["receiver"] for row in report["receivers"] if not row["confirmed"]}):
        return f"Not confirmed by {report['unconfirmed']}: {listed(missing)}"
    seconds = report["seconds_to_the_last"]
    last = f", the last endpoint {seconds:.1f} s after the kill" if seconds is not None else ""
    return f"Confirmed by all{last}."
