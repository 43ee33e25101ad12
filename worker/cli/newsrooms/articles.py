"""Articles as the record has them: found, and their revisions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.errors import listed
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.newsrooms.records import known_article, the_record
from worker.cli.terminal import Failed, feed_names, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.record.articles import Revision

Row = dict[str, Any]


class Criteria(NamedTuple):
    """Which articles are looked for. `after`: the cursor with which the page before ended."""

    search: str = ""
    feed: str = ""
    since: datetime | None = None
    until: datetime | None = None
    killed: bool = False
    edition: str = ""
    section: str = ""
    author: str = ""
    limit: int = 50
    after: str = ""


class ArticlePage(NamedTuple):
    """Articles, the cursor of the next page, and whether the newsroom keeps the texts of killed ones."""

    rows: list[Row]
    after: str | None
    keeps_killed: bool


def find(config: Path | None, data: Path | None, criteria: Criteria) -> ArticlePage:
    """Return a page of articles, the newest first. Raises Failed."""
    if api := api_of(config, data):
        return _find_over_api(api, criteria)

    from feeds.moments import ms
    from worker import clock
    from worker.record import finding

    settings = settings_of(config, data)
    query = finding.ArticleQuery(
        phrases=_phrases(criteria.search),
        feed=criteria.feed,
        since=ms(criteria.since) if criteria.since else None,
        until=ms(criteria.until) if criteria.until else None,
        pubstatus="canceled" if criteria.killed else "",
        editions=finding.spellings(criteria.edition, settings.editions),
        section=criteria.section,
        author=criteria.author,
        limit=criteria.limit,
        after=criteria.after,
    )
    with the_record(settings) as record, record.read() as connection:
        feed = criteria.feed
        is_configured = any(feed == definition.name for definition in settings.feeds)
        if feed and not is_configured and not finding.is_feed(connection, feed):
            raise Failed(f"--feed: there is no feed {feed}; known: {feed_names(settings)}", 2)
        try:
            page = finding.find(connection, query)
        except finding.WrongCursor as error:
            raise Failed(f"--after: {error}", 2) from None
    now = clock.agreed()
    rows = [article.as_json(now) for article in page.articles]
    return ArticlePage(rows, page.after, settings.record.keep_killed)


def _find_over_api(api: Api, criteria: Criteria) -> ArticlePage:
    parameters = {
        "search": criteria.search,
        "feed": criteria.feed,
        "since": criteria.since.isoformat() if criteria.since else "",
        "until": criteria.until.isoformat() if criteria.until else "",
        "killed": criteria.killed or "",
        "edition": criteria.edition,
        "section": criteria.section,
        "author": criteria.author,
    }
    rows, after = api.page("articles", limit=criteria.limit, after=criteria.after, **parameters)
    killed = any(row["pubstatus"] == "canceled" and not row["headline"] for row in rows)
    return ArticlePage(rows, after, killed and api.newsroom()["keeps_killed"])


def revisions(config: Path | None, data: Path | None, article: str) -> tuple[str, list[Row]]:
    """Return the id of an article and its revisions, the first one first. Raises Failed."""
    if api := api_of(config, data):
        article_id = api.get("articles", article)["id"]
        return article_id, list(api.items("articles", article_id, "revisions"))
    from worker.record.revision_changes import revision_json, with_changes

    article_id, history = _history(config, data, article)
    return article_id, [revision_json(*pair) for pair in with_changes(history)]


def revision(config: Path | None, data: Path | None, article: str, version: int) -> tuple[str, Row, Row]:
    """Return the id of an article, the row of its revision of this version, and that's document. Raises Failed."""
    article_id, rows = revisions(config, data, article)
    same = [row for row in rows if row["version"] == version]
    if not same:
        versions = list(dict.fromkeys(str(row["version"]) for row in rows))
        raise Failed(f"--version: {article_id} has no version {version}; there is {listed(versions)}")
    row = max(same, key=lambda row: str(row["accepted"]))
    gone = Failed(f"the words of version {version} of {article_id} are forgotten; their sha256 is {row['sha256']}")
    if row["forgotten"]:
        raise gone
    if api := api_of(config, data):
        try:
            return article_id, row, api.get("articles", article_id, "revisions", str(version))
        except Refused as error:
            raise gone if error.status_code == 410 else error from None
    _, history = _history(config, data, article_id)
    newest = max((item for item in history if item.version == version), key=lambda item: item.accepted)
    if newest.document is None:
        raise gone
    return article_id, row, json.loads(newest.document)


def _history(config: Path | None, data: Path | None, article: str) -> tuple[str, Sequence[Revision]]:
    from worker.record import articles

    with the_record(settings_of(config, data)) as record, record.read() as connection:
        article_id = known_article(connection, article)
        return article_id, articles.history(connection, article_id)


def _phrases(search: str) -> Any:
    if not search:
        return ()

    from feeds.words import NoWords, phrases_of

    try:
        return phrases_of(search)
    except NoWords as error:
        raise Failed(f"--search: {error}", 2) from None
