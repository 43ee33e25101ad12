from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.outbound.guard import MAX_URL, Guard


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:0:a9fe:a9fe::1",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not Guard().permits(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
    ],
)
def test_what_is_public_is_permitted(address: str) -> None:
    assert Guard().permits(ip_address(address))


@given(st.ip_addresses(v=4))
@example(IPv4Address("192.0.0.9"))
def test_no_ipv4_address_is_permitted_that_python_calls_private(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not Guard().permits(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_wrapped(address: IPv4Address) -> None:
    bits = int(address)
    wrapped = (
        IPv6Address(0xFFFF << 32 | bits),
        IPv6Address(0x64FF9B << 96 | bits),
        IPv6Address(0x2002 << 112 | bits << 80 | 1),
    )

    assert set(map(Guard().permits, wrapped)) == {Guard().permits(address)}


@given(st.ip_addresses(v=6))
@example(IPv6Address("2001:4:112::1"))
@example(IPv6Address("2002:100::"))
def test_no_ipv6_address_is_permitted_that_python_calls_private(address: IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_site_local:
        # What stands for an IPv4 address is judged by that; later releases of Python call all of 6to4 private.
        assert address.ipv4_mapped or address.sixtofour or not Guard().permits(address)


def test_a_network_on_the_allow_list_is_permitted_in_every_wrapping_and_no_other() -> None:
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("fd12::/16")])

    permitted = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::1", "fd12::1", "8.8.8.8"]
    refused = ["10.2.0.1", "::ffff:10.2.0.1", "fd13::1", "127.0.0.1"]
    assert [address for address in permitted + refused if guard.permits(ip_address(address))] == permitted


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://example.org/callback?secret=%2Fa&x=1",
        "HTTPS://EXAMPLE.ORG/",
        "http://example.org:80/",
        "https://example.org:443/",
        "https://sub_domain.example.org.:8443/a;b=c?d[]=e|f",
        "http://example.org:65535/",
        "http://1.1.1.1/",
        "http://[2606:4700::1111]:8080/",
        "https://xn--mnchen-3ya.example/",
        "https://example.org/" + "x" * (MAX_URL - 20),
    ],
)
def test_a_callback_that_may_be_called(url: str) -> None:
    Guard().check_callback_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must be ASCII"),
        ("example.org/callback", "must begin with http"),
        ("//example.org/", "must begin with http"),
        ("ftp://example.org/", "must begin with http"),
        ("javascript:alert(1)", "must begin with http"),
        ("http:example.org", "must begin with http"),
        ("http:///path", "must begin with http"),
        ("http://:8080/", "has no host"),
        ("http://user@example.org/", "must not carry a user name"),
        ("http://user:password@example.org/", "must not carry a user name"),
        ("http://@example.org/", "must not carry a user name"),
        ("http://example.org/#here", "must not have a fragment"),
        ("http://example.org/#", "must not have a fragment"),
        ("http://example.org:22/", "must not name port 22"),
        ("http://example.org:0/", "must not name port 0"),
        ("http://example.org:1023/", "must not name port 1023"),
        ("http://example.org:65536/", "is not a URL"),
        ("http://example.org:http/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://exa mple.org/", "must be ASCII"),
        ("http://example.org/a\tb", "must be ASCII"),
        ("http://example.org/\r\nHost: other", "must be ASCII"),
        ("http://example.org\\@127.0.0.1/", "must be ASCII"),
        ("http://ex\u00e4mple.org/", "must be ASCII"),
        ("http://exam%70le.org/", "has no host"),
        ("http://a..b/", "has no host"),
        ("http://127.0.0.1/", "names the address 127.0.0.1"),
        ("http://127.0.0.1./", "names the address 127.0.0.1"),
        ("http://[::1]/", "names the address ::1"),
        ("http://[v1.a]/", "has no host"),
        (f"http://{'a' * 64}.example/", "has no host"),
        (f"http://{'a.' * 127}example/", "has no host"),
        ("http://1.1.1.1./", "spells an address as 1.1.1.1.;"),
        ("http://0x01010101/", "spells an address as 0x01010101;"),
        ("http://[::ffff:1.1.1.1]/", "spells an address as ::ffff:1.1.1.1;"),
        ("http://[2606:4700::1111%25eth0]/", "spells an address as"),
        ("http://[::ffff:10.0.0.1]/", "names the address ::ffff:"),
        ("http://[fe80::1%25eth0]/", "names the address fe80::1"),
        ("http://169.254.169.254/latest/meta-data/", "names the address 169.254.169.254"),
        ("https://example.org/" + "x" * (MAX_URL - 19), "is longer than 2000"),
    ],
)
def test_a_callback_that_may_not_be_called(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        Guard().check_callback_url(url)


def spellings(address: str) -> list[str]:
    """What may stand for an IPv4 address in a URL, beside its four decimal numbers."""
    number = int(IPv4Address(address))
    a, b, c, d = IPv4Address(address).packed
    parts = (a << 24 | b << 16 | c << 8 | d,), (a, b << 16 | c << 8 | d), (a, b, c << 8 | d), (a, b, c, d)
    forms = [lambda n: f"{n}", lambda n: f"0{n:o}", lambda n: f"0x{n:x}", lambda n: f"0X{n:X}", lambda n: f"0x000{n:x}"]
    hosts = [".".join(form(part) for part in some) for some in parts for form in forms]
    hosts += [
        ".".join(form(n) for form, n in zip(mixed, (a, b, c, d), strict=True)) for mixed in permutations(forms, 4)
    ]
    hosts += [f"{a:03}.{b:03}.{c:03}.{d:03}", f"{number + 2**32}", f"{a}.{b}.{c}.{d + 256}", f"{a}.{b}.{c}"]
    hosts += [f"{a}.{b}.{c}.{d}.{a}", f"+{number}", f"-{number}", f"{number}e0", f"0o{number:o}", f"0b{number:b}"]
    hosts += [
        f"%{ord(str(a)[0]):x}{str(a)[1:]}.{b}.{c}.{d}",
        f"{a}%2e{b}%2e{c}%2e{d}",
        f"{a}。{b}。{c}。{d}",
        f"{a}..{b}",
    ]
    hosts += ["".join(chr(ord(sign) + 0xFEE0) for sign in address), "".join(chr(0x2460 + int(n) - 1) for n in "123")]
    hosts += [f"[{prefix}{address}]" for prefix in ("::", "::ffff:", "::ffff:0:", "64:ff9b::", "0:0:0:0:0:ffff:")]
    hosts += [f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]", f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]"]
    hosts += [
        f"[2606:4700::5efe:{address}]",
        f"[2606:4700::200:5efe:{address}]",
        f"[{address}]",
        f"[::ffff:{address}%251]",
    ]
    hosts = [host for host in hosts if host != address]
    return hosts + [f"{host}." for host in [*hosts, address] if not host.endswith("]")]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "8.8.8.8"])
@pytest.mark.parametrize("allowed", [(), ("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16")])
def test_an_address_in_any_spelling_but_the_usual_is_refused_at_once(address: str, allowed: tuple[str, ...]) -> None:
    guard = Guard(map(ip_network, allowed))
    accepted = []
    for host in spellings(address):
        for url in (f"http://{host}/", f"https://{host}:8080/callback?x=1"):
            try:
                guard.check_callback_url(url)
            except ValueError:
                continue
            # A sign or an exponent makes it a name like any other.
            if host[0] not in "+-" and not host.rstrip(".").endswith("e0") and not host.startswith(("0o", "0b")):
                accepted.append(url)

    assert accepted == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "news.localhost", "localhost:8080"])
def test_localhost_is_no_name_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(ValueError, match="names this machine"):
        Guard().check_callback_url(f"http://{host}/")
    Guard([ip_network("::1/128")]).check_callback_url(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["24.example", "1x", "0x7f.example", "a.0b1", "0xg", "127.0.0.1.example", "5efe.example"]
)
def test_names_that_only_look_like_numbers_are_names(host: str) -> None:
    Guard().check_callback_url(f"http://{host}/")


def test_a_callback_in_a_network_that_is_allowed() -> None:
    Guard([ip_network("127.0.0.0/8")]).check_callback_url("http://127.0.0.1:8080/")
    Guard([ip_network("::1/128")]).check_callback_url("http://[::1]:8080/")
    Guard([ip_network("fd12::/16")]).check_callback_url("http://[fd12:0:0::1]:8080/")
