"""The partners' endpoints: how they stand, what was sent to them, and what is ordered of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from config.endpoint_settings import Kind
from web.api.access import EndpointsOperator, EndpointsReader
from web.api.paging import After, Limit, Page, by_name, cursor, page, read_cursor
from web.api.partner_view import partner_view
from web.api.parts import Parts
from web.api.problems import not_there
from web.api.revisions import tag
from worker import clock
from worker.management.scopes import ARTICLES_READ
from worker.receivers.attempt_views import attempt_rows, attempt_with_document, without_headlines
from worker.receivers.endpoint_orders import EndpointName
from worker.receivers.endpoint_states import retried_row, rows_of
from worker.record import attempts as recorded
from worker.record.attempts import NotedAttempt

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from worker.management.callers import Caller
    from worker.management.endpoint_views import EndpointView

router = APIRouter(tags=["endpoints"])

_HOUR_MS = 3_600_000
_SPANS = {
    "day": (24 * _HOUR_MS, _HOUR_MS // 2),
    "week": (7 * 24 * _HOUR_MS, 3 * _HOUR_MS),
    "month": (30 * 24 * _HOUR_MS, 12 * _HOUR_MS),
}
"""How far back, and from one point to the next, in ms."""
_COUNTED_MOST = 20_000


class EndpointHealth(BaseModel):
    """How an endpoint does. `state`: null when no worker has enrolled it yet."""

    state: Literal["settled", "claimed", "backoff", "paused"] | None
    refusing: bool = Field(description="It refuses articles, and has taken none since.")
    since: datetime | None = Field(description="Since when it is paused.")
    reason: str | None = Field(description="Why it gets nothing, or not all.")
    behind: int = Field(description="Articles that it must still be sent.")
    waiting_since: datetime | None
    failing_since: datetime | None
    delivered: int
    failed: int
    parked: int
    disputed: int
    replaying: int = Field(description="Articles that wait to be sent again.")
    last_status: int | None
    last_answer: str | None = Field(description="The status of its last answer; of a refusal how its text begins.")
    last_answered: datetime | None
    last_success: datetime | None
    next_try: datetime | None


class EndpointRow(BaseModel):
    """An endpoint, without its secrets."""

    name: str
    managed_by: Literal["file", "api"]
    partner: str | None
    feed: str
    kind: Kind = Field(description="How it is pushed to, or that its partner reads it (pull).")
    mode: Literal["article", "feed"]
    format: str
    url: str = Field(description="Empty of one that its partner reads.")
    unusable: str | None = Field(description="Why what is kept of it can't be used.")
    health: EndpointHealth


class RetriedEndpoint(EndpointRow):
    """An endpoint that is tried now. `was`: where it was among the receivers of its feed."""

    was: Literal["settled", "claimed", "backoff", "paused"] | None
    waits: bool = Field(description="Something waits for it.")
    disputes_tried: int = Field(description="Articles that it refused while it took others, which are tried too.")
    workers: bool = Field(description="Whether a worker is running that tries it.")


class Endpoint(EndpointRow):
    """An endpoint with its settings, as they would stand in the settings file; secrets as `***`."""

    settings: dict[str, Any]


class AttemptPhases(BaseModel):
    """How long the parts of a request took, in milliseconds; 0 for what a connection that was kept has saved."""

    name: float = Field(description="Until the address of its host was known.")
    connect: float
    tls: float = Field(description="Until the connection was secure; of SFTP too.")
    first_byte: float = Field(description="From then on until the first byte of the answer; 0: none came.")


class AttemptRow(BaseModel):
    """One try to bring an endpoint up to date. `milliseconds`: from the request to the end of its answer."""

    id: str
    time: datetime | None
    feed: str
    article: str | None
    headline: str | None = Field(
        description="Of the version that was sent; null: its text is not kept, or not for a key that lacks "
        "`articles:read` or is bound to a partner that was sent none of it."
    )
    edition: str | None = Field(description="The edition in whose language the headline is.")
    version: int
    action: str
    outcome: str
    status: int | None
    milliseconds: int
    phases: AttemptPhases | None = Field(
        description="Of the last request, where it took several; null: nothing was sent, or not by requests."
    )
    request_headers: list[str] = Field(
        description="Lines, with `***` in place of what may be a secret; without those that the client adds: Host, "
        "Content-Length, Accept and User-Agent."
    )
    bytes: int
    sha256: str | None = Field(description="Of the document, before any compression.")
    message_id: str | None
    error: str | None
    answer: str | None = Field(description="The beginning of its text, 2 kB at the most.")


class AttemptWithDocument(AttemptRow):
    """One try with what was sent."""

    document: str | None = Field(
        description="Before any compression. It is made anew from the revision, and shown if it has the SHA-256 of "
        "what was sent: as long as the text is kept and the endpoint is set as it was; of a feed as long as nothing "
        "that was in it has changed."
    )
    no_document: str | None = Field(description="Why it is not shown.")


@router.get("/endpoints", summary="The endpoints, and how they do")
def endpoints(
    request: Request, response: Response, parts: Parts, caller: EndpointsReader, limit: Limit = 50, after: After = ""
) -> Page[EndpointRow]:
    """List the endpoints by name."""
    views = parts.endpoints()
    names, following = by_name(views.names(caller), lambda name: name, after, limit)
    rows = rows_of([views.view(caller, name) for name in names], parts.store, parts.management)
    return page(request, response, [EndpointRow(**row) for row in rows], following)


@router.get("/endpoints/{endpoint:segment}", summary="One endpoint")
def one_endpoint(endpoint: str, response: Response, parts: Parts, caller: EndpointsReader) -> Endpoint:
    """Return an endpoint with its settings. The ETag of one that is managed by the API goes into `If-Match`."""
    return described(parts, response, parts.endpoints().view(caller, endpoint))


class OutcomePoint(BaseModel):
    """What came of the attempts from a time on, until the next point."""

    time: datetime
    delivered: int
    failed: int


class EndpointOutcomes(BaseModel):
    """What came of the attempts at an endpoint, over time."""

    since: datetime = Field(description="Since when all are counted: of very many, the newest are.")
    points: list[OutcomePoint]


@router.get("/endpoints/{endpoint:segment}/outcomes", summary="How an endpoint has done over time")
def outcomes(
    endpoint: str,
    parts: Parts,
    caller: EndpointsReader,
    span: Annotated[Literal["day", "week", "month"], Query(description="How far back.")] = "day",
) -> EndpointOutcomes:
    """Return how many attempts delivered and how many failed: by half an hour, three hours or half a day."""
    view = parts.endpoints().view(caller, endpoint)
    length, step = _SPANS[span]
    start = (clock.ms(clock.agreed()) - length) // step * step
    with parts.record.availability.read() as connection:
        rows, since = recorded.outcomes(connection, f"endpoint:{view.name}", start, step, _COUNTED_MOST)
    by_start = {row.start: row for row in rows}
    points = []
    for begin in range(since // step * step, clock.ms(clock.agreed()) + 1, step):
        row = by_start.get(begin, recorded.Outcomes(begin, 0, 0))
        points.append(OutcomePoint(time=clock.moment(begin), delivered=row.delivered, failed=row.failed))
    return EndpointOutcomes(since=clock.moment(since), points=points)


@router.get("/endpoints/{endpoint:segment}/attempts", summary="What was sent to an endpoint")
def attempts(
    endpoint: str,
    request: Request,
    response: Response,
    parts: Parts,
    caller: EndpointsReader,
    limit: Limit = 50,
    after: After = "",
) -> Page[AttemptRow]:
    """List the attempts, the newest first. An attempt is there within about a second."""
    view = parts.endpoints().view(caller, endpoint)
    receiver = f"endpoint:{view.name}"
    last = read_cursor(after, int, str, str)
    before = None
    if last:
        before = NotedAttempt(receiver, last[0], last[1], last[2], "", 0, "", "", 0, 0, 0, "", "", "")
    with parts.record.availability.read() as connection:
        tries = recorded.newest(connection, receiver, limit + 1, before=before)
        shown = tries[:limit]
        rows = _as_seen(parts, caller, view, attempt_rows(connection, shown))
    end = cursor(shown[-1].time, shown[-1].article_id, shown[-1].message_id) if len(tries) > limit else None
    return page(request, response, [AttemptRow(**row) for row in rows], end)


def _as_seen(parts: ApiParts, caller: Caller, view: EndpointView, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return attempts as a caller may see them: a partner was sent headlines, but in no notice."""
    if partner_view(parts, caller) is not None:
        return without_headlines(rows, of_notices=True)
    may_read = caller.may(ARTICLES_READ, feed=view.settings.feed, partner=view.partner)
    return rows if may_read else without_headlines(rows, of_notices=False)


@router.get("/endpoints/{endpoint:segment}/attempts/{attempt:segment}", summary="One attempt, with what was sent")
def one_attempt(endpoint: str, attempt: str, parts: Parts, caller: EndpointsReader) -> AttemptWithDocument:
    """Return an attempt with the document that was sent; without it for a key that lacks `articles:read`."""
    view = parts.endpoints().view(caller, endpoint)
    with parts.record.availability.read() as connection:
        row = attempt_with_document(connection, view, attempt, parts.publication.provider, parts.sent_feeds)
    if row is None:
        raise not_there("attempt", attempt)
    (row,) = _as_seen(parts, caller, view, [row])
    if not caller.may(ARTICLES_READ, feed=view.settings.feed, partner=view.partner):
        row |= {"document": None, "no_document": f"{caller.name} lacks the scope {ARTICLES_READ}"}
    return AttemptWithDocument(**row)


@router.post("/endpoints/{endpoint:segment}/pause", summary="Pause an endpoint")
def pause(endpoint: str, parts: Parts, caller: EndpointsOperator) -> EndpointRow:
    """Pause an endpoint: it gets nothing until it is resumed, and then all that it missed. 409: it is paused."""
    view = parts.endpoints().view(caller, endpoint)
    parts.endpoint_orders.pause(caller, name_of(view))
    return _now(parts, view)


@router.post("/endpoints/{endpoint:segment}/resume", summary="Resume an endpoint")
def resume(endpoint: str, parts: Parts, caller: EndpointsOperator) -> EndpointRow:
    """Resume an endpoint that was paused, or suspended after days of failures: it catches up."""
    view = parts.endpoints().view(caller, endpoint)
    parts.endpoint_orders.resume(caller, name_of(view))
    return _now(parts, view)


@router.post("/endpoints/{endpoint:segment}/retry", summary="Try an endpoint now")
def retry(endpoint: str, parts: Parts, caller: EndpointsOperator) -> RetriedEndpoint:
    """Try an endpoint now, whatever it waits for. One that is paused is resumed."""
    view = parts.endpoints().view(caller, endpoint)
    retried = parts.endpoint_orders.retry(caller, name_of(view))
    workers = bool(parts.store.workers.alive(clock.ms(clock.agreed())))
    row = {**dict(_now(parts, view)), **retried_row(retried), "workers": workers}
    return RetriedEndpoint(**row)


def name_of(view: EndpointView) -> EndpointName:
    """Return by what orders name an endpoint."""
    return EndpointName(view.name, view.settings.feed, view.partner)


def described(parts: ApiParts, response: Response, view: EndpointView) -> Endpoint:
    """Return an endpoint with its settings and how it does, and say which revision that is."""
    if view.revision is not None:
        tag(response, view.revision)
    return Endpoint(**dict(_now(parts, view)), settings=view.shown)


def _now(parts: ApiParts, view: EndpointView) -> EndpointRow:
    (row,) = rows_of([view], parts.store, parts.management)
    return EndpointRow(**row)
