"""Statuses of HTTP as people know them."""

from __future__ import annotations

from http import HTTPStatus


def status_phrase(status: int) -> str:
    """Return a status with its phrase, as people know it: "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
