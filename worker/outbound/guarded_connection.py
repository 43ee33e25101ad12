"""Connections that a job opens itself, by Python's own sockets: only to addresses that the guard permits."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.outbound.guard import Guard


class AddressRefused(OSError):
    """The guard permits none of a host's addresses."""


def connect(guard: Guard, host: str, port: int, timeout: float) -> socket.socket:
    """Return a connection to a host, to the first of its addresses that takes one; `timeout` in seconds for all.

    The same limit is then that of each reading and writing.
    Raises AddressRefused, socket.gaierror when the name has no address, and OSError when no address takes it.
    """
    refusal: OSError | None = None
    end = time.monotonic() + timeout
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not guard.permits(ip_address(str(address[0]))):
            refusal = refusal or AddressRefused(f"the address {address[0]} is not allowed")
            continue
        opened = socket.socket(family, kind, protocol)
        opened.settimeout(max(0.001, end - time.monotonic()))
        try:
            opened.connect(address)
            opened.settimeout(timeout)
        except OSError as error:
            opened.close()
            refusal = error
        else:
            return opened
    raise refusal or OSError("its name has no address")
