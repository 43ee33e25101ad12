"""Which addresses we may call, and which URLs strangers may give us to call.

A stranger's callback must never become a way into our own network. The check that counts is made on the address of each
socket as it is opened (`Guard.permits`, called by the engine). By then every spelling of a host has been read and every
name server has answered, so nothing can change between the check and the use. `Guard.check_callback_url` refuses early,
with a reason for the subscriber, what would fail there anyway.

Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890), RFC 4291 (mapped and compatible
addresses), RFC 6052 and RFC 8215 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo),
RFC 5214 (ISATAP), RFC 6761 (localhost); the URL Standard on hosts that end in a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT, and a cloud's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # public in the registry, but in one cloud the way to its own platform
            "169.254.0.0/16",  # link-local and most clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays, deprecated
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# The only block of IPv6 that is global unicast. Everything else is local, multicast or reserved.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, benchmarking among them
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
_LOOPBACK, _LOOPBACK_IPV6 = IPv4Address("127.0.0.1"), IPv6Address("::1")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = 0x5EFE
"""The bits before the IPv4 address in an ISATAP interface identifier."""
_NAT64 = IPv6Network("64:ff9b::/96")

_PLAIN_URL = re.compile(r"[!-\[\]-~]+")
_HOST_NAME = re.compile(r"(?=.{1,254}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
# Callers read a host that ends in a number as an IPv4 address, in decimal, octal or hex, whole or in parts.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[Xx][0-9A-Fa-f]*)\.?")
_LOCALHOST = re.compile(r"(?:.*\.)?localhost\.?", re.IGNORECASE)
MAX_URL = 2000
"""The longest callback URL, in characters."""


class Guard:
    """Decides which addresses may be called: public ones, and those in `allow_networks`."""

    def __init__(self, allow_networks: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allow_networks)

    def permits(self, address: Address) -> bool:
        """Return whether a connection to `address` may be opened.

        An IPv6 address that stands for an IPv4 address is judged by the latter; either may be on the allow-list.
        """
        if any(address in network for network in self._allowed):
            return True
        if isinstance(address, IPv4Address):
            return not any(address in network for network in _NOT_PUBLIC)
        if embedded := _embedded(address):
            return all(map(self.permits, embedded))
        return address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_PUBLIC_IPV6)

    def check_callback_url(self, url: str) -> None:
        """Check a callback URL that a stranger gave.

        Raises ValueError when it must not be called; the message is the reason, worded to follow the field's name.
        """
        if len(url) > MAX_URL:
            raise ValueError(f"is longer than {MAX_URL} characters")
        if not _PLAIN_URL.fullmatch(url):
            raise ValueError("must be ASCII without white space, control characters and backslashes")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"is not a URL: {error}") from None
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("must begin with http:// or https:// and a host")
        if "@" in parts.netloc:
            raise ValueError("must not carry a user name or password")
        if "#" in url:
            raise ValueError("must not have a fragment")
        if port is not None and port < 1024 and port not in {80, 443}:
            raise ValueError(f"must not name port {port}: below 1024 only 80 and 443 are called")
        self._check_host(parts.hostname or "", bracketed="[" in parts.netloc)

    def _check_host(self, host: str, *, bracketed: bool) -> None:
        try:
            address = ip_address(host.removesuffix("."))
        except ValueError:
            if bracketed or not _HOST_NAME.fullmatch(host):
                raise ValueError("has no host that can be called") from None
            if _ENDS_IN_NUMBER.fullmatch(host):
                raise ValueError(_unusual(host)) from None
            if _LOCALHOST.fullmatch(host) and not (self.permits(_LOOPBACK) or self.permits(_LOOPBACK_IPV6)):
                raise ValueError("names this machine (localhost), which is not public") from None
            return
        if not self.permits(address):
            raise ValueError(f"names the address {address}, which is not public")
        if isinstance(address, IPv4Address):
            usual = host == str(address) and not bracketed
        else:
            usual = bracketed and not address.scope_id and (address == _LOOPBACK_IPV6 or not _embedded(address))
        if not usual:
            raise ValueError(_unusual(host))


def _unusual(host: str) -> str:
    return f"spells an address as {host}; it must be four decimal numbers, or IPv6 in brackets"


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses at which a packet to this IPv6 address may arrive."""
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64 or address in _COMPATIBLE:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if int(address) >> 32 & 0xFDFFFFFF == _ISATAP:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()
