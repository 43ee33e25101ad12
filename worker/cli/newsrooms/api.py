"""The newsroom over its API: with DATELINE_API commands ask there what they else ask of Redis and the record.

Nothing here takes long to import: the standard library alone. What goes wrong is one line that says what to do.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from worker.cli.terminal import API_VARIABLE, Failed, note, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import Message
    from urllib.request import OpenerDirector
    from zoneinfo import ZoneInfo

KEY_VARIABLE = "DATELINE_KEY"
_SECONDS = 120.0
"""How long an answer is waited for: that the audit is whole takes its time."""
_PAGE = 100
_CURRENT = {"If-Match": "*"}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRETS_ALIKE = "an API key (dl_...)"


def api_of(config: Path | None, data: Path | None) -> Api | None:
    """Return the API that DATELINE_API names; None without it. Raises Failed when options name other settings too."""
    address = os.environ.get(API_VARIABLE, "").strip()
    if not address:
        return None
    if config is not None or data is not None:
        raise Failed(
            f"--config and --data are of a newsroom beside its Redis: leave them out, or unset {API_VARIABLE}", 2
        )
    return Api(address, _key())


def _key() -> str:
    path = os.environ.get(f"{KEY_VARIABLE}_FILE", "").strip()
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if key and path:
        raise Failed(f"set one of {KEY_VARIABLE} and {KEY_VARIABLE}_FILE", 2)
    if path:
        try:
            key = Path(path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise Failed(f"{KEY_VARIABLE}_FILE: {path} can't be read: {reason}", 2) from None
    if not key:
        raise Failed(f"set {KEY_VARIABLE} to {_SECRETS_ALIKE}, or {KEY_VARIABLE}_FILE to a file that holds one", 2)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Failed(f"{KEY_VARIABLE} does not hold {_SECRETS_ALIKE}", 2)
    return key


class Refused(Failed):
    """The newsroom has not done what was asked. `status_code`: of its answer; `problem`: what it says (RFC 9457)."""

    def __init__(self, message: str, status: int, status_code: int, problem: dict[str, Any]) -> None:
        super().__init__(message, status)
        self.status_code = status_code
        self.problem = problem


class Api:
    """The API of one newsroom, with a key."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise Failed(f"{API_VARIABLE}: {address} is no address such as https://news.example", 2)
        if parts.username or parts.password:
            raise Failed(f"{API_VARIABLE}: has no user and no password: the key goes into {KEY_VARIABLE}", 2)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            note(f"the key goes to {parts.hostname} unencrypted: use https://")
        path = parts.path.rstrip("/").removesuffix("/api/v1")
        self.address = f"{parts.scheme}://{parts.netloc}{path}"
        self._key = key
        self._opener: OpenerDirector | None = None
        self._newsroom: dict[str, Any] | None = None

    def get(self, *path: str, **parameters: Any) -> Any:
        """Return what a resource is. Raises Failed."""
        return self.ask("GET", _api_path(path, parameters))

    def tagged(self, *path: str) -> tuple[Any, str]:
        """Return what a resource is, and its ETag. Raises Failed."""
        value, headers = self.answer("GET", _api_path(path))
        return value, headers.get("ETag", "")

    def post(self, *path: str, value: Any = None) -> Any:
        """Have something done. Raises Failed."""
        return self.ask("POST", _api_path(path), value)

    def put(self, *path: str, value: Any, revision: str = "") -> Any:
        """Put this in the place of what is there; `revision`: the ETag of that, "": whichever. Raises Failed."""
        return self.ask("PUT", _api_path(path), value, {"If-Match": revision} if revision else _CURRENT)

    def delete(self, *path: str) -> Any:
        """Remove something. Raises Failed."""
        return self.ask("DELETE", _api_path(path), None, _CURRENT)

    def items(self, *path: str, limit: int | None = None, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield what a list has, at most `limit` of it, page by page. Raises Failed."""
        left, after = limit, ""
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = self.get(*path, **parameters, limit=size, after=after)
            yield from page["items"]
            if page["next"] is None:
                return
            after = page["next"]
            left = None if left is None else left - len(page["items"])

    def page(self, *path: str, limit: int, after: str, **parameters: Any) -> tuple[list[dict[str, Any]], str | None]:
        """Return `limit` entries of a list after a cursor, and the cursor of what comes next. Raises Failed."""
        rows: list[dict[str, Any]] = []
        following: str | None = after
        while following is not None and len(rows) < limit:
            page = self.get(*path, **parameters, limit=min(_PAGE, limit - len(rows)), after=following)
            rows += page["items"]
            following = page["next"]
        return rows, following

    def zone(self) -> ZoneInfo | None:
        """Return the time zone of the newsroom; None: UTC. Raises Failed."""
        from zoneinfo import ZoneInfo

        name = self.newsroom()["timezone"]
        return ZoneInfo(name) if name else None

    def newsroom(self) -> dict[str, Any]:
        """Return what the newsroom says of itself. Raises Failed."""
        if self._newsroom is None:
            self._newsroom = self.get("newsroom")
        return self._newsroom

    def ask(self, method: str, path: str, value: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request; return the JSON of its answer, None where it has none. Raises Failed."""
        return self.answer(method, path, value, headers)[0]

    def answer(
        self, method: str, path: str, value: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, Message]:
        """Send a request; return the JSON and the header fields of its answer. Raises Failed."""
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        content = None if value is None else json.dumps(value).encode()
        fields = {"Authorization": f"Bearer {self._key}", "Accept": "application/json", "User-Agent": "dateline"}
        if content is not None:
            fields["Content-Type"] = "application/json"
        url = f"{self.address}{path}"
        request = Request(url, content, {**fields, **(headers or {})}, method=method)  # noqa: S310 (http or https alone)
        try:
            with self._connection().open(request, timeout=_SECONDS) as answer:
                return self._json(answer.read()), answer.headers
        except HTTPError as error:
            with error:
                raise self._refused(error.code, error.headers, error.read()) from None
        except (URLError, HTTPException, OSError) as error:
            raise self._away(error) from None

    def _connection(self) -> OpenerDirector:
        """What sends requests. It follows no redirection: the key is for this address alone."""
        from urllib.request import HTTPRedirectHandler, build_opener

        class Unmoved(HTTPRedirectHandler):
            """Has a redirection be an answer like any other."""

            def redirect_request(self, *_: Any) -> None:
                """Go nowhere."""

        if self._opener is None:
            self._opener = build_opener(Unmoved)
        return self._opener

    def _json(self, content: bytes) -> Any:
        if not content:
            return None
        try:
            return json.loads(content)
        except ValueError:
            raise Failed(f"{self.address} does not answer as Dateline does; see {API_VARIABLE}") from None

    def _refused(self, code: int, headers: Message, content: bytes) -> Failed:
        """What an answer that is no success means, in a line for each thing that is wrong."""
        from http.client import responses

        try:
            problem = json.loads(content)
        except ValueError:
            problem = None
        if not isinstance(problem, dict) or "status" not in problem:
            moved = f", which sends to {headers['Location']}" if code in range(300, 400) else ""
            answer = f"{code} {responses.get(code, '')}{moved}"
            return Failed(f"{self.address} does not answer as Dateline does: {answer}; see {API_VARIABLE}")
        detail = printable(str(problem.get("detail") or problem.get("title") or code)).removesuffix(".")
        status = 1
        match code:
            case 401:
                detail = f"the key in {KEY_VARIABLE} is not valid: it is wrong, revoked or expired"
            case 403 if scope := problem.get("scope"):
                if scope not in detail:
                    detail = f"{detail} (scope {scope})"
            case 412 | 428:
                detail = f"{detail}: somebody was faster; look at it as it is now, and do it again"
            case 429:
                detail = f"{detail}; {_when(headers.get('Retry-After', ''))}"
            case 400 | 422:
                status = 2
                errors = [_field(error) for error in problem.get("errors") or ()]
                detail = "\n".join(map(printable, errors)) or detail
        return Refused(detail, status, code, problem)

    def _away(self, error: Exception) -> Failed:
        """Why no answer came, in one line."""
        import ssl

        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            why = f"its certificate is not valid ({reason.verify_message}); SSL_CERT_FILE names authorities of your own"
        elif isinstance(reason, ssl.SSLError):
            why = f"TLS fails ({reason.reason or reason}); does it speak https?"
        elif isinstance(reason, TimeoutError):
            why = "it takes too long"
        elif isinstance(reason, OSError) and reason.strerror:
            why = reason.strerror
        else:
            why = str(reason) or type(reason).__name__
        return Failed(f"no answer from {self.address}: {printable(why)}")


def _field(error: Mapping[str, Any]) -> str:
    """What is wrong with a field; `/events` says `problem` where the API says `message`."""
    return f"{error['field']}: {error.get('message') or error.get('problem')}".removeprefix(": ")


def _when(retry_after: str) -> str:
    """When something may be tried again, by the clock of this machine."""
    if not retry_after.isdigit():
        return "try again later"
    from datetime import UTC, datetime, timedelta

    seconds = int(retry_after)
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return f"again in {seconds} s, at {moment:%H:%M:%S} UTC"


def _api_path(path: tuple[str, ...], parameters: Mapping[str, Any] | None = None) -> str:
    """The address of a resource, each part of it escaped. A parameter that is "" or None is left out."""
    chosen = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (parameters or {}).items()
        if value not in ("", None)
    }
    query = f"?{urlencode(chosen)}" if chosen else ""
    return f"/api/v1/{'/'.join(quote(part, safe='') for part in path)}{query}"
