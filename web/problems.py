"""Errors as application/problem+json (RFC 9457), and JSON answers that can always be sent."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feeds.errors import FieldError


def answer(
    status: int, value: Any, media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return `value` as JSON. In ASCII: what a sender wrote wrongly is repeated in errors, and may be no valid text."""
    return Response(json.dumps(value, separators=(",", ":")) + "\n", status, headers, media_type)


def problem(
    status: int,
    detail: str = "",
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem; `errors` names every bad field."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    named = field_list(errors)
    if named:
        body["errors"] = named
    return answer(status, body | more, "application/problem+json", headers)


def field_list(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Return field errors as they stand in an answer."""
    return [{"field": error.field, "problem": error.problem} for error in errors]
