"""Alarms: which stand, and who takes care of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker.cli.newsrooms import alarms as newsroom_alarms
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, shown
from worker.cli.text_tables import Table


def alarms(
    acknowledge: Annotated[
        str, typer.Option(help="Acknowledge this alarm (its id), or all of a rule (its name).")
    ] = "",
    snooze: Annotated[str, typer.Option(help="Let this alarm, or all of a rule, rest.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=43_200, help="With --snooze: for how long.")] = 60,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the alarms that stand and the channels that they are sent to; acknowledge or snooze some."""
    if acknowledge and snooze:
        raise Failed("--acknowledge and --snooze: give one of the two", 2)
    if target := acknowledge or snooze:
        subjects = newsroom_alarms.mark(config, data, target, minutes if snooze else None)
        if as_json:
            print_json({"subjects": subjects})
        else:
            done = f"Snoozed for {minutes} min" if snooze else "Acknowledged"
            say(f"{done}: {', '.join(subjects[:20])}{' ...' if len(subjects) > 20 else ''}")
        return
    overview = newsroom_alarms.overview(config, data)
    if as_json:
        print_json(overview)
        return
    table = Table("Id", "Rule", "On", "What", "Since (UTC)", "State", details=("What",))
    for alarm in overview["items"]:
        table.add_row(
            *(alarm["id"], alarm["rule"], alarm["subject"], alarm["detail"], shown(alarm["raised"])), _state(alarm)
        )
    table.show(out, "No alarm stands.")
    for channel in overview["channels"]:
        if channel["failing_since"]:
            note(f"the channel {channel['name']} takes no alarms: {channel['error']}")


def _state(alarm: dict[str, Any]) -> str:
    if alarm["snoozed_until"]:
        return f"snoozed until {shown(alarm['snoozed_until'])} by {alarm['by']}"
    return f"acknowledged by {alarm['by']}" if alarm["acknowledged"] else "open"
