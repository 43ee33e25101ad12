from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.transfer import Answer, Transfer
from worker.delivery.turns import Host, Turns, host_of


def transfer(host: str, number: int = 0, deadline: float = 100.0) -> Transfer:
    def done(_: Answer) -> None:
        """Nobody waits for it."""

    return Transfer(f"http://{host}/{number}", b"", [], 10.0, deadline, done)


def add(turns: Turns, *transfers: Transfer, is_open: bool = True) -> None:
    for one in transfers:
        turns.add(one, host_of(one.url), is_open=is_open)


def take_all(turns: Turns) -> list[tuple[Transfer, Host]]:
    taken = []
    while turn := turns.take():
        taken.append(turn)
    return taken


def test_places_are_given_in_the_order_of_arrival() -> None:
    turns = Turns(places=3, per_host=10)
    for number in range(5):
        add(turns, transfer("a", number))

    taken = take_all(turns)
    assert [one.url for one, _ in taken] == ["http://a/0", "http://a/1", "http://a/2"]
    turns.leave(taken[0][1])
    assert [one.url for one, _ in take_all(turns)] == ["http://a/3"]


def test_a_host_at_its_bound_does_not_hold_up_others() -> None:
    turns = Turns(places=10, per_host=2)
    for number in range(6):
        add(turns, transfer("a", number))
    add(turns, transfer("b"))

    assert [one.url for one, _ in take_all(turns)] == ["http://a/0", "http://a/1", "http://b/0"]
    assert turns.held_up == 4


def test_those_held_up_queue_up_behind_others() -> None:
    turns = Turns(places=1, per_host=1)
    for host in ("a", "a", "b", "c"):
        add(turns, transfer(host, turns.held_up))
    order = []
    while turn := turns.take():
        order.append(turn[0].url)
        turns.leave(turn[1])

    assert order == ["http://a/0", "http://b/1", "http://c/1", "http://a/0"]


def test_a_host_that_cannot_be_called_yet_takes_no_place() -> None:
    turns = Turns(places=10, per_host=2)
    add(turns, *(transfer("a", number) for number in range(3)), is_open=False)
    add(turns, transfer("b"))
    assert [one.url for one, _ in take_all(turns)] == ["http://b/0"]
    assert turns.held_up == 3

    turns.open("a")
    assert [one.url for one, _ in take_all(turns)] == ["http://a/0", "http://a/1"]
    assert turns.held_up == 1
    assert list(turns.refuse("a")) == []


def test_those_that_wait_for_a_host_that_cannot_be_called_are_taken_out() -> None:
    turns = Turns(places=10, per_host=2)
    add(turns, *(transfer("a", number) for number in range(3)), is_open=False)

    assert [one.url for one in turns.refuse("a")] == ["http://a/0", "http://a/1", "http://a/2"]
    assert list(turns.refuse("a")) == []
    turns.open("a")
    assert (turns.held_up, turns._hosts, turns.take()) == (0, {}, None)


def test_who_can_not_end_in_time_is_taken_out() -> None:
    turns = Turns(places=1, per_host=1)
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
    turns = Turns(places, per_host)
    added: list[str] = []
    taken: list[str] = []
    under_way: list[Host] = []
    for step in [*steps, *[None, True] * 60]:
        if step is None:
            for one, host in take_all(turns):
                taken.append(one.url)
                under_way.append(host)
        elif step is True:
            if under_way:
                turns.leave(under_way.pop(0))
        else:
            assert isinstance(step, str)
            added.append(f"http://{step}/{len(added)}")
            add(turns, transfer(step, len(added) - 1))
        names = [host.name for host in under_way]
        assert len(names) == turns.under_way <= places
        assert max((names.count(name) for name in names), default=0) <= per_host

    assert sorted(taken) == sorted(added)
    for host in "abc":
        assert [url for url in taken if f"/{host}/" in url] == [url for url in added if f"/{host}/" in url]
    assert not turns
    assert turns._hosts == {}


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
