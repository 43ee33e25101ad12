"""The partner endpoints: how they stand, and what a person orders: pause, resume, try now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker import clock
from worker.cli.management import at_the_shell
from worker.cli.running_newsroom import newsroom
from worker.cli.terminal import Config, Data, Failed, note, out, printable, utc
from worker.cli.text_tables import Table
from worker.receivers import policy
from worker.receivers.endpoint_orders import EndpointName
from worker.store.endpoints import SUSPENDED

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.runtime.services import Services
    from worker.store.endpoints import EndpointOverview, RetriedEndpoint

_ANSWER_MOST = 100
"""Characters of an answer that are shown. All that is kept of it is in the attempts."""
_PAUSED = {"asked": "by a person", "removed": "it was removed", "damaged": "its record is damaged"}
"""What is kept as the reason of a pause, as people read it."""


def list_endpoints(
    config: Config = None,
    data: Data = None,
    pause: Annotated[str, typer.Option(help="Pause this endpoint; its cursor is kept.")] = "",
    resume: Annotated[str, typer.Option(help="Resume this endpoint; it catches up.")] = "",
    retry: Annotated[str, typer.Option(help="Try this endpoint now; one that is paused is resumed.")] = "",
) -> None:
    """List the partner endpoints and how they stand; or pause, resume or retry one."""
    services = newsroom(config, data)
    in_use = services.management.endpoints_in_use()
    endpoints = in_use.settings
    for option, name in (("--pause", pause), ("--resume", resume), ("--retry", retry)):
        if name and name not in endpoints:
            raise Failed(f"{option}: there is no endpoint {name}; known: {', '.join(endpoints) or 'none'}", 2)
    if pause:
        services.endpoint_orders.pause(at_the_shell(), EndpointName(pause, endpoints[pause].feed))
    if resume:
        services.endpoint_orders.resume(at_the_shell(), EndpointName(resume, endpoints[resume].feed))
    if retry:
        _retry(services, endpoints[retry])
    table = Table(
        *("Endpoint", "Feed", "State", "Behind", "Delivered", "Failed", "Parked", "In dispute", "Waiting since (UTC)"),
        *("Failing since (UTC)", "Last answer", "Last success (UTC)", "Next try (UTC)", "Why", "Mode", "Format", "URL"),
        details=(
            *("URL", "Format", "Mode", "Last answer", "Why", "Waiting since (UTC)", "Failed", "In dispute"),
            *("Last success (UTC)", "Next try (UTC)", "Feed", "Failing since (UTC)"),
        ),
    )
    for endpoint, outlook in zip(endpoints.values(), _outlooks(services, *endpoints.values()), strict=True):
        table.add_row(endpoint.name, endpoint.feed, *_shown(outlook), endpoint.mode, endpoint.format, endpoint.url)
    table.show(out, "There are no endpoints; they are [[endpoints]] in the settings, or made over the API.")
    for name, reason in in_use.unusable.items():
        note(f"endpoint {name} can't be used: {reason}")


def _outlooks(services: Services, *endpoints: EndpointSettings) -> list[EndpointOverview]:
    return services.store.endpoints.overviews([(endpoint.feed, endpoint.name) for endpoint in endpoints])


def _retry(services: Services, endpoint: EndpointSettings) -> None:
    """Have an endpoint tried now, and say what that came to. Raises Conflict when no worker knows it."""
    (before,) = _outlooks(services, endpoint)
    retried = services.endpoint_orders.retry(at_the_shell(), EndpointName(endpoint.name, endpoint.feed))
    done = [f"{endpoint.name} {_came(before, retried)}"]
    if retried.disputes:
        done.append(f"What it refuses while it takes others is tried too ({retried.disputes}).")
    if before.parked:
        done.append(f"What is parked is not ({before.parked}): dateline replay --endpoint {endpoint.name} --parked")
    out.print(printable(" ".join(done)), soft_wrap=True)
    if not services.store.workers.alive(clock.ms(clock.agreed())):
        note("no worker is running: it is tried once one is")


def _came(before: EndpointOverview, retried: RetriedEndpoint) -> str:
    """What has come of it for an endpoint that stood so."""
    waits = retried.behind or retried.disputes
    then = "it is tried now." if waits else "nothing waits for it."
    match retried.position:
        case "paused":
            was = _paused(before) if before.state == "paused" else "paused"
            return f"was {was}; it is resumed, and {then}"
        case "backoff":
            cause = "after a failure" if before.failing.since else f"({before.reason})"
            return f"waited until {utc(before.score)} UTC {cause}: {then}"
        case "claimed":
            return "is being served just now."
        case _:
            return f"did not wait: {then}"


def _shown(outlook: EndpointOverview) -> tuple[str, ...]:
    """How an endpoint stands, as its table shows it: from the state to why."""
    health = outlook.health
    return (
        _state(outlook),
        *map(str, (outlook.behind, health.successes, health.failed_tries, outlook.parked, outlook.disputed)),
        _moment(outlook.waiting),
        _moment(outlook.failing.since),
        _last_answer(outlook),
        utc(health.success),
        _moment(outlook.next_try),
        _why(outlook),
    )


def _moment(ms: int) -> str:
    return utc(ms) if ms else ""


def _state(outlook: EndpointOverview) -> str:
    """One word or a few for how an endpoint does, whatever set it is in."""
    if outlook.state is None:
        return "not enrolled"
    if outlook.state == "settled" and _refusing(outlook):
        return "refusing"
    return outlook.state


def _refusing(outlook: EndpointOverview) -> bool:
    """Whether articles are set aside, and nothing was taken since the endpoint last refused something."""
    return bool(outlook.parked or outlook.disputed) and outlook.health.failed > outlook.health.success


def _last_answer(outlook: EndpointOverview) -> str:
    """The status of its last answer, when it came, and the beginning of its text."""
    health = outlook.health
    if not health.last:
        return ""
    status = policy.status_phrase(health.status) if health.status else "none"
    reason = ""
    if health.failed == health.last:
        reason = " ".join((health.answer if health.status else health.error).split())[:_ANSWER_MOST]
    return f"{status} at {utc(health.last)}" + (f": {reason}" if reason else "")


def _why(outlook: EndpointOverview) -> str:
    health = outlook.health
    if outlook.state is None:
        return "no worker has seen it yet"
    if outlook.state == "paused":
        return _paused(outlook)
    if outlook.reason:
        return outlook.reason
    return health.error if health.suspended or _refusing(outlook) else ""


def _paused(outlook: EndpointOverview) -> str:
    """That one is left alone, since when, and why."""
    if outlook.suspended:
        # Releases until 0.1 kept no more than the word.
        why = outlook.reason.removeprefix(SUSPENDED).removeprefix(": ") or outlook.health.error
        return f"{SUSPENDED} since {utc(outlook.score)}: {why}"
    return f"paused since {utc(outlook.score)}: {_PAUSED.get(outlook.reason, outlook.reason)}"
