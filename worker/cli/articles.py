"""Finding articles: `dateline articles`. It asks the record alone, and works without Redis."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms.articles import Criteria, find
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, shown
from worker.cli.text_tables import Table


def list_articles(
    search: Annotated[
        str, typer.Option(help='Only those with these words; "a phrase" in quotes, harb* for a beginning.')
    ] = "",
    feed: Annotated[str, typer.Option(help="Only those that are in this feed.")] = "",
    since: Annotated[str, typer.Option(help="Only those published since then: a day, a time, or 7d.")] = "",
    until: Annotated[str, typer.Option(help="Only those published before; a day counts to its end.")] = "",
    killed: Annotated[bool, typer.Option("--killed", help="Only killed ones.")] = False,
    edition: Annotated[str, typer.Option(help="Only those of this language edition.")] = "",
    section: Annotated[str, typer.Option(help="Only those in this section.")] = "",
    author: Annotated[str, typer.Option(help="Only those by this author: the whole name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    after: Annotated[str, typer.Option(help="Go on after the page that ended with this cursor.")] = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List articles, the newest first."""
    zone, now = zone_of(config, data) if since or until else None, clock.agreed()
    first = given_times.moment("--since", since, zone, now) if since else None
    end = given_times.moment("--until", until, zone, now, end=True) if until else None
    if first is not None and end is not None and first >= end:
        raise Failed(f"--since: {since} is after --until, which is {until}", 2)
    criteria = Criteria(search, feed, first, end, killed, edition, section, author, limit, after)
    page = find(config, data, criteria)
    if as_json:
        print_json({"articles": page.rows, "after": page.after})
        return
    table = Table(
        "Article", "Published (UTC)", "State", "Headline", "Version", "Edition", details=("Version", "Edition")
    )
    for row in page.rows:
        headline = row["headline"] or _no_headline(row, keeps_killed=page.keeps_killed)
        details = (str(row["version"]), row["edition"])
        table.add_row(row["id"], shown(row["published"]), _state(row), headline, *details)
    table.show(out, _nothing(criteria))
    if page.after is not None:
        note(f"there are more: --after {page.after}")


def _state(row: dict[str, Any]) -> str:
    if row["standing"] == "embargoed":
        return f"embargoed until {shown(row['embargoed'])}"
    return "killed" if row["standing"] == "canceled" else str(row["standing"])


def _nothing(criteria: Criteria) -> str:
    if criteria.search and criteria.killed:
        return "No article: of killed ones no words are kept by which they could be found."
    if (criteria.section or criteria.author) and criteria.killed:
        return "No article: of killed ones neither section nor authors are kept."
    if criteria.after:
        return "No more articles."
    if criteria._replace(limit=0) != Criteria(limit=0):
        return "No article is like that."
    return "There are no articles in the record yet."


def _no_headline(row: dict[str, Any], *, keeps_killed: bool) -> str:
    """Why there is none. `keeps_killed`: the record keeps the texts of killed articles."""
    is_killed = row["pubstatus"] == "canceled"
    if is_killed and keeps_killed and not row["forgotten"]:
        return "(killed: dateline history has its words)"
    return "(text forgotten)" if row["forgotten"] or is_killed else "(none)"
