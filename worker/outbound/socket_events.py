"""What happens on libcurl's sockets, watched by epoll: thousands of sockets cost no more than the few that are ready.

Between two transfers on one connection libcurl takes its socket off the watch and then puts it back. If we always did
so too, the kernel would remove and rebuild its entry each time, which costs up to a sixth of the whole transfer. So a
socket that libcurl takes off stays in epoll, marked as idle; if anything happens to it there, it is only unregistered.
libcurl does not tell us when it closes a socket, so the same number may come back as another socket. Each new watch
therefore begins with a call that fails if the kernel does not know the socket.
"""

from __future__ import annotations

import os
import select
from typing import Any

import pycurl

_EPOLL_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
    pycurl.POLL_NONE: 0,
}
# What libcurl must hear for each combination of epoll's events (the highest bit that comes here is EPOLLHUP, 16).
_CURL_ACTIONS = tuple(
    (pycurl.CSELECT_IN if events & (select.EPOLLIN | select.EPOLLHUP) else 0)
    | (pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0)
    | (pycurl.CSELECT_ERR if events & select.EPOLLERR else 0)
    for events in range(32)
)


class SocketEvents:
    """Watches the sockets that libcurl names. One thread uses it; only `wake` may come from others."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._idle: set[int] = set()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._waker, select.EPOLLIN)

    def wake(self) -> None:
        """End the present or the next `wait`. From any thread."""
        os.eventfd_write(self._waker, 1)

    def wait(self, seconds: float | None) -> tuple[bool, list[tuple[int, int]]]:
        """Wait until something happens, or for so long.

        Returns whether `wake` was called, and the sockets that are ready, each with libcurl's CSELECT_* bits.
        """
        woken = False
        ready = []
        for fd, events in self._epoll.poll(seconds):
            if fd == self._waker:
                os.eventfd_read(fd)
                woken = True
            elif fd in self._idle:
                # A receiver has closed a connection that is not in use; libcurl finds out when it wants to use it.
                self._epoll.unregister(fd)
            else:
                ready.append((fd, _CURL_ACTIONS[events]))
        return woken, ready

    def watch(self, poll: int, fd: int, _multi: pycurl.CurlMulti, _data: Any) -> None:
        """Watch a socket for other events from now on (`poll`: POLL_*): libcurl's M_SOCKETFUNCTION."""
        if poll == pycurl.POLL_REMOVE:
            self._idle.add(fd)
            return
        self._idle.discard(fd)
        try:
            self._epoll.modify(fd, _EPOLL_EVENTS[poll])
        except FileNotFoundError:
            self._epoll.register(fd, _EPOLL_EVENTS[poll])

    def close(self) -> None:
        """Stop watching."""
        self._epoll.close()
        os.close(self._waker)
