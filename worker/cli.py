"""The command line: `dateline COMMAND`. Every failure is one clear line; status 2 for wrong use, 1 for failure."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.settings import Settings, SettingsError, default_path, load
from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import Given
from feeds.article import Moment
from feeds.errors import InvalidEvent
from feeds.formats import FEED_FORMATS
from worker import clock, embedded, inputs, logs, report
from worker.app import QUEUES
from worker.delivery.fetch import Page, fetch
from worker.delivery.guard import Guard
from worker.services import Services, build
from worker.up import Stack, UpFailed, end_with_parent, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.errors import FieldError
    from worker.intake import Receipt
    from worker.store.receivers import Receiver

app = typer.Typer(
    name="dateline",
    help="Turns a newsroom's article events into feeds and signed pushes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
# Into a file or a pipe lines are as long as they need to be.
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Config = Annotated[
    Path | None,
    typer.Option(help="The settings file; else $DATELINE_CONFIG, ./dateline.toml, or the example newsroom."),
]
Data = Annotated[Path | None, typer.Option(help="Where the embedded Redis keeps its data.")]


class Failed(Exception):
    """A command can't do what it was asked; the message says why and what to do."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SettingsError as error:
        for wrong in error.errors:
            _say_wrong(str(wrong))
        sys.exit(2)
    except Failed as error:
        _say_wrong(str(error))
        sys.exit(error.status)
    except (UpFailed, embedded.EmbeddedRedisError) as error:
        _say_wrong(str(error))
        sys.exit(1)
    except RedisError as error:
        _say_wrong(f"Redis does not answer: {error}; is `dateline up` running, and is redis_url right?")
        sys.exit(1)


@app.command(epilog="Example: dateline up --config dateline.toml --workers 2")
def up(
    config: Config = None,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Where the web server listens.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free port.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many worker processes.")] = 2,
) -> None:
    """Run everything: Redis (if none is configured), workers, web server. Ctrl-C ends it."""
    environ = dict(os.environ)
    given = {
        "DATELINE_DATA_DIR": str(data) if data else None,
        "DATELINE_WEB__HOST": host,
        "DATELINE_WEB__PORT": str(free_port(host or "127.0.0.1") if port == 0 else port) if port is not None else None,
    }
    environ.update((name, value) for name, value in given.items() if value is not None)
    settings = load(config, environ)
    logs.configure(settings.log_level)
    base_url = settings.site.base_url
    if port is not None and "base_url" not in settings.site.model_fields_set:
        base_url = f"http://{settings.web.host}:{settings.web.port}"
        environ["DATELINE_SITE__BASE_URL"] = base_url
    stack = Stack(settings, _config_path(config), workers, environ)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupted)
    try:
        with stack:
            signal.signal(signal.SIGHUP, lambda *_: stack.hang_up())
            out.print(f"[bold]Dateline is up[/] for {escape(settings.site.title)}: {len(stack.children) - 1} workers")
            out.print(f"  feeds      {base_url}/feeds")
            out.print(f"  events     POST {base_url}/events  (or: dateline publish FILE)")
            out.print(f"  hub        {base_url}/hub")
            out.print(f"  health     {base_url}/readyz  {base_url}/metrics")
            out.print(f"  Redis      {_without_password(stack.redis_url)}")
            out.print("Ctrl-C ends it; SIGHUP reads the endpoints again.")
            stack.watch()
    except KeyboardInterrupt:
        out.print("Stopped: what was in flight was finished or given back.")


@app.command(epilog="Example: dateline worker --name worker-1")
def worker(
    config: Config = None,
    name: Annotated[str, typer.Option(help="Its name in logs.")] = "worker",
    queues: Annotated[str, typer.Option(help="Queues to listen to, comma separated; all by default.")] = "",
) -> None:
    """Run one worker process on the configured Redis. SIGTERM ends it gracefully, SIGHUP reads the endpoints again."""
    from worker.process import run  # noqa: PLC0415 (adds to Celery's worker what other commands have no use for)

    end_with_parent()
    wanted = tuple(queue.strip() for queue in queues.split(",") if queue.strip())
    if unknown := set(wanted) - {*QUEUES, "celery"}:
        raise Failed(f"--queues: unknown queue {', '.join(sorted(unknown))}; known: {', '.join(QUEUES)}, celery", 2)
    services = _services(config)

    def reload() -> Settings | None:
        try:
            return load(config)
        except SettingsError as error:
            for wrong in error.errors:
                _say_wrong(f"settings not read again: {wrong}")
            return None

    sys.exit(run(services, reload, name, wanted))


@app.command(epilog="Example: dateline web --config dateline.toml")
def web(config: Config = None) -> None:
    """Run the web server on the configured Redis."""
    from granian import Granian  # noqa: PLC0415 (only this command needs the server)
    from granian.constants import Interfaces  # noqa: PLC0415

    end_with_parent()
    settings = load(config)
    logs.configure(settings.log_level)
    os.environ["DATELINE_CONFIG"] = str(_config_path(config))
    if settings.redis_url is None:
        os.environ["DATELINE_REDIS_URL"] = _redis_url(settings)
    Granian(
        "web.app:create",
        address=settings.web.host,
        port=settings.web.port,
        interface=Interfaces.ASGI,
        factory=True,
        log_enabled=False,
        websockets=False,
        workers_kill_timeout=10,
    ).serve()


@app.command(epilog="Example: dateline demo")
def demo() -> None:
    """Show the whole way in under a minute: publish, correct and kill articles, and watch receivers get them."""
    from worker.demo import run  # noqa: PLC0415 (only this command needs feedparser)

    sys.exit(run(out))


@app.command(epilog="Example: dateline publish article.json   or: dateline publish --dry-run https://herald.example/a")
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the events and what is missing.")] = False,
) -> None:
    """Publish articles. A bare article becomes an event of its own; pages, text and other systems' JSON are adapted."""
    if named and named not in ADAPTERS:
        raise Failed(f"--as: there is no adapter {named}; known: {', '.join(ADAPTERS)}", 2)
    if len(files) > 1 and (url or article_id):
        raise Failed("--url and --id are of one article; publish one at a time", 2)
    settings = load(config)
    given = Given(article_id, url, edition or settings.site.edition, settings.editions, _zone(timezone))
    try:
        found = [one for file in files for one in inputs.read(file, named, given, lambda at: _fetch(at, settings))]
    except inputs.InputError as error:
        raise Failed(str(error), 2) from None
    if dry_run:
        wrong = sum(not _shown(one) for one in found)
    else:
        receipts = _services(config, data).intake.accept([one.event for one in found], clock.now())
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
        out.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)
    return True


def _shown(one: inputs.Input) -> bool:
    """Show an event and what is missing in it; whether it would be taken."""
    out.print(json.dumps(one.event, indent=2, ensure_ascii=False), highlight=False, markup=False, soft_wrap=True)
    for note in one.missing:
        err.print(f"missing: {one.where}: {note}", highlight=False, markup=False, soft_wrap=True)
    try:
        events.read(one.event, clock.now())
    except InvalidEvent as error:
        _say_errors(one, error.errors)
        return False
    return True


def _say_errors(one: inputs.Input, errors: Iterable[FieldError]) -> None:
    for error in errors:
        _say_wrong(f"{one.where}: {error}")


def _fetch(url: str, settings: Settings) -> Page:
    delivery = settings.delivery
    return fetch(
        url,
        Guard(delivery.allow_networks),
        timeout=delivery.timeout,
        connect_timeout=delivery.connect_timeout,
        most=MOST_BYTES,
    )


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise Failed(f"--timezone: there is no time zone {name}; they are called as in Asia/Riyadh", 2) from None


@app.command(epilog="Example: dateline kill hh-2026-0301")
def kill(
    article: Annotated[str, typer.Argument(help="The article's id.")], config: Config = None, data: Data = None
) -> None:
    """Kill an article: it leaves every feed, and every receiver is told. Only `article.reinstated` brings it back."""
    services = _services(config, data)
    known = services.store.articles.get(article)
    event = {"id": f"kill-{uuid4()}", "type": "article.killed", "article": {"id": article}}
    receipt = services.intake.accept([event], clock.now())[0]
    if receipt.status == "invalid":
        raise Failed("; ".join(map(str, receipt.errors)), 2)
    out.print(f"accepted  {receipt.event_id}", highlight=False)
    if known is None:
        out.print("No article of this id was ever published here; if it comes now, it is refused.")


@app.command(name="feeds", epilog="Example: dateline feeds")
def list_feeds(config: Config = None, data: Data = None) -> None:
    """List the feeds: articles, last change, receivers."""
    services = _services(config, data)
    table = _table("Feed", "Articles", "Changes", "Last change (UTC)", "Receivers", "Behind", "Edition", "Title")
    for pattern in services.site.patterns.values():
        made = services.store.patterns.count(pattern.name)
        table.add_row(pattern.name, f"{made} feeds", "", "", "", "", pattern.edition or "mixed", escape(pattern.title))
    for definition in services.site.definitions:
        head = services.store.changes.head(definition.name)
        counts = services.store.receivers.counts(definition.name)
        behind = counts.pop("behind")
        table.add_row(
            definition.name,
            str(services.store.changes.size(definition.name)),
            str(head.seq),
            _moment(head.changed),
            str(sum(counts.values())),
            str(behind),
            definition.edition or "mixed",
            escape(definition.title),
        )
    out.print(table)
    out.print(
        f"Formats: {', '.join(FEED_FORMATS)}; addresses: {services.site.base_url}/feeds/FEED.FORMAT", highlight=False
    )


@app.command(name="endpoints", epilog="Example: dateline endpoints   or: dateline endpoints --resume partner-one")
def list_endpoints(
    config: Config = None,
    data: Data = None,
    pause: Annotated[str, typer.Option(help="Pause this endpoint; its cursor is kept.")] = "",
    resume: Annotated[str, typer.Option(help="Resume this endpoint; it catches up.")] = "",
) -> None:
    """List the partner endpoints and how they stand; or pause or resume one."""
    services = _services(config, data)
    endpoints = {endpoint.name: endpoint for endpoint in services.settings.endpoints}
    for option, name in (("--pause", pause), ("--resume", resume)):
        if name and name not in endpoints:
            raise Failed(f"{option}: there is no endpoint {name}; known: {', '.join(endpoints) or 'none'}", 2)
    receivers = services.store.receivers
    if pause and not receivers.pause(endpoints[pause].feed, f"endpoint:{pause}", clock.ms(clock.now()), "asked"):
        raise Failed(f"{pause} is paused already, or no worker has enrolled it yet")
    if resume:
        if not receivers.resume(endpoints[resume].feed, f"endpoint:{resume}"):
            raise Failed(f"{resume} is not paused")
        services.wakeups.distribute(endpoints[resume].feed)
    table = _table("Endpoint", "Feed", "Mode", "Format", "State", "Behind", "Failures", "Why", "URL")
    found = {
        receiver.id: receiver
        for feed in {endpoint.feed for endpoint in endpoints.values()}
        for receiver in receivers.all(feed)
        if "endpoint" in receiver.details
    }
    for endpoint in endpoints.values():
        receiver = found.get(f"endpoint:{endpoint.name}")
        head = services.store.changes.head(endpoint.feed).seq
        table.add_row(
            endpoint.name,
            endpoint.feed,
            endpoint.mode,
            endpoint.format,
            *(_standing(receiver, head) if receiver else ("not enrolled", "", "", "no worker has seen it yet")),
            escape(endpoint.url),
        )
    out.print(table if endpoints else "There are no endpoints; they are [[endpoints]] in the settings.", markup=False)


@app.command(epilog="Example: dateline coverage hh-2026-0301")
def coverage(
    article: Annotated[str, typer.Argument(help="The article's id.")], config: Config = None, data: Data = None
) -> None:
    """Show who has which version of an article since when, who is behind, and why."""
    services = _services(config, data)
    found = report.coverage(services.store, services.site, article)
    if found is None:
        raise Failed(f"no article {article} was ever published here")
    now = found.article
    out.print(
        f"{article}: version {now.version}, {now.pubstatus}, updated {now.updated:%Y-%m-%d %H:%M:%S} UTC",
        highlight=False,
    )
    table = _table("Feed", "Receiver", "Holds", "Since (UTC)", "Standing", "Why")
    for row in found.rows:
        since = _moment(row.since) if row.since else ""
        why = "" if row.receiver == report.SUBSCRIPTIONS else escape(row.why)
        table.add_row(row.feed, row.receiver, row.holds, since, row.standing, why)
    out.print(table if found.rows else "It is in no feed that has receivers.")
    if now.pubstatus == "canceled" and found.rows:
        out.print(_takedown(found), highlight=False)


def _takedown(found: report.Report) -> str:
    """What an editor wants to know after a kill."""
    if missing := sorted({row.receiver for row in found.open}):
        return f"Not confirmed by {len(found.open)}: {', '.join(missing)}"
    last = f", the last endpoint {found.seconds:.1f} s after the kill" if found.seconds is not None else ""
    return f"Confirmed by all{last}."


@app.command(name="list", epilog="Example: dateline list picks hh-2026-0301 hh-2026-0299")
def arrange_list(
    name: Annotated[str, typer.Argument(help="The list's name, as `list` of a feed has it.")],
    articles: Annotated[list[str] | None, typer.Argument(help="Its articles' ids, the first pick first.")] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Arrange a curated list anew; without articles, show it."""
    services = _services(config, data)
    known = sorted({feed.list for feed in services.site.definitions if feed.list})
    if name not in known:
        raise Failed(f"no feed has a list {name}; known: {', '.join(known) or 'none'}", 2)
    lists, held = services.store.lists, services.store.articles
    if articles:
        event = {"id": f"list-{uuid4()}", "type": "list.updated", "list": {"name": name, "articles": articles}}
        receipt = services.intake.accept([event], clock.now())[0]
        if receipt.status == "invalid":
            raise Failed("; ".join(map(str, receipt.errors)), 2)
        out.print(f"accepted  {receipt.event_id}", highlight=False)
        missing = sorted(set(articles) - held.get_many(articles).keys())
        if missing:
            out.print(f"Not published here as yet: {', '.join(missing)}", highlight=False)
        return
    picks = lists.get_many([name])[name]
    found = held.get_many(picks)
    for place, article_id in enumerate(picks, 1):
        headline = escape(found[article_id].article.headline) if article_id in found else "(not published here)"
        out.print(f"{place:3}  {article_id}  {headline}", highlight=False)
    if not picks:
        out.print(f"The list {name} is empty.", highlight=False)


@app.command(epilog="Example: dateline replay --endpoint partner-one --since 2026-03-01T00:00:00Z --dry-run")
def replay(
    endpoint: Annotated[str, typer.Option(help="The endpoint that gets them.")],
    since: Annotated[str, typer.Option(help="All articles that changed since then.")] = "",
    article: Annotated[str, typer.Option(help="This one article.")] = "",
    parked: Annotated[bool, typer.Option("--parked", help="Those that the endpoint had refused.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would go.")] = False,
    same_ids: Annotated[bool, typer.Option("--same-ids", help="With the message ids of the first time.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Articles a second at the most.")] = 50,
    config: Config = None,
    data: Data = None,
) -> None:
    """Send articles to an endpoint again, as they are now, marked by the header Dateline-Replay."""
    if sum(map(bool, (since, article, parked))) != 1:
        raise Failed("say which: one of --since, --article and --parked", 2)
    services = _services(config, data)
    known = {settings.name: settings for settings in services.settings.endpoints}
    if endpoint not in known:
        raise Failed(f"--endpoint: there is no endpoint {endpoint}; known: {', '.join(known) or 'none'}", 2)
    if known[endpoint].mode != "article":
        raise Failed(f"--endpoint: {endpoint} gets feeds; only endpoints in mode article can be replayed to", 2)
    try:
        moment = TypeAdapter(Moment).validate_python(since) if since else None
    except ValidationError as error:
        raise Failed(f"--since: {error.errors()[0]['msg']}", 2) from None
    feed = known[endpoint].feed
    articles = report.replayable(
        services.store, feed, endpoint, since=moment, article_id=article or None, parked=parked
    )
    out.print(f"{len(articles)} articles {'would go' if dry_run else 'go'} to {endpoint}", highlight=False)
    if dry_run or not articles:
        return
    replays = services.store.replays
    replays.ask(feed, endpoint, articles, f"replay-{uuid4().hex[:12]}", same_ids=same_ids, rate=rate)
    deadline = time.monotonic() + services.settings.delivery.claim_seconds + 5
    while not replays.rewind(feed, endpoint):
        # A worker is just serving it; it is free again when its claim ends.
        if time.monotonic() > deadline:
            raise Failed(f"{endpoint} is being served all the time; the articles go with its next change")
        time.sleep(0.2)
    services.wakeups.distribute(feed)


@app.command(name="subscriptions", epilog="Example: dateline subscriptions --feed en")
def list_subscriptions(
    config: Config = None,
    data: Data = None,
    feed: Annotated[str, typer.Option(help="Only this feed.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
) -> None:
    """List the WebSub subscriptions and how they stand."""
    services = _services(config, data)
    if feed and services.site.feed(feed) is None:
        known = ", ".join(definition.name for definition in services.site.configured)
        raise Failed(f"--feed: there is no feed {feed}; known: {known}", 2)
    table = _table("Feed", "Format", "State", "Behind", "Failures", "Ends (UTC)", "Signed", "Why", "Callback")
    shown = more = 0
    for name in [feed] if feed else services.store.receivers.feeds():
        head = services.store.changes.head(name).seq
        for receiver in services.store.receivers.all(name):
            details = receiver.details
            if "callback" not in details:
                continue
            if shown == limit:
                more += 1
                continue
            shown += 1
            secret = "yes" if details["secret"] else "no"
            ends = _moment(details["expires"])
            state, behind, failures, why = _standing(receiver, head)
            table.add_row(
                name, details["format"], state, behind, failures, ends, secret, why, escape(details["callback"])
            )
    out.print(table if shown else "There are no subscriptions.")
    if more:
        out.print(f"{more} more; see them with --limit.")


def _table(*columns: str) -> Table:
    """A table whose rows stay on one line each; the last column gives way first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1], no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _standing(receiver: Receiver, head: int) -> tuple[str, str, str, str]:
    """State, how far behind, failures, why: as the tables show them."""
    hold = receiver.hold
    state = f"backoff until {_moment(receiver.score)}" if receiver.state == "backoff" else receiver.state
    return state, str(max(0, head - receiver.cursor)), str(hold.failures), escape(hold.reason)


def _services(config: Path | None, data: Path | None = None) -> Services:
    settings = load(config, os.environ | ({"DATELINE_DATA_DIR": str(data)} if data else {}))
    logs.configure(settings.log_level)
    return build(settings, _redis_url(settings))


def _redis_url(settings: Settings) -> str:
    if settings.redis_url:
        return settings.redis_url
    url = embedded.find(settings.data_dir)
    if url is None:
        raise Failed(
            f"no Dateline is running with its data in {settings.data_dir}; start one with `dateline up`, "
            "or set redis_url"
        )
    return url


def _config_path(config: Path | None) -> Path:
    """The settings file that `load` reads when it is given `config`."""
    return (config or default_path(os.environ)).resolve()


def _without_password(url: str) -> str:
    scheme, slashes, rest = url.partition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def _moment(ms: int) -> str:
    return clock.moment(ms).strftime("%Y-%m-%d %H:%M:%S") if ms else "never"


def _interrupted(*_: object) -> None:
    # Once: a second Ctrl-C ends the waiting for what is in flight.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise KeyboardInterrupt


def _say_wrong(message: str) -> None:
    err.print(f"dateline: {message}", style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
