"""A partner's endpoint: one table of `[[endpoints]]`, what it gets and how it is reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from pydantic_core import PydanticCustomError

from config.apple_news_settings import AppleNewsSettings
from config.azure_blob_settings import AzureBlobSettings
from config.companion_settings import CompanionSettings
from config.credentials import AuthSettings, HeaderSettings, TlsSettings, without_user
from config.destination_settings import DestinationSettings, OwnTable, table_of
from config.feed_document_settings import FeedDocumentSettings
from config.file_destinations import FtpSettings, FtpsSettings, SftpSettings
from config.indexnow_settings import IndexNowSettings
from config.kafka_settings import KafkaSettings
from config.known_formats import known_formats
from config.mail_settings import MailSettings
from config.pubsub_settings import PubSubSettings
from config.queue_settings import QueueSettings
from config.s3_settings import S3Settings
from config.service_bus_settings import ServiceBusSettings
from config.setting_sources import models_in
from config.social_settings import BlueskySettings, MastodonSettings
from config.sqs_settings import SqsSettings
from config.value_types import STRICT, Backfill, CheckUrl, Span, WebhookSecrets
from config.websub_ping_settings import WebSubPingSettings
from feeds.article_values import Name, Url
from feeds.definition import FeedName
from feeds.machine_rights import MachineRights
from feeds.rights import Rights

Kind = Literal[
    "http",
    "pull",
    "s3",
    "azure-blob",
    "sftp",
    "ftp",
    "ftps",
    "mail",
    "queue",
    "sqs",
    "kafka",
    "pubsub",
    "service-bus",
    "apple-news",
    "mastodon",
    "bluesky",
    "indexnow",
    "websub-ping",
]
"""How an endpoint gets what it gets: each kind but the first two has a table of its own in its settings."""
_OF_HTTP = ("secret", "auth", "headers", "gzip", "public_signature", "handshake", "tls")
"""Settings that other kinds have only if they use them."""


class RightsSettings(BaseModel):
    """What a partner may have of an article by its contract."""

    model_config = STRICT

    text: Literal["full", "summary", "headline"] = "full"
    """How much of it."""
    credits: tuple[Name, ...] | None = None
    """Whose pictures are licensed; without it everybody's."""
    words: int | None = Field(default=None, ge=1)
    """After how many words the text is cut."""
    canonical: bool = False
    """Whether the text ends with a link to the article's page."""
    tracking: dict[str, str] = {}
    """Parameters added to the address of that page."""
    delay: Span | None = None
    """How long after a change it gets the article. A kill or a withdrawal is never delayed."""
    machines: MachineRights | None = None
    """What programs of its and its readers may do with it, in place of what its feed says."""
    early: bool = False
    """Whether it gets articles before their embargo ends, marked as embargoed, in mode "article"."""

    def rights(self) -> Rights:
        """The same, as it is applied."""
        return Rights(self.text, self.credits, self.words, self.canonical, tuple(self.tracking.items()), self.machines)


class EndpointSettings(BaseModel):
    """One destination of a partner."""

    model_config = STRICT

    name: FeedName
    """Its name in commands, logs and keys."""
    feed: str
    """The feed that it gets."""
    kind: Kind = "http"
    """How it gets it: pushed over HTTP or in another way, or read by the partner itself from the API."""
    mode: Literal["article", "feed"] = Field(default="article", validate_default=True)
    """One request for each changed article, or one with all changes as a feed."""
    format: str
    """The format of what it gets: of articles or of feeds, as `mode` says."""
    url: Annotated[Url, AfterValidator(without_user)] = Field(default="", validate_default=True)
    """Where it is sent; of one that is pulled, nothing."""
    secret: WebhookSecrets = Field(default=(), repr=False)
    """Signs every request (Standard Webhooks). During a rotation a list: the new one and the old one."""
    public_signature: bool = False
    """Whether every request is signed with signing_keys, too: then it can be checked without a secret."""
    handshake: bool = False
    """Whether it is asked before the first push, and now and then, if it wants our events (CloudEvents webhooks)."""
    auth: AuthSettings = None
    """How it is shown who we are, beside the signature: by a password, a token or OAuth2."""
    headers: HeaderSettings = {}
    """Headers that it wants; their values may be secrets."""
    tls: TlsSettings = Field(default_factory=TlsSettings.model_construct)
    """Certificates: a private authority of the partner's, one of our own."""
    gzip: bool = False
    """Whether bodies are compressed."""
    rights: RightsSettings = Field(default_factory=RightsSettings.model_construct)
    """How much of an article it may have."""
    concurrency: int = Field(default=1, ge=1, le=100)
    """How many articles may be in flight to it at once, in mode "article"; never two versions of one."""
    rate: float | None = Field(default=None, gt=0, le=10_000)
    """How many requests a second it wants at the most. Waiting for that is no failure, and a kill does not wait."""
    backfill: Backfill | None = None
    """What it gets of what was published before it was added: "7d" or "100 articles". Without it, nothing."""
    companions: CompanionSettings = Field(default_factory=CompanionSettings.model_construct)
    """What is delivered beside an article: its pictures."""
    check_url: Annotated[CheckUrl, AfterValidator(without_user)] = ""
    """The page on which it shows an article, with {id} or {slug}; read back after a kill until the text is gone."""

    s3: OwnTable[S3Settings] = None
    """Of kind "s3": how its bucket is written to."""
    azure_blob: OwnTable[AzureBlobSettings] = None
    """Of kind "azure-blob": how its container is written to."""
    mail: OwnTable[MailSettings] = None
    """Of kind "mail": from whom, to whom, and by which server."""
    queue: OwnTable[QueueSettings] = None
    """Of kind "queue": how the message broker is reached, and where in it messages go."""
    sqs: OwnTable[SqsSettings] = None
    """Of kind "sqs": who we are at Amazon SQS."""
    kafka: OwnTable[KafkaSettings] = None
    """Of kind "kafka": which topic it is, and who we are there."""
    pubsub: OwnTable[PubSubSettings] = None
    """Of kind "pubsub": who we are at Google Cloud Pub/Sub."""
    service_bus: OwnTable[ServiceBusSettings] = None
    """Of kind "service-bus": who we are at Azure Service Bus."""
    apple_news: OwnTable[AppleNewsSettings] = None
    """Of kind "apple-news": which channel it is, and by which key."""
    sftp: OwnTable[SftpSettings] = None
    """How files are put into a folder of an SFTP server."""
    ftp: OwnTable[FtpSettings] = None
    """The same by FTP."""
    ftps: OwnTable[FtpsSettings] = None
    """The same by FTP over TLS."""
    indexnow: OwnTable[IndexNowSettings] = None
    """Of kind "indexnow": by which key search engines know us."""
    mastodon: OwnTable[MastodonSettings] = None
    """Of kind "mastodon": whose posts they are, and what is in them."""
    bluesky: OwnTable[BlueskySettings] = None
    """Of kind "bluesky": the same."""
    websub_ping: OwnTable[WebSubPingSettings] = None
    """Of kind "websub-ping": of which topics a hub of somebody else hears."""

    @field_validator(*_OF_HTTP, "mode", "rate", "check_url")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        name, kind = info.field_name or "", info.data.get("kind")
        own = cls.of_kind(kind)
        if own is not None and name == "mode" and value not in own.modes:
            raise ValueError(f'must be "{own.modes[0]}" with kind = "{kind}"')
        if value in (cls.model_fields[name].get_default(call_default_factory=True), {}):
            return value
        if kind == "pull" and name != "tls":
            raise ValueError('is of no use with kind = "pull": nothing is sent there')
        if own is not None and name in _OF_HTTP and name not in own.uses:
            raise ValueError(f'is of no use with kind = "{kind}"')
        return value

    @field_validator("companions")
    @classmethod
    def _beside_files_and_mails(cls, value: CompanionSettings, info: ValidationInfo) -> CompanionSettings:
        kind = info.data.get("kind")
        own = cls.of_kind(kind)
        if value == CompanionSettings() or kind is None:
            return value
        if own is None or not own.carries_companions:
            raise ValueError(f'is of no use with kind = "{kind}": files and mails alone have something beside them')
        if info.data.get("mode") == "feed":
            raise ValueError('is of no use in mode "feed": pictures go beside articles')
        if not value.pictures:
            raise ValueError("has settings of pictures: add pictures = true")
        return value

    @classmethod
    def of_kind(cls, kind: Any) -> type[DestinationSettings] | None:
        """Return the settings that endpoints of a kind have in a table of their own; None: it has no such table."""
        field = cls.model_fields.get(table_of(kind)) if isinstance(kind, str) else None
        models = models_in(field.annotation) if field else ()
        return next((model for model in models if issubclass(model, DestinationSettings)), None)

    @property
    def own(self) -> DestinationSettings:
        """The settings in the table that is named as its kind, for kinds that have one."""
        table: DestinationSettings = getattr(self, table_of(self.kind))
        return table

    @field_validator("s3", "azure_blob", "sftp", "ftp", "ftps")
    @classmethod
    def _named_as_the_mode_wants(
        cls, value: FeedDocumentSettings | None, info: ValidationInfo
    ) -> FeedDocumentSettings | None:
        mode = info.data.get("mode")
        if value is not None and mode and (name := value.of_other_mode(mode)):
            raise ValueError(f'has {name}, which is of no use in mode "{mode}"')
        return value

    @field_validator("mail")
    @classmethod
    def _digest_of_a_feed(cls, value: MailSettings | None, info: ValidationInfo) -> MailSettings | None:
        mode, name = info.data.get("mode"), info.data.get("format", "json")
        if value and mode == "feed" and name != "json":
            raise ValueError('makes its mails of JSON Feed in mode "feed": take format = "json"')
        if value and mode == "article" and value.every:
            raise ValueError('has every, which there is in mode "feed" only')
        return value

    @field_validator("url", mode="wrap")
    @classmethod
    def _address_of_pushes(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if info.data.get("kind") == "pull":
            if value:
                raise ValueError('is of no use with kind = "pull": nothing is sent there')
            return ""
        own = cls.of_kind(info.data.get("kind"))
        if own is not None:
            value = value or own.default_url
        if value == "":
            raise PydanticCustomError("missing", "is missing")
        return check(value) if own is None else own.address(str(value))

    @field_validator("format")
    @classmethod
    def _existing_format(cls, value: str, info: ValidationInfo) -> str:
        mode, there_are = info.data.get("mode"), known_formats(info)
        formats = there_are.article if mode == "article" else there_are.feed
        if mode and value not in formats:
            raise ValueError(f"there is no {mode} format {value!r}; known: {', '.join(formats)}")
        own = cls.of_kind(info.data.get("kind"))
        if own is not None and own.formats and value not in own.formats:
            raise ValueError(f'must be "{own.formats[0]}" with kind = "{info.data["kind"]}"')
        return value

    @field_validator("headers")
    @classmethod
    def _one_authorization(cls, value: HeaderSettings, info: ValidationInfo) -> HeaderSettings:
        if info.data.get("auth") and "authorization" in map(str.lower, value):
            raise ValueError("has Authorization, which auth sets; keep one of the two")
        return value

    @field_validator("rights")
    @classmethod
    def _early_is_marked(cls, value: RightsSettings, info: ValidationInfo) -> RightsSettings:
        mode, name = info.data.get("mode"), info.data.get("format", "")
        if value.early and mode == "feed":
            raise ValueError('has early, which there is in mode "article" only')
        there_are = known_formats(info)
        if value.early and name in there_are.article and name not in there_are.marks_embargo:
            raise ValueError(f"has early, and the format {name} can't mark an embargo")
        return value

    @field_validator("tls")
    @classmethod
    def _tls_is_used(cls, value: TlsSettings, info: ValidationInfo) -> TlsSettings:
        if value != TlsSettings() and info.data.get("url", "https:").startswith("http:"):
            raise ValueError("is of no use for a url that begins with http://")
        return value
