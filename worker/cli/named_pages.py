"""Pages and documents that a person names by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.intake.sources import InputError
from worker.outbound.fetch import FetchedPage, FetchError, fetch
from worker.outbound.guard import Guard

if TYPE_CHECKING:
    from config.settings import DeliverySettings


def page(url: str, delivery: DeliverySettings, *, most: int, accept: str) -> FetchedPage:
    """Return the page at `url`, had as carefully as everything that strangers name. Raises InputError."""
    try:
        return fetch(
            url,
            Guard(delivery.allow_networks),
            timeout=delivery.timeout,
            connect_timeout=delivery.connect_timeout,
            max_bytes=most,
            accept=accept,
        )
    except FetchError as error:
        raise InputError(f"{url}: {error}") from None
