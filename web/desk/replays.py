"""Replays as people order them: what a form says, how many articles that is, and the order once it is confirmed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from web.desk.api_calls import ApiProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web.desk.api_calls import DeskApi
    from web.desk.pages import DeskPages


class ReplayAnswer(NamedTuple):
    """What came of a form. `planned`: how many articles it would be, None: they are being sent; or bad fields."""

    planned: int | None = None
    errors: Mapping[str, str] = {}


async def order_replay(
    api: DeskApi, pages: DeskPages, endpoint: str, fields: Mapping[str, str], more: Mapping[str, str] | None = None
) -> ReplayAnswer:
    """Order what a form says, or a dry run of it while it is not confirmed. `more`: terms beside. Raises ApiProblem."""
    terms: dict[str, Any] = {"dry_run": not fields.get("confirmed"), **(more or {})}
    if fields.get("article"):
        terms["article"] = fields["article"]
    elif fields.get("parked"):
        terms["parked"] = True
    else:
        try:
            since = pages.at_home(datetime.fromisoformat(fields.get("since", "")))
            terms["since"] = since.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return ReplayAnswer(errors={"since": "must be a day and a time"})
    try:
        order = await api.post("endpoints", endpoint, "replays", body=terms)
    except ApiProblem as problem:
        if problem.status != 422:
            raise
        return ReplayAnswer(errors=problem.errors)
    return ReplayAnswer(order["articles"] if order["dry_run"] else None)
