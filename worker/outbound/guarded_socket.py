"""The gate to the network: every socket of the engine is opened here, after the guard has seen its address."""

from __future__ import annotations

from ipaddress import ip_address
from socket import socket

import pycurl

from worker.outbound.errors import Fault
from worker.outbound.guard import Guard


class _Socket(socket):
    """A socket that pycurl makes a duplicate of; this one is closed when it is dropped."""

    def __del__(self) -> None:
        self.close()


class GuardedSockets:
    """Opens sockets for one transfer at a time.

    `refusal` says why a socket was not opened. A host may have several addresses, and libcurl tries one after another:
    once one of them has `passed`, what fails is the connection, whatever was refused beside it.
    """

    __slots__ = ("_guard", "passed", "refusal")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.passed = False
        self.refusal: tuple[Fault, str] | None = None

    def open(self, _purpose: int, to: pycurl.CurlSockAddr) -> socket | int:
        """OPENSOCKETFUNCTION."""
        try:
            if self._guard.permits(ip_address(to.addr[0])):
                opened = _Socket(to.family, to.socktype, to.protocol)
                self.passed = True
                return opened
            self.refusal = Fault.FORBIDDEN, f"the address {to.addr[0]} is not allowed"
        except ValueError:
            self.refusal = Fault.FORBIDDEN, "the address is of no known family"
        except OSError as error:
            self.refusal = Fault.CONNECT, f"no socket could be opened: {error.strerror}"
        return pycurl.SOCKET_BAD
