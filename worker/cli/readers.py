"""How many subscribers feed readers tell of: `dateline readers`. It asks the record alone, and works without Redis."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.newsrooms.readers import DAYS_MOST, readers_of_feed
from worker.cli.terminal import AsJson, Config, Data, out, print_json
from worker.cli.text_tables import Table


def readers(
    feed: Annotated[str, typer.Argument(help="The feed.")],
    days: Annotated[int, typer.Option(min=1, max=DAYS_MOST, help="So many days up to today.")] = 30,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show how many subscribers the services that read a feed for many people tell of, by day (UTC)."""
    rows = readers_of_feed(config, data, feed, days)
    if as_json:
        print_json({"feed": feed, "days": rows})
        return
    table = Table("Day", "Reader", "Format", "Subscribers")
    for day in rows:
        for row in day["readers"]:
            table.add_row(day["day"], row["reader"], row["format"], str(row["subscribers"]))
        if len(day["readers"]) > 1:
            table.add_row(day["day"], "(all)", "", str(day["subscribers"]))
    table.show(out, f"No reader of {feed} has told a number of subscribers in these days.")
