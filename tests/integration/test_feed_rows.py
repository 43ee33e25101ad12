"""Feeds as they are listed: what a list costs Redis does not grow with how many endpoints there are."""

from __future__ import annotations

from news_desk import Desk

from worker.receivers.feed_rows import rows_of
from worker.store import keys


def scripts_run(desk: Desk) -> int:
    return int(desk.store.client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


def test_what_endpoints_have_set_aside_is_counted_at_once(desk: Desk) -> None:
    names = {f"e{number}": "all" if number % 2 else "world" for number in range(200)}
    for name, articles in (("e0", 2), ("e2", 1), ("e1", 3)):
        key = keys.feed(names[name]).of_endpoint(name, "parked")
        desk.store.client.hset(key, mapping={f"a{number}": "{}" for number in range(articles)})
    # One whose record is damaged has none.
    desk.store.client.set(keys.feed("all").of_endpoint("e3", "parked"), "damaged")
    feeds = desk.site.named(["all", "world", "picks"])
    rows_of(desk.store, feeds, names)
    before = scripts_run(desk)
    rows = {row["name"]: row["parked"] for row in rows_of(desk.store, feeds, names)}
    assert rows == {"all": 3, "world": 3, "picks": 0}
    assert scripts_run(desk) - before < 10
