"""The tables `sftp`, `ftp` and `ftps` of an endpoint: a partner's server, into whose folders files are put."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from config.credentials import readable
from config.feed_document_settings import FeedDocumentSettings
from config.value_types import BESIDE_THE_SETTINGS, list_of_one
from feeds.file_names import check_template

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def _line(secret: SecretStr) -> SecretStr:
    if _CONTROL.search(secret.get_secret_value()):
        raise ValueError("must be on one line")
    return secret


def _user(name: str) -> str:
    if not name or _CONTROL.search(name):
        raise ValueError("must be the name of a user, on one line")
    return name


def _private_key(secret: SecretStr) -> SecretStr:
    if not _PRIVATE_KEY.match(secret.get_secret_value()):
        raise ValueError("must be a private key, as ssh-keygen makes them: it begins with -----BEGIN")
    return secret


def _fingerprint(text: str) -> str:
    kind, _, digest = text.partition(":")
    try:
        size = len(base64.b64decode(f"{digest.rstrip('=')}=", validate=True))
    except ValueError:
        size = 0
    if kind != "SHA256" or size != 32:
        raise ValueError("must be SHA256: and 43 characters, as `ssh-keyscan HOST | ssh-keygen -lf -` prints them")
    return text


def _template(template: str) -> str:
    if "{version}" in check_template(template).rpartition("/")[0]:
        raise ValueError("must have {version} in its last part alone: a kill looks for all versions in one folder")
    return template


Password = Annotated[SecretStr, AfterValidator(_line)]
User = Annotated[str, AfterValidator(_user)]


class FileSettings(FeedDocumentSettings):
    """What all servers of files have in common."""

    username: User
    """By which name it lets us in."""
    name: Annotated[str, AfterValidator(_template)] = "{date}/{id}-v{version}.{ext}"
    """The name of an article's file below the folder of `url`; folders that are missing are made."""
    on_kill: Literal["notice", "remove", "both"] = "both"
    """What becomes of a killed article: a notice as its last version, its files removed, or both."""

    @classmethod
    def address(cls, url: str) -> str:
        """Return the endpoint's `url`. Raises ValueError if it is none for this kind."""
        path = unquote(urlsplit(super().address(url)).path, errors="strict")
        if _CONTROL.search(path) or ".." in path.split("/"):
            raise ValueError("must not have control characters or .. in its path")
        return url.rstrip("/")


class SftpSettings(FileSettings):
    """A server of SFTP. A path that begins with /~/ is below our home folder there."""

    schemes: ClassVar[tuple[str, ...]] = ("sftp",)

    password: Password | None = Field(default=None, repr=False)
    """The password, or that of the key."""
    key: Annotated[SecretStr, AfterValidator(_private_key)] | None = Field(
        default=None, repr=False, validate_default=True
    )
    """A private key (PEM), in place of a password."""
    known_hosts: Annotated[Path | None, BESIDE_THE_SETTINGS, AfterValidator(readable)] = None
    """A file with the server's host keys, as OpenSSH has it."""
    host_keys: Annotated[tuple[Annotated[str, AfterValidator(_fingerprint)], ...], BeforeValidator(list_of_one)] = (
        Field(default=(), validate_default=True)
    )
    """The fingerprint of the server's host key, or those of all its keys, in place of `known_hosts`."""

    @field_validator("key")
    @classmethod
    def _some_secret(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("password", ...) is None:
            raise ValueError("is missing, or else password")
        return key

    @field_validator("host_keys")
    @classmethod
    def _pinned(cls, host_keys: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known_hosts = info.data.get("known_hosts", ...)
        if host_keys and known_hosts not in (None, ...):
            raise ValueError("is of no use beside known_hosts; keep one of the two")
        if not host_keys and known_hosts is None:
            raise ValueError("is missing, or else known_hosts: we send to no server that we can't recognise")
        return host_keys


class FtpSettings(FileSettings):
    """A server of FTP, without any protection. Its path is below the folder in which we are let in."""

    schemes: ClassVar[tuple[str, ...]] = ("ftp",)

    username: User = "anonymous"
    password: Password = Field(default=SecretStr(""), repr=False)
    active: bool = False
    """Whether the server opens the connection for the data, to us. Few networks let it."""


class FtpsSettings(FtpSettings):
    """A server of FTP over TLS. The certificates are those of the endpoint's `tls`."""

    schemes: ClassVar[tuple[str, ...]] = ("ftps",)
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})

    username: User
    implicit: bool = False
    """Whether TLS begins with the connection (port 990), not by AUTH TLS (port 21)."""
