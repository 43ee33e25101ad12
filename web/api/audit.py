"""The audit: who has changed what, when, and from where."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from web.api.access import AuditReader
from web.api.moments import milliseconds
from web.api.paging import After, Limit, Page, cursor, page, read_cursor
from web.api.parts import Parts
from worker.management.audit_trail import described
from worker.record.audit import Filter

router = APIRouter(tags=["audit"])


class AuditEntry(BaseModel):
    """An entry of the audit. Secrets in `old` and `new` are `***`."""

    number: int
    time: datetime | None
    actor: str = Field(description="key:NAME, user:NAME, link:PARTNER, file, shell:USER.")
    action: str = Field(description="endpoint.changed, article.killed, ...")
    target: str
    address: str | None = Field(description="From where.")
    old: Any = None
    new: Any = None
    hash: str = Field(description="SHA-256 of this entry, with the hash of the one before: `former`.")
    former: str


class AuditVerdict(BaseModel):
    """Whether the audit is whole: how many entries it has, and what is wrong with it."""

    entries: int
    faults: list[str]


@router.get("/audit", summary="Who has changed what")
def audit(
    request: Request,
    response: Response,
    parts: Parts,
    caller: AuditReader,
    since: Annotated[datetime | None, Query(description="Entries since then.")] = None,
    actor: Annotated[str, Query(max_length=200, description="`key:web`, or `key` for all keys.")] = "",
    action: Annotated[str, Query(max_length=200, description="`endpoint.changed`, or `endpoint`.")] = "",
    target: Annotated[str, Query(max_length=500, description="On this.")] = "",
    limit: Limit = 50,
    after: After = "",
) -> Page[AuditEntry]:
    """List the entries of the audit, the newest first."""
    last = read_cursor(after, int)
    criteria = Filter(since=milliseconds("since", since) or 0, actor=actor, action=action, target=target)
    entries = parts.management.audit.entries(caller, criteria, limit + 1, last[0] if last else None)
    rows = [AuditEntry(**described(entry)) for entry in entries[:limit]]
    return page(request, response, rows, cursor(rows[-1].number) if len(entries) > limit else None)


@router.get("/audit/verdict", summary="Whether the audit is whole")
def verdict(parts: Parts, caller: AuditReader) -> AuditVerdict:
    """Read all entries and say whether each is as it was noted, and none is missing. It takes its time."""
    result = parts.management.audit.verify(caller)
    return AuditVerdict(entries=result.entries, faults=result.faults)
