"""`dateline publish`: articles come in from files, addresses and standard input."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import track

from config.settings import AdapterSettings, load
from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import InputDefaults
from feeds.errors import InvalidEvent
from worker import clock
from worker.cli.named_pages import page
from worker.cli.running_newsroom import accept, alone, newsroom
from worker.cli.terminal import Config, Data, Failed, err, out, printable, say_wrong
from worker.intake.inputs import InputEvent, read_events, with_option
from worker.intake.sources import InputError, files_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from feeds.errors import FieldError
    from worker.intake.accept import Receipt
    from worker.runtime.services import Services

_OUTCOMES = ("accepted", "duplicate", "refused")
_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.5"


def publish(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, addresses, - for standard input: events, articles, pages, text, other systems' JSON."
        ),
    ],
    config: Config = None,
    data: Data = None,
    named: Annotated[str, typer.Option("--as", help=f"What they are: {', '.join(ADAPTERS)}; else it is guessed.")] = "",
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
    try:
        sources = [source for file in files for source in files_within(file)]
    except InputError as error:
        raise Failed(str(error), 2) from None
    if len(sources) > 1 and (url or article_id or image):
        raise Failed("--url, --id and --image are of one article; publish one at a time", 2)
    settings = load(config)
    zone = _zone(timezone) or settings.site.zone

    def defaults(adapter: str) -> InputDefaults:
        """What the command line says, else the settings of the adapter, else those of the site."""
        own = getattr(settings.adapters, adapter, AdapterSettings())
        language = edition or own.edition or settings.site.edition
        return InputDefaults(article_id, url or own.url, language, settings.editions, zone, image)

    fetch = partial(page, settings=settings, most=MOST_BYTES, accept=_ACCEPT)
    services: Services | None = None

    def became(source: str) -> list[str]:
        """What became of each event of a source. Raises InputError."""
        nonlocal services
        article_inputs = read_events(source, named, defaults, fetch)
        if dry_run:
            return ["shown" if _shown(article_input) else "refused" for article_input in article_inputs]
        services = services or newsroom(config, data)
        receipts = accept(services, [article_input.event for article_input in article_inputs])
        return [_report(*pair) for pair in zip(article_inputs, receipts, strict=True)]

    _sum_up(_all(sources, became))


def _all(sources: list[str], became: Callable[[str], list[str]]) -> Counter[str]:
    """Count what became of the events of all sources; one that can't be read is refused, and the others go on."""
    outcomes: Counter[str] = Counter()
    for source in _one_by_one(sources):
        try:
            outcomes.update(became(source))
        except InputError as error:
            if len(sources) == 1:
                raise Failed(str(error), 2) from None
            say_wrong(printable(str(error)))
            outcomes["refused"] += 1
    return outcomes


def _sum_up(outcomes: Counter[str]) -> None:
    total = outcomes.total()
    if total > 1 and not outcomes["shown"]:
        summary = ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in _OUTCOMES if outcomes[outcome])
        _say(summary)
    if outcomes["refused"]:
        raise Failed(f"{outcomes['refused']} of {total} not accepted", 1)


def _one_by_one(sources: list[str]) -> Iterable[str]:
    """Yield each source; on a terminal it is shown meanwhile how many are done."""
    return track(sources, "Publishing", console=err, transient=True, disable=len(sources) == 1 or not err.is_terminal)


def _say(line: str) -> None:
    # Lines would run into the progress that is on the same terminal, unless they come by its console.
    console = err if out.is_terminal and err.is_terminal else out
    console.print(line, soft_wrap=True)


def _report(article_input: InputEvent, receipt: Receipt) -> str:
    """Say what became of an event, and return it: accepted, duplicate or refused."""
    if receipt.status == "invalid":
        _say_errors(article_input, receipt.errors)
        return "refused"
    article = f"  {article_input.article}" if article_input.article else ""
    line = f"{receipt.status}  {receipt.event_id}{article}  ({article_input.where}){alone(receipt)}"
    _say(printable(line))
    for note in article_input.missing:
        _say(f"  {with_option(note)}")
    return receipt.status


def _shown(article_input: InputEvent) -> bool:
    """Show an event and what is missing in it; whether it would be taken."""
    _say(json.dumps(article_input.event, indent=2, ensure_ascii=False))
    for note in article_input.missing:
        missing = f"missing: {article_input.where}: {with_option(note)}"
        err.print(missing, soft_wrap=True)
    try:
        events.read(article_input.event, clock.agreed())
    except InvalidEvent as error:
        _say_errors(article_input, error.errors)
        return False
    return True


def _say_errors(article_input: InputEvent, errors: Iterable[FieldError]) -> None:
    article = f"{article_input.article}: " if article_input.article else ""
    options = {note.field: with_option(note).removeprefix(str(note)) for note in article_input.missing}
    for error in errors:
        say_wrong(printable(f"{article_input.where}: {article}{error}{options.get(error.field, '')}"))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise Failed(f"--timezone: there is no time zone {name}; they are called as in Asia/Riyadh", 2) from None
