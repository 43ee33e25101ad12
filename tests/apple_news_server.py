"""A model of Apple's News API for tests, made from its documentation: signatures, revisions, throttling, searches."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import hashlib
import hmac
import itertools
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from losing_server import ApiRequest, LosingServer, Reply

CHANNEL = "63a75491-2c4d-3530-af91-819be8c3ace0"
KEY_ID = "1e3gfc5e-e9f8-4232-a6be-17bf40edad09"
SECRET = base64.b64encode(b"the secret of a key of the News API").decode()
PER_PAGE = 2
"""How many articles a page of a search has, whatever it was asked for."""
_AUTHORIZATION = re.compile(r'HHMAC; key="([^"]*)"; signature="([^"]*)"; date="([^"]*)"')


def problem(status: int, code: str, *path: str, **more: str) -> Reply:
    return status, {"errors": [{"code": code, "keyPath": list(path), **more}]}


class AppleNewsServer(LosingServer):
    """The API, with one channel. `articles`: what is in it, by Apple's id; `repeats`: searches repeat documents."""

    def __init__(self) -> None:
        super().__init__()
        self.articles: dict[str, dict[str, Any]] = {}
        self.repeats = False
        self.optimized: set[str] = set()
        self.refuses_twins = False
        self.throttling: dict[str, Any] = {"isThrottled": False, "quotaAvailable": 200, "queueSize": 0}
        self._revisions = itertools.count(1)

    def of(self, identifier: str) -> list[dict[str, Any]]:
        """The articles with an identifier in their documents."""
        with self.lock:
            return [entry for entry in self.articles.values() if entry["document"]["identifier"].endswith(identifier)]

    def versions(self, identifier: str) -> list[str]:
        """Which versions of an article there are."""
        return [entry["document"]["metadata"]["campaignData"]["version"][0] for entry in self.of(identifier)]

    def edit(self, article_id: str, **changes: Any) -> None:
        """Change an article as somebody in News Publisher does."""
        with self.lock:
            entry = self.articles[article_id]
            entry["document"] = entry["document"] | changes
            entry["revision"] = self._revision()

    def serve(self, request: ApiRequest) -> Reply:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        match [request.method, *request.path.strip("/").split("/")]:
            case ["POST", "channels", channel, "articles"] if channel == CHANNEL:
                return self._create(request)
            case ["GET", "channels", channel, "articles"] if channel == CHANNEL:
                return self._search(request)
            case ["GET" | "POST" | "DELETE", "articles", article_id] if article_id in self.articles:
                return self._of_one(request, article_id)
        return problem(404, "NOT_FOUND")

    def _refusal(self, request: ApiRequest) -> Reply | None:
        parts = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if parts is None:
            return problem(401, "UNAUTHORIZED")
        key, signature, date = parts.groups()
        if key != KEY_ID:
            return problem(403, "API_KEY_NOT_FOUND")
        signed = request.method + self.url + request.target + date
        if request.method == "POST":
            signed += request.headers["content-type"] + request.body.decode()
        expected = hmac.new(base64.b64decode(SECRET), signed.encode(), hashlib.sha256).digest()
        skew = abs(datetime.now(UTC) - datetime.fromisoformat(date))
        if base64.b64decode(signature) != expected or skew > timedelta(minutes=5):
            return problem(403, "WRONG_SIGNATURE")
        return None

    def _create(self, request: ApiRequest) -> Reply:
        parts = _parts(request)
        document = parts["article.json"]
        if self.refuses_twins:
            for entry in self.articles.values():
                if entry["document"]["title"] == document["title"]:
                    return problem(400, "DUPLICATE_ARTICLE_FOUND", value=entry["id"])
        article_id = str(uuid.uuid4())
        entry = self.articles[article_id] = {
            "id": article_id,
            "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "revision": self._revision(),
            "state": "LIVE",
            "document": document,
            **parts["metadata"]["data"],
        }
        return 201, self._response(entry)

    def _of_one(self, request: ApiRequest, article_id: str) -> Reply:
        entry = self.articles[article_id]
        if request.method == "DELETE":
            del self.articles[article_id]
            return 204, None
        if request.method == "POST":
            parts = _parts(request)
            metadata = dict(parts["metadata"]["data"])
            if metadata.pop("revision", None) != entry["revision"]:
                return problem(409, "WRONG_REVISION", "data", "revision")
            if article_id in self.optimized:
                return 202, self._response(entry)
            entry |= metadata | {"document": parts["article.json"], "revision": self._revision()}
        return 200, self._response(entry)

    def _search(self, request: ApiRequest) -> Reply:
        query = request.query
        assert query["sortDir"] == "DESC"
        since = datetime.fromisoformat(query["fromDate"])
        entries = [
            entry for entry in reversed(self.articles.values()) if datetime.fromisoformat(entry["createdAt"]) > since
        ]
        start = int(query.get("pageToken", 0))
        page = [entry if self.repeats else {**entry, "document": None} for entry in entries[start : start + PER_PAGE]]
        links = {"self": self.url + request.target}
        if entries[start + PER_PAGE :]:
            links["next"] = (
                f"{self.url}{request.path}?fromDate={query['fromDate']}&sortDir=DESC&pageToken={start + PER_PAGE}"
            )
        return 200, {"data": page, "links": links}

    def _response(self, entry: dict[str, Any]) -> dict[str, Any]:
        # The documentation has the document as a string, its examples as an object.
        return {"data": entry | {"document": json.dumps(entry["document"])}, "meta": {"throttling": self.throttling}}

    def _revision(self) -> str:
        return base64.b64encode(next(self._revisions).to_bytes(16, "big")).decode()


def _parts(request: ApiRequest) -> dict[str, Any]:
    """The parts of a form, as somebody else's parser reads them."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    parts = {}
    for part in form.iter_parts():
        assert part.get_content_type() == "application/json"
        parts[part.get_param("name", header="content-disposition")] = json.loads(part.get_payload(decode=True))
    return parts
