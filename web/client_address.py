"""Who asks: the address of a client, also behind proxies, whose word counts only if the settings name them.

Sources: RFC 7239 (Forwarded); X-Forwarded-For as all proxies write it: each adds on the right whom it was asked by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

Address = IPv4Address | IPv6Address

_LONGEST = 2000
"""Of a longer header only the end is read: there stands what our own proxies have written."""
_ELEMENT = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?+)++')
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)', re.IGNORECASE)
_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")


class Clients:
    """Tells who asks. `proxies`: the networks whose word is taken for who asked them."""

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = proxies

    def address(self, request: Request) -> str:
        """Return the address by which the client of a request is counted.

        An IPv6 address stands for its network of 64 bits, all of which one client may use.
        """
        return counted(self._asking(request))

    def within(self, request: Request, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
        """Whether the client of a request is in one of the networks; whose address is not known is in those of all."""
        address = self._asking(request)
        if address is None:
            return any(network.prefixlen == 0 for network in networks)
        return any(address in network for network in networks)

    def _asking(self, request: Request) -> Address | None:
        return self._address(_read(request.client.host) if request.client else None, request.headers)

    def proxy(self, address: str) -> bool:
        """Whether a peer is one of the proxies."""
        found = _read(address)
        return found is not None and self._named(found)

    def _address(self, peer: Address | None, headers: Headers) -> Address | None:
        # What comes by a socket of this machine has no address: a proxy has passed it on.
        if not self._proxies or (peer is not None and not self._named(peer)):
            return peer
        usual = self._first_untrusted(peer, _split(headers.getlist("x-forwarded-for")))
        standard = self._first_untrusted(peer, _forwarded(headers.getlist("forwarded")))
        if usual is None or standard is None:
            return usual or standard or peer
        # A proxy writes one of them and passes the other on as it came, so where they differ one is a stranger's.
        return usual if usual == standard else peer

    def _first_untrusted(self, peer: Address | None, hops: list[str]) -> Address | None:
        """The nearest hop that is no proxy of ours, or the farthest that is; None when nothing is said."""
        if not hops:
            return None
        nearest = peer
        for hop in reversed(hops):
            address = _read(hop)
            if address is None:  # "unknown", a name instead of an address, or nonsense: who said so is the last known
                break
            nearest = address
            if not self._named(address):
                break
        return nearest

    def _named(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def counted(address: Address | None) -> str:
    """Return the text by which an address is counted."""
    if isinstance(address, IPv6Address):
        return f"{IPv6Network((address, 64), strict=False)}"
    return str(address) if address else "unknown"


def _read(text: str) -> Address | None:
    """The address that a text is, with or without a port; an IPv4 address within IPv6 is that."""
    text = text.strip().strip('"')
    if found := _PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _split(lines: Iterable[str]) -> list[str]:
    return _end(lines).split(",") if any(lines) else []


def _forwarded(lines: Iterable[str]) -> list[str]:
    """Who was asked by whom, the farthest first; empty where an element does not say."""
    elements = _ELEMENT.findall(_end(lines))
    return [found[1] if (found := _FOR.search(element)) else "" for element in elements]


def _end(lines: Iterable[str]) -> str:
    return ",".join(lines)[-_LONGEST:]
