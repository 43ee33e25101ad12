"""The table `queue` of an endpoint with kind = "queue": a message broker that speaks AMQP 0-9-1, such as RabbitMQ."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, SecretStr, field_validator

from config.destination_settings import DestinationSettings

ROUTING_FIELDS = ("id", "section", "status")
"""What a routing key may be made of: the article's id, its first section, and what has become of it."""
_FIELD = re.compile(r"\{([^{}]*)\}")


def _routing_key(value: str) -> str:
    rest = _FIELD.sub("", value)
    if "{" in rest or "}" in rest:
        raise ValueError("has a brace without its other one")
    for name in _FIELD.findall(value):
        if name not in ROUTING_FIELDS:
            names = ", ".join(f"{{{field}}}" for field in ROUTING_FIELDS)
            raise ValueError(f"has {{{name}}}; known: {names}")
    if not value or len(value) > 255 or not value.isprintable():
        raise ValueError("must be 1 to 255 printable characters")
    return value


class QueueSettings(DestinationSettings):
    """How a broker is reached, and where in it messages go. Nothing is declared there: what is named must exist."""

    schemes: ClassVar[tuple[str, ...]] = ("amqps", "amqp")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})

    username: str = Field(min_length=1, max_length=255)
    """The broker's user."""
    password: SecretStr = Field(repr=False)
    """Its password."""
    exchange: str = Field(default="", max_length=255)
    """The exchange; without it the default one, which knows each queue by its name as the routing key."""
    routing_key: Annotated[str, AfterValidator(_routing_key)]
    """The routing key: of the default exchange the name of the queue. May have {id}, {section}, {status}."""

    @field_validator("exchange")
    @classmethod
    def _no_reserved_word(cls, value: Any) -> Any:
        if not value.isprintable() or len(value.encode()) > 255:
            raise ValueError("must be up to 255 printable characters")
        return value
