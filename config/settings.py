"""Every setting of Dateline: what it means, its unit, its default and its bounds.

`load` reads them from the environment and from dateline.toml, in this rank, and reports every mistake at once under the
key that the user wrote. A secret is in no `repr` and no error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config import mistakes
from config.alarm_settings import AlarmSettings
from config.desk_settings import DeskSettings
from config.endpoint_settings import EndpointSettings
from config.known_formats import context_of, known_formats
from config.setting_sources import CONFIG_VARIABLE, ConfigFile, Environment, merged
from config.value_types import (
    STRICT,
    BaseUrl,
    BrokerUrl,
    Folder,
    Network,
    PagePattern,
    RecordPassword,
    RecordUrl,
    RedisUrl,
    SealingKeys,
    SharedSecrets,
    SigningKeys,
    Span,
    Token,
    WebhookSecret,
    WebhookSecrets,
)
from feeds.article_values import Edition, Name, Url
from feeds.definition import FeedDefinition
from feeds.errors import InvalidInput
from feeds.format_definition import FormatDefinition
from feeds.machine_rights import NOTHING_STATED, MachineRights

# This machine, and the networks of RFC 1918, 6598 and 4193.
_NOT_PUBLIC = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7"),
)

EXAMPLE = Path(__file__).with_name("dateline.toml")

# RFC 4151, section 2.1: a domain name and a day on which it was the newsroom's, here at least its year.
_AUTHORITY = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?,[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


class SettingsError(InvalidInput):
    """Settings that can't be taken. `errors` has every mistake, each by the key that the user wrote."""


class SiteSettings(BaseModel):
    """Who publishes, and where."""

    model_config = STRICT

    base_url: BaseUrl = "http://127.0.0.1:8420"
    """Where readers reach the web server, without a slash at the end. Part of every feed's address. Default: this
    machine, at web.port."""
    title: Name = "Dateline"
    """The publisher's name, as feeds say it."""
    id_authority: str = Field(default="", validate_default=True)
    """A domain of the newsroom and a year in which it had it: "domain,YYYY" (RFC 4151). It stands in the permanent id
    of every entry, so it is set once and never changed. Default: the host of base_url and 2026."""
    edition: Edition = "en"
    """The language of feeds that have no edition of their own (BCP 47)."""
    timezone: str = ""
    """Where the newsroom's clocks stand, such as "Asia/Riyadh": for times of articles that come without an offset."""
    logo_url: Url | None = None
    """The publisher's logo, for partners that show it beside its articles."""
    machines: MachineRights = NOTHING_STATED
    """What programs may do with the articles, where a feed or an endpoint says nothing else."""
    partner_formats: tuple[str, ...] = ()
    """The partners' formats that partners fetch from the web server by themselves: operators learn what the gate keeps
    out of them. Of formats that are pushed they learn it in any case, of all others never."""

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return str(ZoneInfo(value)) if value else value
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}; they are called as in Asia/Riyadh") from None

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone, if it is set."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @field_validator("partner_formats")
    @classmethod
    def _partners(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        formats = known_formats(info).partners
        if unknown := next((name for name in value if name not in formats), None):
            raise ValueError(f"{unknown!r} is no partner's format; those are {', '.join(formats)}")
        return value

    @field_validator("id_authority")
    @classmethod
    def _authority(cls, value: str, info: ValidationInfo) -> str:
        if not value and "base_url" not in info.data:  # refused itself, and the one mistake to name
            return value
        authority = value or f"{urlsplit(info.data['base_url']).hostname},2026"
        if not _AUTHORITY.fullmatch(authority):
            raise ValueError('must be a domain name, a comma and a year, such as "example.org,2026"')
        return authority


class WebSettings(BaseModel):
    """The web server."""

    model_config = STRICT

    host: str = Field(default="127.0.0.1", min_length=1)
    """The address it listens on; 0.0.0.0 for all."""
    port: int = Field(default=8420, ge=1, le=65535)
    """The TCP port it listens on."""
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)
    """The largest body of a request, in bytes; of a compressed one also when it is unpacked."""
    body_timeout: float = Field(default=60, gt=0, le=3600)
    """How long the body of a request may take to arrive, in seconds."""
    bodies_per_client: int = Field(default=32, ge=1)
    """How many bodies one client address may be sending at once that has not shown a token."""
    connections_per_client: int = Field(default=256, ge=1)
    """How many connections one client address may have; when it has more, its idle ones are ended. Not for proxies."""
    trusted_proxies: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    """Networks of the proxies in front. Only they are believed when they say who asks (X-Forwarded-For, Forwarded)."""
    metrics_networks: tuple[Network, ...] = tuple(map(ip_network, _NOT_PUBLIC))
    """Networks that may ask for /metrics; others get 403. It names partners: by default those that are not public."""


class ApiSettings(BaseModel):
    """The API under /api/v1."""

    model_config = STRICT

    requests: int = Field(default=600, ge=1, le=1_000_000)
    """How many requests a minute one key may make. Kills are never limited."""


class WebSubSettings(BaseModel):
    """The hub: how long subscriptions last and what subscribers get."""

    model_config = STRICT

    lease_min: Span = timedelta(days=2)
    """The shortest lease. Readers that renew in their last day would lose a shorter one."""
    lease_default: Span = Field(default=timedelta(days=10), validate_default=True)
    """The lease of a subscriber that asks for none."""
    lease_max: Span = Field(default=timedelta(days=30), validate_default=True)
    """The longest lease."""
    body: Literal["changed", "full"] = "changed"
    """What a push of a feed carries: the entries that changed, or the whole feed."""
    requests_per_client: int = Field(default=600, ge=1)
    """How many requests a minute one client address may make to the hub."""
    requests_per_host: int = Field(default=600, ge=1)
    """How many requests a minute may name callbacks on one host: nobody can have the hub flood a third party."""
    pending_per_feed: int = Field(default=10_000, ge=1)
    """How many requests may wait for their verification in one feed."""
    subscriptions_per_host: int = Field(default=10_000, ge=1)
    """How many subscriptions callbacks on one host may have in one feed."""
    subscriptions_per_client: int = Field(default=10_000, ge=1)
    """How many subscriptions of one feed may have been asked for by one client address."""
    rsscloud: bool = False
    """Whether documents in RSS have a <cloud>, and readers may register by rssCloud. The limits hold for it too."""

    @field_validator("lease_default", "lease_max")
    @classmethod
    def _ordered(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        for shorter in ("lease_min", "lease_default"):
            if value < info.data.get(shorter, value):
                raise ValueError(f"must not be shorter than {shorter}")
        return value


class DeliverySettings(BaseModel):
    """How pushes are sent. The numbers hold for each worker process."""

    model_config = STRICT

    allow_networks: tuple[Network, ...] = ()
    """Networks that may be reached although they are not public. Everything else inside is refused."""
    timeout: float = Field(default=10, gt=0, le=600)
    """How long one request may take as a whole, in seconds."""
    connect_timeout: float = Field(default=5, gt=0, le=600)
    """How long of that the connection may take to open, in seconds."""
    places: int = Field(default=1000, ge=1, le=100_000)
    """How many requests are under way at once."""
    per_host: int = Field(default=100, ge=1, le=100_000)
    """How many of them go to one host."""
    claim_seconds: float = Field(default=30, gt=0, le=3600, validate_default=True)
    """How long a worker may hold a receiver, in seconds: after that another worker takes it over. Above timeout."""

    @field_validator("claim_seconds")
    @classmethod
    def _outlasts(cls, value: float, info: ValidationInfo) -> float:
        # A request is not begun when it might outlast the claim: with a shorter claim none ever would be.
        timeout: float = info.data.get("timeout", 0)
        if value <= timeout:
            raise ValueError(f"is {value:g}, and must be greater than timeout, which is {timeout:g}")
        return value


class OperationsSettings(BaseModel):
    """Whom to tell what operators want to know: endpoints suspended and recovered, articles parked."""

    model_config = STRICT

    url: Url | None = None
    """A webhook that gets each operational event as JSON. They are in the log in any case."""
    secret: WebhookSecrets = Field(default=(), repr=False)
    """Signs them (Standard Webhooks)."""


class ReceiptsSettings(BaseModel):
    """Whom to send receipts of events: the CMS that sent them."""

    model_config = STRICT

    url: Url | None = None
    """A webhook that gets a receipt when an event is done, when a kill is proven, and when something is parked."""
    secret: WebhookSecrets = Field(default=(), repr=False)
    """Signs them (Standard Webhooks)."""


class ManagementSettings(BaseModel):
    """What is managed beside the settings: partners, endpoints, keys, people."""

    model_config = STRICT

    secret_key: SealingKeys = Field(default=(), repr=False)
    """Seals the secrets of endpoints that are kept in the record: 32 bytes in base64, as `dateline management new-key`
    prints. During a rotation a list: the new one and the old one."""


class RecordSettings(BaseModel):
    """The record: the SQL database of what has happened."""

    model_config = STRICT

    synchronous: Literal["full", "normal"] = "full"
    """What a commit waits for: "full", that it is on the disk; "normal", nothing: a loss of power may cost the last
    ones. For PostgreSQL "full" is what its own settings say."""
    keep_killed: bool = False
    """Whether the texts of killed articles stay in the record, for a legal archive. Else a kill erases them: hashes
    and fingerprints stay, and who had which version when."""


class RetentionSettings(BaseModel):
    """How long what has happened stays where. Revisions of articles, and who has them, stay in the record for good."""

    model_config = STRICT

    hot: Span = timedelta(days=30)
    """How long an article stays in Redis after its last change; what still moves stays longer. Then it is in the record
    alone, and comes back by itself when it is needed."""
    attempts: Span = timedelta(days=400)
    """How long the record keeps attempts to bring receivers up to date."""
    events: Span = timedelta(days=400)
    """How long the record keeps events after they were carried out."""

    @field_validator("hot", "attempts", "events")
    @classmethod
    def _lasts(cls, value: timedelta) -> timedelta:
        if value <= timedelta():
            raise ValueError("must be longer than 0")
        return value


class AdapterSettings(BaseModel):
    """One system that posts articles to /events/NAME in its own format. It is on when it has a secret."""

    model_config = STRICT

    secret: SharedSecrets = Field(default=(), repr=False)
    """What the system signs with. During a rotation a list: the new one and the old one."""
    edition: Edition | None = None
    """The language of articles that do not say theirs. Default: the edition of the site."""
    url: PagePattern = ""
    """The page of an article that does not say it; {id} and {slug} stand for the article's own."""


class AdaptersSettings(BaseModel):
    """The systems that may post articles in their own formats."""

    model_config = STRICT

    ninjs: AdapterSettings = Field(default_factory=AdapterSettings.model_construct)
    """IPTC ninjs, as Superdesk pushes it."""
    wordpress: AdapterSettings = Field(default_factory=AdapterSettings.model_construct)
    """Posts of the WordPress REST API, as webhook plugins send them."""
    ghost: AdapterSettings = Field(default_factory=AdapterSettings.model_construct)
    """Webhooks of Ghost."""


class Settings(BaseModel):
    """All settings, checked. Made by `load`; made directly, it has what it is given and reads nothing."""

    model_config = ConfigDict(**STRICT, validate_default=True)

    site: SiteSettings = Field(default_factory=SiteSettings)
    web: WebSettings = Field(default_factory=WebSettings.model_construct)
    api: ApiSettings = Field(default_factory=ApiSettings.model_construct)
    desk: DeskSettings = Field(default_factory=DeskSettings.model_construct)
    websub: WebSubSettings = Field(default_factory=WebSubSettings.model_construct)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings.model_construct)
    operations: OperationsSettings = Field(default_factory=OperationsSettings.model_construct)
    alarms: AlarmSettings = Field(default_factory=AlarmSettings.model_construct)
    receipts: ReceiptsSettings = Field(default_factory=ReceiptsSettings.model_construct)
    adapters: AdaptersSettings = Field(default_factory=AdaptersSettings.model_construct)
    management: ManagementSettings = Field(default_factory=ManagementSettings.model_construct)
    record: RecordSettings = Field(default_factory=RecordSettings.model_construct)
    retention: RetentionSettings = Field(default_factory=RetentionSettings.model_construct)
    redis_url: RedisUrl | None = Field(default=None, repr=False)
    """The Redis that keeps everything: redis://, rediss:// or unix://. Without it Dateline starts one of its own."""
    record_url: RecordUrl | None = Field(default=None, repr=False)
    """The record: postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:////PATH. Default: record.db in
    data_dir."""
    record_password: RecordPassword | None = Field(default=None, repr=False)
    """The password for a record_url that has none, as it is: nothing in it is written as in URLs."""
    broker_url: BrokerUrl | None = Field(default=None, repr=False)
    """The Celery broker for wake-up calls. Default: the same Redis."""
    data_dir: Folder = Path("data")
    """Where Dateline's own Redis and record, and fetched pictures, are kept; relative to the working directory."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged, from this level up. Logs go to standard error: in colour on a terminal, else as JSON."""
    api_tokens: tuple[Token, ...] = Field(default=(), repr=False)
    """Bearer tokens for POST /events and the API."""
    event_secrets: tuple[WebhookSecret, ...] = Field(default=(), repr=False)
    """Secrets of a CMS that signs what it posts to /events (Standard Webhooks)."""
    event_origins: tuple[str, ...] = ()
    """Which senders of CloudEvents may ask whether they may send to /events (WebHook-Request-Origin): their DNS names,
    or "*" for all. Being allowed replaces no token and no signature."""
    signing_keys: SigningKeys = Field(default=(), repr=False)
    """Ed25519 keys, whsk_ and base64, that sign for endpoints with public_signature. During a rotation a list: the new
    one and the old one. The public keys are at /.well-known/jwks.json."""
    feeds: tuple[FeedDefinition, ...]
    """The feeds, at least one."""
    formats: tuple[FormatDefinition, ...] = ()
    """Formats of the newsroom's own, beside those of Dateline."""
    endpoints: tuple[EndpointSettings, ...] = ()
    """The partners' endpoints."""

    @field_validator("feeds")
    @classmethod
    def _some(cls, value: tuple[FeedDefinition, ...]) -> tuple[FeedDefinition, ...]:
        if not value:
            raise ValueError("must have at least one feed")
        return value

    def served_at(self, base_url: str) -> Settings:
        """The same settings, with `base_url` as the site's address where none is set; ids of entries stay."""
        if "base_url" in self.site.model_fields_set:
            return self
        values = {**dict(self.site), "base_url": base_url}
        return self.model_copy(update={"site": SiteSettings.model_construct(self.site.model_fields_set, **values)})

    @property
    def editions(self) -> frozenset[str]:
        """The languages of the newsroom."""
        return frozenset({self.site.edition, *(feed.edition for feed in self.feeds if feed.edition)})

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, values: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        """Check what spans several tables even when one of them is wrong by itself, and report both together."""
        wrong = [mistakes.detail("conflict", problem, location) for location, problem in mistakes.conflicts(values)]
        try:
            settings = build(values)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            wrong = [mistakes.detail(within["type"], within["msg"], within["loc"]) for within in details] + wrong
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong, hide_input=True)
        return settings


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that `environ` (`DATELINE_*`) and the file at `path` give; the environment wins.

    Without `path` the file is the one that DATELINE_CONFIG names, else dateline.toml in the working directory, else the
    example newsroom. Secrets may be given by file: `NAME_file` in the file, `DATELINE_NAME_FILE` in the environment; or
    in the file as `NAME_env`, the name of a variable. Raises SettingsError with every mistake in all of them.
    """
    file = ConfigFile(Settings, environ, path or default_path(environ))
    environment = Environment(Settings, environ)
    errors = [*file.errors, *environment.errors]
    if not file.readable:
        raise SettingsError(errors)
    try:
        values = merged(environment.values, file.values)
        settings = Settings.model_validate(values, context=context_of(values))
    except ValidationError as error:
        # What was meant to come from elsewhere, and did not, is not missing as well.
        absent = file.absent | environment.absent
        errors += mistakes.reported(error, Settings, values, {**file.written, **environment.written}, absent)
    if errors:
        named = [mistakes.by_table_name(mistakes.by_table_name(error, file), environment) for error in errors]
        raise SettingsError(named)
    return settings.served_at(f"http://127.0.0.1:{settings.web.port}")


def default_path(environ: Mapping[str, str]) -> Path:
    """Return the file that `load` reads when it is given none."""
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    local = Path("dateline.toml")
    return local if local.exists() else EXAMPLE
