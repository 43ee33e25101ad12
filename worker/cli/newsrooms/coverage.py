"""Who has an article."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed, note

if TYPE_CHECKING:
    from pathlib import Path


def coverage(config: Path | None, data: Path | None, article: str) -> dict[str, Any]:
    """Return who has which version of an article, as `GET /api/v1/articles/{article}/coverage` does. Raises Failed."""
    if api := api_of(config, data):
        try:
            answer: dict[str, Any] = api.get("articles", article, "coverage")
        except Refused as error:
            raise _none(article) if error.status_code == 404 else error from None
        return answer
    from feeds.errors import InvalidInput
    from worker.cli.running_newsroom import newsroom
    from worker.intake.article_names import named_id
    from worker.management.changes import NotFound
    from worker.record.availability import RecordAway
    from worker.record.finding import near
    from worker.takedown.coverage_report import coverage_report, with_removed_endpoints

    services = newsroom(config, data)
    try:
        article_id = named_id(services.store, services.recorded, article)
    except NotFound as error:
        raise Failed(str(error)) from None
    except InvalidInput as error:
        raise Failed(f"{article}: is no address: {error.errors[0].problem}", 2) from None
    report = coverage_report(services.store, services.articles, services.publication, article_id)
    if report is None:
        raise _none(article, services.recorded.ask(lambda connection: near(connection, article_id)))
    try:
        report = with_removed_endpoints(report, services.recorded)
    except RecordAway as error:
        note(f"endpoints that were removed are not shown: {error}")
    return report.as_json()


def _none(article: str, alike: list[str] | None = None) -> Failed:
    hint = f"; there is {', '.join(alike)}" if alike else ""
    return Failed(f"no article {article} was ever published here{hint}")
