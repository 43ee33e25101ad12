"""What the desk asks of one article: GET /api/articles/{id}/coverage."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from web.access import caller_of
from web.problem_details import json_response, problem
from worker.management.scopes import ARTICLES_READ
from worker.record.availability import RecordAway
from worker.takedown.coverage_report import CoverageReport, coverage_report, with_removed_endpoints

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from web.client_address import ClientAddresses
    from worker.management.keys import KeyRing
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.publication import Publication
    from worker.retention.recorded import RecordedArticles
    from worker.store import Store


class CoverageEndpoint:
    """Answers with the coverage of an article. A client must have a token: others must not know of an embargo."""

    def __init__(
        self,
        store: Store,
        articles: ArticleReader,
        recorded: RecordedArticles,
        publication: Publication,
        ring: KeyRing,
        addresses: ClientAddresses,
    ) -> None:
        self._store = store
        self._recorded = recorded
        self._articles = articles
        self._publication = publication
        self._ring = ring
        self._addresses = addresses

    async def get(self, request: Request) -> Response:
        """Who has which version since when, who is behind and why, who has not confirmed a kill. 401, 404."""
        caller = caller_of(request.headers, self._ring, self._addresses.of(request))
        if caller is None:
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        # It is of all feeds: a key that is bound asks the API, which shows it its own.
        if not caller.may(ARTICLES_READ):
            return problem(403, f"{caller.name} may not see this: it lacks {ARTICLES_READ}, or is bound.")
        article_id = request.path_params["article"]
        report = await run_in_threadpool(self._report, article_id)
        if report is None:
            return problem(404, "No article of this id was ever published here.")
        return json_response(200, report.as_json(), headers={"Cache-Control": "no-store"})

    def _report(self, article_id: str) -> CoverageReport | None:
        report = coverage_report(self._store, self._articles, self._publication, article_id)
        if report is not None:
            # While the record is away, the report has those that are still there.
            with suppress(RecordAway):
                report = with_removed_endpoints(report, self._recorded)
        return report
