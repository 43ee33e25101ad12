"""The sockets that libcurl waits for, watched by the system's poller: thousands cost no more than the few that are ready.

Between two transfers on one connection libcurl takes its socket off the watch and puts it back. Obeying each time would
cost two system calls per transfer, so a connection stays with the poller while it idles. That is safe because libcurl
tells when it opens and closes one (`opened`, `closed`): no number of a closed socket is ever taken for a watched one.
"""

from __future__ import annotations

import os
import select
from typing import Any

import pycurl

_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
# By what the poller says (at most EPOLLHUP, 16, is the highest bit that it sets): an error shows when reading or writing.
_ACTIONS = tuple(
    (pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP) else 0)
    | (pycurl.CSELECT_OUT if events & (select.EPOLLOUT | select.EPOLLERR) else 0)
    | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0)
    for events in range(32)
)


class Sockets:
    """What libcurl's socket callbacks say, and `wait`. Used by one thread, but for `wake`."""

    def __init__(self) -> None:
        self._poller = select.epoll()
        self._watched: dict[int, int] = {}
        self._connections: set[int] = set()
        self._idle: set[int] = set()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller.register(self._waker, select.EPOLLIN)

    def wake(self) -> None:
        """End the present or the next `wait`. From any thread."""
        os.eventfd_write(self._waker, 1)

    def wait(self, seconds: float | None) -> tuple[bool, list[tuple[int, int]]]:
        """Wait until something is ready, at most so long; return whether `wake` was called, and (socket, CSELECT_*)."""
        woken = False
        ready = []
        for fd, events in self._poller.poll(seconds):
            if fd == self._waker:
                os.eventfd_read(fd)
                woken = True
            elif fd in self._idle:
                # The receiver has closed a connection that nobody uses; libcurl sees it when it wants it again.
                self._forget(fd)
            else:
                ready.append((fd, _ACTIONS[events]))
        return woken, ready

    def watch(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: Any) -> None:
        """M_SOCKETFUNCTION: what libcurl waits for on a socket."""
        if what == pycurl.POLL_REMOVE:
            if fd in self._connections:
                self._idle.add(fd)
            else:
                self._forget(fd)
            return
        self._idle.discard(fd)
        watched = self._watched.get(fd)
        if watched == what:
            return
        if watched is None:
            self._poller.register(fd, _EVENTS[what])
        else:
            self._poller.modify(fd, _EVENTS[what])
        self._watched[fd] = what

    def opened(self, fd: int, _purpose: int) -> int:
        """SOCKOPTFUNCTION: a new connection's socket."""
        self._connections.add(fd)
        return pycurl.SOCKOPT_OK

    def closed(self, fd: int) -> None:
        """CLOSESOCKETFUNCTION: libcurl is done with a connection."""
        self._connections.discard(fd)
        self._forget(fd)
        os.close(fd)

    def close(self) -> None:
        """Close the poller."""
        self._poller.close()
        os.close(self._waker)

    def _forget(self, fd: int) -> None:
        self._idle.discard(fd)
        if self._watched.pop(fd, None) is not None:
            self._poller.unregister(fd)
