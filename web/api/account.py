"""Who asks: what a key may do, for whoever sets one up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel

from web.api.access import permitted
from worker.management.callers import Caller

router = APIRouter(tags=["keys"])


class Account(BaseModel):
    """A caller: its name, its scopes, and what it is bound to (null: nothing)."""

    name: str
    scopes: list[str]
    feeds: list[str] | None
    partners: list[str] | None
    adapters: list[str] | None


@router.get("/me", summary="What this key may do")
def account(caller: Annotated[Caller, Security(permitted)]) -> Account:
    """Return who asks, and what they may do. It needs no scope."""
    bounds = {name: None if names is None else list(names) for name, names in caller.bounds}
    return Account(name=caller.name, scopes=sorted(caller.scopes), **bounds)
