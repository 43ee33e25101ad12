"""Finding articles: `dateline articles`. It asks the record alone, and works without Redis."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.terminal import AsJson, Config, Data, Failed, feed_names, note, out, print_json, settings_of, utc
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from config.settings import Settings
    from worker.record import Record
    from worker.record.finding import ArticleQuery, ArticleSummary


def list_articles(
    search: Annotated[
        str, typer.Option(help='Only those with these words; "a phrase" in quotes, harb* for a beginning.')
    ] = "",
    feed: Annotated[str, typer.Option(help="Only those that are in this feed.")] = "",
    since: Annotated[str, typer.Option(help="Only those published since then: a day, a time, or 7d.")] = "",
    until: Annotated[str, typer.Option(help="Only those published before; a day counts to its end.")] = "",
    killed: Annotated[bool, typer.Option("--killed", help="Only killed ones.")] = False,
    edition: Annotated[str, typer.Option(help="Only those of this language edition.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    after: Annotated[str, typer.Option(help="Go on after the page that ended with this cursor.")] = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List articles, the newest first."""
    from feeds.moments import ms
    from worker.record.finding import ArticleQuery, WrongCursor, find, is_feed, spellings

    settings = settings_of(config, data)
    now = clock.agreed()
    zone = settings.site.zone
    first = ms(given_times.moment("--since", since, zone, now)) if since else None
    end = ms(given_times.moment("--until", until, zone, now, end=True)) if until else None
    if first is not None and end is not None and first >= end:
        raise Failed(f"--since: {since} is after --until, which is {until}", 2)
    query = ArticleQuery(
        phrases=_phrases(search),
        feed=feed,
        since=first,
        until=end,
        pubstatus="canceled" if killed else "",
        editions=spellings(edition, settings.editions),
        limit=limit,
        after=after,
    )
    with the_record(settings) as record, record.read() as connection:
        if feed and not any(feed == definition.name for definition in settings.feeds) and not is_feed(connection, feed):
            raise Failed(f"--feed: there is no feed {feed}; known: {feed_names(settings)}", 2)
        try:
            page = find(connection, query)
        except WrongCursor as error:
            raise Failed(f"--after: {error}", 2) from None
    if as_json:
        print_json({"articles": [article.as_json() for article in page.articles], "after": page.after})
        return
    table = Table(
        "Article", "Published (UTC)", "State", "Headline", "Version", "Edition", details=("Version", "Edition")
    )
    for article in page.articles:
        headline = article.headline or _no_headline(article, keep_killed=settings.record.keep_killed)
        cells = (article.article_id, utc(article.published), _state(article), headline)
        table.add_row(*cells, str(article.version), article.edition)
    table.show(out, _nothing(query))
    if page.after is not None:
        note(f"there are more: --after {page.after}")


def _phrases(search: str) -> Any:
    from feeds.words import NoWords, phrases_of

    if not search:
        return ()
    try:
        return phrases_of(search)
    except NoWords as error:
        raise Failed(f"--search: {error}", 2) from None


def _nothing(query: ArticleQuery) -> str:
    if query.phrases and query.pubstatus:
        return "No article: of killed ones no words are kept by which they could be found."
    if query.after:
        return "No more articles."
    if query.phrases or query.feed or query.pubstatus or query.editions or query.since or query.until:
        return "No article is like that."
    return "There are no articles in the record yet."


def _no_headline(article: ArticleSummary, *, keep_killed: bool) -> str:
    """Why there is none. `keep_killed`: the record keeps the texts of killed articles."""
    if article.pubstatus == "canceled" and keep_killed and not article.forgotten:
        return "(killed: dateline history has its words)"
    return "(text forgotten)" if article.forgotten or article.pubstatus == "canceled" else "(none)"


def _state(article: ArticleSummary) -> str:
    return {"canceled": "killed"}.get(article.pubstatus, article.pubstatus)


@contextmanager
def the_record(settings: Settings) -> Iterator[Record]:
    """The record of a newsroom, with our schema. Raises UnfitRecord, and errors of the database."""
    from worker.runtime.record_in_use import record_of

    with closing(record_of(settings)) as record:
        record.see_that_it_fits()
        yield record


def known_article(connection: Connection, article: str) -> str:
    """Return the id of the article that a person means. Raises Failed, with ids that look like it."""
    from worker.record.finding import identify, near

    article_id = identify(connection, article)
    if article_id is None:
        if article.startswith(("http://", "https://")):
            raise Failed(f"no article has the address {article}")
        alike = near(connection, article)
        hint = f"; there is {', '.join(alike)}" if alike else ""
        raise Failed(f"no article {article} was ever published here{hint}")
    return article_id
