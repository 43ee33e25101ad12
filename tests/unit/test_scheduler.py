from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.outbound.latency import SLOW_SECONDS, LatencyAverages
from worker.outbound.scheduler import Place, Scheduler, host_of
from worker.outbound.transfer import Answer, Transfer


def transfer(host: str, number: int = 0, deadline: float = 100.0) -> Transfer:
    def on_answer(_: Answer) -> None:
        """Nobody waits for it."""

    return Transfer(f"http://{host}/{number}", b"", [], 10.0, deadline, on_answer)


def add(scheduler: Scheduler, *transfers: Transfer, resolved: bool = True) -> None:
    for transfer in transfers:
        scheduler.add(transfer, host_of(transfer.url), resolved=resolved)


def make(places: int, per_host: int, *slow: str) -> Scheduler:
    """A scheduler to which these hosts' first URL is slow."""
    scheduler = Scheduler(places, per_host)
    for host in slow:
        scheduler.record_latency(transfer(host), 10 * SLOW_SECONDS)
    return scheduler


def take_all(scheduler: Scheduler) -> list[Place]:
    places = []
    while place := scheduler.take_place():
        places.append(place)
    return places


def urls(places: list[Place]) -> list[str]:
    return [place.transfer.url for place in places]


def test_places_are_given_in_the_order_of_arrival() -> None:
    scheduler = make(3, 10)
    for number in range(5):
        add(scheduler, transfer("a", number))

    places = take_all(scheduler)
    assert urls(places) == ["http://a/0", "http://a/1", "http://a/2"]
    scheduler.free_place(places[0])
    assert urls(take_all(scheduler)) == ["http://a/3"]


def test_a_host_at_its_bound_does_not_hold_up_others() -> None:
    scheduler = make(10, 2)
    for number in range(6):
        add(scheduler, transfer("a", number))
    add(scheduler, transfer("b"))

    assert urls(take_all(scheduler)) == ["http://a/0", "http://a/1", "http://b/0"]
    assert scheduler.blocked_pushes == 4


def test_transfers_that_waited_for_their_host_line_up_behind_others() -> None:
    scheduler = make(1, 1)
    for host in ("a", "a", "b", "c"):
        add(scheduler, transfer(host, scheduler.blocked_pushes))
    order = []
    while place := scheduler.take_place():
        order.append(place.transfer.url)
        scheduler.free_place(place)

    assert order == ["http://a/0", "http://b/1", "http://c/1", "http://a/0"]


def test_a_host_that_is_not_resolved_yet_takes_no_place() -> None:
    scheduler = make(10, 2)
    add(scheduler, *(transfer("a", number) for number in range(3)), resolved=False)
    add(scheduler, transfer("b"))
    assert urls(take_all(scheduler)) == ["http://b/0"]
    assert scheduler.blocked_pushes == 3

    scheduler.host_resolved("a", 0.1)
    assert urls(take_all(scheduler)) == ["http://a/0", "http://a/1"]
    assert scheduler.blocked_pushes == 1
    assert list(scheduler.host_failed("a")) == []


def test_transfers_to_a_host_without_an_address_are_removed() -> None:
    scheduler = make(10, 2)
    add(scheduler, *(transfer("a", number) for number in range(3)), resolved=False)

    assert [transfer.url for transfer in scheduler.host_failed("a")] == ["http://a/0", "http://a/1", "http://a/2"]
    assert list(scheduler.host_failed("a")) == []
    scheduler.host_resolved("a", 0.1)
    assert (scheduler.blocked_pushes, scheduler._pushes.hosts, scheduler.take_place()) == (0, {}, None)


def test_transfers_that_cannot_end_in_time_are_removed() -> None:
    scheduler = make(1, 1)
    for host, number, deadline in (("a", 0, 100), ("a", 1, 20), ("b", 2, 20), ("c", 3, 100)):
        add(scheduler, transfer(host, number, deadline))
    take_all(scheduler)

    assert list(scheduler.remove_late(10.0)) == []
    assert [transfer.url for transfer in scheduler.remove_late(10.1)] == ["http://a/1", "http://b/2"]
    assert [transfer.url for transfer in scheduler.remove_all()] == ["http://c/3"]
    assert not scheduler
    assert scheduler.in_use == 1


@given(
    st.lists(st.one_of(st.sampled_from("abc"), st.none(), st.just(True)), max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_bounds_hold_nobody_is_lost_and_each_host_is_served_in_order(
    steps: list[str | bool | None], places: int, per_host: int
) -> None:
    scheduler = make(places, per_host, "c")
    added: list[str] = []
    started: list[str] = []
    under_way: list[Place] = []
    for step in [*steps, *[None, True] * 60]:
        if step is None:
            places_taken = take_all(scheduler)
            started += urls(places_taken)
            under_way += places_taken
        elif step is True:
            if under_way:
                scheduler.free_place(under_way.pop(0))
        else:
            assert isinstance(step, str)
            added.append(f"http://{step}/{len(added)}")
            add(scheduler, transfer(step, len(added) - 1))
        host_names = [place.host.name for place in under_way]
        assert len(host_names) == scheduler.in_use <= places
        assert max(map(host_names.count, host_names), default=0) <= per_host

    assert sorted(started) == sorted(added)
    for host in "abc":
        assert [url for url in started if f"/{host}/" in url] == [url for url in added if f"/{host}/" in url]
    assert not scheduler
    assert scheduler._pushes.hosts == scheduler._questions.hosts == {}


class TestSlowLane:
    """Those that are known to be slow have a tenth of the places."""

    def test_the_slow_get_few_places_and_keep_nobody_waiting(self) -> None:
        hosts = [f"slow{number}" for number in range(5)]
        scheduler = make(20, 10, *hosts)
        add(scheduler, *(transfer(host) for host in hosts), *(transfer("quick", number) for number in range(3)))

        assert urls(take_all(scheduler)) == [
            "http://slow0/0",
            "http://slow1/0",
            "http://quick/0",
            "http://quick/1",
            "http://quick/2",
        ]
        assert scheduler.blocked_pushes == 3

    def test_they_get_theirs_however_many_others_wait(self) -> None:
        scheduler = make(10, 10, "slow")
        add(scheduler, *(transfer(f"quick{number}") for number in range(50)), transfer("slow"))

        assert "http://slow/0" in urls(take_all(scheduler))

    def test_a_place_of_theirs_goes_to_the_next_of_them(self) -> None:
        scheduler = make(10, 10, "slow0", "slow1")
        add(scheduler, transfer("slow0"), transfer("slow1"))
        [place] = take_all(scheduler)
        assert take_all(scheduler) == []
        scheduler.free_place(place)

        assert urls(take_all(scheduler)) == ["http://slow1/0"]

    def test_when_too_many_of_them_wait_the_next_is_not_let_in(self) -> None:
        hosts = [f"slow{number}" for number in range(10)]
        scheduler = make(10, 10, *hosts)
        let_in = [scheduler.add(transfer(host), host, resolved=True) for host in hosts]

        assert let_in == [True] * 3 + [False] * 7
        assert scheduler.add(transfer("quick"), "quick", resolved=True)

    def test_there_is_at_least_one_place_for_them(self) -> None:
        scheduler = make(1, 1, "slow")
        add(scheduler, transfer("slow"))
        assert len(take_all(scheduler)) == 1


def question(host: str, number: int = 0) -> Transfer:
    asking = transfer(host, number)
    asking.question, asking.receiver = True, f"http://{host}/"
    asking.url += f"?hub.challenge={number}"
    return asking


class TestQuestions:
    """Verifications of intent and pages that are read back have a tenth of the places, and nothing of the others'."""

    def test_however_many_hang_pushes_have_their_places(self) -> None:
        scheduler = make(20, 10)
        add(scheduler, *(question(f"host{number}") for number in range(50)))
        assert len(take_all(scheduler)) == 2
        assert (scheduler.blocked_pushes, scheduler.waiting_questions) == (0, 48)
        add(scheduler, *(transfer(f"host{number}") for number in range(30)))

        assert [place.transfer.question for place in take_all(scheduler)] == [False] * 18

    def test_they_get_theirs_however_many_pushes_wait(self) -> None:
        scheduler = make(10, 10)
        add(scheduler, *(transfer(f"a{number}") for number in range(50)), question("asked"))

        assert sum(place.transfer.question for place in take_all(scheduler)) == 1

    def test_a_host_at_its_bound_of_questions_gets_its_pushes(self) -> None:
        scheduler = make(100, 20)
        add(scheduler, *(question("a", number) for number in range(30)))
        assert len(take_all(scheduler)) == 2
        add(scheduler, *(transfer("a", number) for number in range(30)))

        assert len(take_all(scheduler)) == 20

    def test_slowness_to_answer_is_remembered_by_callback_whatever_the_question(self) -> None:
        scheduler = make(100, 100)
        for number in range(3):
            scheduler.record_latency(question("slow", number), 10 * SLOW_SECONDS)
        add(scheduler, *(question("slow", number) for number in range(3, 9)), question("quick"))

        assert urls(take_all(scheduler)) == [
            "http://slow/3?hub.challenge=3",
            "http://quick/0?hub.challenge=0",
        ]

    def test_they_do_not_count_in_the_latency_of_pushes(self) -> None:
        scheduler = make(20, 10, "slow")
        for number in range(30_000):
            scheduler.record_latency(question(f"host{number}"), 10 * SLOW_SECONDS)
        add(scheduler, transfer("host1"), transfer("host2"), transfer("host3"), transfer("slow"))

        assert [place.lane is scheduler._pushes.slow for place in take_all(scheduler)] == [True, False, False, False]

    def test_those_that_wait_for_a_host_go_on_and_are_removed_like_pushes(self) -> None:
        scheduler = make(20, 10)
        add(scheduler, question("a"), transfer("a"), question("b"), transfer("b"), resolved=False)
        assert take_all(scheduler) == []
        scheduler.host_resolved("a", 0.1)
        assert len(take_all(scheduler)) == 2
        assert len(list(scheduler.host_failed("b"))) == 2
        assert (scheduler.blocked_pushes, scheduler.waiting_questions) == (0, 0)
        assert not scheduler


def test_what_is_urgent_goes_first_in_its_lane_and_at_its_host() -> None:
    scheduler = make(1, 1)
    add(scheduler, *(transfer("a", number) for number in range(3)), *(transfer("b", number) for number in range(3)))
    urgent = transfer("a", 9), transfer("c", 9)
    for kill in urgent:
        kill.urgent = True
    add(scheduler, *urgent)

    started = []
    while place := scheduler.take_place():
        started.append(place.transfer.url)
        scheduler.free_place(place)
    assert started[0] == "http://c/9"
    assert [url for url in started if "/a/" in url] == ["http://a/0", "http://a/9", "http://a/1", "http://a/2"]


class TestLatencyAverages:
    def test_one_very_long_time_or_some_long_ones_make_a_receiver_slow(self) -> None:
        averages = LatencyAverages()
        averages.record("timeout", 10.0)
        averages.record("once", 1.0)
        for _ in range(3):
            averages.record("often", 1.0)

        assert [averages.is_slow(url) for url in ("timeout", "once", "often", "never")] == [True, False, True, False]

    def test_quick_ones_make_it_quick_again_and_forgotten(self) -> None:
        averages = LatencyAverages()
        averages.record("a", 10.0)
        slow = 0
        while averages.is_slow("a"):
            slow += 1
            averages.record("a", 0.01)
        assert slow == 6
        for _ in range(20):
            averages.record("a", 0.01)
        assert averages._averages == {}

    def test_memory_does_not_grow_with_receivers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("worker.outbound.latency._MAX_RECEIVERS", 3)
        averages = LatencyAverages()
        for number in range(5):
            averages.record(str(number), 10.0)
        for _ in range(100):
            averages.record("quick", 0.001)

        assert [averages.is_slow(str(number)) for number in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.org", "example.org"),
        ("HTTPS://Example.ORG:8443/a/b?c", "example.org:8443"),
        ("http://example.org?a=http://other.example/", "example.org"),
        ("http://example.org#a", "example.org"),
        ("http://user:pass@example.org/@x", "example.org"),
        ("http://[::1]:80/", "[::1]:80"),
        ("nonsense", "nonsense"),
    ],
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host
