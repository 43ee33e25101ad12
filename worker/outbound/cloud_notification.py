"""What rssCloud sends to a reader that has registered: which document has changed, as a form."""

from __future__ import annotations

from urllib.parse import urlencode

NOTIFICATION_TYPE = "Content-Type: application/x-www-form-urlencoded"
"""The header line of a notification."""


def notification(topic: str) -> bytes:
    """Return the body of the notification that the document at an address has changed."""
    return urlencode({"url": topic}).encode()
