"""What the desk asks of one article: GET /api/articles/{id}/coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from web.access import bearer
from web.problem_details import answer, problem
from worker.takedown.coverage_report import coverage_report

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from worker.runtime.wiring import Services


class Articles:
    """Answers for articles. Whoever asks must have a token: an embargoed article is nobody else's to know of."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tokens = [token.get_secret_value().encode() for token in services.settings.api_tokens]

    async def coverage(self, request: Request) -> Response:
        """Who has which version since when, who is behind and why, who has not confirmed a kill. 401, 404."""
        if not bearer(request.headers, self._tokens):
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        article_id = request.path_params["article"]
        store, publication = self._services.store, self._services.publication
        report = await run_in_threadpool(coverage_report, store, publication, article_id)
        if report is None:
            return problem(404, "No article of this id was ever published here.")
        return answer(200, report.as_json(), headers={"Cache-Control": "no-store"})
