"""The table `kafka` of an endpoint: which topic it is, and who we are there."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from config.destination_settings import DestinationSettings

_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError("must be 1 to 249 letters, digits, dots, underscores and hyphens")
    return value


def _server(value: str) -> str:
    match = _SERVER.fullmatch(value)
    if not match or not 0 < int(match[1]) < 65_536:
        raise ValueError("must be HOST:PORT")
    return value


class KafkaSettings(DestinationSettings):
    """A topic of Apache Kafka, or of what speaks its protocol. The endpoint's `url` is a broker of the cluster."""

    schemes: ClassVar[tuple[str, ...]] = ("kafka+ssl", "kafka")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)
    addresses: ClassVar[tuple[str, ...]] = ("servers",)

    topic: Annotated[str, AfterValidator(_topic)]
    """The topic, which must exist."""
    servers: list[Annotated[str, AfterValidator(_server)]] = Field(default_factory=list, max_length=20)
    """More brokers of the cluster, HOST:PORT, which are asked when that of `url` does not answer."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How we sign in (SASL), where there is a `username`."""
    username: str = Field(default="", max_length=255)
    """Who we are; empty: nobody, or who our certificate says (`tls`)."""
    password: SecretStr = Field(default=SecretStr(""), repr=False, validate_default=True)
    """Its password."""

    @field_validator("password")
    @classmethod
    def _both(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(value.get_secret_value()) != bool(info.data.get("username")):
            raise ValueError("username and password are given together, or not at all")
        return value
