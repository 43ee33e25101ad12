from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.delivery.guard import MAX_URL, Guard


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

    assert {Guard().permits(one) for one in wrapped} == {Guard().permits(address)}


@given(st.ip_addresses(v=6))
@example(IPv6Address("2001:4:112::1"))
def test_no_ipv6_address_is_permitted_that_python_calls_private(address: IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_site_local:
        assert address.ipv4_mapped or not Guard().permits(address)


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
    Guard().callback_url(url)


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
        ("http://example.org:65536/", "is no URL"),
        ("http://example.org:http/", "is no URL"),
        ("http://[::1/", "is no URL"),
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
        ("http://[::ffff:10.0.0.1]/", "names the address ::ffff:"),
        ("http://[fe80::1%25eth0]/", "names the address fe80::1"),
        ("http://169.254.169.254/latest/meta-data/", "names the address 169.254.169.254"),
        ("https://example.org/" + "x" * (MAX_URL - 19), "is longer than 2000"),
    ],
)
def test_a_callback_that_may_not_be_called(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        Guard().callback_url(url)


def test_a_callback_in_a_network_that_is_allowed() -> None:
    Guard([ip_network("127.0.0.0/8")]).callback_url("http://127.0.0.1:8080/")
