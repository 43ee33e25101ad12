"""Replays: articles that are sent to an endpoint again. Ordered, watched, stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from urllib.parse import quote

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from web.api.access import EndpointsOperator, EndpointsReader
from web.api.endpoints import name_of
from web.api.moments import milliseconds
from web.api.parts import Parts
from web.api.problems import RequestProblem
from worker import clock
from worker.receivers.endpoint_orders import ReplayChoice

router = APIRouter(tags=["endpoints"])

_PATIENCE_SECONDS = 5.0
"""How long a request waits for an endpoint that is just being served."""


class ReplayOrder(BaseModel):
    """What is sent again: name one of `since`, `article` and `parked`."""

    model_config = ConfigDict(extra="forbid")

    since: datetime | None = Field(default=None, description="All articles that have changed since then.")
    article: str | None = Field(default=None, min_length=1, description="This one article.")
    parked: bool = Field(default=False, description="Those that the endpoint had refused.")
    section: str = Field(default="", description="Of those only the ones in this section.")
    dry_run: bool = Field(default=False, description="Only say how many would go.")
    same_ids: bool = Field(default=False, description="With the message ids of the first time.")
    rate: float = Field(default=50, ge=0.1, le=10_000, description="Articles a second at the most.")

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.since is not None) + (self.article is not None) + self.parked != 1:
            raise ValueError("name one of since, article and parked")
        return self


class OrderedReplay(BaseModel):
    """A replay that was ordered, or what one would send. `waits`: the endpoint is being served; it goes after that."""

    articles: int
    dry_run: bool
    waits: bool


class ReplayState(BaseModel):
    """How far the last replay of an endpoint is."""

    id: str
    state: Literal["going on", "done"]
    total: int = Field(description="How many articles it had; 0: not known.")
    left: int
    rate: float
    same_ids: bool


class StoppedReplay(BaseModel):
    """A replay that was stopped: how many articles are not sent."""

    articles: int


@router.post("/endpoints/{endpoint:segment}/replays", status_code=202, summary="Send articles again")
def order(
    endpoint: str, response: Response, parts: Parts, caller: EndpointsOperator, terms: ReplayOrder
) -> OrderedReplay:
    """Send articles to an endpoint again, as they are now, marked by the header Dateline-Replay."""
    view = parts.endpoints().view(caller, endpoint)
    if view.settings.mode != "article":
        raise RequestProblem(409, f"{endpoint} gets feeds; only endpoints in mode article can be replayed to.")
    since = milliseconds("since", terms.since)
    choice = ReplayChoice(
        since=None if since is None else clock.moment(since),
        article_id=terms.article,
        parked=terms.parked,
        section=terms.section,
    )
    name = name_of(view)
    articles = parts.endpoint_orders.to_replay(caller, name, choice)
    waits = False
    if articles and not terms.dry_run:
        waits = not parts.endpoint_orders.replay(
            caller,
            name,
            articles,
            same_ids=terms.same_ids,
            rate=terms.rate,
            patience_seconds=_PATIENCE_SECONDS,
        )
        response.headers["Location"] = f"/api/v1/endpoints/{quote(endpoint, safe='')}/replays"
    return OrderedReplay(articles=len(articles), dry_run=terms.dry_run, waits=waits)


@router.get("/endpoints/{endpoint:segment}/replays", summary="How far a replay is")
def progress(endpoint: str, parts: Parts, caller: EndpointsReader) -> ReplayState:
    """Return how far the last replay of an endpoint is. 404: there was none."""
    view = parts.endpoints().view(caller, endpoint)
    last = parts.endpoint_orders.replay_progress(name_of(view))
    if last is None:
        raise RequestProblem(404, f"Nothing was ever sent to {endpoint} again.")
    return ReplayState(**last.as_json())


@router.delete("/endpoints/{endpoint:segment}/replays", summary="Stop a replay")
def stop(endpoint: str, parts: Parts, caller: EndpointsOperator) -> StoppedReplay:
    """Stop a replay: what was not sent yet is not sent. An article that is in flight still goes."""
    view = parts.endpoints().view(caller, endpoint)
    return StoppedReplay(articles=parts.endpoint_orders.stop_replay(caller, name_of(view)))
