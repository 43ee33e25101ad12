"""`dateline publish`: articles come in from files, addresses and standard input."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feeds.format_names import ADAPTERS
from worker.cli.newsrooms.intake import intake
from worker.cli.terminal import AsJson, Config, Data, Failed, err, out, print_json, printable, say_wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from feeds.adapters.interface import InputDefaults
    from feeds.errors import FieldError
    from worker.cli.newsrooms.intake import SentEvent, Silence
    from worker.intake.inputs import InputEvent

_OUTCOMES = ("accepted", "duplicate", "refused")
_ALONE = {
    "redis": "  (kept by Redis alone: the record is away, and gets it later)",
    "record": "  (kept by the record alone: Redis is away, and gets it later)",
}


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
    as_json: AsJson = False,
) -> None:
    """Publish articles. A bare article becomes an event of its own; pages, text and other systems' JSON are adapted."""
    if named and named not in ADAPTERS:
        raise Failed(f"--as: there is no adapter {named}; known: {', '.join(ADAPTERS)}", 2)
    from worker.intake.inputs import read_events
    from worker.intake.sources import InputError, files_within

    try:
        sources = [source for file in files for source in files_within(file)]
    except InputError as error:
        raise Failed(str(error), 2) from None
    if len(sources) > 1 and (url or article_id or image):
        raise Failed("--url, --id and --image are of one article; publish one at a time", 2)
    zone = _zone(timezone)
    there = intake(config, data)
    silence: Silence | None = None

    def defaults(adapter: str) -> InputDefaults:
        """What the command line says, else the settings of the adapter, else those of the site."""
        nonlocal silence
        from feeds.adapters.interface import InputDefaults

        silence = silence or there.silence()
        page_url = url or silence.pages.get(adapter, "")
        language = edition or silence.languages.get(adapter, silence.edition)
        return InputDefaults(article_id, page_url, language, silence.editions, zone or silence.zone, image)

    rows: list[dict[str, Any]] = []

    def became(source: str) -> list[str]:
        """What became of each event of a source. Raises InputError."""
        article_inputs = read_events(source, named, defaults, there.page)
        if dry_run:
            return ["shown" if _shown(article_input) else "refused" for article_input in article_inputs]
        sent = there.accept([article_input.event for article_input in article_inputs])
        if as_json:
            rows.extend(_row(*pair) for pair in zip(article_inputs, sent, strict=True))
            return [_outcome(event) for event in sent]
        return [_report(*pair) for pair in zip(article_inputs, sent, strict=True)]

    outcomes = _all(sources, became)
    if as_json and not dry_run:
        print_json({"events": rows})
    _sum_up(outcomes, quiet=as_json)


def _all(sources: list[str], became: Callable[[str], list[str]]) -> Counter[str]:
    """Count what became of the events of all sources; one that can't be read is refused, and the others go on."""
    from worker.intake.sources import InputError

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


def _sum_up(outcomes: Counter[str], *, quiet: bool) -> None:
    total = outcomes.total()
    if total > 1 and not outcomes["shown"] and not quiet:
        summary = ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in _OUTCOMES if outcomes[outcome])
        _say(summary)
    if outcomes["refused"]:
        raise Failed(f"{outcomes['refused']} of {total} not accepted", 1)


def _one_by_one(sources: list[str]) -> Iterable[str]:
    """Yield each source; on a terminal it is shown meanwhile how many are done."""
    if len(sources) == 1 or not err.is_terminal:
        return sources
    from rich.progress import track

    return track(sources, "Publishing", console=err, transient=True)


def _say(line: str) -> None:
    # Lines would run into the progress that is on the same terminal, unless they come by its console.
    console = err if out.is_terminal and err.is_terminal else out
    console.print(line, soft_wrap=True)


def _report(article_input: InputEvent, sent: SentEvent) -> str:
    """Say what became of an event, and return it: accepted, duplicate or refused."""
    from worker.intake.inputs import with_option

    if sent.status == "invalid":
        _say_errors(article_input, sent.errors)
        return "refused"
    article = f"  {article_input.article}" if article_input.article else ""
    line = f"{sent.status}  {sent.id}{article}  ({article_input.where}){_ALONE.get(sent.alone, '')}"
    _say(printable(line))
    for note in article_input.missing:
        _say(f"  {with_option(note)}")
    return sent.status


def _outcome(sent: SentEvent) -> str:
    return "refused" if sent.status == "invalid" else sent.status


def _row(article_input: InputEvent, sent: SentEvent) -> dict[str, Any]:
    """What became of an event, for JSON."""
    return {
        "where": article_input.where,
        "event": sent.id,
        "article": article_input.article or None,
        "status": _outcome(sent),
        "kept_by": sent.alone or "both",
        "errors": [{"field": error.field, "message": error.problem} for error in sent.errors],
        "missing": [{"field": note.field, "message": note.problem} for note in article_input.missing],
    }


def _shown(article_input: InputEvent) -> bool:
    """Show an event and what is missing in it; whether it would be taken."""
    from feeds import event as events
    from feeds.errors import InvalidEvent
    from worker import clock
    from worker.intake.inputs import with_option

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
    from worker.intake.inputs import with_option

    article = f"{article_input.article}: " if article_input.article else ""
    options = {note.field: with_option(note).removeprefix(str(note)) for note in article_input.missing}
    for error in errors:
        say_wrong(printable(f"{article_input.where}: {article}{error}{options.get(error.field, '')}"))


def _zone(name: str) -> ZoneInfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise Failed(f"--timezone: there is no time zone {name}; they are called as in Asia/Riyadh", 2) from None
