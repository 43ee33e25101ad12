"""What there is and how it stands: feeds and subscriptions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feeds.moments import iso
from worker.cli.terminal import AsJson, Config, Data, Failed, feed_names, out, print_json, utc
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from feeds.definition import FeedDefinition
    from worker.runtime.services import Services
    from worker.store import Store
    from worker.store.receivers import ReceiverOverview


def list_feeds(
    config: Config = None,
    data: Data = None,
    parked: Annotated[bool, typer.Option("--parked", help="The articles that the gate keeps out, by format.")] = False,
    push: Annotated[
        str, typer.Option(help="Push what this feed has taken in by a new definition, and its receivers have not got.")
    ] = "",
    withdraw: Annotated[
        str, typer.Option(help="Withdraw what left this feed by a new definition, and its receivers still have.")
    ] = "",
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Articles a second, at the most.")] = 50,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many articles that would be, and to whom.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the feeds; or push what a new definition has taken in, or withdraw what it has left out."""
    from feeds.formats import FEED_FORMATS

    if bool(push) + bool(withdraw) + parked > 1:
        raise Failed("--push, --withdraw and --parked: give one of them", 2)
    if dry_run and not (push or withdraw):
        raise Failed("--dry-run goes with --push or --withdraw", 2)
    from worker.cli.running_newsroom import newsroom

    services = newsroom(config, data)
    if push or withdraw:
        from worker.cli.feed_orders import order

        order(services, push or withdraw, "push" if push else "withdraw", rate=rate, dry_run=dry_run)
        return
    if parked:
        _list_parked(services.store)
        return
    table = Table(
        *("Feed", "Articles", "Changes", "Last change (UTC)", "Receivers", "Behind", "Parked", "Edition", "Title"),
        details=("Title", "Edition", "Changes", "Last change (UTC)"),
    )
    store = services.store
    rows: list[dict[str, Any]] = []
    feeds_by_pattern = store.patterns.counts(list(services.publication.patterns))
    for pattern in services.publication.patterns.values():
        shown = ("", "", "", "", "", pattern.edition or "mixed", pattern.title)
        table.add_row(pattern.name, f"{feeds_by_pattern[pattern.name]} feeds", *shown)
        rows.append(_row(pattern, pattern=True, feeds=feeds_by_pattern[pattern.name]))
    names = [definition.name for definition in services.publication.definitions]
    tips, sizes, counted = store.changes.heads(names), store.changes.sizes(names), store.receivers.counts_of(names)
    set_aside = _parked_by_feed(services)
    for definition in services.publication.definitions:
        head = tips[definition.name]
        counts = counted.get(definition.name, {})
        behind = counts.pop("behind", 0)
        receivers = sum(counts.values())
        standing = {"articles": sizes[definition.name], "sequence": head.seq, "changed": iso(head.changed)}
        standing |= {"receivers": receivers, "behind": behind, "parked": set_aside[definition.name]}
        rows.append(_row(definition, pattern=False, **standing))
        table.add_row(
            definition.name,
            str(sizes[definition.name]),
            str(head.seq),
            utc(head.changed),
            str(receivers),
            str(behind),
            str(set_aside[definition.name]),
            definition.edition or "mixed",
            definition.title,
        )
    if as_json:
        print_json({"feeds": rows})
        return
    table.show(out, "There are no feeds.")
    progress = store.definitions.progress()
    if progress.feeds:
        some = ", ".join(sorted(progress.feeds)[:5]) + (" ..." if len(progress.feeds) > 5 else "")
        part = f"{progress.done} of {progress.articles}" if progress.articles else "none"
        out.print(f"Being filled with what was published before: {some}; {part} articles are gone through.")
    out.print(
        f"Formats: {', '.join(FEED_FORMATS)}; addresses: {services.publication.base_url}/feeds/FEED.FORMAT",
    )


def _row(definition: FeedDefinition, *, pattern: bool, **standing: Any) -> dict[str, Any]:
    """A feed or a pattern of feeds for JSON; what it has none of is null, as in the API."""
    names = ("feeds", "articles", "sequence", "changed", "receivers", "behind", "parked")
    row = {"name": definition.name, "title": definition.title, "pattern": pattern, "edition": definition.edition}
    return row | dict.fromkeys(names) | standing


def _parked_by_feed(services: Services) -> Counter[str]:
    """How many articles the endpoints of each feed have set aside. It does without the record."""
    of_the_file = {endpoint.name: endpoint.feed for endpoint in services.settings.endpoints}
    feeds_by_name = {**services.store.management.endpoints(), **of_the_file}
    endpoints = [(feed, name) for name, feed in feeds_by_name.items()]
    parked: Counter[str] = Counter()
    for (feed, _), outlook in zip(endpoints, services.store.endpoints.overviews(endpoints), strict=True):
        parked[feed] += outlook.parked
    return parked


def _list_parked(store: Store) -> None:
    from feeds.formats import FEED_FORMATS
    from worker.documents.quality_gate import kept_out

    table = Table("Format", "Article", "Version", "Since (UTC)", "Why", details=("Why",))
    for name in FEED_FORMATS:
        for article_id, refusal in kept_out(store, name).items():
            why = "; ".join(refusal.reasons)
            table.add_row(name, article_id, str(refusal.version), utc(refusal.time), why)
    table.show(out, "The gate keeps nothing out.")


def list_subscriptions(
    config: Config = None,
    data: Data = None,
    feed: Annotated[str, typer.Option(help="Only this feed.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the WebSub subscriptions and how they stand."""
    from worker.cli.running_newsroom import newsroom

    services = newsroom(config, data)
    if feed and services.publication.feed(feed) is None:
        raise Failed(f"--feed: there is no feed {feed}; known: {feed_names(services.settings)}", 2)
    table = Table(
        *("Feed", "Format", "State", "Behind", "Failing since (UTC)", "Ends (UTC)", "Signed", "Why", "Callback"),
        details=("Callback", "Why", "Signed", "Ends (UTC)"),
    )
    shown = more = 0
    rows: list[dict[str, Any]] = []
    for name in [feed] if feed else services.store.receivers.feeds():
        head = services.store.changes.head(name).seq
        for receiver in services.store.receivers.scan(name):
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
            rows.append(
                {
                    "feed": name,
                    "callback": details["callback"],
                    "format": details["format"],
                    "signed": bool(details["secret"]),
                    "lease_ends": iso(details["expires"]),
                    "state": receiver.state,
                    "behind": int(behind),
                    "reason": why or None,
                    "failing_since": iso(receiver.remembered.failing.since),
                }
            )
    if as_json:
        print_json({"subscriptions": rows, "more": more})
        return
    table.show(out, "There are no subscriptions.")
    if more:
        out.print(f"{more} more; see them with --limit.")


def _standing(receiver: ReceiverOverview, head: int) -> tuple[str, str, str, str]:
    """State, how far behind, since when it fails, why: as the tables show them."""
    remembered = receiver.remembered
    state = f"backoff until {utc(receiver.score)}" if receiver.state == "backoff" else receiver.state
    return (
        state,
        str(max(0, head - receiver.cursor)),
        utc(remembered.failing.since) if remembered.failing.since else "",
        remembered.reason,
    )
