"""A server for tests on a free port of 127.0.0.1, which serves in threads of its own until it is closed."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any


class LocalServer:
    """Whoever makes a model of a service gives the server to it."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        self.port = server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections, and writes nothing to standard error: the test prints what matters."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A sender that was killed leaves broken connections behind: that is what some tests are about."""


def http_server(handler: type[BaseHTTPRequestHandler]) -> HTTPServer:
    """Return a server on a free port, with a thread for each connection."""
    return _Server(("127.0.0.1", 0), handler)
