"""How we show a partner who we are, and how we know the partner: the tables `auth`, `headers` and `tls` of an endpoint.

Whatever may be a secret is out of every `repr`, and so may be given as `NAME_file` or `NAME_env`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from config.value_types import BESIDE_THE_SETTINGS, STRICT, Token, is_pem
from feeds.article_values import Url

# RFC 9110, section 5.6.2: the characters of a field's name.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_PEM_MOST = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What Dateline itself says in a request. A partner's own `Authorization` is possible where there is no `auth`.
_OURS = re.compile(r"(?:accept-encoding|connection|content-.*|dateline-.*|expect|host|transfer-encoding|webhook-.*)")


def readable(path: Path | None) -> Path | None:
    """Return the path of a file. Raises ValueError if it can't be read."""
    if path is not None:
        try:
            path.read_bytes()
        except OSError as error:
            raise ValueError(f"the file {path} can't be read: {error.strerror}") from None
        except ValueError:
            raise ValueError("must be the path of a file") from None
    return path


PemFile = Annotated[Path | None, BESIDE_THE_SETTINGS, AfterValidator(readable)]
"""The path of a PEM file, relative to the settings file."""


def pem_text(pem: Path | SecretStr) -> str:
    """Return a text of PEM as it is, and in place of a file its path."""
    return pem.get_secret_value() if isinstance(pem, SecretStr) else str(pem)


def _pem(value: Any) -> Path | SecretStr | None:
    if is_pem(value):
        if len(value) > _PEM_MOST or not value.isascii():
            raise ValueError(f"must be ASCII, and {_PEM_MOST} characters at the most")
        return SecretStr(value)
    return value if value is None or isinstance(value, SecretStr) else readable(_path.validate_python(value))


_path = TypeAdapter[Path](Path, config=ConfigDict(defer_build=True))
Pem = Annotated[Path | SecretStr | None, BESIDE_THE_SETTINGS, PlainValidator(_pem)]
"""A text of PEM, which is never shown, or the path of a file that has it, relative to the settings file."""


class TlsSettings(BaseModel):
    """Which certificates count on a secure connection: texts of PEM, or files, read again for each new connection."""

    model_config = STRICT

    ca: Pem = None
    """The authorities that the partner's certificate may be of. Without it the public ones."""
    cert: Pem = None
    """Our own certificate (mutual TLS)."""
    key: Pem = Field(default=None, validate_default=True)
    """Its key, not encrypted. Without it, it stands in the file of `cert`."""

    @field_validator("ca")
    @classmethod
    def _authorities(cls, authorities: Path | SecretStr | None) -> Path | SecretStr | None:
        import ssl  # noqa: PLC0415 (who has no certificates waits for none of OpenSSL)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if isinstance(authorities, SecretStr):
                context.load_verify_locations(cadata=authorities.get_secret_value())
            elif authorities:
                context.load_verify_locations(authorities)
        except ssl.SSLError:
            where = "" if isinstance(authorities, SecretStr) else f"the file {authorities} "
            raise ValueError(f"{where}has no certificate (PEM)") from None
        return authorities

    @field_validator("key")
    @classmethod
    def _belongs(cls, key: Path | SecretStr | None, info: Any) -> Path | SecretStr | None:
        cert = info.data.get("cert")
        if cert is None:
            if key and "cert" in info.data:
                raise ValueError("is the key of no certificate: cert is missing")
            return key
        if isinstance(cert, SecretStr) or isinstance(key, SecretStr):
            _see_that_it_belongs(key or cert, cert)
            return key
        import ssl  # noqa: PLC0415 (see above)

        try:
            # With a password, even an empty one, OpenSSL does not ask for one on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password="")
        except ssl.SSLError:
            raise ValueError(f"{key or cert} is not the key of {cert}, not PEM, or encrypted") from None
        return key


def _see_that_it_belongs(key: Path | SecretStr, cert: Path | SecretStr) -> None:
    """Raise ValueError unless a certificate has this key; one of them is a text."""
    # To import it takes as long as all other settings.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    try:
        (first, *_) = load_pem_x509_certificates(_content(cert))
        belongs = load_pem_private_key(_content(key), None).public_key() == first.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        belongs = False
    if not belongs:
        raise ValueError("is not the key of cert, not PEM, or encrypted")


def _content(pem: Path | SecretStr) -> bytes:
    return pem.get_secret_value().encode() if isinstance(pem, SecretStr) else pem.read_bytes()


def without_user(url: str) -> str:
    """Return the URL. Raises ValueError if it carries a user name or password, which would be shown with it."""
    if "@" in urlsplit(url).netloc:
        raise ValueError("must not carry a user name or password")
    return url


def _text(secret: SecretStr) -> SecretStr:
    if _CONTROL.search(secret.get_secret_value()):
        raise ValueError("must not have control characters")
    return secret


def _user(secret: SecretStr) -> SecretStr:
    if ":" in secret.get_secret_value():
        raise ValueError("must not have a colon (RFC 7617, section 2)")
    return _text(secret)


def _some(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("must not be empty")
    return _text(secret)


SomeSecret = Annotated[SecretStr, AfterValidator(_some)]
"""A secret that is not empty, of one line."""


class BasicSettings(BaseModel):
    """User name and password (RFC 7617). Either may be empty: some partners take a key as the user name."""

    model_config = STRICT

    type: Literal["basic"]
    username: Annotated[SecretStr, AfterValidator(_user)] = Field(repr=False)
    password: Annotated[SecretStr, AfterValidator(_text)] = Field(repr=False)


class BearerSettings(BaseModel):
    """A token that does not change (RFC 6750)."""

    model_config = STRICT

    type: Literal["bearer"]
    token: Token = Field(repr=False)


class OAuth2Settings(BaseModel):
    """Tokens of an authorization server (RFC 6749, section 4.4: client credentials)."""

    model_config = STRICT

    type: Literal["oauth2"]
    token_url: Annotated[Url, AfterValidator(without_user)]
    """Where tokens are fetched."""
    client_id: SomeSecret = Field(repr=False)
    client_secret: SomeSecret = Field(repr=False)
    scope: str = ""
    """What is asked for, separated by spaces."""
    audience: str = ""
    """For whom the token is, where the server asks for it."""
    client_auth: Literal["basic", "body"] = "basic"
    """How the server gets id and secret (RFC 6749, section 2.3.1)."""
    tls: TlsSettings = Field(default_factory=TlsSettings.model_construct)
    """Certificates for the connection to the server."""


_KINDS: Mapping[Any, type[BaseModel]] = {"basic": BasicSettings, "bearer": BearerSettings, "oauth2": OAuth2Settings}


def _by_type(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Check the table as the type that it names, so that a mistake is not reported once for each possible type."""
    if value is None or isinstance(value, BaseModel):
        return check(value)
    if not isinstance(value, dict):
        raise PydanticCustomError("model_type", "must be a table")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        reason = "has no type" if kind is None else "has a type that is none"
        raise PydanticCustomError("auth_type", "{problem}", {"problem": f"{reason}; known: {', '.join(_KINDS)}"})
    return _KINDS[kind].model_validate(value)


AuthSettings = Annotated[BasicSettings | BearerSettings | OAuth2Settings | None, WrapValidator(_by_type)]
"""How we show who we are, in the header `Authorization`."""


def _header_names(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"has {name!r}, which is no name of a header")
        if _OURS.fullmatch(name.lower()):
            raise ValueError(f"has {name}, which Dateline sets itself")
    return headers


def _header_value(secret: SecretStr) -> SecretStr:
    if not _PRINTABLE.fullmatch(secret.get_secret_value()):
        raise ValueError("must be printable ASCII, without a space at its ends")
    return secret


HeaderSettings = Annotated[
    dict[str, Annotated[SecretStr, AfterValidator(_header_value)]], AfterValidator(_header_names)
]
"""Headers of the partner's own; each value may be a secret."""
