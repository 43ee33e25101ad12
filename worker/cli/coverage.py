"""Who has an article: the report of it, and sending it again to an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from feeds.text import absolute_url
from worker import clock
from worker.cli import given_times
from worker.cli.management import at_the_shell
from worker.cli.running_newsroom import newsroom
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, utc
from worker.cli.text_tables import Table
from worker.receivers.endpoint_orders import EndpointName, ReplayChoice
from worker.record.articles import at_address
from worker.record.availability import RecordAway
from worker.record.finding import near
from worker.retention.recorded import RecordedArticles
from worker.takedown.coverage_report import SUBSCRIPTIONS, CoverageReport, coverage_report, with_removed_endpoints

if TYPE_CHECKING:
    from worker.runtime.services import Services


def coverage(
    article: Annotated[str, typer.Argument(metavar="ID|URL", help="The article's id, or its address.")],
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show who has which version of an article since when, who is behind, and why."""
    services = newsroom(config, data)
    recorded = RecordedArticles(services.record)
    article_id = _id_at(services, recorded, article) if article.startswith(("http://", "https://")) else article
    report = coverage_report(services.store, services.articles, services.publication, article_id)
    if report is None:
        alike = recorded.ask(lambda connection: near(connection, article_id))
        hint = f"; there is {', '.join(alike)}" if alike else ""
        raise Failed(f"no article {article} was ever published here{hint}")
    try:
        report = with_removed_endpoints(report, recorded)
    except RecordAway as error:
        note(f"endpoints that were removed are not shown: {error}")
    if as_json:
        print_json(report.as_json())
        return
    now = report.article
    say(f"{now.id}: version {now.version}, {now.pubstatus}, updated {now.updated:%Y-%m-%d %H:%M:%S} UTC")
    if report.embargo:
        say(f"Under embargo until {report.embargo:%Y-%m-%d %H:%M:%S} UTC.")
    table = Table("Feed", "Receiver", "Holds", "Since (UTC)", "Standing", "Why", details=("Why",))
    for row in report.rows:
        since = utc(row.since) if row.since else ""
        why = "" if row.receiver == SUBSCRIPTIONS else row.reason
        table.add_row(row.feed, row.receiver, row.holds, since, row.standing, why)
    table.show(out, "It is in no feed that has receivers.")
    for name, refusal in report.kept_out.items():
        say(f"Kept out of {name}: {'; '.join(refusal.reasons)}")
    if now.pubstatus == "canceled" and report.rows:
        say(_takedown(report))


def _id_at(services: Services, recorded: RecordedArticles, url: str) -> str:
    """The id of the article at an address: the record has an index of them, Redis what is not noted yet."""
    try:
        address = absolute_url(url)
    except ValueError as error:
        raise Failed(f"{url}: {error}", 2) from None
    try:
        ids = recorded.ask(lambda connection: at_address(connection, address)) or []
    except RecordAway:
        ids = services.store.articles.at_address(address)
        if not ids:
            raise
    ids = ids or services.store.articles.at_address(address)
    if not ids:
        raise Failed(f"no article has the address {url}")
    return ids[0]


def _takedown(report: CoverageReport) -> str:
    """What an editor wants to know after a kill."""
    if missing := sorted({row.receiver for row in report.unconfirmed}):
        return f"Not confirmed by {len(report.unconfirmed)}: {', '.join(missing)}"
    last = (
        f", the last endpoint {report.seconds_to_the_last:.1f} s after the kill"
        if report.seconds_to_the_last is not None
        else ""
    )
    return f"Confirmed by all{last}."


def replay(
    endpoint: Annotated[str, typer.Option(help="The endpoint that gets them.")],
    since: Annotated[str, typer.Option(help="All articles that changed since then: a day, a time, or 7d.")] = "",
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
    services = newsroom(config, data)
    endpoints = services.management.endpoints_in_use().settings
    if endpoint not in endpoints:
        raise Failed(f"--endpoint: there is no endpoint {endpoint}; known: {', '.join(endpoints) or 'none'}", 2)
    if endpoints[endpoint].mode != "article":
        raise Failed(f"--endpoint: {endpoint} gets feeds; only endpoints in mode article can be replayed to", 2)
    zone = services.settings.site.zone
    moment = given_times.moment("--since", since, zone, clock.agreed()) if since else None
    name = EndpointName(endpoint, endpoints[endpoint].feed)
    orders, caller = services.endpoint_orders, at_the_shell()
    articles = orders.to_replay(caller, name, ReplayChoice(moment, article or None, parked))
    out.print(f"{len(articles)} articles {'would go' if dry_run else 'go'} to {endpoint}")
    if dry_run or not articles:
        return
    patience = services.settings.delivery.claim_seconds + 5
    if not orders.replay(caller, name, articles, same_ids=same_ids, rate=rate, patience_seconds=patience):
        raise Failed(f"{endpoint} is being served all the time; the articles go with its next change")
