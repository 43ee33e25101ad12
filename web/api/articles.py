"""Articles: found, one with its state in every feed, its revisions, who has it, how it would be sent."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from feeds.formats import ARTICLE_FORMATS
from feeds.standings import Standing
from feeds.words import NoWords, phrases_of
from web.api.access import ArticlesReader
from web.api.coverage import Coverage
from web.api.moments import milliseconds, moment
from web.api.paging import After, Limit, Page, cursor, page, read_cursor
from web.api.partner_view import partner_view, showing, shown_article, still_shown
from web.api.parts import Parts
from web.api.problems import RequestProblem, invalid, not_there
from web.api.visibility import sees_any, unbound
from worker import clock
from worker.management.callers import Forbidden
from worker.management.changes import NotFound
from worker.management.scopes import ARTICLES_READ
from worker.receivers.previews import EndpointTerms
from worker.record import articles as recorded
from worker.record.availability import RecordAway
from worker.record.finding import ArticleQuery, ArticleSummary, WrongCursor, find, identify, is_feed, spellings
from worker.record.revision_changes import revision_json, with_changes
from worker.takedown.coverage_report import coverage_report, with_removed_endpoints

if TYPE_CHECKING:
    from web.api.partner_view import PartnerView
    from web.api.parts import ApiParts
    from worker.management.callers import Caller
    from worker.receivers.previews import Preview
    from worker.record.articles import ArticleWithFeeds
    from worker.store.articles import StoredArticle
    from worker.takedown.coverage_report import CoverageReport

router = APIRouter(tags=["articles"])

PubStatus = Literal["usable", "withheld", "canceled"]


class ArticleRow(BaseModel):
    """An article in a list. `forgotten`: its text is not kept."""

    id: str
    version: int
    pubstatus: PubStatus
    standing: Standing = Field(
        description="What it is to readers now: usable (to be seen), embargoed, expired, withheld or canceled (killed)."
    )
    embargoed: datetime | None = Field(description="Readers see it from then on.")
    expires: datetime | None = Field(description="Readers see it until then.")
    edition: str
    headline: str
    url: str | None
    published: datetime
    accepted: datetime
    forgotten: bool


class ArticleInFeed(BaseModel):
    """What an article is in a feed, since its latest decision. `sequence`: the number of its latest change there."""

    feed: str
    state: Literal["in", "out", "killed", "early"]
    version: int
    decided: datetime | None
    sequence: int


class ArticleState(ArticleRow):
    """An article as it is now, and what it is in every feed that it ever was in."""

    feeds: list[ArticleInFeed]
    document: dict[str, Any] | None = Field(description="All of it, as it is kept; null: its text was forgotten.")


class FieldDifference(BaseModel):
    """What went from a field and what came, in the order in which it stands."""

    field: str
    removed: list[str]
    added: list[str]
    order: str = Field(description="In which order they stand: `-` for what went, `+` for what came, as in `-+-`.")


class RevisionRow(BaseModel):
    """A revision, and what it changed (null: its words, or those of the one before, are forgotten)."""

    version: int
    accepted: datetime | None
    event: str | None
    sender: str | None
    pubstatus: PubStatus
    sha256: str
    forgotten: bool
    changes: list[FieldDifference] | None


class ArticlePreview(BaseModel):
    """A document as it would be sent: `document` in UTF-8 is what leaves, byte for byte, before any compression."""

    media_type: str
    document: str
    notes: list[str] = Field(description="What keeps it from being sent now.")
    refused: list[str] = Field(description="Why the quality gate keeps it back; empty: it does not.")


@router.get("/articles", summary="Find articles")
def search(
    request: Request,
    response: Response,
    parts: Parts,
    caller: ArticlesReader,
    search: Annotated[
        str, Query(max_length=500, description='These words; "a phrase" in quotes, `harb*` for a beginning.')
    ] = "",
    feed: Annotated[str, Query(max_length=200, description="Those that are in this feed.")] = "",
    since: Annotated[datetime | None, Query(description="Those published since then.")] = None,
    until: Annotated[datetime | None, Query(description="Those published before then.")] = None,
    killed: Annotated[bool, Query(description="Killed ones.")] = False,
    pubstatus: Annotated[PubStatus | None, Query(description="Those that are so now.")] = None,
    edition: Annotated[str, Query(max_length=40, description="Those of this language edition.")] = "",
    section: Annotated[str, Query(max_length=500, description="Those in this section, however it is written.")] = "",
    author: Annotated[str, Query(max_length=200, description="Those by this author: the whole name.")] = "",
    limit: Limit = 50,
    after: After = "",
) -> Page[ArticleRow]:
    """List articles, the newest first. A key that is bound names one of its feeds.

    One that is bound to a partner finds what the partner's feeds show; words it may search that may have all of them.
    """
    view = partner_view(parts, caller)
    if view is not None:
        _see_that_it_may_search(
            view, caller, feed, search or section or author, usable=not killed and pubstatus in (None, "usable")
        )
    elif not unbound(caller):
        caller.require(ARTICLES_READ, feed=feed or None, partner=None)
    query = ArticleQuery(
        phrases=_phrases(search),
        feed=feed,
        since=milliseconds("since", since),
        until=milliseconds("until", until),
        pubstatus=pubstatus or ("canceled" if killed else ""),
        editions=spellings(edition, parts.settings.editions),
        section=section,
        author=author,
        limit=limit,
        after=after,
        shown_since=None if view is None else view.latest,
    )
    try:
        with parts.record.availability.read() as connection:
            if feed and parts.publication.feed(feed) is None and not is_feed(connection, feed):
                raise invalid("feed", f"there is no feed {feed}")
            results = find(connection, query)
    except WrongCursor as error:
        raise invalid("after", str(error)) from None
    articles, now = results.articles, clock.agreed()
    if view is not None:
        shown = still_shown(parts, [article.article_id for article in articles])
        articles = [article for article in articles if article.article_id in shown]
    return page(request, response, [ArticleRow(**article.as_json(now)) for article in articles], results.after)


@router.get("/articles/{article:name}/revisions", summary="All revisions of an article, and what each changed")
def revisions(
    article: str,
    request: Request,
    response: Response,
    parts: Parts,
    caller: ArticlesReader,
    limit: Limit = 50,
    after: After = "",
    newest: Annotated[bool, Query(description="The last one first.")] = False,
) -> Page[RevisionRow]:
    """List the revisions, the first one first, or the last one."""
    there = _recorded(parts, caller, article)
    last = read_cursor(after, int)
    start = last[0] if last else 0
    if start < 0:
        raise invalid("after", "is no cursor: give what the page before has as `next`")
    with parts.record.availability.read() as connection:
        history = recorded.history(connection, there.article.article_id)
    # A place in the list is counted from its beginning, whichever end that is.
    end = len(history) - start if newest else start + limit
    begin = max(0, end - limit) if newest else start
    before = max(0, begin - 1)
    changed = list(with_changes(history[before : max(0, end)]))[begin - before :]
    rows = [RevisionRow(**revision_json(*pair)) for pair in changed]
    if newest:
        rows.reverse()
    return page(request, response, rows, cursor(start + limit) if len(history) > start + limit else None)


@router.get("/articles/{article:name}/revisions/{version}", summary="One revision of an article")
def revision(article: str, version: int, parts: Parts, caller: ArticlesReader) -> dict[str, Any]:
    """Return the document of a version, as it is kept. 410: its words were forgotten."""
    there = _recorded(parts, caller, article)
    with parts.record.availability.read() as connection:
        history = recorded.history(connection, there.article.article_id)
    same = [row for row in history if row.version == version]
    if not same:
        raise not_there("version", f"{version} of {article}")
    newest = max(same, key=lambda row: row.accepted)
    if newest.document is None:
        raise RequestProblem(410, f"The words of this version are forgotten; their SHA-256 is {newest.sha256}.")
    document: dict[str, Any] = json.loads(newest.document)
    return document


@router.get("/articles/{article:name}/coverage", summary="Who has an article, and who has not", response_model=Coverage)
def coverage(
    article: str,
    parts: Parts,
    caller: ArticlesReader,
    most: Annotated[
        int | None, Query(ge=1, le=10_000, description="So many receivers, those that have not confirmed first.")
    ] = None,
) -> dict[str, Any]:
    """Return who has which version since when, who is behind and why, who has not confirmed a kill."""
    if (view := partner_view(parts, caller)) is not None:
        return _coverage_of_partner(parts, view, article).as_json(most)
    stored = _stored(parts, caller, parts.orders.id_of(article))
    report = coverage_report(parts.store, parts.articles, parts.publication, stored.article.id)
    if report is None:
        raise not_there("article", article)
    # While the record is away, the report has those that are still there.
    with suppress(RecordAway):
        report = with_removed_endpoints(report, parts.recorded)
    if not unbound(caller):
        report = replace(report, rows=[row for row in report.rows if caller.sees(feed=row.feed, partner=None)])
    return report.as_json(most)


_FORMATS = f"One of {', '.join(ARTICLE_FORMATS.ours)}, or of the newsroom's own."


@router.get("/articles/{article:name}/preview", summary="The very bytes that would be sent")
def preview(
    article: str,
    parts: Parts,
    caller: ArticlesReader,
    format_name: Annotated[str, Query(alias="format", description=_FORMATS)] = "",
    endpoint: Annotated[str, Query(max_length=200, description="As this endpoint is sent it: format and rights.")] = "",
) -> ArticlePreview:
    """Return the article in a format, or as an endpoint would be sent it now, and what the quality gate says."""
    if bool(format_name) == bool(endpoint):
        raise invalid("format", "name either a format or an endpoint")
    if format_name and format_name not in ARTICLE_FORMATS:
        raise invalid("format", f"there is no format {format_name}; known: {', '.join(ARTICLE_FORMATS)}")
    if (view := partner_view(parts, caller)) is not None:
        return _preview_of_partner(parts, caller, view, article, format_name, endpoint)
    stored = _stored(parts, caller, article)
    if endpoint:
        terms = _terms(parts, caller, endpoint)
        result = parts.previews.for_endpoint(stored, terms)
        format_name = terms.format
    else:
        result = parts.previews.in_format(stored, format_name)
    return _previewed(result, format_name)


@router.get("/articles/{article:name}", summary="One article, with its state in every feed")
def article_state(article: str, parts: Parts, caller: ArticlesReader) -> ArticleState:
    """Return an article by its id, that of an update of it, or the address of its page."""
    if (view := partner_view(parts, caller)) is not None:
        return _state_for_partner(parts, view, article)
    there = _recorded(parts, caller, article)
    row = there.article
    feeds = [
        ArticleInFeed(
            feed=place.feed,
            state=place.state,
            version=place.version,
            decided=moment(place.decided),
            sequence=place.sequence,
        )
        for place in there.memberships
        if unbound(caller) or caller.sees(feed=place.feed, partner=None)
    ]
    summary = ArticleSummary.of(
        *(row.article_id, row.version, row.pubstatus, row.edition, row.headline, row.url, row.published, row.accepted),
        row.document,
    )
    document = None if row.document is None else json.loads(row.document)
    return ArticleState(**summary.as_json(clock.agreed()), feeds=feeds, document=document)


def _see_that_it_may_search(view: PartnerView, caller: Caller, feed: str, search: str, *, usable: bool) -> None:
    """Raise Forbidden, or RequestProblem for what a key that is bound to a partner can't ask."""
    if not feed or not view.reach.has(feed):
        raise Forbidden(f"{caller.name} is for the feeds of its partner only: name one of them in feed", ARTICLES_READ)
    if search and not view.may_search_words:
        raise Forbidden(f"{caller.name} may not search words: its partner may not have all of them", ARTICLES_READ)
    if not usable:
        raise invalid("pubstatus", "is usable for a key that is bound to a partner: its stream has kills")


def _state_for_partner(parts: ApiParts, view: PartnerView, name: str) -> ArticleState:
    stored, feeds = shown_article(parts, view, name)
    article = view.granted(stored.article)
    summary = ArticleSummary.of(
        article.id,
        article.version,
        article.pubstatus,
        article.edition,
        article.headline,
        article.url,
        clock.ms(article.published),
        stored.accepted,
        article.model_dump_json(),
    )
    places = []
    for feed in feeds:
        change = parts.store.changes.latest_of(feed, [article.id])[article.id]
        places.append(
            ArticleInFeed(
                feed=feed, state="in", version=change.version, decided=moment(change.asof), sequence=change.seq
            )
        )
    document = article.model_dump(mode="json")
    return ArticleState(**summary.as_json(clock.agreed()), feeds=places, document=document)


def _coverage_of_partner(parts: ApiParts, view: PartnerView, name: str) -> CoverageReport:
    report = coverage_report(parts.store, parts.articles, parts.publication, name)
    if report is None:
        raise not_there("article", name)
    own = view.own(with_removed_endpoints(report, parts.recorded))
    stored = parts.articles.get(report.article.id)
    # Who has had it may know how that stands; of all else, what is shown.
    if not any(row.status for row in own.rows) and (stored is None or not showing(parts, view, stored)):
        raise not_there("article", name)
    return own


def _preview_of_partner(
    parts: ApiParts, caller: Caller, view: PartnerView, article: str, format_name: str, endpoint: str
) -> ArticlePreview:
    stored, feeds = shown_article(parts, view, article)
    terms = EndpointTerms("", feeds[0], format_name, view.terms.rights, early=False)
    if endpoint:
        terms = _terms(parts, caller, endpoint)._replace(early=False)
        if terms.feed not in feeds:
            raise not_there("article", article)
    return _previewed(parts.previews.for_endpoint(stored, terms), terms.format)


def _previewed(preview: Preview, format_name: str) -> ArticlePreview:
    return ArticlePreview(
        media_type=ARTICLE_FORMATS[format_name].media_type,
        document=preview.content.decode("utf-8"),
        notes=list(preview.notes),
        refused=list(preview.refusals),
    )


def _recorded(parts: ApiParts, caller: Caller, article: str) -> ArticleWithFeeds:
    """The article that a caller means, as the record has it, if it may see it. Raises RequestProblem, RecordAway."""
    with parts.record.availability.read() as connection:
        article_id = identify(connection, article)
        there = None if article_id is None else recorded.read_article(connection, article_id)
    if there is None or not sees_any(caller, (place.feed for place in there.memberships)):
        raise not_there("article", article)
    return there


def _stored(parts: ApiParts, caller: Caller, article: str) -> StoredArticle:
    """The same as Redis has it. Raises RequestProblem, RecordAway, redis.RedisError."""
    stored = parts.articles.get(parts.store.lineage.original(article))
    if stored is None or not sees_any(caller, stored.feeds):
        raise not_there("article", article)
    return stored


def _terms(parts: ApiParts, caller: Caller, name: str) -> EndpointTerms:
    try:
        endpoint = parts.endpoints().view(caller, name).settings
    except NotFound:
        raise invalid("endpoint", f"there is no endpoint {name}") from None
    if endpoint.mode != "article":
        raise invalid("endpoint", f"{name} is sent feeds, not articles; its feed is {endpoint.feed}")
    if endpoint.format not in ARTICLE_FORMATS:
        raise invalid("endpoint", f"{name} is sent the format {endpoint.format}, which is not known here (any more)")
    rights = endpoint.rights
    return EndpointTerms(name, endpoint.feed, endpoint.format, rights.rights(), early=rights.early)


def _phrases(search: str) -> Any:
    try:
        return phrases_of(search) if search else ()
    except NoWords as error:
        raise invalid("search", str(error)) from None
