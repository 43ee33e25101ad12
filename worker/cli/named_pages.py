"""Pages and documents that a person names by their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.outbound.fetch import FetchedPage, fetch
from worker.outbound.guard import Guard

if TYPE_CHECKING:
    from config.settings import Settings


def page(url: str, settings: Settings, *, most: int, accept: str) -> FetchedPage:
    """Return the page at `url`, had as carefully as everything that strangers name. Raises FetchError."""
    delivery = settings.delivery
    return fetch(
        url,
        Guard(delivery.allow_networks),
        timeout=delivery.timeout,
        connect_timeout=delivery.connect_timeout,
        max_bytes=most,
        accept=accept,
    )
