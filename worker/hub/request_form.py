"""Reads the form in which a request to the hub comes (W3C WebSub, section 5.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

_SINGLE_FIELDS = ("hub.callback", "hub.mode", "hub.topic", "hub.lease_seconds", "hub.secret", "hub.url")
"""Fields that may come once only."""
_PING_FIELDS = ("hub.url", "hub.topic")
"""Fields of a publish ping that may come several times: it may name several topics."""


class HubRefused(ValueError):
    """A request that the hub does not take; the message is for the subscriber."""


def fields_of(body: bytes) -> dict[str, str]:
    """Return the fields of a request.

    Unknown fields are ignored, as old subscribers send some; known ones that are repeated are refused. In a publish
    ping hub.url and hub.topic may come several times; their values are joined by line ends. Raises HubRefused.
    """
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise HubRefused("the request is not a form in UTF-8 (application/x-www-form-urlencoded)") from None
    fields: dict[str, str] = {}
    is_ping = ("hub.mode", "publish") in pairs
    for name, value in pairs:
        if name in fields and is_ping and name in _PING_FIELDS:
            fields[name] += f"\n{value}"
        elif name in fields and name in _SINGLE_FIELDS:
            raise HubRefused(f"{name} is given more than once")
        else:
            fields[name] = value
    return fields


def required(fields: dict[str, str], name: str) -> str:
    """Return the value of a field. Raises HubRefused when it is missing or empty."""
    if not fields.get(name):
        raise HubRefused(f"{name} is missing")
    return fields[name]


def pinged_topics(fields: dict[str, str]) -> list[tuple[str, str]]:
    """Return the topics that a publish ping names, each with the name of its field. Raises HubRefused for none."""
    if not any(fields.get(name) for name in _PING_FIELDS):
        raise HubRefused("hub.url or hub.topic is missing")
    return [(name, topic) for name in _PING_FIELDS for topic in fields.get(name, "").split("\n") if topic]
