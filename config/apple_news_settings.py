"""The table `apple_news` of an endpoint: which channel of Apple News it is, and by which key we write there."""

from __future__ import annotations

import base64
import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from config.credentials import SomeSecret
from config.destination_settings import DestinationSettings

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise ValueError("must be an id as News Publisher shows it, such as 63a75491-2c4d-3530-af91-819be8c3ace0")
    return value


def _key(secret: SecretStr) -> SecretStr:
    try:
        octets = base64.b64decode(secret.get_secret_value(), validate=True)
    except ValueError:
        octets = b""
    if not octets:
        raise ValueError("must be the secret of the key as News Publisher shows it, in Base64")
    return secret


Uuid = Annotated[str, AfterValidator(_uuid)]


class AppleNewsSettings(DestinationSettings):
    """A channel of Apple News, by the publisher API."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    default_url: ClassVar[str] = "https://news-api.apple.com"
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)
    formats: ClassVar[tuple[str, ...]] = ("applenews",)

    channel: Uuid
    """The id of the channel."""
    key_id: SomeSecret = Field(repr=False)
    """The id of the API key."""
    secret: Annotated[SomeSecret, AfterValidator(_key)] = Field(repr=False)
    """Its secret, in Base64."""
    sections: dict[str, Uuid] = Field(default_factory=dict)
    """In which section of the channel the articles of a section of ours go; all others go in the default section."""
    preview: bool = False
    """Whether articles are previews, for the people of the channel alone."""
