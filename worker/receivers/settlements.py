"""How claims end: the settlements that no answer decides, and storing settlements feed by feed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.documents.quality_gate import FeedRefused
from worker.store import redis_errors
from worker.store.endpoints import SUSPENDED
from worker.store.receivers import SettledClaims, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.receivers import Claim

log = structlog.get_logger()


class Settlements:
    """The settlements that are not stored yet, by feed."""

    def __init__(self, store: Store, alerts: Alerts) -> None:
        self._store = store
        self._alerts = alerts
        self._unsaved: dict[str, list[Settlement]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self._unsaved.values()))

    def add(self, settlement: Settlement) -> None:
        """Have a claim end so."""
        self._unsaved[settlement.claim.feed].append(settlement)

    def save(self) -> Iterator[str]:
        """Store them; yield the feeds with receivers that are behind again. Raises redis.RedisError in an outage.

        After an outage they are stored by the next call. A claim that an error of ours keeps from being settled is left
        to expire; it keeps no other waiting.
        """
        for feed in list(self._unsaved):
            settled = self._save(feed)
            del self._unsaved[feed]
            if settled.fenced:
                log.warning("claims_lost", feed=feed, receivers=len(settled.fenced), reason="they had expired")
            if settled.behind:
                yield feed

    def _save(self, feed: str) -> SettledClaims:
        settlements = self._unsaved[feed]
        for settlement in tuple(settlements):
            try:
                self._save_results(settlement)
            except Exception as error:
                if redis_errors.is_outage(error):
                    raise
                settlements.remove(settlement)
                self._report(settlement, error)
        try:
            return self._store.receivers.settle(feed, clock.ms(clock.agreed()), settlements)
        except Exception as error:
            if redis_errors.is_outage(error):
                raise
        return self._save_one_by_one(feed, settlements)

    def _save_one_by_one(self, feed: str, settlements: list[Settlement]) -> SettledClaims:
        """Find out which of the settlements can't be stored; store all others."""
        behind = 0
        for settlement in tuple(settlements):
            try:
                behind += self._store.receivers.settle(feed, clock.ms(clock.agreed()), [settlement]).behind
            except Exception as error:
                if redis_errors.is_outage(error):
                    raise
                self._report(settlement, error)
            settlements.remove(settlement)
        # Those that were stored before the error are fenced off by now, which means nothing.
        return SettledClaims(behind, [])

    def _save_results(self, settlement: Settlement) -> None:
        """Store what must be known before the claim ends. It can be stored again."""
        feed = settlement.claim.feed
        if settlement.verb == "pause" and not settlement.alerted:
            self._note_suspension(settlement)
        if settlement.replayed:
            endpoint = settlement.claim.details["endpoint"]
            self._store.replays.remove(feed, endpoint, settlement.replayed)
        if settlement.undisputed:
            endpoint = settlement.claim.details["endpoint"]
            self._store.attempts.forget_disputes(feed, endpoint, settlement.undisputed)
        if settlement.unspent:
            self._store.attempts.return_tokens(feed, settlement.claim.details["endpoint"], settlement.unspent)
            settlement.unspent = 0

    def _report(self, settlement: Settlement, error: Exception) -> None:
        """Log that a claim can't be settled."""
        claim, next_step = settlement.claim, "the claim expires and is taken over"
        if isinstance(error, RedisError):
            self._store.damaged_records.report(f"receivers of {claim.feed}", str(error), "their claims expire")
        else:
            log.error("settling_failed", feed=claim.feed, receiver=claim.receiver, next_step=next_step, exc_info=error)

    def _note_suspension(self, settlement: Settlement) -> None:
        """Note that an endpoint is left alone, and alert operators."""
        feed, endpoint = settlement.claim.feed, settlement.claim.details["endpoint"]
        status = self._store.attempts.note_suspension(feed, endpoint, clock.ms(clock.agreed()))
        reason = settlement.reason.removeprefix(f"{SUSPENDED}: ")
        next_step = f"mend it with the partner, then dateline endpoints --retry {endpoint}"
        about = {"endpoint": endpoint, "feed": feed, "status": status, "reason": reason}
        self._alerts.raise_alert("endpoint.suspended", **about, next_step=next_step)
        settlement.alerted = True


def left_alone(claim: Claim) -> Settlement:
    """Return the settlement of a receiver that has asked to be left alone (Retry-After)."""
    return Settlement(claim, "retry", claim.cursor, claim.failing.until, claim.failing, "asked to be left alone")


def not_configured(claim: Claim) -> Settlement:
    """Return the settlement of an endpoint that is not in our settings.

    Another worker's settings may be newer, and only reading settings takes an endpoint away.
    """
    due = clock.ms(clock.agreed()) + 5_000
    return Settlement(claim, "retry", claim.cursor, due, claim.failing, "unknown here")


def given_back(claim: Claim) -> Settlement:
    """Return the settlement of a claim under which nothing was sent; the receiver is not to blame."""
    return Settlement(claim, "back", claim.cursor, 0, claim.failing)


def broken_off(claim: Claim, error: Exception) -> Settlement:
    """Return the settlement of a claim that an error of ours ended, and log it; the receiver is not to blame."""
    if isinstance(error, RedisError) and redis_errors.is_outage(error):
        redis_errors.report(log, error, "the receiver is given back")
        return given_back(claim)
    due = clock.ms(clock.agreed()) + 60_000
    if isinstance(error, FeedRefused):
        return Settlement(claim, "retry", claim.cursor, due, claim.failing, str(error)[:120])
    log.error(
        "push_failed", feed=claim.feed, receiver=claim.receiver, next_step="tried again in a minute", exc_info=error
    )
    return Settlement(claim, "retry", claim.cursor, due, claim.failing, "internal")
