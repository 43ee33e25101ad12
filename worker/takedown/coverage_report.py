"""The coverage report of one article: which receivers have which version of it, who has not, and why. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from feeds.counted import counted
from feeds.formats import FEED_FORMATS
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.record.deliveries import holdings, receivers_of
from worker.retention.recorded import RecordedArticles, ledger_entry

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from feeds.article import Article
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.publication import Publication
    from worker.record.deliveries import Delivery
    from worker.store import Store
    from worker.store.coverage import EndpointHolding
    from worker.store.page_checks import PageSighting
    from worker.store.refusals import Refusal

SUBSCRIPTIONS = "(subscriptions)"
"""Stands for all subscriptions of a feed."""
_NEVER = LedgerEntry(0, "", 0, "")

DeliveryStanding = Literal["up to date", "behind", "refused", "parked", "paused", "removed"]


@dataclass(frozen=True, slots=True)
class ReceiverCoverage:
    """What one endpoint, or all subscriptions of one feed together, have of an article. Times in ms, 0: never.

    `version`, `status` and `since` are the ledger's: 0 and "" for subscriptions, and for an endpoint that never had the
    article. `confirmed`: the receiver has accepted the article as it is now; of a kill: it has nothing of the text, or
    never had any. `sighting`: what was seen on its page after a kill, if that page is checked; then nothing else
    confirms the kill. `count`: for how many receivers the row stands.
    """

    feed: str
    receiver: str
    version: int
    status: str
    since: int
    standing: DeliveryStanding
    reason: str
    confirmed: bool
    sighting: PageSighting | None = None
    count: int = 1

    @property
    def last_evidence(self) -> int:
        """When its last answer came, or its page was last checked (ms)."""
        return max(self.since, self.sighting.checked) if self.sighting else self.since

    @property
    def has_text(self) -> bool:
        """Whether it is an endpoint that was sent the text and no kill since."""
        return bool(self.status) and self.status != "killed"

    @property
    def still_shows(self) -> bool:
        """Whether the text was still on its page after a kill."""
        return self.sighting is not None and self.sighting.verdict == "there"

    @property
    def holds(self) -> str:
        """What it has, in words."""
        if self.status:
            return f"version {self.version}, {self.status}"
        return self.reason if self.receiver == SUBSCRIPTIONS else "nothing"

    def as_json(self) -> dict[str, Any]:
        """Return the row as the HTTP API shows it."""
        return {
            "feed": self.feed,
            "receiver": self.receiver,
            "count": self.count,
            "version": self.version or None,
            "status": self.status or None,
            "since": clock.moment(self.since).isoformat() if self.since else None,
            "standing": self.standing,
            "confirmed": self.confirmed,
            "why": self.reason,
            "page": _page_as_json(self.sighting) if self.sighting else None,
        }


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Who has an article as it is now, and who has not. `accepted`: when its last event was accepted (ms).

    `kept_out`: the feed formats that the quality gate keeps the article out of as it is now.
    """

    article: Article
    accepted: int
    rows: list[ReceiverCoverage]
    kept_out: dict[str, Refusal]

    @property
    def unconfirmed(self) -> list[ReceiverCoverage]:
        """The receivers that have not confirmed."""
        return [row for row in self.rows if not row.confirmed]

    @property
    def embargo(self) -> datetime | None:
        """Until when readers do not see the article, if it is under embargo."""
        return self.article.embargoed if self.article.waits(clock.agreed()) else None

    @property
    def seconds_to_the_last(self) -> float | None:
        """From the acceptance of the last event to the last confirmation; None while one is missing."""
        last = max((row.last_evidence for row in self.rows), default=0)
        if self.unconfirmed or not last:
            return None
        return max(0, last - self.accepted) / 1000

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        """Return it as the HTTP API shows it; of its receivers at most so many, those that have not confirmed first."""
        embargo, unconfirmed = self.embargo, len(self.unconfirmed)
        rows = self.rows
        if most is not None and len(rows) > most:
            rows = sorted(rows, key=lambda row: (row.confirmed, not row.still_shows))[:most]
        return {
            "article": self.article.notice(),
            "accepted": clock.moment(self.accepted).isoformat(),
            "embargoed": embargo.isoformat() if embargo else None,
            "confirmed": len(self.rows) - unconfirmed,
            "unconfirmed": unconfirmed,
            "holding": sum(row.has_text for row in self.rows),
            "subscribers": sum(row.count for row in self.rows if row.receiver == SUBSCRIPTIONS),
            "still_shown": sum(row.still_shows for row in self.rows),
            "seconds_to_the_last": self.seconds_to_the_last,
            "receivers": [row.as_json() for row in rows],
            "more": len(self.rows) - len(rows),
            "kept_out_of": [
                {"format": name, "since": clock.moment(refusal.time).isoformat(), "reasons": refusal.reasons}
                for name, refusal in self.kept_out.items()
            ],
        }


def coverage_report(
    store: Store, articles: ArticleReader, publication: Publication, article_id: str
) -> CoverageReport | None:
    """Return the report of an article, which any id of its updates names; None for an unknown article.

    One that is cold comes back for it. Raises RecordAway.
    """
    article_id = store.lineage.original(article_id)
    stored = articles.get(article_id)
    if stored is None:
        return None
    rows: list[ReceiverCoverage] = []
    for definition in publication.named(sorted(stored.feeds)):
        feed = definition.name
        change = store.changes.latest_of(feed, [article_id]).get(article_id)
        seq = change.seq if change else 0
        endpoints = sorted(set(store.receivers.endpoints(feed)))
        holdings = store.coverage.endpoints(feed, endpoints, article_id)
        entries = iter(LedgerEntry.parse_all([holding.ledger for holding in holdings if holding.ledger]))
        of_endpoints = [
            _endpoint_row(feed, holding, next(entries) if holding.ledger else _NEVER, seq, stored.article)
            for holding in holdings
        ]
        rows += _with_sightings(store, feed, of_endpoints, stored.article)
        rows += _subscriptions_row(store, feed, seq, endpoints)
    kept_out = {
        name: refusal
        for name, refusal in store.refusals.of(article_id, list(FEED_FORMATS)).items()
        if refusal.version == stored.article.version
    }
    return CoverageReport(stored.article, stored.accepted, rows, kept_out)


def with_removed_endpoints(report: CoverageReport, recorded: RecordedArticles) -> CoverageReport:
    """Return the report with the endpoints that had the article and are no longer there. Raises RecordAway.

    They confirm nothing any more: a kill that they did not take while they were there has not reached them.
    """
    article_id = report.article.id
    shown = {(row.feed, row.receiver) for row in report.rows}
    ledger = recorded.ask(lambda connection: _of_others(connection, article_id, shown)) or {}
    removed = []
    for (feed, endpoint), row in sorted(ledger.items()):
        if (feed, endpoint) in shown:
            continue
        entry = LedgerEntry.parse(ledger_entry(row))
        confirmed = report.article.pubstatus != "canceled" or entry.label == "killed"
        why = "it is no longer an endpoint of this feed"
        removed.append(
            ReceiverCoverage(feed, endpoint, entry.version, entry.label, entry.sent, "removed", why, confirmed)
        )
    return replace(report, rows=[*report.rows, *removed]) if removed else report


def _of_others(connection: Connection, article_id: str, shown: set[tuple[str, str]]) -> dict[tuple[str, str], Delivery]:
    """What the ledger has of an article, if it has something of others than these."""
    return (
        holdings(connection, [article_id]).get(article_id, {}) if receivers_of(connection, article_id) - shown else {}
    )


def _subscriptions_row(store: Store, feed: str, seq: int, endpoints: list[str]) -> list[ReceiverCoverage]:
    """One row for all subscriptions of a feed, nothing if it has none. `seq`: the article's latest change there."""
    count = store.receivers.count_subscriptions(feed)
    if not count:
        return []
    behind = min(count, store.coverage.subscriptions_behind(feed, seq, endpoints))
    counts = f"{count - behind} up to date, {behind} behind"
    standing: DeliveryStanding = "behind" if behind else "up to date"
    return [ReceiverCoverage(feed, SUBSCRIPTIONS, 0, "", 0, standing, counts, not behind, count=count)]


def _endpoint_row(
    feed: str, holding: EndpointHolding, entry: LedgerEntry, seq: int, article: Article
) -> ReceiverCoverage:
    parked, dispute = holding.parked, holding.dispute
    # An endpoint with several requests in flight may have an article that lies beyond its cursor.
    has_newest = entry.version >= article.version and entry.outcome == "taken"
    behind = holding.cursor < seq and not has_newest
    standing: DeliveryStanding = "behind" if behind else "up to date"
    reason = holding.state.reason if behind else ""
    if holding.position == "paused":
        standing = "paused"
    elif parked:
        standing = "parked"
        # What a destination has answered its error says, beside no body.
        reason = f"{parked.status} {parked.answer[:80]}" if parked.status and parked.answer else parked.error
    elif dispute:
        standing = "refused"
        next_try = f"tried again at {clock.moment(dispute.due):%Y-%m-%d %H:%M:%S} UTC"
        reason = f"{dispute.reason}, {counted(dispute.tries, 'time', 'times')} while others were taken; {next_try}"
    if article.pubstatus == "canceled":
        # An endpoint that never had the article has nothing to confirm, except while a request may be on its way to it.
        confirmed = entry.label == "killed" or (not entry.status and holding.position != "claimed")
    else:
        confirmed = standing == "up to date"
    return ReceiverCoverage(feed, holding.endpoint, entry.version, entry.label, entry.sent, standing, reason, confirmed)


def _with_sightings(store: Store, feed: str, rows: list[ReceiverCoverage], article: Article) -> list[ReceiverCoverage]:
    """The rows with what was seen on the endpoints' pages after a kill."""
    if article.pubstatus != "canceled":
        return rows
    sightings = store.page_checks.sightings(feed, [row.receiver for row in rows], article.id)
    return [
        _with_sighting(row, sighting)
        if (sighting := sightings.get(row.receiver)) and sighting.version == article.version
        else row
        for row in rows
    ]


def _with_sighting(row: ReceiverCoverage, sighting: PageSighting) -> ReceiverCoverage:
    # A check from before the endpoint answered the kill is not final: what it received earlier may still appear. Once
    # its page is without the text, it does not matter whether it accepted or refused the kill.
    answered = row.confirmed or row.status == "refused-killed"
    confirmed = answered and sighting.verdict == "gone" and sighting.checked >= row.since
    at = f"at {clock.moment(sighting.checked):%Y-%m-%d %H:%M:%S} UTC: {sighting.reason}"
    # A destination that looks itself has no page.
    page = f" {sighting.url}" if sighting.url else ""
    on_its_page = {
        "": "its page was not looked at yet",
        "gone": f"gone from{page} {at}" if page else f"gone {at}",
        "there": f"text still at{page} {at}" if page else f"text still there {at}",
        "unproven": f"not proven gone from{page} {at}" if page else f"not proven gone {at}",
    }[sighting.verdict]
    reason = "; ".join(filter(None, (row.reason, on_its_page)))
    return replace(row, confirmed=confirmed, reason=reason, sighting=sighting)


def _page_as_json(sighting: PageSighting) -> dict[str, Any]:
    """What was seen on a page, as the HTTP API shows it."""
    return {
        "url": sighting.url or None,
        "verdict": sighting.verdict or None,
        "why": sighting.reason,
        "looked": clock.moment(sighting.checked).isoformat() if sighting.checked else None,
        "looks": sighting.checks,
    }
