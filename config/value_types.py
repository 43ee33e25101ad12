"""The kinds of single values that settings have, each with its check. No message repeats a value that may be secret."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, SecretStr

from feeds.article_values import Url
from feeds.text import absolute_url

STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)
"""How each table is checked. What checks it is made with `Settings`, in one go."""
BESIDE_THE_SETTINGS = "beside the settings"
"""Marks a path that is relative to the settings file, not to the working directory."""
SEALING_KEY_BYTES = 32
"""AES-256."""

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_SPAN_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def is_pem(value: Any) -> bool:
    """Whether a value is a text of PEM (RFC 7468, section 2) in place of the path of a file that has one."""
    return isinstance(value, str) and "-----BEGIN " in value


def _base_url(url: str) -> str:
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError("must end with its path, without a query")
    return url.rstrip("/")


def _span(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not (match := _SPAN.fullmatch(value)):
        raise ValueError('must be a number with its unit, such as "10d", "36h", "90m" or "45s"')
    return timedelta(**{_SPAN_UNITS[match[2]]: int(match[1])})


def _network(value: Any) -> Any:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"is no network: {error}") from None


def _redis_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    network = parts.scheme in {"redis", "rediss"} and parts.hostname and port != 0
    socket = parts.scheme == "unix" and parts.path
    if not network and not socket:
        raise ValueError("must be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH")
    return url


def _record_url(url: str) -> str:
    form = "must be postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:////PATH"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"is no URL: it {form}, a password with special characters as in URLs (%40 for @)") from None
    server = parts.scheme == "postgresql+psycopg" and parts.path.strip("/") and port != 0
    file = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1 and ":memory:" not in parts.path
    if not server and not (file and not parts.query):
        raise ValueError(form)
    return url


def _record_password(password: SecretStr) -> SecretStr:
    if not password.get_secret_value() or "\0" in password.get_secret_value():
        raise ValueError("must be a password")
    return password


def _broker_url(url: str) -> str:
    if not re.match(r"[a-z][a-z0-9+]*://", url):
        raise ValueError("must be a broker URL as Celery knows them, such as amqp://HOST")
    return url


def _token(token: SecretStr) -> SecretStr:
    if not _BEARER.fullmatch(token.get_secret_value()):
        raise ValueError("must be made of letters, digits and . _ ~ + / - (RFC 6750, section 2.1)")
    return token


def _webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        size = len(base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True))
    except ValueError:
        size = 0
    if not 24 <= size <= 64:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes (Standard Webhooks)")
    return secret


def _signing_key(key: SecretStr) -> SecretStr:
    try:
        octets = base64.b64decode(key.get_secret_value().removeprefix("whsk_"), validate=True)
    except ValueError:
        octets = b""
    if not key.get_secret_value().startswith("whsk_") or len(octets) != 32:
        raise ValueError("must be whsk_ and the base64 of 32 bytes, an Ed25519 private key (Standard Webhooks)")
    return key


def _shared_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not 16 <= len(text) <= 500 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be 16 to 500 printable ASCII characters without spaces")
    return secret


def _sealing_key(key: SecretStr) -> SecretStr:
    try:
        size = len(base64.b64decode(key.get_secret_value(), validate=True))
    except ValueError:
        size = 0
    if size != SEALING_KEY_BYTES:
        raise ValueError("must be the base64 of 32 bytes; `dateline management new-key` prints one")
    return key


def _page_pattern(url: str) -> str:
    if url:
        absolute_url(url.replace("{id}", "x").replace("{slug}", "x"))
    return url


def _check_url(url: str) -> str:
    if url:
        unknown = sorted(set(re.findall(r"\{[^{}]*\}", url)) - {"{id}", "{slug}"})
        if unknown:
            raise ValueError(f"has {unknown[0]}; known: {{id}}, {{slug}}")
        parts = urlsplit(url)
        if "{" in parts.netloc or "{" not in parts.path + parts.query:
            raise ValueError("must have {id} or {slug} in its path or query: each article has a page of its own")
    return _page_pattern(url)


def _backfill(value: str) -> str:
    if not re.fullmatch(r"[0-9]{1,6}(?:[smhd]| articles)", value):
        raise ValueError('must be a time such as "7d" or a number such as "100 articles"')
    return value


Backfill = Annotated[str, AfterValidator(_backfill)]
BaseUrl = Annotated[Url, AfterValidator(_base_url)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
RecordPassword = Annotated[SecretStr, AfterValidator(_record_password)]
RecordUrl = Annotated[str, AfterValidator(_record_url)]
BrokerUrl = Annotated[str, AfterValidator(_broker_url)]
Folder = Annotated[Path, AfterValidator(Path.expanduser)]
Token = Annotated[SecretStr, AfterValidator(_token)]
CheckUrl = Annotated[str, AfterValidator(_check_url)]
PagePattern = Annotated[str, AfterValidator(_page_pattern)]
SharedSecret = Annotated[SecretStr, AfterValidator(_shared_secret)]
SigningKey = Annotated[SecretStr, AfterValidator(_signing_key)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]


def list_of_one(value: Any) -> Any:
    """Return a text as a list of it."""
    return (value,) if isinstance(value, str) else value


SealingKeys = Annotated[tuple[Annotated[SecretStr, AfterValidator(_sealing_key)], ...], BeforeValidator(list_of_one)]
"""One key, or while it is rotated a list: the new one, and the old ones that still open what they have sealed."""
SharedSecrets = Annotated[tuple[SharedSecret, ...], BeforeValidator(list_of_one)]
"""One secret, or during a rotation a list: the new one and the old one."""
WebhookSecrets = Annotated[tuple[WebhookSecret, ...], BeforeValidator(list_of_one)]
"""As `SharedSecrets`, of Standard Webhooks."""
SigningKeys = Annotated[tuple[SigningKey, ...], BeforeValidator(list_of_one)]
"""One Ed25519 key, or during a rotation a list."""
