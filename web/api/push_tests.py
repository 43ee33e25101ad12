"""Testing an endpoint: a test article goes to it, and what it answers comes back."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from web.api.access import EndpointsOperator
from web.api.endpoints import AttemptPhases
from web.api.parts import Parts

router = APIRouter(tags=["endpoints"])


class EndpointAnswer(BaseModel):
    """What an endpoint answered. `status`: null when no answer came, `error` says why; `body`: its beginning."""

    accepted: bool
    status: int | None
    seconds: float
    error: str | None
    body: str
    phases: AttemptPhases | None
    request_headers: list[str] = Field(description="As of an attempt.")


class EndpointTest(BaseModel):
    """A test: the id of its article, what was sent, the answer, and that to its kill (null: it was not taken)."""

    article: str
    document: str
    answer: EndpointAnswer
    kill: EndpointAnswer | None = Field(description="Whoever has taken the test is sent its kill at once.")


@router.post("/endpoints/{endpoint:segment}/test", summary="Test an endpoint")
def test(endpoint: str, parts: Parts, caller: EndpointsOperator) -> EndpointTest:
    """Send a test article in the endpoint's format, authenticated and signed as all are, and return what it answers.

    It is marked as a test by its words and by the header `Dateline-Test`; an endpoint in mode "feed" is sent a feed of
    it alone. 409: the partner reads the endpoint for itself.
    """
    view = parts.endpoints().view(caller, endpoint)
    return EndpointTest(**parts.push_tests.push(caller, view.name, view.partner).as_json())
