"""`dateline publish`: articles come in from files, addresses and standard input."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from config.settings import AdapterSettings, load
from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import Given
from feeds.errors import InvalidEvent
from worker import clock, inputs
from worker.cli.terminal import Config, Data, Failed, err, newsroom, out, page, say_wrong

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.errors import FieldError
    from worker.intake import Receipt

_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.5"


def publish(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files, addresses, or - for standard input: events, articles, pages, text, other systems' JSON."
        ),
    ],
    config: Config = None,
    data: Data = None,
    named: Annotated[str, typer.Option("--as", help="What they are; else it is guessed.")] = "",
    url: Annotated[str, typer.Option(help="The article's page, where the input does not say it.")] = "",
    article_id: Annotated[str, typer.Option("--id", help="The article's id, where the input has none.")] = "",
    edition: Annotated[str, typer.Option(help="The language, where the input does not say it.")] = "",
    timezone: Annotated[str, typer.Option(help="Where times without an offset are, such as Asia/Riyadh.")] = "",
    image: Annotated[str, typer.Option(help="The picture of a plain text, which has its caption alone.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the events and what is missing.")] = False,
) -> None:
    """Publish articles. A bare article becomes an event of its own; pages, text and other systems' JSON are adapted."""
    if named and named not in ADAPTERS:
        raise Failed(f"--as: there is no adapter {named}; known: {', '.join(ADAPTERS)}", 2)
    if len(files) > 1 and (url or article_id or image):
        raise Failed("--url, --id and --image are of one article; publish one at a time", 2)
    settings = load(config)
    zone = _zone(timezone) or settings.site.zone

    def given(adapter: str) -> Given:
        """What the command line says, else the settings of the adapter, else those of the site."""
        own = getattr(settings.adapters, adapter, AdapterSettings())
        language = edition or own.edition or settings.site.edition
        return Given(article_id, url or own.url, language, settings.editions, zone, image)

    fetch = partial(page, settings=settings, most=MOST_BYTES, accept=_ACCEPT)
    try:
        found = [one for file in files for one in inputs.read(file, named, given, fetch)]
    except inputs.InputError as error:
        raise Failed(str(error), 2) from None
    if dry_run:
        wrong = sum(not _shown(one) for one in found)
    else:
        receipts = newsroom(config, data).intake.accept([one.event for one in found], clock.agreed())
        wrong = sum(not _told(one, receipt) for one, receipt in zip(found, receipts, strict=True))
    if wrong:
        raise Failed(f"{wrong} of {len(found)} not accepted", 1)


def _told(one: inputs.Input, receipt: Receipt) -> bool:
    """Say what became of an event; whether it was taken."""
    if receipt.status == "invalid":
        _say_errors(one, receipt.errors)
        return False
    out.print(f"{receipt.status}  {receipt.event_id}", highlight=False, markup=False)
    for note in one.missing:
        out.print(f"  {inputs.hinted(note)}", highlight=False, markup=False, soft_wrap=True)
    return True


def _shown(one: inputs.Input) -> bool:
    """Show an event and what is missing in it; whether it would be taken."""
    out.print(json.dumps(one.event, indent=2, ensure_ascii=False), highlight=False, markup=False, soft_wrap=True)
    for note in one.missing:
        err.print(f"missing: {one.where}: {inputs.hinted(note)}", highlight=False, markup=False, soft_wrap=True)
    try:
        events.read(one.event, clock.agreed())
    except InvalidEvent as error:
        _say_errors(one, error.errors)
        return False
    return True


def _say_errors(one: inputs.Input, errors: Iterable[FieldError]) -> None:
    for error in errors:
        say_wrong(f"{one.where}: {error}")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise Failed(f"--timezone: there is no time zone {name}; they are called as in Asia/Riyadh", 2) from None
