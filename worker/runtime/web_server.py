"""How the web server (uvicorn) is run: what it bounds, and that no process of it outlives another.

HTTP/1.1 only: a connection is then one request at a time, and what bounds connections bounds requests. HTTP/2 and TLS
are the business of the proxy in front.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

if TYPE_CHECKING:
    from collections.abc import Callable

_KEEP_SECONDS = 75
"""How long a connection may be idle between two requests: longer than proxies keep theirs, lest both act at once."""
_MOST = 10_000
"""Connections at once, at the most."""
_OWN = 256
"""Descriptors that are for everything else: Redis, files, threads."""
_BACKLOG = 4096
"""Connections that may wait to be taken; the system may allow fewer."""
_STOP_SECONDS = 10
HUNG_SECONDS = 60
"""A process, of several, that has not moved for so long is ended, and another takes its place."""


def serve(host: str, port: int, processes: int = 1, *, aloud: bool = True) -> None:
    """Serve until SIGTERM or SIGINT. At SIGHUP the settings are read again; `aloud`: log what has changed.

    Raises SystemExit with a status when what was started could not serve.

    A single process serves itself, and is started again by whoever watches us. Of several `processes`, which take
    connections from one port, one that dies is started again.
    """
    # Uvicorn would start other processes, whatever stands in the settings. Blocked before any thread or process begins,
    # it is nobody's but the thread's that waits for it, in the processes that serve and in the one that has started
    # them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = _MOST + _OWN
    allowed = descriptors if hard == resource.RLIM_INFINITY else min(descriptors, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    config = server_config(partial(_application, aloud=aloud), host, port, processes)
    if processes == 1:
        server = Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            # It raises again what has ended it, once it has ended well.
            signal.signal(number, server.handle_exit)
        server.run()
    else:
        threading.Thread(target=_pass_hang_ups, name="hang-up", daemon=True).start()
        supervisor = _Supervisor(config, [config.bind_socket()])
        supervisor.run()
        if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
            sys.exit(STARTUP_FAILURE)


class _Supervisor(Multiprocess):
    """Starts processes again that have died or hung."""

    def keep_subprocess_alive(self) -> None:
        """See which lives. One that is killed while it is asked is seen at once, not when it counts as hung."""
        for process in self.processes:
            # It has its own by now. While ours is open as well, its end is no end of the pipe, so whoever waits for its
            # answer waits for the whole time that it is granted.
            process.child_conn.close()
        super().keep_subprocess_alive()


def server_config(make: Callable[[], Callable[..., Any]], host: str, port: int, processes: int = 1) -> Config:
    """Return how uvicorn serves what `make` returns, which is called in the process that serves."""
    # It says what happens to whoever is at its terminal; what went wrong is in our log.
    uvicorn_log = logging.getLogger("uvicorn.error")
    uvicorn_log.setLevel(logging.ERROR)
    uvicorn_log.addFilter(_is_trouble)
    return Config(
        make,
        factory=True,
        host=host,
        port=port,
        workers=processes,
        interface="asgi3",
        http="web.connection:Connection",
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        timeout_worker_healthcheck=HUNG_SECONDS,
    )


def _is_trouble(record: logging.LogRecord) -> bool:
    """Whether it is more than that a request was still waited for when the server had to end."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError) and not str(record.msg).startswith("Cancel ")


def _application(*, aloud: bool) -> Callable[..., Any]:
    """Return the application, in the process that serves."""
    application: Callable[..., Any] = importlib.import_module("web.app").create(aloud=aloud)
    return application


def _pass_hang_ups() -> None:
    """Pass each SIGHUP on to the processes that serve, which wait for it as soon as they can do what it asks."""
    while True:
        signal.sigwait({signal.SIGHUP})
        for process in multiprocessing.active_children():
            with suppress(ProcessLookupError):
                os.kill(process.pid or os.getpid(), signal.SIGHUP)


def places() -> int:
    """How many connections there may be at once: what the descriptors of this process allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, min(_MOST, soft - _OWN)) if soft != resource.RLIM_INFINITY else _MOST


def end_with_starter() -> None:
    """In the process that serves: stop when the one that started it is gone, lest it keep the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=follow, name="parent", daemon=True).start()
