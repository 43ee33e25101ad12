"""What is answered to an order: the event that it became, whose receipt tells how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from worker.intake.article_orders import accepted_event

if TYPE_CHECKING:
    from fastapi import Response

    from worker.intake.accept import Receipt
    from worker.intake.article_orders import Order


class AcceptedOrder(BaseModel):
    """An order that was taken. It is carried out within moments: its receipt says when and for whom."""

    event: str = Field(description="The id of the event that it became.")
    status: Literal["accepted", "duplicate"]
    kept_by: Literal["both", "record", "redis"] = Field(
        description="Who has it: one of the two alone while the other is away, which gets it later."
    )
    receipt: str = Field(description="The address of its receipt.")


class ArticleOrder(AcceptedOrder):
    """An order about an article, which it names as it was before."""

    article: str
    headline: str | None = Field(description="null: the article is not known here.")
    was: Literal["usable", "withheld", "canceled"] | None = Field(description="Its pubstatus before.")
    away: str | None = Field(description="Why it could not be asked whether it is an older article.")


def accepted(response: Response, receipt: Receipt) -> AcceptedOrder:
    """Return the answer to an order whose event was accepted: 202, with the address of its receipt."""
    answer = AcceptedOrder(**accepted_event(receipt))
    _accept(response, answer)
    return answer


def ordered(response: Response, order: Order) -> ArticleOrder:
    """Return the answer to an order about an article, in the same way."""
    answer = ArticleOrder(**order.as_json())
    _accept(response, answer)
    return answer


def _accept(response: Response, answer: AcceptedOrder) -> None:
    response.status_code = 202
    response.headers["Location"] = answer.receipt
