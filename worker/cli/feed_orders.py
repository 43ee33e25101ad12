"""What a person orders of a feed that was defined anew: its receivers get what it took in, or lose what left it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker import clock
from worker.cli.management import at_the_shell
from worker.cli.terminal import Failed, err, feed_names, note, out
from worker.newsroom.feed_orders import articles_concerned, give_order
from worker.record.availability import RecordAway

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.runtime.services import Services
    from worker.store.feed_orders import Action, FeedOrder

_LOOK_SECONDS = 0.3
_ARTICLES = {
    "push": "{} that it took in by a new definition, and that its receivers have not got",
    "withdraw": "{} that left it by a new definition, and that receivers may have",
}
_DONE = {"push": "pushed", "withdraw": "withdrawn"}


def order(services: Services, feed: str, action: Action, *, rate: float, dry_run: bool) -> None:
    """Order it, or show how far it is when that was done before. Raises Failed."""
    if feed in services.publication.patterns:
        raise Failed(f"--{action}: {feed} is a pattern of feeds; name one of them", 2)
    if services.publication.feed(feed) is None:
        raise Failed(f"--{action}: there is no feed {feed}; known: {feed_names(services.settings)}", 2)
    before = services.store.feed_orders.get(feed)
    if before and before.waiting:
        if before.action != action or dry_run:
            done = before.articles - before.waiting
            raise Failed(f"a {before.action} of {feed} is under way: {done} of {before.articles} articles are done")
        note("this was ordered before, and goes on")
        _watch(services, feed, before)
        return
    if services.store.definitions.progress().feeds:
        note("feeds are still being filled; what comes in later is not part of this order")
    endpoints = sorted(name.removeprefix("endpoint:") for name in services.store.receivers.endpoints(feed))
    try:
        articles = articles_concerned(services.store, services.recorded, feed, action, endpoints)
    except RecordAway as error:
        raise Failed(str(error)) from None
    counted = "1 article" if len(articles) == 1 else f"{len(articles):,} articles"
    subscriptions = services.store.receivers.count_subscriptions(feed)
    receivers = [*endpoints, *([f"{subscriptions:,} subscriptions"] if subscriptions else [])]
    out.print(f"{feed}: {_ARTICLES[action].format(counted)}")
    out.print(f"Receivers: {', '.join(receivers) or 'none'}")
    if dry_run or not articles:
        return
    give_order(services.store, services.management.audit, at_the_shell(), feed, action, articles, rate)
    if feed_order := services.store.feed_orders.get(feed):
        _watch(services, feed, feed_order)


def _watch(services: Services, feed: str, feed_order: FeedOrder) -> None:
    """Show how far an order is until it is carried out. Whoever stops that does not stop the order."""
    if not services.store.workers.alive(clock.ms(clock.agreed())):
        note("no worker is running: it is carried out once one is")
    try:
        if err.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, console=err, transient=True) as progress:
                bar = progress.add_task(f"{feed_order.action} {feed}", total=feed_order.articles)
                _follow(services, feed, feed_order, lambda done: progress.update(bar, completed=done))
        else:
            _follow(services, feed, feed_order, _lines(feed_order))
    except KeyboardInterrupt:
        note("the workers go on with it; the same command shows how far it is")
        return
    out.print(f"{feed_order.articles:,} {_DONE[feed_order.action]}")


def _follow(services: Services, feed: str, feed_order: FeedOrder, show: Callable[[int], object]) -> None:
    while (now := services.store.feed_orders.get(feed)) and now.ordered == feed_order.ordered and now.waiting:
        show(now.articles - now.waiting)
        time.sleep(_LOOK_SECONDS)
    show(feed_order.articles)


def _lines(feed_order: FeedOrder) -> Callable[[int], None]:
    """Say each tenth in a line."""
    tenths = 0

    def show(done: int) -> None:
        nonlocal tenths
        if (reached := done * 10 // feed_order.articles) > tenths:
            tenths = reached
            note(f"{done:,} of {feed_order.articles:,} ({reached * 10} %)")

    return show
