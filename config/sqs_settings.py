"""The table `sqs` of an endpoint: who we are at Amazon SQS."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.credentials import SomeSecret
from config.destination_settings import DestinationSettings
from config.s3_settings import checked_region

_PATH = re.compile(r"/[0-9]{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?")


class SqsSettings(DestinationSettings):
    """A queue of Amazon SQS. The endpoint's `url` is that of the queue; what ends with .fifo keeps the order."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("article",)

    key_id: SomeSecret = Field(repr=False)
    """The id of the access key."""
    secret: SomeSecret = Field(repr=False)
    """The access key."""
    region: Annotated[str, AfterValidator(checked_region)] = "us-east-1"
    """Where the queue is."""

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        checked = super().address(url)
        if not _PATH.fullmatch(urlsplit(checked).path):
            raise ValueError(
                "must be the address of a queue, such as https://sqs.REGION.amazonaws.com/123456789012/news.fifo"
            )
        return checked
