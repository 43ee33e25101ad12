"""How the web server (granian) is run: what it bounds, and that no process of it outlives another.

HTTP/1.1 only: a connection is then one request at a time, and what bounds connections bounds requests. HTTP/2 and TLS
are the business of the proxy in front.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

if TYPE_CHECKING:
    from collections.abc import Callable

_KEEP_MS = 75_000
"""How long a connection may be idle between two requests: longer than proxies keep theirs, lest both act at once."""
_MOST = 10_000
"""Connections at once, at the most."""
_OWN = 256
"""Descriptors that are for everything else: Redis, files, threads."""
_BACKLOG = 4096
"""Connections that may wait to be taken; the system may allow fewer."""
_STOP_SECONDS = 10


def serve(host: str, port: int, processes: int = 1, *, aloud: bool = True) -> None:
    """Serve until SIGTERM or SIGINT. At SIGHUP the settings are read again; `aloud`: log what has changed.

    Several `processes` take connections from one port, and one that dies is started again, unless it dies over and
    over. A single one is started again by whoever watches us.
    """
    # Granian would start another process, whatever stands in the settings. Blocked before any thread or process begins,
    # it is nobody's but the thread's that waits for it, here and in the process that serves.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    threading.Thread(target=_pass_hang_ups, name="hang-up", daemon=True).start()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = _MOST + _OWN
    allowed = descriptors if hard == resource.RLIM_INFINITY else min(descriptors, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    Granian(
        "web.app:create",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_KEEP_MS),
        backlog=_BACKLOG,
        backpressure=places(),
        workers=processes,
        respawn_failed_workers=processes > 1,
        log_enabled=False,
        websockets=False,
        workers_kill_timeout=_STOP_SECONDS,
    ).serve(target_loader=partial(_application, aloud=aloud), wrap_loader=False)


def _application(*, aloud: bool) -> Callable[..., Any]:
    """Return the application, in the process that serves. Granian's own way looks in the working directory first."""
    application: Callable[..., Any] = importlib.import_module("web.app").create(aloud=aloud)
    return application


def _pass_hang_ups() -> None:
    """Pass each SIGHUP on to the process that serves, which waits for it as soon as it can do what it asks."""
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
