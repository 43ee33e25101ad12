from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from worker.outbound.dns_cache import (
    _MAX_NAMES,
    _MAX_THREADS,
    FRESH_SECONDS,
    STALE_SECONDS,
    UNREACHABLE_SECONDS,
    DnsCache,
    LookupEnd,
)
from worker.outbound.errors import Fault

PATIENCE = 60.0
FAILS = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class NameServer:
    """Gives the addresses in `answers`, or raises the error there; waits for `speak` if `silent` has the name."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str] | OSError] = {}
        self.silent: set[str] = set()
        self.speak = threading.Event()
        self.lookups: list[str] = []
        self.woken = threading.Semaphore(0)

    def lookup(self, host: str, _port: None, **_: Any) -> list[tuple[Any, ...]]:
        self.lookups.append(host)
        if host in self.silent:
            self.speak.wait(PATIENCE)
        answer = self.answers.get(host, ["192.0.2.1"])
        if isinstance(answer, OSError):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answer]

    def cache(self, patience: float = 5.0) -> DnsCache:
        return DnsCache(self.lookup, self.woken.release, patience)

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.woken.acquire(timeout=PATIENCE)


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.speak.set()


def look_up(server: NameServer, cache: DnsCache, name: str, now: float = 0.0) -> list[LookupEnd]:
    assert not cache.resolve(name, now)
    server.wait()
    return cache.ended(now)


def test_a_name_is_looked_up_once_and_then_used(server: NameServer) -> None:
    cache = server.cache()
    server.answers["example.org"] = ["192.0.2.1", "2001:db8::1", "192.0.2.1"]

    assert not cache.resolve("example.org", 0.0)
    assert not cache.resolve("example.org", 0.0)
    server.wait()
    assert cache.ended(0.0) == [LookupEnd("example.org")]
    assert cache.resolve("example.org", 1.0)
    assert server.lookups == ["example.org"]
    assert cache.lines_to_load("example.org") == [
        "example.org:80:192.0.2.1,[2001:db8::1]",
        "example.org:443:192.0.2.1,[2001:db8::1]",
    ]


def test_libcurl_gets_the_lines_until_it_has_them(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org:8080")

    for _ in range(2):
        assert cache.lines_to_load("example.org:8080") == ["example.org:8080:192.0.2.1"]
    cache.lines_loaded()
    assert cache.lines_to_load("example.org:8080") is None


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
def test_a_host_that_is_not_a_name_is_left_to_libcurl(server: NameServer, name: str) -> None:
    cache = server.cache()

    assert cache.resolve(name, 0.0)
    assert cache.resolve(name, 2.0 * STALE_SECONDS)
    assert cache.lines_to_load(name) == []
    assert server.lookups == []


@pytest.mark.parametrize("name", ["example.org", "example.org.", "a-b_c.example:1", "localhost.example", "com", "1.a"])
def test_a_name(server: NameServer, name: str) -> None:
    assert look_up(server, server.cache(), name) == [LookupEnd(name)]


@pytest.mark.parametrize("trouble", [FAILS, UNKNOWN])
def test_a_name_without_an_address(server: NameServer, trouble: OSError) -> None:
    cache = server.cache()
    server.answers["example.org"] = trouble

    [end] = look_up(server, cache, "example.org")
    assert (end.fault, end.message) == (Fault.DNS, f"no address for example.org: {trouble.args[1]}")
    # The next one asks again.
    server.answers.clear()
    assert look_up(server, cache, "example.org") == [LookupEnd("example.org")]


def test_a_name_that_is_too_long_to_look_up() -> None:
    woken = threading.Event()
    cache = DnsCache(socket.getaddrinfo, woken.set, 5.0)

    assert not cache.resolve("a" * 64 + ".example", 0.0)
    assert woken.wait(PATIENCE)
    assert [end.fault for end in cache.ended(0.0)] == [Fault.DNS]


def test_a_remembered_name_is_used_while_it_is_looked_up_again(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org")
    server.answers["example.org"] = ["192.0.2.2"]
    server.silent.add("example.org")

    assert cache.resolve("example.org", FRESH_SECONDS)
    assert cache.resolve("example.org", FRESH_SECONDS + 1)
    server.speak.set()
    server.wait()
    assert cache.ended(FRESH_SECONDS + 1) == []
    assert server.lookups == ["example.org"] * 2
    assert cache.lines_to_load("example.org") == ["example.org:80:192.0.2.2", "example.org:443:192.0.2.2"]


def test_a_remembered_name_is_used_for_a_day_while_its_server_fails(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org")
    server.answers["example.org"] = FAILS

    for now in (FRESH_SECONDS, STALE_SECONDS - 1.0, STALE_SECONDS + FRESH_SECONDS):
        assert cache.resolve("example.org", now)
        server.wait()
        assert cache.ended(now) == []
    assert not cache.resolve("example.org", STALE_SECONDS + FRESH_SECONDS)


def test_a_remembered_name_that_ceases_to_exist_is_forgotten(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org")
    server.answers["example.org"] = UNKNOWN

    assert cache.resolve("example.org", FRESH_SECONDS)
    server.wait()
    cache.ended(FRESH_SECONDS)
    assert not cache.resolve("example.org", FRESH_SECONDS)


def test_nobody_waits_for_ever_and_a_late_answer_is_remembered(server: NameServer) -> None:
    cache = server.cache(patience=5.0)
    server.silent.add("slow.example")

    assert not cache.resolve("slow.example", 0.0)
    assert cache.ended(4.9) == []
    [end] = cache.ended(5.0)
    assert (end.name, end.fault) == ("slow.example", Fault.TIMEOUT)
    server.speak.set()
    server.wait()
    assert cache.ended(6.0) == []
    assert cache.resolve("slow.example", 6.0)


def test_slow_names_do_not_hold_up_others(server: NameServer) -> None:
    cache = server.cache()
    server.silent = {f"slow{i}.example" for i in range(_MAX_THREADS - 1)}
    for name in server.silent:
        assert not cache.resolve(name, 0.0)

    for name in ("a.example", "b.example"):
        assert look_up(server, cache, name) == [LookupEnd(name)]


def test_memory_is_bounded_and_the_oldest_lookups_go_first(server: NameServer) -> None:
    cache = server.cache()
    for number in range(_MAX_NAMES + 10):
        cache._store(f"{number}.example", [], 0.0)

    assert len(cache._addresses) == _MAX_NAMES
    assert f"{_MAX_NAMES + 9}.example" in cache._addresses
    assert "9.example" not in cache._addresses


def test_libcurl_forgets_what_we_forget(server: NameServer) -> None:
    cache = server.cache()
    for name in ("old.example", "new.example:8080"):
        look_up(server, cache, name)
        assert cache.lines_to_load(name)
        cache.lines_loaded()
    server.answers = {"old.example": UNKNOWN, "new.example": ["192.0.2.2"]}
    for name in ("old.example", "new.example:8080"):
        assert cache.resolve(name, FRESH_SECONDS)
        server.wait()
        cache.ended(FRESH_SECONDS)

    assert cache.lines_to_load("old.example") == []
    assert cache.lines_to_load("new.example:8080") == [
        "-old.example:80",
        "-old.example:443",
        "new.example:8080:192.0.2.2",
    ]
    cache.lines_loaded()
    assert cache.lines_to_load("new.example:8080") is None


def test_a_closed_cache_wakes_nobody(server: NameServer) -> None:
    cache = server.cache()
    server.silent.add("slow.example")
    assert not cache.resolve("slow.example", 0.0)
    cache.close()
    server.speak.set()

    assert not server.woken.acquire(timeout=0.2)


def test_an_unreachable_name_is_looked_up_at_once_and_its_old_addresses_are_tried_last(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org:8080")
    cache.lines_to_load("example.org:8080")
    cache.lines_loaded()
    server.answers["example.org"] = ["192.0.2.2", "2001:db8::2"]

    cache.report_unreachable("example.org:8080", UNREACHABLE_SECONDS)
    server.wait()
    assert cache.ended(UNREACHABLE_SECONDS) == []
    assert cache.lines_to_load("example.org:8080") == ["example.org:8080:192.0.2.2,[2001:db8::2],192.0.2.1"]
    # The old addresses are dropped at the next lookup, unless the new ones can't be reached either.
    assert cache.resolve("example.org:8080", UNREACHABLE_SECONDS + FRESH_SECONDS)
    server.wait()
    cache.ended(UNREACHABLE_SECONDS + FRESH_SECONDS)
    assert cache.lines_to_load("example.org:8080") == ["example.org:8080:192.0.2.2,[2001:db8::2]"]


def test_an_unreachable_name_is_looked_up_at_most_once_a_second(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org")
    for tenth in range(30):
        cache.report_unreachable("example.org", tenth / 10)
        if tenth in (10, 20):
            server.wait()
            cache.ended(tenth / 10)

    assert server.lookups == ["example.org"] * 3
    cache.report_unreachable("elsewhere.example", 9.0)
    cache.resolve("192.0.2.1", 9.0)
    cache.report_unreachable("192.0.2.1", 19.0)
    assert len(server.lookups) == 3


def test_an_unreachable_name_is_used_while_its_server_fails(server: NameServer) -> None:
    cache = server.cache()
    look_up(server, cache, "example.org")
    server.answers["example.org"] = FAILS
    cache.report_unreachable("example.org", 5.0)
    server.wait()

    assert cache.ended(5.0) == []
    assert cache.lines_to_load("example.org") == ["example.org:80:192.0.2.1", "example.org:443:192.0.2.1"]
