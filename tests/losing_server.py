"""A server for models of other people's APIs: it carries a request out, and may lose the answer on its way."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local_server import LocalServer, QuietHandler, http_server
from waiting import until

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""A status, what the answer says (as JSON; None: nothing), and headers."""


@dataclass(frozen=True)
class ApiRequest:
    """One request as it came in; `target` is the request target, unchanged."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")


class LosingServer(LocalServer):
    """The server. Whoever makes a model of it answers requests in `serve`, one at a time.

    `behave(request)` may answer in its place; `lose(request)` says whose answer is lost after it was carried out.
    """

    def __init__(self) -> None:
        self.requests: list[ApiRequest] = []
        self.behave: Callable[[ApiRequest], Reply | None] = lambda _: None
        self.lose: Callable[[ApiRequest], bool] = lambda _: False
        self.lock = threading.RLock()
        model = self

        class Handler(QuietHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = ApiRequest(self.command, self.path, headers, body)
                reply = model.answer(request)
                if model.lose(request):
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                content = b"" if reply[1] is None else json.dumps(reply[1]).encode()
                self.send_response(reply[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                for name, value in reply[2].items() if len(reply) == 3 else ():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 (the names that http.server calls)

        super().__init__(http_server(Handler))

    def answer(self, request: ApiRequest) -> Reply:
        with self.lock:
            self.requests.append(request)
        if (reply := self.behave(request)) is not None:
            return reply
        with self.lock:
            return self.serve(request)

    def serve(self, request: ApiRequest) -> Reply:
        """Carry a request out, and answer it."""
        raise NotImplementedError

    def calls(self) -> list[str]:
        """The methods of all requests so far."""
        return [request.method for request in self.requests]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        until(condition, lambda: f"{what}; the last requests: {self.requests[-5:]}")
