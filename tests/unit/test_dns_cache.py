from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from worker.outbound.dns_cache import _KNOWN_MOST, _THREADS, DOUBT_SECONDS, FRESH_SECONDS, STALE_SECONDS, Found, Names
from worker.outbound.errors import Fault

PATIENCE = 20.0
FAILS = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class NameServer:
    """Answers as `tells` says: addresses, or what to raise; never, while `silent` has the name and is not set."""

    def __init__(self) -> None:
        self.tells: dict[str, list[str] | OSError] = {}
        self.silent: set[str] = set()
        self.speak = threading.Event()
        self.asked: list[str] = []
        self.woken = threading.Semaphore(0)

    def lookup(self, host: str, _port: None, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host in self.silent:
            self.speak.wait(PATIENCE)
        answer = self.tells.get(host, ["192.0.2.1"])
        if isinstance(answer, OSError):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answer]

    def names(self, patience: float = 5.0) -> Names:
        return Names(self.lookup, self.woken.release, patience)

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.woken.acquire(timeout=PATIENCE)


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.speak.set()


def learn(server: NameServer, names: Names, name: str, now: float = 0.0) -> list[Found]:
    assert not names.knows(name, now)
    server.wait()
    return names.found(now)


def test_a_name_is_looked_up_once_and_then_known(server: NameServer) -> None:
    names = server.names()
    server.tells["example.org"] = ["192.0.2.1", "2001:db8::1", "192.0.2.1"]

    assert not names.knows("example.org", 0.0)
    assert not names.knows("example.org", 0.0)
    server.wait()
    assert names.found(0.0) == [Found("example.org")]
    assert names.knows("example.org", 1.0)
    assert server.asked == ["example.org"]
    assert names.untold("example.org") == [
        "example.org:80:192.0.2.1,[2001:db8::1]",
        "example.org:443:192.0.2.1,[2001:db8::1]",
    ]


def test_libcurl_is_told_until_it_has_taken_it_in(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org:8080")

    for _ in range(2):
        assert names.untold("example.org:8080") == ["example.org:8080:192.0.2.1"]
    names.told()
    assert names.untold("example.org:8080") is None


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "127.0.0.1:80",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "192.0.2.1.",
        "[::1]",
        "[::1]:80",
        "localhost",
        "localhost.:80",
        "a.localhost",
        "ex\u00e4mple.org",
        "a b",
        "a..b",
        "",
    ],
)
def test_what_is_no_name_is_left_to_libcurl(server: NameServer, name: str) -> None:
    names = server.names()

    assert names.knows(name, 0.0)
    assert names.knows(name, 2.0 * STALE_SECONDS)
    assert names.untold(name) == []
    assert server.asked == []


@pytest.mark.parametrize("name", ["example.org", "example.org.", "a-b_c.example:1", "localhost.example", "com", "1.a"])
def test_what_is_a_name(server: NameServer, name: str) -> None:
    assert learn(server, server.names(), name) == [Found(name)]


@pytest.mark.parametrize("trouble", [FAILS, UNKNOWN])
def test_a_name_without_an_address(server: NameServer, trouble: OSError) -> None:
    names = server.names()
    server.tells["example.org"] = trouble

    [found] = learn(server, names, "example.org")
    assert (found.fault, found.message) == (Fault.DNS, f"no address for example.org: {trouble.args[1]}")
    # The next one asks again.
    server.tells.clear()
    assert learn(server, names, "example.org") == [Found("example.org")]


def test_a_name_that_is_too_long_to_be_asked_for() -> None:
    woken = threading.Event()
    names = Names(socket.getaddrinfo, woken.set, 5.0)

    assert not names.knows("a" * 64 + ".example", 0.0)
    assert woken.wait(PATIENCE)
    assert [found.fault for found in names.found(0.0)] == [Fault.DNS]


def test_a_known_name_is_used_while_it_is_looked_up_again(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org")
    server.tells["example.org"] = ["192.0.2.2"]
    server.silent.add("example.org")

    assert names.knows("example.org", FRESH_SECONDS)
    assert names.knows("example.org", FRESH_SECONDS + 1)
    server.speak.set()
    server.wait()
    assert names.found(FRESH_SECONDS + 1) == []
    assert server.asked == ["example.org"] * 2
    assert names.untold("example.org") == ["example.org:80:192.0.2.2", "example.org:443:192.0.2.2"]


def test_a_known_name_is_used_for_a_day_while_its_server_fails(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org")
    server.tells["example.org"] = FAILS

    for now in (FRESH_SECONDS, STALE_SECONDS - 1.0, STALE_SECONDS + FRESH_SECONDS):
        assert names.knows("example.org", now)
        server.wait()
        assert names.found(now) == []
    assert not names.knows("example.org", STALE_SECONDS + FRESH_SECONDS)


def test_a_known_name_that_ceases_to_exist_is_forgotten(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org")
    server.tells["example.org"] = UNKNOWN

    assert names.knows("example.org", FRESH_SECONDS)
    server.wait()
    names.found(FRESH_SECONDS)
    assert not names.knows("example.org", FRESH_SECONDS)


def test_nobody_waits_for_ever_and_a_late_answer_is_remembered(server: NameServer) -> None:
    names = server.names(patience=5.0)
    server.silent.add("slow.example")

    assert not names.knows("slow.example", 0.0)
    assert names.found(4.9) == []
    [found] = names.found(5.0)
    assert (found.name, found.fault) == ("slow.example", Fault.TIMEOUT)
    server.speak.set()
    server.wait()
    assert names.found(6.0) == []
    assert names.knows("slow.example", 6.0)


def test_slow_names_do_not_hold_up_others(server: NameServer) -> None:
    names = server.names()
    server.silent = {f"slow{i}.example" for i in range(_THREADS - 1)}
    for name in server.silent:
        assert not names.knows(name, 0.0)

    for name in ("a.example", "b.example"):
        assert learn(server, names, name) == [Found(name)]


def test_memory_is_bounded_and_what_was_looked_up_long_ago_goes_first(server: NameServer) -> None:
    names = server.names()
    for number in range(_KNOWN_MOST + 10):
        names._remember(f"{number}.example", [], 0.0)

    assert len(names._known) == _KNOWN_MOST
    assert f"{_KNOWN_MOST + 9}.example" in names._known
    assert "9.example" not in names._known


def test_what_is_forgotten_libcurl_is_told_to_forget_too(server: NameServer) -> None:
    names = server.names()
    for name in ("old.example", "new.example:8080"):
        learn(server, names, name)
        assert names.untold(name)
        names.told()
    server.tells = {"old.example": UNKNOWN, "new.example": ["192.0.2.2"]}
    for name in ("old.example", "new.example:8080"):
        assert names.knows(name, FRESH_SECONDS)
        server.wait()
        names.found(FRESH_SECONDS)

    assert names.untold("old.example") == []
    assert names.untold("new.example:8080") == [
        "-old.example:80",
        "-old.example:443",
        "new.example:8080:192.0.2.2",
    ]
    names.told()
    assert names.untold("new.example:8080") is None


def test_when_closed_it_wakes_nobody(server: NameServer) -> None:
    names = server.names()
    server.silent.add("slow.example")
    assert not names.knows("slow.example", 0.0)
    names.close()
    server.speak.set()

    assert not server.woken.acquire(timeout=0.2)


def test_a_name_that_is_in_doubt_is_looked_up_at_once_and_what_was_known_is_tried_last(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org:8080")
    names.untold("example.org:8080")
    names.told()
    server.tells["example.org"] = ["192.0.2.2", "2001:db8::2"]

    names.doubt("example.org:8080", DOUBT_SECONDS)
    server.wait()
    assert names.found(DOUBT_SECONDS) == []
    assert names.untold("example.org:8080") == ["example.org:8080:192.0.2.2,[2001:db8::2],192.0.2.1"]
    # What was found in doubt ends with the next look, when nothing is in doubt any more.
    assert names.knows("example.org:8080", DOUBT_SECONDS + FRESH_SECONDS)
    server.wait()
    names.found(DOUBT_SECONDS + FRESH_SECONDS)
    assert names.untold("example.org:8080") == ["example.org:8080:192.0.2.2,[2001:db8::2]"]


def test_a_name_in_doubt_is_asked_for_once_a_second_at_the_most(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org")
    for tenth in range(30):
        names.doubt("example.org", tenth / 10)
        if tenth in (10, 20):
            server.wait()
            names.found(tenth / 10)

    assert server.asked == ["example.org"] * 3
    names.doubt("elsewhere.example", 9.0)
    names.knows("192.0.2.1", 9.0)
    names.doubt("192.0.2.1", 19.0)
    assert len(server.asked) == 3


def test_a_name_in_doubt_is_used_though_its_server_is_silent(server: NameServer) -> None:
    names = server.names()
    learn(server, names, "example.org")
    server.tells["example.org"] = FAILS
    names.doubt("example.org", 5.0)
    server.wait()

    assert names.found(5.0) == []
    assert names.untold("example.org") == ["example.org:80:192.0.2.1", "example.org:443:192.0.2.1"]
