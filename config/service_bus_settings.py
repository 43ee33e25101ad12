"""The table `service_bus` of an endpoint: who we are at Azure Service Bus."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from config.credentials import SomeSecret
from config.destination_settings import DestinationSettings

_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9._/-]{0,259}")


class ServiceBusSettings(DestinationSettings):
    """A queue or a topic of Azure Service Bus. The endpoint's `url` is its address."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)

    policy: str = Field(min_length=1, max_length=256)
    """The name of a shared access policy that may send."""
    key: SomeSecret = Field(repr=False)
    """Its key."""

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        checked = super().address(url)
        if not _PATH.fullmatch(urlsplit(checked).path) or "/messages" in checked:
            raise ValueError(
                "must be the address of a queue or a topic, such as https://NAMESPACE.servicebus.windows.net/news"
            )
        return checked
