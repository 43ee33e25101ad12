"""A receiver for tests: a real HTTP server that records what it is sent and answers as it is told, path by path."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from local_server import LocalServer, QuietHandler, http_server
from waiting import PATIENCE_SECONDS


@dataclass
class Request:
    """One request as it came in; `path` is the request target to the letter."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)


Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]
Behaviour = Callable[[Request], Answer]


def obliging(request: Request) -> Answer:
    """Confirm every verification of intent and take every push."""
    if request.method == "GET":
        return 200, request.query.get("hub.challenge", [""])[0].encode()
    return 204, b""


class Receiver(LocalServer):
    """The server. `behave[path]` answers for one path, `otherwise` for all others."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.behave: dict[str, Behaviour] = {}
        self.otherwise: Behaviour = obliging
        self._arrived = threading.Condition()
        receiver = self

        class Handler(QuietHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                answer = receiver.behave.get(request.name, receiver.otherwise)(request)
                receiver.record(request)
                self.send_response(answer[0])
                for name, value in answer[2].items() if len(answer) == 3 else ():
                    self.send_header(name, value)
                if answer[0] != 204:
                    self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                if answer[0] != 204:
                    self.wfile.write(answer[1])

            do_GET = do_POST = handle_one  # noqa: N815 (the names that http.server calls)

        super().__init__(http_server(Handler))

    def record(self, request: Request) -> None:
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()

    def at(self, path: str, method: str = "POST") -> list[Request]:
        """What has come to one path so far."""
        with self._arrived:
            return [request for request in self.requests if request.name == path and request.method == method]

    def wait(self, path: str, count: int = 1, seconds: float = 20, method: str = "POST") -> list[Request]:
        """Wait until `count` requests have come to a path; return them all."""
        self.until(lambda: len(self.at(path, method)) >= count, seconds, f"{count} requests to {path}")
        return self.at(path, method)

    def until(self, true: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until something is true of what has come: so long, and longer on a machine that does much else."""
        seconds = max(seconds, PATIENCE_SECONDS)
        deadline = time.monotonic() + seconds
        # Not asked within the lock: a slow question would hold up whoever sends.
        while not true():
            left = deadline - time.monotonic()
            assert left > 0, f"waited {seconds} s for {what}"
            with self._arrived:
                self._arrived.wait(min(left, 0.05))
