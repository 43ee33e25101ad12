"""What a person orders of a feed that was defined anew: its receivers get what it took in, or lose what left it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from feeds.counted import counted
from worker.cli.terminal import Failed, err, note, out

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.cli.newsrooms.feeds import LocalFeeds, RemoteFeeds
    from worker.store.feed_orders import Action

    Feeds = LocalFeeds | RemoteFeeds

_LOOK_SECONDS = 0.3
_ARTICLES = {
    "push": "{} that it took in by a new definition, and that its receivers have not got",
    "withdraw": "{} that left it by a new definition, and that receivers may have",
}
_DONE = {"push": "pushed", "withdraw": "withdrawn"}


def order(there: Feeds, feed: str, action: Action, *, rate: float, dry_run: bool) -> None:
    """Order it, or show how far it is when that was done before. Raises Failed."""
    before = there.progress(feed)
    if before and before["left"]:
        if before["action"] != action or dry_run:
            done = before["articles"] - before["left"]
            articles = counted(before["articles"], "article", "articles")
            raise Failed(f"a {before['action']} of {feed} is under way: it is through with {done} of {articles}")
        note("this was ordered before, and goes on")
        _watch(there, feed, before)
        return
    ordered = there.order(feed, action, rate, dry_run=dry_run)
    if any(row["filling"] for row in there.rows()):
        note("feeds are still being filled; what comes in later is not part of this order")
    articles = counted(ordered["articles"], "article", "articles")
    receivers = list(ordered["endpoints"])
    if ordered["subscriptions"]:
        receivers.append(counted(ordered["subscriptions"], "subscription", "subscriptions"))
    out.print(f"{feed}: {_ARTICLES[action].format(articles)}")
    out.print(f"Receivers: {', '.join(receivers) or 'none'}")
    if not dry_run and ordered["articles"] and (begun := there.progress(feed)):
        _watch(there, feed, begun)


def _watch(there: Feeds, feed: str, begun: dict[str, Any]) -> None:
    """Show how far an order is until it is carried out. Whoever stops that does not stop the order."""
    if not begun["workers"]:
        note("no worker is running: it is carried out once one is")
    action, articles = begun["action"], begun["articles"]
    try:
        if err.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            with Progress(*columns, console=err, transient=True) as progress:
                bar = progress.add_task(f"{action} {feed}", total=articles)
                _follow(there, feed, begun, lambda done: progress.update(bar, completed=done))
        else:
            _follow(there, feed, begun, _lines(articles))
    except KeyboardInterrupt:
        note("the workers go on with it; the same command shows how far it is")
        return
    out.print(f"{articles:,} {_DONE[action]}")


def _follow(there: Feeds, feed: str, begun: dict[str, Any], show: Callable[[int], object]) -> None:
    while (now := there.progress(feed)) and now["ordered"] == begun["ordered"] and now["left"]:
        show(now["articles"] - now["left"])
        time.sleep(_LOOK_SECONDS)
    show(begun["articles"])


def _lines(articles: int) -> Callable[[int], None]:
    """Say each tenth in a line."""
    tenths = 0

    def show(done: int) -> None:
        nonlocal tenths
        if (reached := done * 10 // articles) > tenths:
            tenths = reached
            note(f"{done:,} of {articles:,} ({reached * 10} %)")

    return show
