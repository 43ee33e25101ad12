"""An application behind the very server that Dateline runs on, in a thread of the test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from uvicorn import Server

from web.fast_path import FastPath
from worker.runtime.web_server import server_config


@contextmanager
def served(application: FastPath) -> Iterator[int]:
    """Serve it; yield the port. Its lifespan is not run."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
    config = server_config(lambda: application, "127.0.0.1", port)
    config.lifespan = "off"
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
