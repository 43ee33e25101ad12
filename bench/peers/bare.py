"""Peer (c), the limit: a loop around libcurl's multi interface that signs, posts and does nothing else.

No Redis, no guard, no retries, nothing known of the receivers afterwards. It keeps connections and waits for sockets as
Dateline does, which is faster than libcurl's own way.
"""

from __future__ import annotations

import hmac
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

import pycurl

from bench.receiver import Receiver, secret_of
from worker.outbound.socket_events import SocketEvents

_PLACES = 500
_CONNECTIONS = 1_000
_WAIT_SECONDS = 0.01


class Bare:
    """Processes that run the loop, each with its share of the receivers."""

    def __init__(self, receiver: Receiver, pipes: list[Connection]) -> None:
        self._receiver = receiver
        self._pipes = pipes

    def rate(self, paths: Sequence[str], body: bytes) -> float:
        """Deliveries per second from the start to the last arrival."""
        jobs = [(self._receiver.url(path, number), secret_of(path)) for number, path in enumerate(paths)]
        for number, pipe in enumerate(self._pipes):
            pipe.send((jobs[number :: len(self._pipes)], body))
            pipe.recv()
        self._receiver.reset()
        begun = time.monotonic()
        for pipe in self._pipes:
            pipe.send(None)
        rate = len(paths) / (self._receiver.wait(len(paths), 60) - begun)
        for pipe in self._pipes:
            pipe.recv()
        return rate


@contextmanager
def bare(receiver: Receiver, processes: int) -> Iterator[Bare]:
    """Run so many processes."""
    context = multiprocessing.get_context("spawn")
    pipes, running = [], []
    try:
        for _ in range(processes):
            pipe, theirs = multiprocessing.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            pipes.append(pipe)
            running.append(process)
        yield Bare(receiver, pipes)
    finally:
        for process in running:
            process.terminate()
            process.join()


def _serve(pipe: Connection) -> None:
    loop = _Loop()
    while True:
        jobs, body = pipe.recv()
        pipe.send("ready")
        pipe.recv()
        loop.run(jobs, body)
        pipe.send("done")


class _Loop:
    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._sockets = SocketEvents()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.watch)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _CONNECTIONS)
        self._free = [self._handle() for _ in range(_PLACES)]

    def run(self, jobs: Sequence[tuple[str, str]], body: bytes) -> None:
        """Post to all."""
        waiting, busy, multi = deque(jobs), 0, self._multi
        while waiting or busy:
            while waiting and self._free:
                url, secret = waiting.popleft()
                curl = self._free.pop()
                signature = hmac.digest(secret.encode(), body, "sha256").hex()
                curl.setopt(pycurl.URL, url)
                curl.setopt(pycurl.POSTFIELDS, body)
                curl.setopt(
                    pycurl.HTTPHEADER,
                    ["Expect:", "Content-Type: application/atom+xml", f"X-Hub-Signature: sha256={signature}"],
                )
                multi.add_handle(curl)
                busy += 1
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            for fd, action in self._sockets.wait(_WAIT_SECONDS)[1]:
                multi.socket_action(fd, action)
            left = 1
            while left:
                left, good, bad = multi.info_read()
                if bad:
                    raise RuntimeError(f"a bare post failed: {bad[0][2]}")
                for curl in good:
                    multi.remove_handle(curl)
                    self._free.append(curl)
                busy -= len(good)

    @staticmethod
    def _handle() -> pycurl.Curl:
        curl = pycurl.Curl()
        for option, value in ((pycurl.NOSIGNAL, 1), (pycurl.PROXY, ""), (pycurl.POST, 1), (pycurl.TCP_NODELAY, 1)):
            curl.setopt(option, value)
        return curl
