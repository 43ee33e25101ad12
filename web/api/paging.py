"""Lists by pages: at most 100 entries, and a cursor by which the next page is asked for. Nothing is ever counted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from web.api.names import escaped_path
from web.api.problems import invalid

LIMIT_MOST = 100

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="How many at the most.")]
After = Annotated[
    str, Query(max_length=2000, description="`next` of the page before; without it the list begins with its first.")
]


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(description="Goes into `after` to ask for the next page; null: there is none.")


def page(request: Request, response: Response, items: list[Item], next_cursor: str | None) -> Page[Item]:
    """Return a page, with a Link header to the next one (RFC 8288)."""
    if next_cursor is not None:
        parameters = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        query = urlencode([*parameters, ("after", next_cursor)])
        response.headers["Link"] = f'<{escaped_path(request.scope)}?{query}>; rel="next"'
    return Page[Item](items=items, next=next_cursor)


def cursor(*values: Any) -> str:
    """Return a cursor that stands for values of JSON."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(after: str, *kinds: type) -> tuple[Any, ...] | None:
    """Return the values of a cursor; None for an empty one. Raises RequestProblem when it is none of ours."""
    if not after:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(after.encode("ascii") + b"=" * (-len(after) % 4)))
    except (ValueError, RecursionError):
        values = None
    if (
        not isinstance(values, list)
        or len(values) != len(kinds)
        or any(type(value) is not kind for value, kind in zip(values, kinds, strict=True))
        or not all(map(_can_be_kept, values))
    ):
        raise invalid("after", "is no cursor: give what the page before has as `next`")
    return tuple(values)


def _can_be_kept(value: Any) -> bool:
    """Whether a database takes it: no surrogates and no NUL (PostgreSQL), and at most 64 bits."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def by_name(
    items: Sequence[Item], name: Callable[[Item], str], after: str, limit: int
) -> tuple[list[Item], str | None]:
    """Return a page of a list that is in memory and in the order of its names, and the cursor of the next one."""
    last = read_cursor(after, str)
    left = [item for item in items if last is None or name(item) > last[0]]
    return left[:limit], cursor(name(left[limit - 1])) if len(left) > limit else None
