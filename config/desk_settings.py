"""The settings of the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from config.value_types import BESIDE_THE_SETTINGS, STRICT, Span
from feeds.article_values import Url

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OidcSettings(BaseModel):
    """The OpenID provider by which people sign in at the desk. It is on when it has an issuer."""

    model_config = STRICT

    issuer: Url | None = None
    """Who it is, as it says itself; below it is .well-known/openid-configuration."""
    client_id: str = Field(default="", max_length=500, validate_default=True)
    """Who Dateline is to it. It sends people back to /desk/sign-in/openid/done."""
    client_secret: SecretStr = Field(default=SecretStr(""), repr=False)
    """By which Dateline proves that. Without it, it is a public client."""
    scope: str = "openid profile email"
    """What it is asked for: openid, and where the role claim needs it more."""
    role_claim: str = Field(default="", max_length=200)
    """The claim of the ID token that says somebody's groups or role, a text or a list. Then it decides at each sign-in;
    without it people keep the role that they were given here."""
    roles: dict[str, Literal["viewer", "desk", "operator", "admin"]] = {}
    """What its values mean: value = "role". Of several the one that may do most counts."""
    default_role: Literal["viewer", "desk", "operator", "admin"] | None = None
    """The role of whoever has none by that. Without it they don't get in unless they were added here."""

    @field_validator("issuer")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        if value is not None and (parts := urlsplit(value)).scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("must be an https address")
        return value

    @field_validator("client_id")
    @classmethod
    def _identified(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("issuer") is not None and not value:
            raise ValueError("is missing: the provider has one for each of its clients")
        return value

    @field_validator("scope")
    @classmethod
    def _openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("must have openid in it")
        return value


class DeskSettings(BaseModel):
    """The desk at /desk, the screen of the people who distribute."""

    model_config = STRICT

    title: str = Field(default="", max_length=80)
    """What stands at the top of its pages. Default: the publisher's name, site.title."""
    logo: Annotated[Path | None, BESIDE_THE_SETTINGS] = None
    """A picture that stands there too: an SVG, PNG or WebP file, relative to this one."""
    accent: str = Field(default="#1b4b7a", pattern="^#[0-9a-fA-F]{6}$")
    """The colour of the newsroom, for links and buttons: # and six hexadecimal digits."""
    session_idle: Span = timedelta(hours=8)
    """How long somebody stays signed in who does nothing."""
    session_most: Span = Field(default=timedelta(days=7), validate_default=True)
    """How long somebody stays signed in at the most."""

    oidc: OidcSettings = Field(default_factory=OidcSettings.model_construct)
    """The OpenID provider by which people sign in."""

    @field_validator("logo")
    @classmethod
    def _picture(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix.lower() not in {".svg", ".png", ".webp"}:
            raise ValueError("must be the path of an .svg, .png or .webp file")
        return value

    @field_validator("session_idle", "session_most")
    @classmethod
    def _ordered(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < timedelta(minutes=1):
            raise ValueError("must be a minute or more")
        if value < info.data.get("session_idle", value):
            raise ValueError("must not be shorter than session_idle")
        return value
