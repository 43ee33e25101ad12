"""Engines of their own for servers of files: libcurl waits in them for a server, and then for nobody else.

When a file was sent, libcurl has the server close and rename it, or confirm it, before it does anything else in the
same thread (ssh_done and ftp_done in libcurl). So each server has threads of its own, and what is slow there delays
neither other servers nor requests of HTTP; and several of them, so that several files are on their way at once.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING
from zlib import crc32

from worker.outbound.scheduler import host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

_PER_SERVER = 4
"""How many threads one server has at the most; each is made when those before it are at work."""
_SERVERS = 32
"""For how many servers there are threads; beyond that, some share theirs."""


class FileEngines:
    """Engines for servers, made when they are needed by `new_engine`, which starts them."""

    def __init__(self, new_engine: Callable[[], Engine]) -> None:
        self._new_engine = new_engine
        self._engines: list[list[Engine]] = []
        self._places: dict[str, int] = {}
        self._lock = Lock()
        self._stopped = False

    def submit(self, transfers: Iterable[Transfer]) -> None:
        """Send transfers, each by the engine of its server that has the least to do. From any thread."""
        for transfer in transfers:
            self._engine_for(host_of(transfer.url)).submit([transfer])

    def stop(self, grace: Callable[[], float]) -> None:
        """Stop all; `grace`: how many seconds are left for what is under way."""
        with self._lock:
            self._stopped = True
            engines = [engine for of_server in self._engines for engine in of_server]
        for engine in engines:
            engine.stop(grace())

    def _engine_for(self, host: str) -> Engine:
        with self._lock:
            if host not in self._places:
                is_new = len(self._engines) < _SERVERS
                self._places[host] = len(self._engines) if is_new else crc32(host.encode()) % _SERVERS
                if is_new:
                    self._engines.append([])
            engines = self._engines[self._places[host]]
            least = min(engines, key=_waiting, default=None)
            if least is None or (len(engines) < _PER_SERVER and _waiting(least) and not self._stopped):
                least = self._new_engine()
                engines.append(least)
                if self._stopped:
                    least.stop(0)
            return least


def _waiting(engine: Engine) -> int:
    return engine.unanswered
