"""A model of a Mastodon server for tests, made from its documentation: one account, its statuses, idempotency keys."""

from __future__ import annotations

import html
import re
from typing import Any

from losing_server import ApiRequest, LosingServer, Reply

TOKEN = "token-of-the-herald"
APPLICATION = "Dateline of the Herald"
PER_PAGE = 3
"""How many statuses a page has, whatever it was asked for."""


class MastodonServer(LosingServer):
    """The server. `statuses`: what the account has posted, by id; `most`: how long a status may be."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, dict[str, Any]] = {}
        self.most = 500
        self.keys: dict[str, str] = {}
        self.posted = 0

    def texts(self, needle: str) -> list[str]:
        """The texts of the statuses that have something in them."""
        with self.lock:
            return [status["text"] for status in self.statuses.values() if needle in status["text"]]

    def post(self, text: str, application: str = APPLICATION) -> str:
        """Post a status; return its id."""
        with self.lock:
            self.posted += 1
            status_id = str(110_000 + self.posted)
            self.statuses[status_id] = {"text": text, "visibility": "public", "application": application}
            return status_id

    def serve(self, request: ApiRequest) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "The access token is invalid"}
        limits = {"max_characters": self.most, "characters_reserved_per_url": 23}
        reply: Reply = 404, {"error": "Record not found"}
        match [request.method, *request.path.strip("/").split("/")[1:]]:
            case ["GET", "v2", "instance"]:
                reply = 200, {"configuration": {"statuses": limits}}
            case ["GET", "v1", "apps", "verify_credentials"]:
                reply = 200, {"name": APPLICATION}
            case ["GET", "v1", "accounts", "verify_credentials"]:
                reply = 200, {"id": "7"}
            case ["GET", "v1", "accounts", "7", "statuses"]:
                reply = 200, self._page(request.query)
            case ["POST", "v1", "statuses"]:
                reply = self._create(request)
            case [_, "v1", "statuses", status_id, *rest] if status_id in self.statuses:
                reply = self._of_one(request, status_id, rest)
        return reply

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        before = int(query.get("max_id", 10**9))
        ids = sorted((int(status_id) for status_id in self.statuses), reverse=True)
        return [self._shown(str(status_id)) for status_id in ids if status_id < before][:PER_PAGE]

    def _create(self, request: ApiRequest) -> Reply:
        key = request.headers["idempotency-key"]
        if key in self.keys:
            status_id = self.keys[key]
            return (200, self._shown(status_id)) if status_id in self.statuses else (404, {"error": "Record not found"})
        if (refusal := self._too_long(request)) is not None:
            return refusal
        status_id = self.keys[key] = self.post(request.json["status"])
        self.statuses[status_id] |= {name: request.json[name] for name in ("visibility", "language")}
        return 200, self._shown(status_id)

    def _of_one(self, request: ApiRequest, status_id: str, rest: list[str]) -> Reply:
        match request.method, rest:
            case "GET", ["source"]:
                return 200, {"id": status_id, "text": self.statuses[status_id]["text"], "spoiler_text": ""}
            case "GET", []:
                return 200, self._shown(status_id)
            case "PUT", []:
                if (refusal := self._too_long(request)) is not None:
                    return refusal
                self.statuses[status_id]["text"] = request.json["status"]
                return 200, self._shown(status_id)
            case "DELETE", []:
                shown = self._shown(status_id)
                del self.statuses[status_id]
                return 200, shown
        return 404, {"error": "Record not found"}

    def _too_long(self, request: ApiRequest) -> Reply | None:
        # All characters that tests send are of one code point.
        if len(re.sub(r"https?://\S+", "x" * 23, request.json["status"])) <= self.most:
            return None
        return 422, {"error": f"Validation failed: Text character limit of {self.most} exceeded"}

    def _shown(self, status_id: str) -> dict[str, Any]:
        status = self.statuses[status_id]
        text = html.escape(status["text"], quote=False)
        content = re.sub(r"https?://\S+", lambda link: f'<a href="{link[0]}" rel="nofollow">{link[0]}</a>', text)
        application = {"name": status["application"]} if status["application"] else None
        return {"id": status_id, "content": f"<p>{content}</p>", "application": application}
