"""Carries out what a person has ordered of a feed that was defined anew (`dateline feeds --push | --withdraw`).

A changed definition neither pushes nor withdraws the past. An order does, article by article, at its rate. One worker
does it; what is left stands in Redis, so another goes on where one has died.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from feeds.counted import counted
from feeds.moments import iso
from worker import clock
from worker.management.changes import Conflict
from worker.management.scopes import FEEDS_WRITE
from worker.record.availability import RecordAway
from worker.record.feed_candidates import placed_silently

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.feed_offers import FeedOffers
    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.store.feed_orders import Action

log = structlog.get_logger()

ORDER_SECONDS = 0.5
"""How often it is looked for orders."""
_TURN_SECONDS = 0.2
"""How often a few articles are taken of an order that is being carried out."""
_LEASE_MS = 10_000
_AT_ONCE = 1000


def articles_concerned(
    store: Store, recorded: RecordedArticles, feed: str, action: Action, endpoints: Sequence[str]
) -> dict[str, int]:
    """Return the articles that an order is about, each with its publication (ms), which is their order.

    To be pushed is what was only placed in the feed; to be withdrawn, what left it by its definition and a receiver may
    have. Raises RecordAway.
    """
    silent = store.changes.unannounced(feed)
    hot: list[str] = []
    for start in range(0, len(silent), _AT_ONCE):
        hot += store.feed_orders.concerned(feed, action, silent[start : start + _AT_ONCE], endpoints)
    published = dict(zip(hot, store.articles.published(hot), strict=True))
    in_record = recorded.ask(partial(placed_silently, feed=feed, state="in" if action == "push" else "out")) or {}
    names = list(in_record)
    for start in range(0, len(names), _AT_ONCE):
        lot = names[start : start + _AT_ONCE]
        # Of what is hot Redis knows better.
        published |= {name: in_record[name] for name in lot if name not in store.articles.hot(lot)}
    return published


def give_order(
    store: Store, audit: AuditTrail, caller: Caller, feed: str, action: Action, articles: dict[str, int], rate: float
) -> None:
    """Order it for articles (of `articles_concerned`), so many a second at the most. Raises Forbidden, Conflict."""
    caller.require(FEEDS_WRITE, feed=feed)
    before = store.feed_orders.get(feed)
    if before and before.waiting:
        done, ordered = before.articles - before.waiting, counted(before.articles, "article", "articles")
        raise Conflict(f"a {before.action} of {feed} is under way: it is through with {done} of {ordered}")
    store.feed_orders.give(feed, action, articles, rate, clock.ms(clock.agreed()))
    details = {"action": action, "articles": len(articles)}
    audit.note(caller, "feed.ordered", feed, new=details)


def order_past(
    store: Store,
    recorded: RecordedArticles,
    audit: AuditTrail,
    caller: Caller,
    feed: str,
    action: Action,
    rate: float,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    """Give an order about whatever it concerns, or with `dry_run` only say what that is; return it as it is shown.

    Raises Forbidden, Conflict, RecordAway.
    """
    endpoints = sorted(name.removeprefix("endpoint:") for name in store.receivers.endpoints(feed))
    articles = articles_concerned(store, recorded, feed, action, endpoints)
    if articles and not dry_run:
        give_order(store, audit, caller, feed, action, articles, rate)
    subscriptions = store.receivers.count_subscriptions(feed)
    return {"articles": len(articles), "endpoints": endpoints, "subscriptions": subscriptions, "dry_run": dry_run}


def progress_of(store: Store, feed: str) -> dict[str, Any] | None:
    """Return how far the last order of a feed is, as it is shown; None: there was none."""
    order = store.feed_orders.get(feed)
    if order is None:
        return None
    return {
        "action": order.action,
        "state": "going on" if order.waiting else "done",
        "articles": order.articles,
        "left": order.waiting,
        "rate": order.rate,
        "ordered": iso(order.ordered),
        "workers": bool(store.workers.alive(clock.ms(clock.agreed()))),
    }


class OrderedArticles:
    """Takes a few articles of each order at a time, when it is called."""

    def __init__(self, store: Store, permit: EventPermit, articles: HotArticles, offers: FeedOffers) -> None:
        self._store = store
        self._permit = permit
        self._articles = articles
        self._offers = offers
        self._due: dict[str, float] = {}

    def carry_out(self) -> float | None:
        """Take the next articles of each order that is due; return after how many seconds there are more, or None."""
        orders = self._store.feed_orders
        if self._permit.charge is None or not (feeds := orders.feeds()):
            return None
        if (token := orders.carrying_out.acquire(_LEASE_MS)) is None:
            return None
        try:
            for feed in feeds:
                if time.monotonic() >= self._due.get(feed, 0.0):
                    self._take(feed)
        finally:
            orders.carrying_out.release(token)
        return _TURN_SECONDS

    def _take(self, feed: str) -> None:
        orders = self._store.feed_orders
        order = orders.get(feed)
        if order is None or not order.waiting:
            orders.end(feed)
            if order:
                log.info("order_carried_out", feed=feed, order=order.action, articles=order.articles)
            return
        count = max(1, int(order.rate * _TURN_SECONDS))
        self._due[feed] = time.monotonic() + count / order.rate
        names = orders.next(feed, count)
        try:
            if cold := set(names) - self._store.articles.hot(names):
                self._articles.warm(cold)
        except RecordAway as error:
            log.warning("order_waits", feed=feed, reason=str(error), next_step="goes on when the record is back")
            return
        if orders.carry_out(feed, order.action, names):
            self._offers.offer([feed], urgent=False)
