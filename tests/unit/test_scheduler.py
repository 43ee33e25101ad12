from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.outbound.latency import SLOW_SECONDS, Pace
from worker.outbound.scheduler import Turn, Turns, host_of
from worker.outbound.transfer import Answer, Transfer


def transfer(host: str, number: int = 0, deadline: float = 100.0) -> Transfer:
    def done(_: Answer) -> None:
        """Nobody waits for it."""

    return Transfer(f"http://{host}/{number}", b"", [], 10.0, deadline, done)


def add(turns: Turns, *transfers: Transfer, is_open: bool = True) -> None:
    for one in transfers:
        turns.add(one, host_of(one.url), is_open=is_open)


def make(places: int, per_host: int, *slow: str) -> Turns:
    """Turns that know these hosts' first URL to be slow."""
    pace = Pace()
    for host in slow:
        pace.took(f"http://{host}/0", 10 * SLOW_SECONDS)
    return Turns(places, per_host, pace)


def take_all(turns: Turns) -> list[Turn]:
    taken = []
    while turn := turns.take():
        taken.append(turn)
    return taken


def test_places_are_given_in_the_order_of_arrival() -> None:
    turns = make(3, 10)
    for number in range(5):
        add(turns, transfer("a", number))

    taken = take_all(turns)
    assert [turn.transfer.url for turn in taken] == ["http://a/0", "http://a/1", "http://a/2"]
    turns.leave(taken[0].host, taken[0].lane)
    assert [turn.transfer.url for turn in take_all(turns)] == ["http://a/3"]


def test_a_host_at_its_bound_does_not_hold_up_others() -> None:
    turns = make(10, 2)
    for number in range(6):
        add(turns, transfer("a", number))
    add(turns, transfer("b"))

    assert [turn.transfer.url for turn in take_all(turns)] == ["http://a/0", "http://a/1", "http://b/0"]
    assert turns.held_up == 4


def test_those_held_up_queue_up_behind_others() -> None:
    turns = make(1, 1)
    for host in ("a", "a", "b", "c"):
        add(turns, transfer(host, turns.held_up))
    order = []
    while turn := turns.take():
        order.append(turn.transfer.url)
        turns.leave(turn.host, turn.lane)

    assert order == ["http://a/0", "http://b/1", "http://c/1", "http://a/0"]


def test_a_host_that_cannot_be_called_yet_takes_no_place() -> None:
    turns = make(10, 2)
    add(turns, *(transfer("a", number) for number in range(3)), is_open=False)
    add(turns, transfer("b"))
    assert [turn.transfer.url for turn in take_all(turns)] == ["http://b/0"]
    assert turns.held_up == 3

    turns.open("a")
    assert [turn.transfer.url for turn in take_all(turns)] == ["http://a/0", "http://a/1"]
    assert turns.held_up == 1
    assert list(turns.refuse("a")) == []


def test_those_that_wait_for_a_host_that_cannot_be_called_are_taken_out() -> None:
    turns = make(10, 2)
    add(turns, *(transfer("a", number) for number in range(3)), is_open=False)

    assert [one.url for one in turns.refuse("a")] == ["http://a/0", "http://a/1", "http://a/2"]
    assert list(turns.refuse("a")) == []
    turns.open("a")
    assert (turns.held_up, turns._pushes.hosts, turns.take()) == (0, {}, None)


def test_who_can_not_end_in_time_is_taken_out() -> None:
    turns = make(1, 1)
    for host, number, deadline in (("a", 0, 100), ("a", 1, 20), ("b", 2, 20), ("c", 3, 100)):
        add(turns, transfer(host, number, deadline))
    take_all(turns)

    assert list(turns.late(10.0)) == []
    assert [one.url for one in turns.late(10.1)] == ["http://a/1", "http://b/2"]
    assert [one.url for one in turns.clear()] == ["http://c/3"]
    assert not turns
    assert turns.under_way == 1


@given(
    st.lists(st.one_of(st.sampled_from("abc"), st.none(), st.just(True)), max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_bounds_hold_nobody_is_lost_and_each_host_is_served_in_order(
    steps: list[str | bool | None], places: int, per_host: int
) -> None:
    turns = make(places, per_host, "c")
    added: list[str] = []
    taken: list[str] = []
    under_way: list[Turn] = []
    for step in [*steps, *[None, True] * 60]:
        if step is None:
            for turn in take_all(turns):
                taken.append(turn.transfer.url)
                under_way.append(turn)
        elif step is True:
            if under_way:
                ended = under_way.pop(0)
                turns.leave(ended.host, ended.lane)
        else:
            assert isinstance(step, str)
            added.append(f"http://{step}/{len(added)}")
            add(turns, transfer(step, len(added) - 1))
        names = [turn.host.name for turn in under_way]
        assert len(names) == turns.under_way <= places
        assert max((names.count(name) for name in names), default=0) <= per_host

    assert sorted(taken) == sorted(added)
    for host in "abc":
        assert [url for url in taken if f"/{host}/" in url] == [url for url in added if f"/{host}/" in url]
    assert not turns
    assert turns._pushes.hosts == turns._questions.hosts == {}


class TestSlowLane:
    """Those that are known to be slow have a tenth of the places."""

    def test_the_slow_get_few_places_and_keep_nobody_waiting(self) -> None:
        hosts = [f"slow{number}" for number in range(5)]
        turns = make(20, 10, *hosts)
        add(turns, *(transfer(host) for host in hosts), *(transfer("quick", number) for number in range(3)))

        taken = [turn.transfer.url for turn in take_all(turns)]
        assert taken == ["http://slow0/0", "http://slow1/0", "http://quick/0", "http://quick/1", "http://quick/2"]
        assert turns.held_up == 3

    def test_they_get_theirs_however_many_others_wait(self) -> None:
        turns = make(10, 10, "slow")
        add(turns, *(transfer(f"quick{number}") for number in range(50)), transfer("slow"))

        assert "http://slow/0" in [turn.transfer.url for turn in take_all(turns)]

    def test_a_place_of_theirs_goes_to_the_next_of_them(self) -> None:
        turns = make(10, 10, "slow0", "slow1")
        add(turns, transfer("slow0"), transfer("slow1"))
        [turn] = take_all(turns)
        assert take_all(turns) == []
        turns.leave(turn.host, turn.lane)

        assert [turn.transfer.url for turn in take_all(turns)] == ["http://slow1/0"]

    def test_when_too_many_of_them_wait_the_next_is_not_taken_in(self) -> None:
        hosts = [f"slow{number}" for number in range(10)]
        turns = make(10, 10, *hosts)
        taken_in = [turns.add(transfer(host), host, is_open=True) for host in hosts]

        assert taken_in == [True] * 3 + [False] * 7
        assert turns.add(transfer("quick"), "quick", is_open=True)

    def test_one_place_at_least(self) -> None:
        turns = make(1, 1, "slow")
        add(turns, transfer("slow"))
        assert len(take_all(turns)) == 1


def question(host: str, number: int = 0) -> Transfer:
    asked = transfer(host, number)
    asked.question, asked.receiver = True, f"http://{host}/"
    asked.url += f"?hub.challenge={number}"
    return asked


class TestQuestions:
    """Verifications of intent and pages that are read back have a tenth of the places, and nothing of the others'."""

    def test_however_many_hang_pushes_have_their_places(self) -> None:
        turns = make(20, 10)
        add(turns, *(question(f"host{number}") for number in range(50)))
        assert len(take_all(turns)) == 2
        assert (turns.held_up, turns.asking) == (0, 48)
        add(turns, *(transfer(f"host{number}") for number in range(30)))

        assert [turn.transfer.question for turn in take_all(turns)] == [False] * 18

    def test_they_get_theirs_however_many_pushes_wait(self) -> None:
        turns = make(10, 10)
        add(turns, *(transfer(f"a{number}") for number in range(50)), question("asked"))

        assert sum(turn.transfer.question for turn in take_all(turns)) == 1

    def test_a_host_at_its_bound_of_questions_gets_its_pushes(self) -> None:
        turns = make(100, 20)
        add(turns, *(question("a", number) for number in range(30)))
        assert len(take_all(turns)) == 2
        add(turns, *(transfer("a", number) for number in range(30)))

        assert len(take_all(turns)) == 20

    def test_who_is_slow_to_answer_is_known_by_its_callback_whatever_is_asked(self) -> None:
        turns = make(100, 100)
        for number in range(3):
            turns.took(question("slow", number), 10 * SLOW_SECONDS)
        add(turns, *(question("slow", number) for number in range(3, 9)), question("quick"))

        assert [turn.transfer.url for turn in take_all(turns)] == [
            "http://slow/3?hub.challenge=3",
            "http://quick/0?hub.challenge=0",
        ]

    def test_they_say_nothing_of_how_long_pushes_take(self) -> None:
        turns = make(20, 10, "slow")
        for number in range(30_000):
            turns.took(question(f"host{number}"), 10 * SLOW_SECONDS)
        add(turns, transfer("host1"), transfer("host2"), transfer("host3"), transfer("slow"))

        assert [turn.lane is turns._pushes.slow for turn in take_all(turns)] == [True, False, False, False]

    def test_those_that_wait_for_a_host_are_opened_refused_and_cleared_like_pushes(self) -> None:
        turns = make(20, 10)
        add(turns, question("a"), transfer("a"), question("b"), transfer("b"), is_open=False)
        assert take_all(turns) == []
        turns.open("a")
        assert len(take_all(turns)) == 2
        assert len(list(turns.refuse("b"))) == 2
        assert (turns.held_up, turns.asking) == (0, 0)
        assert not turns


def test_what_is_urgent_goes_first_in_its_lane_and_at_its_host() -> None:
    turns = make(1, 1)
    add(turns, *(transfer("a", number) for number in range(3)), *(transfer("b", number) for number in range(3)))
    urgent = transfer("a", 9), transfer("c", 9)
    for one in urgent:
        one.urgent = True
    add(turns, *urgent)

    taken = []
    while turn := turns.take():
        taken.append(turn.transfer.url)
        turns.leave(turn.host, turn.lane)
    assert taken[0] == "http://c/9"
    assert [url for url in taken if "/a/" in url] == ["http://a/0", "http://a/9", "http://a/1", "http://a/2"]


class TestPace:
    def test_one_very_long_time_or_some_long_ones_make_a_receiver_slow(self) -> None:
        pace = Pace()
        pace.took("timeout", 10.0)
        pace.took("once", 1.0)
        for _ in range(3):
            pace.took("often", 1.0)

        assert [pace.is_slow(url) for url in ("timeout", "once", "often", "never")] == [True, False, True, False]

    def test_quick_ones_make_it_quick_again_and_forgotten(self) -> None:
        pace = Pace()
        pace.took("a", 10.0)
        slow = 0
        while pace.is_slow("a"):
            slow += 1
            pace.took("a", 0.01)
        assert slow == 6
        for _ in range(20):
            pace.took("a", 0.01)
        assert pace._averages == {}

    def test_memory_does_not_grow_with_receivers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("worker.outbound.latency._KNOWN", 3)
        pace = Pace()
        for number in range(5):
            pace.took(str(number), 10.0)
        for _ in range(100):
            pace.took("quick", 0.001)

        assert [pace.is_slow(str(number)) for number in range(5)] == [False, False, True, True, True]


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
