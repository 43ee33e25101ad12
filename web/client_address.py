"""The address of a client, also behind proxies: a proxy is believed only if the settings name it.

Sources: RFC 7239 (Forwarded); X-Forwarded-For as all proxies write it: each adds its client on the right. Why no
library reads them: `web/header_fields.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

Address = IPv4Address | IPv6Address

_MOST_CHARACTERS = 2000
"""Of a longer header only the end is read, which is what our own proxies have written."""
_ELEMENT = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?+)++')
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)', re.IGNORECASE)
_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")


class ClientAddresses:
    """Finds the addresses of clients. `proxies`: the networks of the proxies that are believed."""

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = proxies

    def of(self, request: Request) -> str:
        """Return the address by which the client of a request is counted.

        An IPv6 address stands for its network of 64 bits, all of which one client may use.
        """
        return counting_key(self._client(request))

    def within(self, request: Request, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
        """Whether a client is in one of the networks; one without an address is in 0.0.0.0/0 and ::/0."""
        address = self._client(request)
        if address is None:
            return any(network.prefixlen == 0 for network in networks)
        return any(address in network for network in networks)

    def _client(self, request: Request) -> Address | None:
        return self._believed_address(_parse_address(request.client.host) if request.client else None, request.headers)

    def is_proxy(self, address: str) -> bool:
        """Whether a peer is one of the proxies."""
        parsed = _parse_address(address)
        return parsed is not None and self._is_named(parsed)

    def _believed_address(self, peer: Address | None, headers: Headers) -> Address | None:
        # A request by a unix socket has no address: a proxy on this machine has passed it on.
        if not self._proxies or (peer is not None and not self._is_named(peer)):
            return peer
        x_forwarded_for = self._first_untrusted(peer, _split(headers.getlist("x-forwarded-for")))
        forwarded = self._first_untrusted(peer, _forwarded(headers.getlist("forwarded")))
        if x_forwarded_for is None or forwarded is None:
            return x_forwarded_for or forwarded or peer
        # A proxy writes one of the two and passes the other on as it came, so if they differ, a client wrote one.
        return x_forwarded_for if x_forwarded_for == forwarded else peer

    def _first_untrusted(self, peer: Address | None, hops: list[str]) -> Address | None:
        """Return the nearest hop that is not a proxy of ours, or else the farthest; None when there are no hops."""
        if not hops:
            return None
        nearest = peer
        for hop in reversed(hops):
            address = _parse_address(hop)
            if address is None:  # "unknown", a name or nonsense: the hop that wrote it is the last with an address
                break
            nearest = address
            if not self._is_named(address):
                break
        return nearest

    def _is_named(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def counting_key(address: Address | None) -> str:
    """Return the text under which the requests of an address are counted."""
    if isinstance(address, IPv6Address):
        return f"{IPv6Network((address, 64), strict=False)}"
    return str(address) if address else "unknown"


def _parse_address(text: str) -> Address | None:
    """Return the address in a text, with or without a port; an IPv4 address within IPv6 as IPv4."""
    text = text.strip().strip('"')
    if with_port := _PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _split(lines: Iterable[str]) -> list[str]:
    return _end(lines).split(",") if any(lines) else []


def _forwarded(lines: Iterable[str]) -> list[str]:
    """Return the client in each element, the farthest first; empty for an element without one."""
    elements = _ELEMENT.findall(_end(lines))
    return [client[1] if (client := _FOR.search(element)) else "" for element in elements]


def _end(lines: Iterable[str]) -> str:
    return ",".join(lines)[-_MOST_CHARACTERS:]
