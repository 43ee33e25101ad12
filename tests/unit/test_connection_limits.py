"""Which connections are ended: those from which nothing comes, and of too many those that are idle."""

from __future__ import annotations

from web.connection_limits import HEAD_SECONDS, ClientConnection, Peer, connections_to_end

NOW = 1000.0


def connection(number: int, age: float, idle: float | None = None, **more: bool) -> ClientConnection:
    """A connection that is so old; `idle` for so long since its last answer, None when it had none."""
    answered = None if idle is None else NOW - idle
    host = f"192.0.2.{number % 10}" if more.pop("spread", False) else "192.0.2.1"
    return ClientConnection((host, number), NOW - age, more.get("busy", False), answered, more.get("proxy", False))


def ended(connections: list[ClientConnection], most: int = 1000, per_client: int = 1000) -> list[int]:
    return sorted(port for _, port in connections_to_end(connections, NOW, most, per_client))


def test_who_asks_nothing_is_ended_and_who_waits_for_an_answer_or_was_answered_is_not() -> None:
    late = HEAD_SECONDS + 1
    assert [1] == ended(
        [connection(1, late), connection(2, late, busy=True), connection(3, 500, idle=late), connection(4, 3)]
    )


def test_who_reads_for_ever_is_ended() -> None:
    assert [1] == ended([connection(1, 500, idle=200), connection(2, 500, idle=100), connection(3, 500, busy=True)])


def test_of_one_client_no_more_than_its_share_stays_and_the_oldest_that_never_asked_goes_first() -> None:
    connections = [
        connection(1, 9),
        connection(2, 5),
        connection(3, 50, idle=2),
        connection(4, 50, idle=30),
        connection(5, 50, busy=True),
    ]
    assert [1, 2, 4] == ended(connections, per_client=2)
    assert [] == ended([connection(number, 5, proxy=True) for number in range(50)], per_client=2)


def test_when_it_is_crowded_idle_connections_make_room_but_not_those_that_have_just_come() -> None:
    strangers = [connection(number, 5, spread=True) for number in range(70)]
    young = [connection(number, 0.5, spread=True) for number in range(70, 80)]
    busy = [connection(number, 5, busy=True, spread=True) for number in range(80, 90)]
    gone = ended([*strangers, *young, *busy], most=100)
    assert len(gone) == 30
    assert set(range(70)) >= set(gone)
    assert [] == ended([*young, *busy], most=20)


def test_nothing_is_ended_twice() -> None:
    peers: list[Peer] = connections_to_end([connection(1, 500), connection(2, 500, idle=500)], NOW, 1, 1)
    assert len(peers) == len(set(peers)) == 2
