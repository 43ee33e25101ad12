"""An endpoint as its settings describe it: what a partner gets, and the destination by which it gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from feeds.rights import EVERYTHING, Rights
from worker.destinations import (
    apple_news,
    azure_blob,
    bluesky,
    ftp,
    http,
    indexnow,
    kafka,
    mail,
    mastodon,
    pubsub,
    queue,
    s3,
    service_bus,
    sftp,
    sqs,
    websub_ping,
)
from worker.pictures.pictures import PictureTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.companion_settings import CompanionSettings
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Destination
    from worker.destinations.sender import Sender

KINDS: Mapping[str, Callable[[EndpointSettings, Sender], Destination]] = {
    "http": http.destination,
    "s3": s3.destination,
    "azure-blob": azure_blob.destination,
    "mail": mail.destination,
    "queue": queue.destination,
    "sqs": sqs.destination,
    "kafka": kafka.destination,
    "pubsub": pubsub.destination,
    "service-bus": service_bus.destination,
    "apple-news": apple_news.destination,
    "sftp": sftp.destination,
    "ftp": ftp.destination,
    "ftps": ftp.destination,
    "indexnow": indexnow.destination,
    "mastodon": mastodon.destination,
    "bluesky": bluesky.destination,
    "websub-ping": websub_ping.destination,
}
"""What makes the destination of an endpoint, by its kind."""


@dataclass(frozen=True)
class Endpoint:
    """One partner endpoint as the settings have it."""

    name: str
    feed: str
    format: str
    mode: Literal["article", "feed"]
    destination: Destination | None
    """How it is sent what it gets; None: its partner reads that for itself, and nothing is pushed."""
    concurrency: int = 1
    """How many articles may be in flight at once."""
    rate: float | None = None
    """Attempts a second at the most; None: no limit."""
    rights: Rights = EVERYTHING
    """How much of an article it may have."""
    delay: int = 0
    """How long after a change it may get it, in ms."""
    early: bool = False
    """Whether it may have articles before their embargo ends, in mode "article"."""
    pictures: PictureTerms | None = None
    """What it wants of the pictures that are delivered beside an article; None: it gets none."""
    check_url: str = ""
    """The page on which it shows an article, with `{id}` or `{slug}` in it: read back after a kill. Empty: none."""
    holds_document: bool = False
    """Whether in mode "feed" it gets the whole document of the feed each time, which lies there under one name."""

    @property
    def is_pulled(self) -> bool:
        """Whether its partner reads it for itself: nothing is pushed."""
        return self.destination is None

    @property
    def gzip(self) -> bool:
        """Whether bodies are compressed."""
        return self.destination is not None and self.destination.gzip

    @property
    def proves_kills(self) -> bool:
        """Whether it can be seen that what was killed is gone: on its page, or where it lies."""
        return bool(self.check_url) or (self.destination is not None and self.destination.look is not None)


def configured(settings: EndpointSettings, sender: Sender) -> Endpoint:
    """Return the endpoint that the settings describe."""
    if settings.kind == "pull":
        return pulled(settings)
    return _endpoint(settings, KINDS[settings.kind](settings, sender))


def pulled(settings: EndpointSettings) -> Endpoint:
    """Return the endpoint that the settings describe, whose partner reads it for itself."""
    return _endpoint(settings, None)


def _endpoint(settings: EndpointSettings, destination: Destination | None) -> Endpoint:
    rights = settings.rights
    own = settings.own if settings.of_kind(settings.kind) else None
    return Endpoint(
        settings.name,
        settings.feed,
        settings.format,
        settings.mode,
        destination,
        concurrency=settings.concurrency,
        rate=settings.rate or (own.rate if own else None),
        rights=rights.rights(),
        delay=int(rights.delay.total_seconds() * 1000) if rights.delay else 0,
        early=rights.early,
        pictures=_picture_terms(settings.companions),
        check_url=settings.check_url,
        holds_document=bool(own and own.holds_documents and settings.mode == "feed"),
    )


def _picture_terms(companions: CompanionSettings) -> PictureTerms | None:
    if not companions.pictures:
        return None
    tries = companions.tries if companions.missing == "skip" else 0
    return PictureTerms(companions.max_bytes, companions.renditions, tries)
