"""Where the web server listens: seen before anything is started, so that what is wrong is one line."""

from __future__ import annotations

import errno
import socket
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import structlog

log = structlog.get_logger()

_POLL_SECONDS = 0.1


class CantListen(RuntimeError):
    """The address can't be listened on; the message says what to do."""


def free_port(host: str) -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def see_that_it_is_free(host: str, port: int, seconds: float = 0) -> None:
    """Raise CantListen when `port` can't be listened on, after having waited `seconds` for whoever has it."""
    deadline = time.monotonic() + seconds
    while error := _refusal(host, port):
        if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            continue
        option = "port" if error.errno in {errno.EADDRINUSE, errno.EACCES} else "host"
        raise CantListen(
            f"can't listen on {host} port {port}: {error.strerror}; choose another with --{option}/web.{option}"
        )


def _refusal(host: str, port: int) -> OSError | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def warn_of_links_nobody_can_follow(base_url: str, host: str) -> None:
    """Log a warning when others can reach the server, but the links in feeds lead each of them to their own machine.

    Nobody can connect to the unspecified address; where it works, it leads to the machine that asks.
    """
    named = urlsplit(base_url).hostname or ""
    if (loopback(named) or _unspecified(named)) and not loopback(host):
        log.warning(
            "base_url_is_loopback",
            base_url=base_url,
            host=host,
            reason="readers and subscribers on other machines can't follow the links in feeds",
            next_step="set site.base_url to the address they know, or web.host to 127.0.0.1",
        )


def loopback(host: str) -> bool:
    """Whether the name or address is this machine's own, which no other can reach."""
    name = host.removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _unspecified(host: str) -> bool:
    """Whether it is 0.0.0.0 or [::]: all addresses to those who listen, no address to those who ask."""
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
