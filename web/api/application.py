"""The FastAPI application: all routes, and the OpenAPI document that says what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from web.api import (
    account,
    alarms,
    article_orders,
    articles,
    audit,
    endpoints,
    event_intake,
    events,
    feed_orders,
    feed_readers,
    feeds,
    formats,
    keys,
    kills,
    lists,
    live,
    managed_endpoints,
    newsroom,
    partner_links,
    partners,
    pull,
    push_tests,
    rates,
    reference,
    replays,
    report,
    sections,
    users,
)
from web.api.names import NamesWithSlashes
from web.api.operation_ids import operation_id
from web.api.problems import MEDIA_TYPE, FieldProblem, Problem, answer_with_problems
from worker.management.scopes import SCOPES

if TYPE_CHECKING:
    from web.api.parts import ApiParts

PREFIX = "/api/v1"
OPENAPI_PATH = f"{PREFIX}/openapi.json"
OPEN_PATHS = frozenset({PREFIX, f"{PREFIX}/", OPENAPI_PATH, *reference.PATHS})
"""What needs no key."""
# In which order they are asked: what names more of an address comes first.
_ROUTERS = (
    *(
        events.router,
        articles.router,
        article_orders.router,
        sections.router,
        kills.router,
        lists.router,
        feed_orders.router,
        feed_readers.router,
        feeds.router,
    ),
    *(
        endpoints.router,
        managed_endpoints.router,
        push_tests.router,
        replays.router,
        pull.router,
        report.router,
        formats.router,
        partner_links.router,
        partners.router,
        keys.router,
        users.router,
        account.router,
        newsroom.router,
        audit.router,
        alarms.router,
        live.router,
        rates.router,
    ),
)
_DESCRIPTION = """
Send a key with every request: `Authorization: Bearer dl_...`. Each route names the scope that it needs; `GET /me` says
what a key may do.

**Errors** are `application/problem+json` (RFC 9457); `errors` names every bad field.

**Lists** have pages: `limit` is at most 100, and `next` of one page goes into `after` for the next; it is in the `Link`
header too.

**Changes** of what others may change as well need `If-Match` with the `ETag` of what was read: 428 without it, 412 when
somebody was faster.

**Repetitions**: a `POST` with an `Idempotency-Key` is carried out once in 24 hours, however often it is sent.

**Limits**: `RateLimit` says how many requests are left to the key in this minute. A kill is never limited.

Events are sent to `POST /events`; `GET /api/v1/events/{id}` says what became of one.
"""


def application(parts: ApiParts) -> FastAPI:
    """Return the application with these parts."""
    api = FastAPI(
        title="Dateline",
        version="1",
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        responses={
            "default": {
                "description": "A problem.",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    )
    api.state.parts = parts
    api.add_middleware(NamesWithSlashes)
    answer_with_problems(api)
    for router in _ROUTERS:
        api.include_router(router, prefix=PREFIX)
    reference.add(api, PREFIX, OPENAPI_PATH)
    base_url = parts.publication.base_url
    api.openapi = lambda: _document(api, base_url)  # type: ignore[method-assign]
    return api


def _document(api: FastAPI, base_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document, made once."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": base_url}],
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        reference_template = "#/components/schemas/{model}"
        for model in (Problem, FieldProblem):
            schema = model.model_json_schema(ref_template=reference_template)
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        schemas |= event_intake.SCHEMAS
        document["paths"] = event_intake.PATHS | document["paths"]
        used = {scope for operation in operations(document) for scope in scopes_of(operation)}
        document["x-scopes"] = {name: meaning for name, meaning in SCOPES.items() if name in used}
        api.openapi_schema = document
    return api.openapi_schema


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all operations of an OpenAPI document."""
    return [operation for item in document["paths"].values() for operation in item.values()]


def scopes_of(operation: dict[str, Any]) -> list[str]:
    """Return the scopes that an operation needs."""
    return [scope for needed in operation.get("security", ()) for scopes in needed.values() for scope in scopes]
