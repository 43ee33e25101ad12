"""How a receipt for one event is shown to whoever sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from web.problem_details import field_list

if TYPE_CHECKING:
    from worker.intake.accept import Receipt


def receipt_fields(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON. `kept` is there when one of the two alone has the event: record or redis."""
    fields: dict[str, Any] = {"id": receipt.event_id, "status": receipt.status}
    if receipt.kept_by != "both":
        fields["kept"] = receipt.kept_by
    if receipt.errors:
        fields["errors"] = field_list(receipt.errors)
    return fields
