"""Every setting of Dateline: what it means, its unit, its default and its bounds.

`load` reads them from the environment and from dateline.toml, in this rank, and reports every mistake at once under the
key that the user wrote. A secret is in no `repr` and no error.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from config.credentials import AuthSettings, HeaderSettings, TlsSettings, without_user
from config.sources import CONFIG_VARIABLE, ConfigFile, Environment, Location, Source, unknown_key, written_key
from config.values import (
    STRICT,
    Backfill,
    BaseUrl,
    BrokerUrl,
    CheckUrl,
    Folder,
    Network,
    PagePattern,
    RedisUrl,
    SharedSecret,
    Span,
    Token,
    WebhookSecret,
)
from feeds.article import Edition, Name, Url
from feeds.definition import FeedDefinition, FeedName
from feeds.errors import FieldError, InvalidInput
from feeds.event import field_errors
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS, READERS
from feeds.patterns import named, pattern_of
from feeds.rights import Rights

# This machine, and the networks of RFC 1918, 6598 and 4193.
_NOT_PUBLIC = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7"),
)

EXAMPLE = Path(__file__).with_name("dateline.toml")

# RFC 4151, section 2.1: a domain name and a day on which it was the newsroom's, here at least its year.
_AUTHORITY = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?,[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")

_NAMED = ("feeds", "endpoints")
"""The lists of tables that have names, by which mistakes in them are told."""
_BARE_NAME = re.compile(r"(?![0-9]+\Z)[a-z0-9_/*-]+")
"""A name that needs no quotes in a key; what is none is refused itself."""
_SHOWN = 100
"""How many characters of a name are shown that is none."""


class SettingsError(InvalidInput):
    """Settings that can't be taken. `errors` has every mistake, each by the key that the user wrote."""


class Site(BaseModel):
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
    partner_formats: tuple[str, ...] = ()
    """The partners' formats that partners fetch from the web server by themselves: what the gate keeps out of them is
    told. Of those that are pushed it is told in any case, and of the others to nobody."""

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
    def _partners(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = [name for name, feed_format in FEED_FORMATS.items() if feed_format not in READERS]
        if unknown := next((name for name in value if name not in known), None):
            raise ValueError(f"{unknown!r} is no partner's format; those are {', '.join(known)}")
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


class Web(BaseModel):
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


class WebSub(BaseModel):
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

    @field_validator("lease_default", "lease_max")
    @classmethod
    def _ordered(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        for shorter in ("lease_min", "lease_default"):
            if value < info.data.get(shorter, value):
                raise ValueError(f"must not be shorter than {shorter}")
        return value


class Delivery(BaseModel):
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
    secret: Annotated[tuple[WebhookSecret, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Field(
        default=(), repr=False
    )
    """Signs them (Standard Webhooks)."""


class AdapterSettings(BaseModel):
    """One system that posts articles to /events/NAME in its own format. It is on when it has a secret."""

    model_config = STRICT

    secret: Annotated[tuple[SharedSecret, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Field(
        default=(), repr=False
    )
    """What the system signs with. During a rotation a list: the new one and the old one."""
    edition: Edition | None = None
    """The language of articles that do not say theirs. Default: the edition of the site."""
    url: PagePattern = ""
    """The page of an article that does not say it; {id} and {slug} stand for the article's own."""


class Adapters(BaseModel):
    """The systems that may post articles in their own formats."""

    model_config = STRICT

    ninjs: AdapterSettings = AdapterSettings()
    """IPTC ninjs, as Superdesk pushes it."""
    wordpress: AdapterSettings = AdapterSettings()
    """Posts of the WordPress REST API, as webhook plugins send them."""
    ghost: AdapterSettings = AdapterSettings()
    """Webhooks of Ghost."""


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
    """How long after a change it is told of it. A kill or a withdrawal is never delayed."""
    early: bool = False
    """Whether it gets articles before their embargo ends, marked as embargoed, in mode "article"."""

    def rights(self) -> Rights:
        """The same, as it is applied."""
        return Rights(self.text, self.credits, self.words, self.canonical, tuple(self.tracking.items()))


class EndpointSettings(BaseModel):
    """One destination of a partner."""

    model_config = STRICT

    name: FeedName
    """Its name in commands, logs and keys."""
    feed: str
    """The feed that it gets."""
    mode: Literal["article", "feed"] = "article"
    """One request for each changed article, or one with all changes as a feed."""
    format: str
    """The format of what it gets: of articles or of feeds, as `mode` says."""
    url: Annotated[Url, AfterValidator(without_user)]
    """Where requests are sent."""
    secret: Annotated[tuple[WebhookSecret, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Field(
        default=(), repr=False
    )
    """Signs every request (Standard Webhooks). During a rotation a list: the new one and the old one."""
    auth: AuthSettings = None
    """How it is shown who we are, beside the signature: by a password, a token or OAuth2."""
    headers: HeaderSettings = {}
    """Headers that it wants; their values may be secrets."""
    tls: TlsSettings = TlsSettings()
    """Certificates: a private authority of the partner's, one of our own."""
    gzip: bool = False
    """Whether bodies are compressed."""
    rights: RightsSettings = RightsSettings()
    """How much of an article it may have."""
    concurrency: int = Field(default=1, ge=1, le=100)
    """How many articles may be in flight to it at once, in mode "article"; never two versions of one."""
    rate: float | None = Field(default=None, gt=0, le=10_000)
    """How many requests a second it wants at the most. Waiting for that is no failure, and a kill does not wait."""
    backfill: Backfill | None = None
    """What it gets of what was published before it was added: "7d" or "100 articles". Without it, nothing."""
    check_url: Annotated[CheckUrl, AfterValidator(without_user)] = ""
    """The page on which it shows an article, with {id} or {slug}; read back after a kill until the text is gone."""

    @field_validator("format")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        mode = info.data.get("mode")
        known: Collection[str] = ARTICLE_FORMATS if mode == "article" else FEED_FORMATS
        if mode and value not in known:
            raise ValueError(f"there is no {mode} format {value!r}; known: {', '.join(known)}")
        return value

    @field_validator("headers")
    @classmethod
    def _said_once(cls, value: HeaderSettings, info: ValidationInfo) -> HeaderSettings:
        if info.data.get("auth") and "authorization" in map(str.lower, value):
            raise ValueError("has Authorization, which auth sets; keep one of the two")
        return value

    @field_validator("rights")
    @classmethod
    def _marked(cls, value: RightsSettings, info: ValidationInfo) -> RightsSettings:
        mode, name = info.data.get("mode"), info.data.get("format", "")
        if value.early and mode == "feed":
            raise ValueError('has early, which there is in mode "article" only')
        if value.early and name in ARTICLE_FORMATS and not ARTICLE_FORMATS[name].marks_embargo:
            raise ValueError(f"has early, and the format {name} can't mark an embargo")
        return value

    @field_validator("tls")
    @classmethod
    def _secure(cls, value: TlsSettings, info: ValidationInfo) -> TlsSettings:
        if value != TlsSettings() and info.data.get("url", "https:").startswith("http:"):
            raise ValueError("is of no use for a url that begins with http://")
        return value


class Settings(BaseSettings):
    """All settings, checked. Made by `load`; made directly, it has what it is given and reads nothing."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True, case_sensitive=True
    )

    site: Site = Site()
    web: Web = Web()
    websub: WebSub = WebSub()
    delivery: Delivery = Delivery()
    operations: OperationsSettings = OperationsSettings()
    adapters: Adapters = Adapters()
    redis_url: RedisUrl | None = Field(default=None, repr=False)
    """The Redis that keeps everything: redis://, rediss:// or unix://. Without it Dateline starts one of its own."""
    broker_url: BrokerUrl | None = Field(default=None, repr=False)
    """The Celery broker for wake-up calls. Default: the same Redis."""
    data_dir: Folder = Path("data")
    """Where Dateline's own Redis keeps its data; relative to the working directory."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged, from this level up. Logs go to standard error: in colour on a terminal, else as JSON."""
    api_tokens: tuple[Token, ...] = Field(default=(), repr=False)
    """Bearer tokens for POST /events and the API."""
    event_secrets: tuple[WebhookSecret, ...] = Field(default=(), repr=False)
    """Secrets of a CMS that signs what it posts to /events (Standard Webhooks)."""
    feeds: tuple[FeedDefinition, ...]
    """The feeds, at least one."""
    endpoints: tuple[EndpointSettings, ...] = ()
    """The partners' endpoints."""

    @field_validator("feeds")
    @classmethod
    def _some(cls, value: tuple[FeedDefinition, ...]) -> tuple[FeedDefinition, ...]:
        if not value:
            raise ValueError("must have at least one feed")
        return value

    def feed(self, name: str) -> FeedDefinition:
        """Return the feed of that name; raises KeyError."""
        return {feed.name: feed for feed in self.feeds}[name]

    def served_at(self, base_url: str) -> Settings:
        """The same settings, with `base_url` as the site's address where none is set; ids of entries stay."""
        if "base_url" in self.site.model_fields_set:
            return self
        values = {**dict(self.site), "base_url": base_url}
        return self.model_copy(update={"site": Site.model_construct(self.site.model_fields_set, **values)})

    @property
    def editions(self) -> frozenset[str]:
        """The languages of the newsroom."""
        return frozenset({self.site.edition, *(feed.edition for feed in self.feeds if feed.edition)})

    def endpoint(self, name: str) -> EndpointSettings:
        """Return the endpoint of that name; raises KeyError."""
        return {endpoint.name: endpoint for endpoint in self.endpoints}[name]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library gives all by name)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (see above)
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (see above)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (see above)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing that the caller did not give: `load` brings the sources."""
        return (init_settings,)

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, values: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        """Check what spans several tables even when one of them is wrong by itself, and report both together."""
        wrong = [_detail("conflict", problem, location) for location, problem in _conflicts(values)]
        try:
            settings = build(values)
        except ValidationError as error:
            own = [_detail(e["type"], e["msg"], e["loc"]) for e in error.errors(include_url=False, include_input=False)]
            wrong = own + wrong
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
    sources = tuple(InitSettingsSource(Settings, source.values) for source in (environment, file))
    try:
        settings = Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        # What was meant to come from elsewhere, and did not, is not missing as well.
        absent = file.absent | environment.absent
        errors += _errors(error, {**file.written, **environment.written}, absent)
    if errors:
        raise SettingsError([_by_name(_by_name(error, file), environment) for error in errors])
    return settings.served_at(f"http://127.0.0.1:{settings.web.port}")


def default_path(environ: Mapping[str, str]) -> Path:
    """Return the file that `load` reads when it is given none."""
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    local = Path("dateline.toml")
    return local if local.exists() else EXAMPLE


# What pydantic says in the words of Python, in the words of TOML.
_IN_TOML = {
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "path_type": "must be a path",
}


def _errors(
    error: ValidationError, written: Mapping[Location, str], absent: Collection[Location]
) -> Iterator[FieldError]:
    for detail, found in zip(error.errors(include_url=False, include_input=False), field_errors(error), strict=True):
        kind, location = detail["type"], detail["loc"]
        if kind == "missing" and location in absent:
            continue
        problem = unknown_key(Settings, location) if kind == "extra_forbidden" else _IN_TOML.get(kind, found.problem)
        yield FieldError(written_key(location, written), problem)


def _by_name(error: FieldError, source: Source) -> FieldError:
    """Say which feed or endpoint it is by its name instead of its place; one without a name by its place."""
    for table in _NAMED:
        key = written_key((table,), source.written)
        position, _, rest = error.field.removeprefix(f"{key}.").partition(".")
        names = dict(_said(source.values, table, "name"))
        if error.field.startswith(f"{key}.") and position.isdecimal() and int(position) in names:
            parts = [key, _told_apart(names, int(position)), rest]
            return FieldError(".".join(filter(None, parts)), error.problem)
    return error


def _told_apart(names: Mapping[int, str], position: int) -> str:
    """Return the name at the position as it stands in a key; where several have it, with which of them it is."""
    name = names[position]
    shown = name if _BARE_NAME.fullmatch(name) else json.dumps(name[:_SHOWN], ensure_ascii=False)
    alike = [at for at, other in names.items() if other == name]
    return f"{shown} ({alike.index(position) + 1} of {len(alike)})" if len(alike) > 1 else shown


def _detail(kind: str, problem: str, location: Location) -> InitErrorDetails:
    said = problem.removeprefix("Value error, ")
    return InitErrorDetails(type=PydanticCustomError(kind, "{problem}", {"problem": said}), loc=location, input=None)


def _conflicts(values: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong between tables: names that are there twice, endpoints of feeds that are not there."""
    for tables in _NAMED:
        names = set()
        for position, name in _said(values, tables, "name"):
            if name in names:
                yield (tables, position, "name"), "is the name of another one too"
            names.add(name)
    known = list(dict.fromkeys(name for _, name in _said(values, "feeds", "name")))
    taken = set(known)
    for position, old in _said_in(values, "feeds", "renamed_from"):
        if old in taken:
            yield ("feeds", position, "renamed_from"), f"{old} is the name of a feed, or is said of another one too"
        taken.add(old)
    for position, feed in _said(values, "endpoints", "feed"):
        one_of_a_pattern = pattern_of(feed) in known and named(feed.rpartition("/")[2]) == feed.rpartition("/")[2] != ""
        if (feed not in known or feed.endswith("*")) and not one_of_a_pattern:
            yield ("endpoints", position, "feed"), f"there is no feed {feed}; known: {', '.join(known)}"


def _said(values: Mapping[str, Any], tables: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield what each of the tables says under `key`, where it says a text: nothing is checked as yet."""
    given = values.get(tables, ())
    for position, table in enumerate(given if isinstance(given, list | tuple) else ()):
        value = table.get(key) if isinstance(table, dict) else getattr(table, key, None)
        if isinstance(value, str):
            yield position, value


def _said_in(values: Mapping[str, Any], tables: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield each text in the lists that the tables have under `key`."""
    given = values.get(tables, ())
    for position, table in enumerate(given if isinstance(given, list | tuple) else ()):
        value = table.get(key) if isinstance(table, dict) else getattr(table, key, None)
        for text in value if isinstance(value, list | tuple) else ():
            if isinstance(text, str):
                yield position, text
