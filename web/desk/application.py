"""Puts the desk together: its pages, its files, and what it answers when something goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from feeds.errors import InvalidInput
from web.api.names import NamesWithSlashes, escaped_path
from web.desk.api_calls import ApiProblem
from web.desk.desk_news import DeskNews
from web.desk.entrance import Entrance
from web.desk.pages import DeskPages
from web.desk.parts import PREFIX, DeskParts, parts_of
from web.desk.routes import ROUTES
from web.desk.shared_answers import SharedAnswers
from web.desk.sign_in_limits import SignInLimits
from web.desk.standing import Standing
from web.desk.static_files import StaticFiles
from web.logo import readable
from worker.management.callers import Forbidden
from worker.management.changes import Conflict, NotFound, Outdated
from worker.record.availability import RecordAway
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from web.api.parts import ApiParts
    from web.client_address import ClientAddresses
    from web.record_health import RecordHealth
    from web.request_body import BodyReader
    from worker.outbound.openid_provider import OpenIdProvider

log = structlog.get_logger()

_STATUSES: dict[type[Exception], int] = {
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Outdated: 412,
    InvalidInput: 422,
}


def application(
    api: ASGIApp,
    api_parts: ApiParts,
    addresses: ClientAddresses,
    bodies: BodyReader,
    record_health: RecordHealth,
    openid: OpenIdProvider | None,
) -> ASGIApp:
    """Return the desk. `api`: the application of the API, behind its gate."""
    settings = api_parts.settings
    files = StaticFiles(PREFIX, settings.desk.accent, readable(settings.desk.logo))
    pages = DeskPages(settings, files, api_parts.publication.base_url)
    standing = Standing(api_parts)
    limits = SignInLimits(api_parts.store.mistakes)
    news, shared = DeskNews(api_parts, standing), SharedAnswers()
    parts = DeskParts(api, api_parts, pages, addresses, limits, record_health, standing, news, shared, openid)
    desk = Starlette(
        routes=[Route(f"{PREFIX}/static/{{path:path}}", files.get), *ROUTES],
        exception_handlers=PROBLEM_HANDLERS,
    )
    desk.router.redirect_slashes = False
    desk.state.parts = parts
    return Entrance(NamesWithSlashes(desk), parts, bodies)


def _handler(
    problem_of: Callable[[Any], tuple[int, str, dict[str, str]]],
) -> Callable[[Request, Any], Awaitable[Response]]:
    async def answer(request: Request, error: Any) -> Response:
        status, detail, errors = problem_of(error)
        if isinstance(error, RedisError):
            redis_errors.report(log, error, "the person may try again", path=escaped_path(request.scope))
        elif status == 500:
            log.error("request_failed", path=escaped_path(request.scope), exc_info=error)
        return parts_of(request).pages.problem(request, status, detail, errors, lacks=getattr(error, "scope", ""))

    return answer


def _api_problem(error: ApiProblem) -> tuple[int, str, dict[str, str]]:
    return error.status, error.detail, dict(error.errors)


def _of_management(error: Exception) -> tuple[int, str, dict[str, str]]:
    errors = {wrong.field: wrong.problem for wrong in error.errors} if isinstance(error, InvalidInput) else {}
    text = "This can't be taken." if errors else f"{error}"
    return _STATUSES[type(error)], text, errors


def _http(error: HTTPException) -> tuple[int, str, dict[str, str]]:
    sentence = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    return error.status_code, sentence, {}


_PROBLEMS: dict[Any, Callable[[Any], tuple[int, str, dict[str, str]]]] = {
    ApiProblem: _api_problem,
    HTTPException: _http,
    RecordAway: lambda _: (503, "The record does not answer; try again.", {}),
    RedisError: lambda _: (503, "Redis does not answer; try again.", {}),
    Exception: lambda _: (500, "This is our fault, and it is in the log.", {}),
    **dict.fromkeys(_STATUSES, _of_management),
}
PROBLEM_HANDLERS = {kind: _handler(problem) for kind, problem in _PROBLEMS.items()}
"""What is answered when something goes wrong, by the pages among the parts of the application."""
