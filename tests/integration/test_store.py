"""What the store's scripts promise beside the receivers: order, compare-and-set, streams, lists, counters."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
from waiting import until

from feeds.article import Article
from worker import clock
from worker.store import Store, keys
from worker.store.articles import NEW
from worker.store.changes import ArchivePage, Change, Head, State
from worker.store.events import IncomingEvent, StreamEntry
from worker.store.scripts import Scripts

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def article(version: int = 1) -> Article:
    return Article(
        id="a", version=version, headline=f"v{version}", url="https://x.example/", published=NOW, updated=NOW
    )


def test_the_log_is_compacted_and_its_head_counts_changes(store: Store) -> None:
    for seq, name in enumerate(["a", "b", "a"], 1):
        assert seq == store.changes.record(name, seq, 1000 + seq, {"f": ("in", seq)})["f"]
    assert Head(3, 1003) == store.changes.head("f")
    assert [Change(2, "b", "in", 1002, version=2), Change(3, "a", "in", 1003, version=3)] == store.changes.since(
        "f", 0, 10
    )
    assert [Change(3, "a", "in", 1003, version=3)] == store.changes.since("f", 2, 10)


@pytest.mark.parametrize(
    ("version", "asof", "state", "recorded"),
    [
        (4, 2000, "in", False),  # an older version
        (5, 1000, "in", False),  # the same again
        (5, 999, "out", False),  # an older decision about the same version
        (5, 1001, "out", True),  # a later decision about the same version
        (5, 1001, "killed", True),
        (6, 900, "in", True),  # a newer version, whatever the clock says
    ],
)
def test_a_record_is_taken_only_if_it_is_newer(
    store: Store, version: int, asof: int, state: State, recorded: bool
) -> None:
    store.changes.record("a", 5, 1000, {"f": ("in", 1)})
    assert recorded == bool(store.changes.record("a", version, asof, {"f": (state, 1)})["f"])


def test_what_was_never_in_a_feed_does_not_leave_it(store: Store) -> None:
    assert store.changes.record("a", 1, 1, {"f": ("killed", 0)})["f"] == 0
    assert Head(0, 0) == store.changes.head("f")


def test_an_article_that_is_out_and_is_killed_is_told(store: Store) -> None:
    store.changes.record("a", 1, 1, {"f": ("in", 1)})
    assert store.changes.record("a", 2, 2, {"f": ("out", 0)})["f"] == 2
    assert store.changes.record("a", 3, 3, {"f": ("out", 0)})["f"] == 0
    assert store.changes.record("a", 4, 4, {"f": ("killed", 0)})["f"] == 3
    assert store.changes.record("a", 5, 5, {"f": ("killed", 0)})["f"] == 0
    window = store.changes.window("f", 10)
    assert ((), (("a", 4),)) == (window.members, window.gone)


def test_arranging_moves_the_head_only_for_another_order(store: Store) -> None:
    for name, place in (("a", 1), ("b", 2), ("c", 3)):
        store.changes.record(name, 1, 1, {"f": ("in", place)})
    assert not store.changes.arrange("f", 2, [("c", 30), ("b", 20), ("a", 10)])
    assert store.changes.arrange("f", 3, [("a", 3), ("c", 2), ("b", 1), ("not in it", 9)])
    assert (["a", "c", "b"], Head(4, 3, arranged=4)) == (store.changes.members("f"), store.changes.head("f"))


def test_a_save_is_compare_and_set(store: Store) -> None:
    first = store.articles.save(article(), NEW, {"f"}, 5)
    assert first is not None
    assert store.articles.save(article(2), NEW, {"f"}, 6) is None
    second = store.articles.save(article(2), first.rev, {"f", "g"}, 6)
    assert second is not None
    other = Store.connect(f"unix://{store.client.connection_pool.connection_kwargs['path']}")
    assert second == other.articles.get("a")
    other.close()


def test_another_process_sees_the_newest_article(store: Store) -> None:
    other = Store.connect(f"unix://{store.client.connection_pool.connection_kwargs['path']}")
    first = store.articles.save(article(), NEW, (), 1)
    assert first is not None
    assert first == other.articles.get("a")
    second = store.articles.save(article(2), first.rev, (), 1)
    assert second == other.articles.get("a")
    other.close()


def test_an_event_id_is_accepted_once(store: Store) -> None:
    events = [IncomingEvent("1", "{}"), IncomingEvent("1", "{}"), IncomingEvent("2", "{}", "kill")]
    first, again, kill = store.events.accept(events)
    assert ["new", "duplicate", "new"] == [first.status, again.status, kill.status]
    assert first.entry == again.entry
    assert store.events.waiting() == 2


def test_an_event_id_that_is_used_for_other_content_is_another_event(store: Store) -> None:
    first, second, order = IncomingEvent("1", "one"), IncomingEvent("1", "two"), IncomingEvent("1", "one", "kill")
    for event, expected in (
        (first, "new"),
        (first, "duplicate"),
        (second, "reused"),
        (second, "duplicate"),
        (order, "new"),
        (order, "duplicate"),
        (IncomingEvent("1", "three", "kill"), "reused"),
    ):
        assert [expected] == accepted(store, event)
    assert store.events.waiting() == 4


def test_a_kill_that_is_sent_again_after_the_article_came_back_is_another_kill(store: Store) -> None:
    kill, back = IncomingEvent("k", "kill", "kill", "a"), IncomingEvent("r", "back", "reinstatement", "a")
    for event, expected in ((kill, "new"), (kill, "duplicate"), (back, "new"), (kill, "reused"), (kill, "duplicate")):
        assert [expected] == accepted(store, event)
    other = IncomingEvent("k2", "kill", "kill", "b")
    assert ["new", "duplicate"] == accepted(store, other, other)


def test_an_event_of_the_record_is_appended_once_under_its_number(store: Store) -> None:
    first, second = IncomingEvent("1", "one", number=1), IncomingEvent("1", "two", number=2)
    again = IncomingEvent("1", "one", number=3)
    assert ["new", "reused", "appended", "reused", "appended", "appended"] == accepted(
        store, first, second, first, again, second, again
    )
    store.events.create_group()
    assert [1, 2, 3] == [entry.number for entry in store.events.read("w", 10)]


def test_what_redis_alone_had_accepted_is_a_duplicate_when_the_record_has_it(store: Store) -> None:
    alone, numbered = IncomingEvent("1", "one"), IncomingEvent("1", "one", number=1)
    (first,) = store.events.accept([alone])
    assert ("duplicate", first.entry, 0) == store.events.accept([numbered])[0]
    assert ["duplicate"] == accepted(store, alone)


def test_the_record_knows_which_kill_is_another_one(store: Store) -> None:
    # It accepted the reinstatement while Redis was away, and kills are appended first.
    kill, later = IncomingEvent("k", "kill", "kill", "a", 1), IncomingEvent("k", "kill", "kill", "a", 3, "r")
    assert ["new", "reused", "appended"] == accepted(store, kill, later, later)


def test_what_an_earlier_release_had_accepted_is_a_duplicate(store: Store) -> None:
    event = IncomingEvent("1", "one")
    store.client.set(keys.acceptance("1"), event.digest)
    assert [("duplicate", "", 0)] == store.events.accept([event])


def test_what_was_accepted_long_before_keeps_its_time(store: Store) -> None:
    store.events.accept([IncomingEvent("1", "one", number=7, accepted=1_000), IncomingEvent("2", "two", number=8)])
    store.client.xadd(keys.EVENTS, {"event": "three", "number": "-1", "accepted": "9" * 18})
    store.events.create_group()
    kept, at_once, foreign = store.events.read("w", 10)
    assert (7, 1_000, datetime(1970, 1, 1, 0, 0, 1, 7, UTC)) == (kept.number, kept.accepted, kept.moment)
    assert (8, int(at_once.id.partition("-")[0])) == (at_once.number, at_once.accepted)
    assert (None, int(foreign.id.partition("-")[0])) == (foreign.number, foreign.accepted)


def accepted(store: Store, *events: IncomingEvent) -> list[str]:
    return [store.events.accept([event])[0].status for event in events]


def left(
    store: Store, consumer: str, *, held: Collection[tuple[str, str]] = (), idle_ms: int = 0
) -> list[tuple[StreamEntry, int]]:
    """What this consumer takes over."""
    return store.events.take_over(consumer, store.workers.living_among, held, idle_ms, 10)


def test_kills_are_read_first_and_what_a_dead_worker_read_is_taken_over(store: Store) -> None:
    store.events.create_group()
    store.events.create_group()
    store.events.accept([IncomingEvent("1", "one"), IncomingEvent("2", "kill", "kill")])
    assert ["kill", "one"] == [entry.body for entry in store.events.read("dead", 10)]
    assert store.events.read("alive", 10) == []
    assert left(store, "alive", idle_ms=60_000) == []
    taken = left(store, "alive")
    assert [("kill", 1), ("one", 1)] == [(entry.body, deaths) for entry, deaths in taken]
    assert store.events.acknowledge([entry for entry, _ in taken], "")
    assert store.events.waiting() == 0
    store.events.leave("dead")
    store.events.leave("alive")


def test_a_consumer_that_leaves_work_behind_is_kept(store: Store) -> None:
    store.events.create_group()
    store.events.accept([IncomingEvent("1", "one")])
    store.events.read("w", 10)
    store.events.leave("w")
    assert ["one"] == [entry.body for entry, _ in left(store, "other")]


def test_what_a_living_worker_has_is_its_own_and_is_had_again_when_it_failed(store: Store) -> None:
    store.events.create_group()
    store.events.accept([IncomingEvent("1", "one"), IncomingEvent("2", "two")])
    first, second = store.events.read("busy", 10)
    store.workers.report_alive("busy", 0)
    assert left(store, "other") == []
    held = {(first.stream, first.id)}
    assert [("two", 0)] == [(entry.body, deaths) for entry, deaths in left(store, "busy", held=held)]
    # A second look at what failed is no death.
    assert [(first, 0), (second, 0)] == left(store, "busy")
    store.workers.leave("busy")
    assert [(first, 1), (second, 1)] == left(store, "other")


def test_what_several_workers_died_with_is_taken_alone(store: Store) -> None:
    store.events.create_group()
    store.events.accept([IncomingEvent(str(n), str(n)) for n in range(3)])
    store.events.read("w0", 10)
    for n in range(1, 4):
        left(store, f"w{n}")
    for n in range(3):
        # Who dies now dies with one of them.
        [(entry, deaths)] = left(store, f"lone{n}")
        assert (str(n), 4) == (entry.body, deaths)
        assert store.events.acknowledge([entry], "")


def test_consumers_of_workers_that_are_gone_are_forgotten_with_nothing_that_they_had(store: Store) -> None:
    store.events.create_group()
    store.events.accept([IncomingEvent("1", "one")])
    assert store.events.acknowledge(store.events.read("idle", 1), "")
    store.events.accept([IncomingEvent("2", "two")])
    store.events.read("busy", 1)
    assert store.events.forget_consumers(3_600_000) == 0
    time.sleep(0.01)
    assert store.events.forget_consumers(1) >= 1
    assert ["busy"] == [info["name"] for info in store.client.xinfo_consumers(keys.EVENTS, "dateline")]
    assert ["two"] == [entry.body for entry, _ in left(store, "other")]


def test_what_somebody_deleted_from_the_stream_is_forgotten(store: Store) -> None:
    store.events.create_group()
    store.events.accept([IncomingEvent("1", "one")])
    [entry] = store.events.read("dead", 10)
    store.client.xdel(entry.stream, entry.id)
    assert left(store, "other") == []
    assert store.client.xpending(entry.stream, "dateline")["pending"] == 0


def test_an_event_is_handed_to_one_of_those_that_wait_as_it_is_appended(store: Store) -> None:
    store.events.create_group()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(store.events.read, name, 10, 9_000) for name in ("w1", "w2")]
        until(lambda: store.client.info("clients")["blocked_clients"] == 2)
        assert [0] == [acceptance.before for acceptance in store.events.accept([IncomingEvent("1", "one")])]
        first, _ = wait(waiting, 60, FIRST_COMPLETED)
        assert [["one"]] == [[entry.body for entry in future.result()] for future in first]
        assert [1] == [acceptance.before for acceptance in store.events.accept([IncomingEvent("2", "two")])]
        bodies = sorted(entry.body for future in waiting for entry in future.result(60))
    assert ["one", "two"] == bodies


def test_streams_that_redis_has_lost_are_read_again(store: Store) -> None:
    store.events.create_group()
    store.client.flushall()
    store.events.accept([IncomingEvent("1", "one"), IncomingEvent("2", "kill", "kill")])
    assert store.events.read("w", 10) == []
    assert ["kill"] == [entry.body for entry in store.events.read_urgent("w", 10, 1)]
    assert ["one"] == [entry.body for entry in store.events.read("w", 10)]


def test_streams_that_redis_has_lost_are_no_fault_of_whoever_looks_after_them(store: Store) -> None:
    # A worker that is not in charge, one that stops, and one that takes over: none of them has read before.
    for look, result in (
        (lambda: store.events.hand_over("w", ()), None),
        (lambda: left(store, "w"), []),
        (lambda: store.events.forget_consumers(1), 0),
        (lambda: store.events.leave("w"), None),
    ):
        store.client.flushall()
        assert look() == result
        store.events.accept([IncomingEvent("1", "one")])
        assert ["one"] == [entry.body for entry in store.events.read("w", 10)]


def test_foreign_entries_without_the_field_are_read_as_empty(store: Store) -> None:
    store.events.create_group()
    store.client.xadd(keys.EVENTS, {"something": "else"})
    (entry,) = store.events.read("w", 10)
    assert StreamEntry(keys.EVENTS, entry.id, "") == entry


def test_a_later_list_wins(store: Store) -> None:
    second = clock.moment(1)
    assert store.lists.set("picks", second + timedelta(microseconds=2), ["b"])
    assert not store.lists.set("picks", second + timedelta(microseconds=1), ["a"])
    assert not store.lists.set("picks", second + timedelta(microseconds=2), ["b"])
    assert {"picks": ("b",), "none": ()} == store.lists.get_many(["picks", "none"])


def test_counters_add_up_across_processes(store: Store) -> None:
    for _ in range(2):
        store.counters.add("n", 2, kind="x")
        store.counters.observe("seconds", 0.3, kind="x")
        store.counters.flush()
    assert {
        ("n", (("kind", "x"),)): 4.0,
        ("seconds_bucket", (("kind", "x"), ("le", "0.5"))): 2.0,
        ("seconds_sum", (("kind", "x"),)): 0.6,
    } == store.counters.read()


def test_scripts_come_back_after_redis_lost_them(store: Store) -> None:
    scripts = Scripts(store.client)
    store.client.script_flush()
    assert scripts.run_many("lists/set", [(("dateline:list:x",), (1, "[]", "e"))]) == [1]
    store.client.script_flush()
    assert scripts.run("lists/set", ["dateline:list:x"], [2, "[]", "e"]) == 1


def test_every_script_has_its_catalogue_and_every_feed_key_one_slot(store: Store) -> None:
    from importlib.resources import files

    scripts = [file for noun in (files("worker.store") / "lua").iterdir() for file in noun.iterdir()]
    for file in scripts:
        if not file.name.endswith(".lua"):
            continue
        text = file.read_text("utf-8")
        assert text.startswith("-- "), file.name
        assert "-- KEYS 1" in text, file.name
        assert "-- ARGV 1" in text or "ARGV[" not in text, file.name
    feed = keys.feed("world/asia-1")
    slots = {store.client.execute_command("CLUSTER", "KEYSLOT", key) for key in (*feed, feed.ledger("partner"))}
    assert len(slots) == 1


def test_receivers_are_looked_up_wherever_they_stand(store: Store) -> None:
    for name in ("endpoint:a", "endpoint:b", "endpoint:c"):
        store.receivers.enroll("f", name, {"endpoint": name})
    store.changes.record("x", 1, 1, {"f": ("in", 1)})
    store.receivers.pause("f", "endpoint:c", 5, "removed")
    [claim] = store.receivers.claim("f", 1, 9_000).claims
    found = store.receivers.get_many("f", ["endpoint:a", "endpoint:b", "endpoint:c", "endpoint:d"])
    expected = {"endpoint:a": "settled", "endpoint:b": "settled", "endpoint:c": "paused", claim.receiver: "claimed"}
    assert expected == {receiver.id: receiver.state for receiver in found}
    assert found == sorted(store.receivers.scan("f"), key=lambda receiver: receiver.id)
    assert store.receivers.get_many("f", []) == []


def test_a_receiver_that_moves_while_all_are_gone_through_is_met_once(store: Store) -> None:
    for name in ("endpoint:a", "endpoint:b", "endpoint:c"):
        store.receivers.enroll("f", name, {"endpoint": name})
    store.changes.record("x", 1, 1, {"f": ("in", 1)})
    for move in (
        lambda: store.receivers.claim("f", 9, 9_000),
        lambda: store.receivers.pause("f", "endpoint:b", 5, "asked"),
        lambda: store.receivers.resume("f", "endpoint:b"),
    ):
        receivers = store.receivers.scan("f")
        met = [next(receivers)]
        move()
        met += receivers
        assert sorted(receiver.id for receiver in met) == ["endpoint:a", "endpoint:b", "endpoint:c"]


def test_a_stretch_has_the_members_between_two_places_and_knows_its_neighbours(store: Store) -> None:
    for place, name in ((100, "a"), (200, "b"), (200, "c"), (300, "d"), (450, "e")):
        store.changes.record(name, 1, 1000 + place, {"f": ("in", place)})
    assert ArchivePage(Head(5, 1450), ("c", "b"), 100, 300, None) == store.changes.archive_page("f", 200, 300, 5)
    assert ArchivePage(Head(5, 1450), ("d",), 200, 450, 200) == store.changes.archive_page("f", 300, 400, 2)
    assert ArchivePage(Head(5, 1450), ("a",), None, 200, 300) == store.changes.archive_page("f", 0, 200, 1)
    assert ArchivePage(Head(5, 1450), (), 450, None, 300) == store.changes.archive_page("f", 500, 600, 1)
    assert [300, None] == [store.changes.window("f", limit).below for limit in (1, 5)]


def test_whoever_listens_hears_of_every_change_and_its_head(store: Store) -> None:
    store.changes.record("a", 1, 1, {"before": ("in", 1)})
    listener = store.changes.listen()
    store.changes.record("a", 1, 1, {"desk/world": ("in", 1)})
    store.changes.record("a", 1, 1, {"author/ada quill": ("in", 2)})
    store.changes.record("a", 1, 1, {"desk/world": ("in", 1)})  # nothing new
    store.changes.record("b", 1, 1, {"desk/world": ("in", 2)})
    store.changes.arrange("desk/world", 5, [("a", 2), ("b", 1)])
    store.changes.arrange("desk/world", 6, [("a", 2), ("b", 1)])  # nothing new
    heard = [listener.next(10) for _ in range(4)]
    assert [("desk/world", 1, 0), ("author/ada quill", 1, 0), ("desk/world", 2, 0), ("desk/world", 3, 0)] == heard
    store.changes.record("a", 2, 9, {"desk/world": ("killed", 0)})
    assert ("desk/world", 4, 4) == listener.next(10)
    assert listener.next(0.05) is None
    listener.close()
    assert {"desk/world": (4, 4), "none": (0, 0)} == store.changes.heads_and_kills(["desk/world", "none"])


def test_removed_feeds_are_remembered_until_they_are_back(store: Store) -> None:
    definitions = store.definitions
    assert definitions.adopt("1 1", {"a": "{}", "b": "{}"}, 10) == 2
    assert definitions.adopt("2 2", {"a": "{}"}, 20) == 1
    assert definitions.adopt("2 2", {"a": "{}"}, 30) == 1
    assert [None, 20, None] == [definitions.removed_at(name, 99) for name in ("a", "b", "c")]
    # What may come back in a moment is not removed as yet.
    assert (None, set(), {"b"}) == (
        definitions.removed_at("b", 19),
        definitions.former_feeds(19),
        definitions.former_feeds(20),
    )
    assert definitions.adopt("3 3", {"a": "{}", "b": "{}"}, 40) == 2
    assert definitions.removed_at("b", 99) is None
    # Who comes with an earlier charge changes nothing.
    assert definitions.adopt("2 2", {"a": "{}"}, 50) == -3
    assert not definitions.note_filled("2 2")
    assert {"a", "b"} == definitions.progress().feeds.keys()
    assert definitions.note_filled("3 3")
    assert ({}, {"a", "b"}) == (definitions.progress().feeds, definitions.indexed().keys())


def test_long_articles_are_kept_in_memory_as_far_as_they_fit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.store.articles._BYTES", 1_000_000)
    reader = Store(store.client)
    names = [f"a{number}" for number in range(10)]
    for name in names:
        store.articles.save(article().model_copy(update={"id": name, "body_html": "x" * 200_000}), NEW, (), 1)
    assert len(reader.articles.get_many(names)) == 10
    assert sum(reader.articles._parsed.get(name) is not None for name in names) == 2
