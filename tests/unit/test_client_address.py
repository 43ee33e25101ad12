"""Who asks: what proxies that are named say, and nobody else; and that nothing that is sent makes an error."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from web.client_address import ClientAddresses

NAMED = [ip_network(text) for text in ("127.0.0.0/8", "10.1.0.0/16", "::1/128", "2001:db8:ffff::/48")]


def asked_by(peer: str | None, *headers: tuple[str, str], proxies: list[str] | None = None) -> str:
    named = NAMED if proxies is None else [ip_network(text) for text in proxies]
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "client": (peer, 4711) if peer is not None else None, "headers": raw}
    return ClientAddresses(named).of(Request(scope))


def usual(value: str) -> tuple[str, str]:
    return ("X-Forwarded-For", value)


def standard(value: str) -> tuple[str, str]:
    return ("Forwarded", value)


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [usual("203.0.113.5")], "203.0.113.5"),
        ("::ffff:127.0.0.1", [usual("203.0.113.5")], "203.0.113.5"),
        # Who is no proxy is not believed.
        ("198.51.100.9", [usual("203.0.113.5")], "198.51.100.9"),
        ("198.51.100.9", [standard("for=203.0.113.5")], "198.51.100.9"),
        # The first from the right that is none of ours: what stands before it, anybody can write.
        ("127.0.0.1", [usual("192.0.2.66, 203.0.113.5, 10.1.2.3")], "203.0.113.5"),
        ("127.0.0.1", [usual("192.0.2.66"), usual("203.0.113.5,10.1.2.3")], "203.0.113.5"),
        ("127.0.0.1", [usual("10.1.2.3, 10.1.2.4")], "10.1.2.3"),
        ("127.0.0.1", [usual("203.0.113.5:51234")], "203.0.113.5"),
        ("127.0.0.1", [usual("[2001:db8:1:2::5]:443")], "2001:db8:1:2::/64"),
        ("2001:db8:ffff::7", [usual("2001:db8:1:2:3:4:5:6")], "2001:db8:1:2::/64"),
        ("127.0.0.1", [standard('for="[2001:db8:1:2::5]:47";by=10.1.0.1, FOR=10.1.0.9')], "2001:db8:1:2::/64"),
        ("127.0.0.1", [standard("proto=https;for=203.0.113.5;host=x")], "203.0.113.5"),
        # What says nothing is as good as the one who passed it on.
        ("127.0.0.1", [usual("unknown")], "127.0.0.1"),
        ("127.0.0.1", [usual("203.0.113.5, unknown, 10.1.2.3")], "10.1.2.3"),
        ("127.0.0.1", [usual("")], "127.0.0.1"),
        ("127.0.0.1", [standard("for=_hidden")], "127.0.0.1"),
        ("127.0.0.1", [standard("for=203.0.113.5, proto=https")], "127.0.0.1"),
        ("127.0.0.1", [standard('for="203.0.113.5, for=198.51.100.1')], "127.0.0.1"),
        # A proxy writes one of the two and passes the other on: a stranger may have written that.
        ("127.0.0.1", [usual("203.0.113.5"), standard("for=203.0.113.5")], "203.0.113.5"),
        ("127.0.0.1", [usual("203.0.113.5"), standard("for=198.51.100.1")], "127.0.0.1"),
        # By a unix socket comes what a proxy of this machine passes on.
        (None, [usual("203.0.113.5")], "203.0.113.5"),
        ("", [usual("203.0.113.5")], "203.0.113.5"),
        (None, [], "unknown"),
    ],
)
def test_the_client_is_whom_the_proxies_name(peer: str | None, headers: list[tuple[str, str]], client: str) -> None:
    assert client == asked_by(peer, *headers)


def test_without_proxies_nobody_is_believed() -> None:
    assert "127.0.0.1" == asked_by("127.0.0.1", usual("203.0.113.5"), proxies=[])
    assert "unknown" == asked_by(None, usual("203.0.113.5"), proxies=[])


_TEXT = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])), st.text('for="[]:;,=\\. 0123456789af')
)


@given(_TEXT, _TEXT)
def test_no_header_makes_an_error(one: str, other: str) -> None:
    assert asked_by("127.0.0.1", usual(one), standard(other))


def test_a_long_header_is_read_from_its_end() -> None:
    assert "203.0.113.5" == asked_by("127.0.0.1", usual('"\\' * 100_000 + ",203.0.113.5"))
    assert "127.0.0.1" == asked_by("127.0.0.1", standard('"\\' * 100_000))


@pytest.mark.parametrize(
    ("peer", "forwarded", "networks", "within"),
    [
        ("10.0.0.7", "", ["10.0.0.0/8"], True),
        ("192.0.2.7", "", ["10.0.0.0/8"], False),
        ("127.0.0.1", "192.0.2.7", ["127.0.0.0/8"], False),
        ("127.0.0.1", "10.0.0.7", ["10.0.0.0/8"], True),
        ("192.0.2.7", "10.0.0.7", ["10.0.0.0/8"], False),
        ("2001:db8::9", "", ["2001:db8::9/128"], True),
        ("2001:db8::8", "", ["2001:db8::9/128"], False),
        (None, "", ["10.0.0.0/8"], False),
        (None, "", ["0.0.0.0/0", "::/0"], True),
        ("192.0.2.7", "", [], False),
    ],
)
def test_who_asks_is_within_networks_or_not(
    peer: str | None, forwarded: str, networks: list[str], within: bool
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    request = Request({"type": "http", "client": (peer, 1) if peer else None, "headers": headers})
    addresses = ClientAddresses([ip_network("127.0.0.0/8")])
    assert addresses.within(request, [ip_network(network) for network in networks]) is within
