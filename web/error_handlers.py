"""What each kind of error of the application behind the fast path becomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from web.document_cache import Withheld
from web.problem_details import problem
from web.request_body import BodyRefused
from worker.documents.quality_gate import FeedRefused
from worker.record.availability import RecordAway
from worker.store.redis_errors import kind, of_rebuild, report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

log = structlog.get_logger()

_OUR_FAULT = "This is our fault, and it is in the log."


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, headers=error.headers)


async def _body_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, BodyRefused)
    return problem(error.status, error.detail, headers=error.headers)


async def _feed_refused(_: Request, error: Exception) -> Response:
    return problem(503, f"The quality gate holds the feed back: {error}", headers={"Retry-After": "300"})


async def _withheld(_: Request, error: Exception) -> Response:
    del error
    detail = "Redis has lost time and may not know of an article that was killed; until it does, nothing is shown."
    return problem(503, detail, headers={"Retry-After": "30"})


async def _redis_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RedisError)
    report(log, error, "the client may try again", path=request.url.path)
    if kind(error) == "bug":
        # Redis did answer: another try changes nothing.
        return problem(500, _OUR_FAULT)
    if of_rebuild(error):
        detail = "What the feed shows is being read from the record, because Redis has lost it; try again."
        return problem(503, detail, headers={"Retry-After": "5"})
    return problem(503, "Redis does not answer; try again.", headers={"Retry-After": "5"})


async def _record_away(_: Request, __: Exception) -> Response:
    return problem(503, "The record of older articles does not answer; try again.", headers={"Retry-After": "5"})


async def _bug(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, _OUR_FAULT)


ERROR_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _http_exception,
    BodyRefused: _body_refused,
    FeedRefused: _feed_refused,
    Withheld: _withheld,
    RedisError: _redis_error,
    RecordAway: _record_away,
    Exception: _bug,
}
"""As Starlette takes them: by the class of the error, the nearest one first."""
