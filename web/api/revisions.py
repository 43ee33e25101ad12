"""Changes of what others may change at the same time: ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from web.api.problems import RequestProblem
from web.header_fields import entity_tags

IfMatch = Annotated[
    str | None, Header(description="The ETag of what is to be changed, as it was read: 428 without it, 412 if changed.")
]


def tag(response: Response, revision: int) -> None:
    """Say which revision an answer is of."""
    response.headers["ETag"] = f'"{revision}"'


def expected_revision(if_match: str | None) -> int | None:
    """Return the revision that a client wants to change; None: whichever there is. Raises RequestProblem."""
    if if_match is None:
        raise RequestProblem(
            428, "Say in If-Match which revision is to be changed: the ETag with which you have read it."
        )
    if if_match.strip() == "*":
        return None
    numbers = [value.strip('"') for weak, value in entity_tags(if_match) if not weak]
    revision = next((number for number in numbers if number.isascii() and number.isdigit() and len(number) < 16), None)
    if revision is None:
        raise RequestProblem(412, "If-Match has no ETag of ours; read it again.")
    return int(revision)
