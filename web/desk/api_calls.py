"""Asks the API within this process, for somebody who has signed in: what a key may do, a person may do here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from web.api.application import PREFIX
from web.api.paging import LIMIT_MOST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from starlette.types import ASGIApp, Message

    from worker.management.callers import Caller


_ROWS_MOST = 5_000
"""So many rows of a list are read for a page."""


class ApiAnswer(NamedTuple):
    """What the API has answered. `content`: its JSON; None without a body. `revision`: of an ETag."""

    status: int
    content: Any
    revision: str


class ApiProblem(Exception):
    """The API can't do what it was asked for. `errors`: bad field -> what is wrong with it. `scope`: what it takes."""

    def __init__(self, status: int, detail: str, errors: Mapping[str, str], scope: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.scope = scope


class DeskApi:
    """The API, for one person."""

    def __init__(self, application: ASGIApp, caller: Caller) -> None:
        self._application = application
        self._caller = caller

    async def get(self, *path: str, **query: Any) -> Any:
        """Return the JSON at an address, whose parts are given as they are. Raises ApiProblem."""
        return (await self.call("GET", *path, query=query)).content

    async def get_all(self, *path: str) -> list[Any]:
        """Return all rows of a list, page by page. Raises ApiProblem."""
        rows: list[Any] = []
        after = ""
        while True:
            page = await self.get(*path, limit=LIMIT_MOST, after=after)
            rows += page["items"]
            after = page["next"]
            if not after or len(rows) >= _ROWS_MOST:
                return rows

    async def post(self, *path: str, body: Any = None) -> Any:
        """Order something; return the JSON of the answer. Raises ApiProblem."""
        return (await self.call("POST", *path, body=body)).content

    async def call(
        self, method: str, *path: str, query: Mapping[str, Any] | None = None, body: Any = None, revision: str = ""
    ) -> ApiAnswer:
        """Ask for anything. `revision`: the ETag of what is to be changed. Raises ApiProblem.

        Parameters that are None or empty are left out.
        """
        address = "/".join((PREFIX, *path))
        chosen = {name: value for name, value in (query or {}).items() if value not in {None, "", False}}
        sent = b"" if body is None else json.dumps(body).encode()
        headers = [(b"host", b"desk"), (b"content-type", b"application/json")]
        if revision:
            headers.append((b"if-match", revision.encode("latin-1")))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": address,
            "raw_path": "/".join((PREFIX, *(quote(part, safe="") for part in path))).encode(),
            "root_path": "",
            "query_string": urlencode(chosen).encode(),
            "headers": headers,
            "client": None,
            "server": ("desk", None),
            "state": {"caller": self._caller},
        }
        messages: list[Message] = []
        has_sent = False

        async def receive() -> Message:
            nonlocal has_sent
            if has_sent:
                return {"type": "http.disconnect"}
            has_sent = True
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._application(scope, receive, send)
        return _answer(messages)


def _answer(messages: list[Message]) -> ApiAnswer:
    status = int(messages[0]["status"])
    text = b"".join(message.get("body", b"") for message in messages[1:])
    content = json.loads(text) if text else None
    if status >= 400:
        problem = content or {}
        errors = {wrong["field"]: wrong["message"] for wrong in problem.get("errors", ())}
        raise ApiProblem(status, problem.get("detail") or problem.get("title", ""), errors, problem.get("scope") or "")
    headers = {name.lower(): value for name, value in messages[0]["headers"]}
    return ApiAnswer(status, content, headers.get(b"etag", b"").decode("latin-1"))


async def unless_away(answer: Awaitable[Any]) -> Any:
    """Return what the API answers; None while what it needs is away, or there is nothing. Raises ApiProblem."""
    try:
        return await answer
    except ApiProblem as problem:
        if problem.status not in {404, 503}:
            raise
        return None
