"""Every error of the API as application/problem+json (RFC 9457), with each bad field by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from feeds.errors import InvalidInput, brief
from web.api.names import escaped_path
from web.problem_details import json_response
from worker.management.callers import Forbidden
from worker.management.changes import Conflict, NotFound, Outdated
from worker.record.availability import RecordAway
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_AGAIN = {"Retry-After": "5"}


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Its name; within others `endpoint.url`, in a list `articles.0`; empty: the whole.")
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = Field(default=None, description="What happened, and what to do.")
    errors: list[FieldProblem] | None = Field(default=None, description="Every bad field.")
    scope: str | None = Field(default=None, description="Of a 403: the scope that the key lacks.")


class RequestProblem(Exception):
    """A request that can't be answered; a route raises it. `errors`: (field, message) pairs."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        scope: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = brief(detail)
        self.errors = [FieldProblem(field=brief(field, 200), message=brief(message)) for field, message in errors]
        self.headers = headers
        self.scope = scope

    def response(self) -> Response:
        """Return it as it is sent."""
        problem = Problem(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail or None,
            errors=self.errors or None,
            scope=self.scope or None,
        )
        return json_response(self.status, problem.model_dump(exclude_none=True), MEDIA_TYPE, self.headers)


def not_there(noun: str, name: str) -> RequestProblem:
    """Return the problem that there is no such thing."""
    return RequestProblem(404, f"There is no {noun} {name}.")


def invalid(field: str, message: str) -> RequestProblem:
    """Return the problem that one field is wrong."""
    return RequestProblem(422, _INVALID, [(field, message)])


_INVALID = "The request can't be taken."


def _request_problem(error: Any) -> RequestProblem:
    problem: RequestProblem = error
    return problem


def _http_exception(error: Any) -> RequestProblem:
    if error.status_code == 400:
        # FastAPI: json.loads has raised something else than that a text is no JSON.
        return invalid("", "can't be read as JSON: it is nested too deeply, or a number in it is too long")
    return RequestProblem(error.status_code, _sentence(error.status_code), headers=error.headers)


def _wrong_fields(error: Any) -> RequestProblem:
    wrongs = error.errors()
    if any(isinstance(wrong.get("input"), bytes) for wrong in wrongs):
        # FastAPI has not read it as JSON, as its sender did not call it so.
        return RequestProblem(415, "Send the body as JSON, with Content-Type: application/json.")
    return RequestProblem(422, _INVALID, map(_wrong_field, wrongs))


def _wrong_field(wrong: Any) -> tuple[str, str]:
    if wrong["type"] == "json_invalid":
        # What stands for the field is a place in the text.
        return "", f"is no JSON: {wrong['ctx']['error']} at character {wrong['loc'][-1] + 1}"
    return _field(wrong["loc"]), wrong["msg"].removeprefix("Value error, ")


def _invalid_input(error: Any) -> RequestProblem:
    return RequestProblem(422, _INVALID, [(wrong.field, wrong.problem) for wrong in error.errors])


def _forbidden(error: Any) -> RequestProblem:
    return RequestProblem(403, _with_stop(error), scope=error.scope)


def _outdated(error: Any) -> RequestProblem:
    return RequestProblem(412, f"{_with_stop(error)} Read it again.", headers={"ETag": f'"{error.revision}"'})


def _redis_error(error: Any) -> RequestProblem:
    if redis_errors.kind(error) == "bug":
        return _bug(error)
    return RequestProblem(503, "Redis does not answer; try again.", headers=_AGAIN)


def _bug(_: Any) -> RequestProblem:
    return RequestProblem(500, "This is our fault, and it is in the log.")


_PROBLEMS: dict[type[Exception], Callable[[Any], RequestProblem]] = {
    RequestProblem: _request_problem,
    HTTPException: _http_exception,
    RequestValidationError: _wrong_fields,
    InvalidInput: _invalid_input,
    Forbidden: _forbidden,
    NotFound: lambda error: RequestProblem(404, _with_stop(error)),
    Conflict: lambda error: RequestProblem(409, _with_stop(error)),
    Outdated: _outdated,
    RecordAway: lambda _: RequestProblem(503, "The record does not answer; try again.", headers=_AGAIN),
    RedisError: _redis_error,
    Exception: _bug,
}
"""What each kind of error is to whoever asks."""


def _sentence(status: int) -> str:
    match status:
        case 404:
            return "There is nothing at this address; /api/v1/ lists all that there is."
        case 405:
            return "This address does not take requests of this method; see Allow."
    return HTTPStatus(status).description


def _with_stop(error: Exception) -> str:
    text = str(error)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _field(place: tuple[Any, ...]) -> str:
    """The name of a field, without where in the request it stands."""
    names = place[1:] if place and place[0] in {"body", "query", "path", "header"} else place
    return ".".join(map(str, names))


def answer_with_problems(application: FastAPI) -> None:
    """Have an application answer with a problem whatever goes wrong."""
    for kind, problem_of in _PROBLEMS.items():
        application.add_exception_handler(kind, _handler(problem_of))


def _handler(problem_of: Callable[[Any], RequestProblem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if isinstance(error, RedisError):
            redis_errors.report(log, error, "the client may try again", path=escaped_path(request.scope))
        elif problem.status == 500:
            log.error("request_failed", path=escaped_path(request.scope), exc_info=error)
        return problem.response()

    return answer
