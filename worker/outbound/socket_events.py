"""The sockets that libcurl waits for, watched by epoll: thousands cost no more than the few that are ready.

Between two transfers on one connection libcurl takes its socket off the watch and puts it back. Obeying to the letter
would have the kernel drop and rebuild its entry each time, which costs as much as a sixth of the whole transfer. So a
socket that is taken off stays where it is, marked as idle; what happens to it then only unregisters it. A number may
meanwhile belong to another socket, as libcurl does not tell when it closes one: therefore each new watch is made with a
call that fails if the kernel does not know the socket.
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
    pycurl.POLL_NONE: 0,
}
# What to tell libcurl, by what epoll says (its highest bit here is EPOLLHUP, 16).
_ACTIONS = tuple(
    (pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0)
    | (pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0)
    | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0)
    for events in range(32)
)


class SocketEvents:
    """Watches what libcurl asks for. Used by one thread, but for `wake`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._idle: set[int] = set()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._waker, select.EPOLLIN)

    def wake(self) -> None:
        """End the present or the next `wait`. From any thread."""
        os.eventfd_write(self._waker, 1)

    def wait(self, seconds: float | None) -> tuple[bool, list[tuple[int, int]]]:
        """Wait until something happens, at most so long; return whether `wake` was called, and (socket, CSELECT_*)."""
        woken = False
        ready = []
        for fd, events in self._epoll.poll(seconds):
            if fd == self._waker:
                os.eventfd_read(fd)
                woken = True
            elif fd in self._idle:
                # A receiver has closed a connection that is not in use; libcurl finds out when it wants it again.
                self._epoll.unregister(fd)
            else:
                ready.append((fd, _ACTIONS[events]))
        return woken, ready

    def watch(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: Any) -> None:
        """M_SOCKETFUNCTION: what libcurl waits for on a socket from now on."""
        if what == pycurl.POLL_REMOVE:
            self._idle.add(fd)
            return
        self._idle.discard(fd)
        try:
            self._epoll.modify(fd, _EVENTS[what])
        except FileNotFoundError:
            self._epoll.register(fd, _EVENTS[what])

    def close(self) -> None:
        """Stop watching."""
        self._epoll.close()
        os.close(self._waker)
