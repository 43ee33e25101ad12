"""What is answered to an order: the event that it became, whose receipt tells how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from fastapi import Response

    from worker.intake.accept import Receipt


class AcceptedOrder(BaseModel):
    """An order that was taken. It is carried out within moments: its receipt says when and for whom."""

    event: str = Field(description="The id of the event that it became.")
    status: Literal["accepted", "duplicate"]
    kept_by: Literal["both", "record", "redis"] = Field(
        description="Who has it: one of the two alone while the other is away, which gets it later."
    )
    receipt: str = Field(description="The address of its receipt.")


def accepted(response: Response, receipt: Receipt) -> AcceptedOrder:
    """Return the answer to an order whose event was accepted: 202, with the address of its receipt."""
    assert receipt.event_id is not None
    assert receipt.status != "invalid"
    address = f"/api/v1/events/{quote(receipt.event_id, safe='')}"
    response.status_code = 202
    response.headers["Location"] = address
    return AcceptedOrder(event=receipt.event_id, status=receipt.status, kept_by=receipt.kept_by, receipt=address)
