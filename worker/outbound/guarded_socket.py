"""Sockets that open only to addresses the guard permits. libcurl opens every socket of the engine through here."""

from __future__ import annotations

from ipaddress import ip_address
from socket import socket

import pycurl

from worker.outbound.errors import Fault
from worker.outbound.guard import Guard


class _ClosingSocket(socket):
    """A socket that closes when Python drops it. pycurl uses a duplicate of it."""

    def __del__(self) -> None:
        self.close()


class GuardedSockets:
    """Opens the sockets of one transfer at a time.

    A host may have several addresses, and libcurl tries one after another. `refusal` says why the last refused socket
    was not opened. It is the reason of a failure only while no socket `was_opened`: after that the connection itself
    has failed.
    """

    __slots__ = ("_guard", "may_listen", "refusal", "was_opened")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.was_opened = False
        self.may_listen = False
        """Whether a socket may be opened at an address of our own, for a server of FTP that connects to us."""
        self.refusal: tuple[Fault, str] | None = None

    def forget(self) -> None:
        """Begin with another transfer."""
        self.was_opened = self.may_listen = False
        self.refusal = None

    def open(self, _purpose: int, address: pycurl.CurlSockAddr) -> socket | int:
        """Open a socket to an address, or return SOCKET_BAD: libcurl's OPENSOCKETFUNCTION."""
        try:
            # No connection can be made to port 0: such a socket is there to listen.
            listens = self.may_listen and address.addr[1] == 0
            if listens or self._guard.permits(ip_address(address.addr[0])):
                opened = _ClosingSocket(address.family, address.socktype, address.protocol)
                self.was_opened = True
                return opened
            self.refusal = Fault.FORBIDDEN, f"the address {address.addr[0]} is not allowed"
        except ValueError:
            self.refusal = Fault.FORBIDDEN, "the address is of no known family"
        except OSError as error:
            self.refusal = Fault.CONNECT, f"no socket could be opened: {error.strerror}"
        return pycurl.SOCKET_BAD
