"""What there is and how it stands: feeds, partner endpoints, subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from feeds.formats import FEED_FORMATS
from worker import clock, report
from worker.cli.tables import Table
from worker.cli.terminal import Config, Data, Failed, feed_names, newsroom, out, utc

if TYPE_CHECKING:
    from worker.services import Services
    from worker.store import Store
    from worker.store.endpoints import Outlook
    from worker.store.receivers import Receiver


def list_feeds(
    config: Config = None,
    data: Data = None,
    parked: Annotated[bool, typer.Option("--parked", help="The articles that the gate keeps out, by format.")] = False,
) -> None:
    """List the feeds: articles, last change, receivers; or what the gate keeps out of them."""
    services = newsroom(config, data)
    if parked:
        _list_parked(services.store)
        return
    table = Table(
        *("Feed", "Articles", "Changes", "Last change (UTC)", "Receivers", "Behind", "Edition", "Title"),
        details=("Title", "Edition", "Changes"),
    )
    for pattern in services.site.patterns.values():
        made = services.store.patterns.count(pattern.name)
        table.add_row(pattern.name, f"{made} feeds", "", "", "", "", pattern.edition or "mixed", pattern.title)
    for definition in services.site.definitions:
        head = services.store.changes.head(definition.name)
        counts = services.store.receivers.counts(definition.name)
        behind = counts.pop("behind")
        table.add_row(
            definition.name,
            str(services.store.changes.size(definition.name)),
            str(head.seq),
            utc(head.changed),
            str(sum(counts.values())),
            str(behind),
            definition.edition or "mixed",
            definition.title,
        )
    table.show(out, "There are no feeds.")
    progress = services.store.definitions.progress()
    if progress.feeds:
        names = ", ".join(sorted(progress.feeds)[:5]) + (" ..." if len(progress.feeds) > 5 else "")
        part = f"{progress.done} of {progress.articles}" if progress.articles else "none"
        out.print(f"Being filled with what was published before: {names}; {part} articles are gone through.")
    out.print(
        f"Formats: {', '.join(FEED_FORMATS)}; addresses: {services.site.base_url}/feeds/FEED.FORMAT", highlight=False
    )


def _list_parked(store: Store) -> None:
    table = Table("Format", "Article", "Version", "Since (UTC)", "Why", details=("Why",))
    for name in FEED_FORMATS:
        for article_id, refusal in report.kept_out(store, name).items():
            why = "; ".join(refusal.reasons)
            table.add_row(name, article_id, str(refusal.version), utc(refusal.time), why)
    table.show(out, "The gate keeps nothing out.")


def list_endpoints(
    config: Config = None,
    data: Data = None,
    pause: Annotated[str, typer.Option(help="Pause this endpoint; its cursor is kept.")] = "",
    resume: Annotated[str, typer.Option(help="Resume this endpoint; it catches up.")] = "",
    retry: Annotated[str, typer.Option(help="Try this endpoint now; one that is paused is resumed.")] = "",
) -> None:
    """List the partner endpoints and how they stand; or pause, resume or retry one."""
    services = newsroom(config, data)
    endpoints = {endpoint.name: endpoint for endpoint in services.settings.endpoints}
    for option, name in (("--pause", pause), ("--resume", resume), ("--retry", retry)):
        if name and name not in endpoints:
            raise Failed(f"{option}: there is no endpoint {name}; known: {', '.join(endpoints) or 'none'}", 2)
    receivers = services.store.receivers
    if pause and not receivers.pause(endpoints[pause].feed, f"endpoint:{pause}", clock.ms(clock.agreed()), "asked"):
        raise Failed(f"{pause} is paused already, or no worker has enrolled it yet")
    if resume:
        if not receivers.resume(endpoints[resume].feed, f"endpoint:{resume}"):
            raise Failed(f"{resume} is not paused")
        services.wakeups.distribute(endpoints[resume].feed)
    if retry:
        _retry(services, endpoints[retry].feed, retry)
    table = Table(
        *("Endpoint", "Feed", "State", "Behind", "Delivered", "Parked", "In dispute", "Failing since (UTC)"),
        *("Last answer", "Last success (UTC)", "Next try (UTC)", "Why", "Mode", "Format", "URL"),
        details=(
            *("URL", "Format", "Mode", "Why", "Last answer", "In dispute", "Next try (UTC)", "Last success (UTC)"),
            "Failing since (UTC)",
        ),
    )
    outlooks = services.store.endpoints.outlooks([(endpoint.feed, endpoint.name) for endpoint in endpoints.values()])
    for endpoint, outlook in zip(endpoints.values(), outlooks, strict=True):
        shown = _outlook(outlook)
        table.add_row(endpoint.name, endpoint.feed, *shown, endpoint.mode, endpoint.format, endpoint.url)
    table.show(out, "There are no endpoints; they are [[endpoints]] in the settings.")


def _retry(services: Services, feed: str, name: str) -> None:
    """Have an endpoint tried now, and say what that came to. Raises Failed when no worker knows it."""
    stood = services.store.receivers.retry(feed, f"endpoint:{name}", clock.ms(clock.agreed()))
    if stood is None:
        raise Failed(f"{name} is not enrolled: no worker has seen it yet")
    services.wakeups.distribute(feed)
    came = {
        "paused": "was paused: it is resumed, and tried now.",
        "backoff": "waited after a failure: it is tried now.",
        "claimed": "is being tried just now.",
        "settled": "waits for nothing: what is new goes to it at once.",
    }
    out.print(f"{name} {came[stood]}", highlight=False)


def _outlook(outlook: Outlook) -> tuple[str, ...]:
    """How an endpoint stands, as its table shows it: from the state to why."""
    health = outlook.health
    return (
        _state(outlook),
        str(outlook.behind),
        str(health.successes),
        str(outlook.parked),
        str(outlook.disputed),
        utc(outlook.failing.since) if outlook.failing.since else "",
        f"{health.status or 'none'}, {utc(health.last)}" if health.last else "",
        utc(health.success),
        utc(outlook.score) if outlook.state == "backoff" else "",
        outlook.reason or _trouble(outlook),
    )


def _state(outlook: Outlook) -> str:
    """One word or two for how an endpoint does, whatever set it is in."""
    if outlook.state is None:
        return "not enrolled"
    if outlook.state == "paused":
        return f"{'paused' if outlook.reason == 'asked' else 'suspended'} since {utc(outlook.score)}"
    if outlook.state == "settled" and _refusing(outlook):
        return "refusing"
    return outlook.state


def _refusing(outlook: Outlook) -> bool:
    """Whether articles are set aside, and nothing was taken since the endpoint last said no."""
    return bool(outlook.parked or outlook.disputed) and outlook.health.failed > outlook.health.success


def _trouble(outlook: Outlook) -> str:
    if outlook.state is None:
        return "no worker has seen it yet"
    return outlook.health.error if _refusing(outlook) else ""


def list_subscriptions(
    config: Config = None,
    data: Data = None,
    feed: Annotated[str, typer.Option(help="Only this feed.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
) -> None:
    """List the WebSub subscriptions and how they stand."""
    services = newsroom(config, data)
    if feed and services.site.feed(feed) is None:
        raise Failed(f"--feed: there is no feed {feed}; known: {feed_names(services.settings)}", 2)
    table = Table(
        *("Feed", "Format", "State", "Behind", "Failing since (UTC)", "Ends (UTC)", "Signed", "Why", "Callback"),
        details=("Callback", "Why", "Signed", "Ends (UTC)"),
    )
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
            ends = utc(details["expires"])
            state, behind, failing, why = _standing(receiver, head)
            table.add_row(name, details["format"], state, behind, failing, ends, secret, why, details["callback"])
    table.show(out, "There are no subscriptions.")
    if more:
        out.print(f"{more} more; see them with --limit.")


def _standing(receiver: Receiver, head: int) -> tuple[str, str, str, str]:
    """State, how far behind, since when it fails, why: as the tables show them."""
    hold = receiver.hold
    state = f"backoff until {utc(receiver.score)}" if receiver.state == "backoff" else receiver.state
    return (
        state,
        str(max(0, head - receiver.cursor)),
        utc(hold.failing.since) if hold.failing.since else "",
        hold.reason,
    )
