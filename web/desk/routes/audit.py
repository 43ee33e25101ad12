"""The audit: who has changed what, and whether it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from web.desk.parts import PREFIX, api_of, parts_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


async def audit(request: Request) -> Response:
    """GET /desk/audit: the newest first; ?verify=1 reads all of it."""
    api, query = api_of(request), request.query_params
    names = ("actor", "action", "target", "after")
    page = await api.get("audit", limit=50, **{name: query.get(name, "").strip() for name in names})
    verdict = await api.get("audit", "verdict") if query.get("verify") else None
    return parts_of(request).pages.page(request, "audit.html", page=page, verdict=verdict, query=dict(query))


ROUTES = [Route(f"{PREFIX}/audit", audit)]
