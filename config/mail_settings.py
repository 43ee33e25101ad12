"""The table `mail` of an endpoint: whose mails they are, to whom they go, and by which server."""

from __future__ import annotations

from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from config.credentials import SomeSecret
from config.destination_settings import DestinationSettings
from config.value_types import Span
from feeds.mail_subject import check_subject


def _address(text: str) -> str:
    try:
        [(name, address)] = getaddresses([text])
        parsed = Address(display_name=name, addr_spec=address)
        whole = bool(parsed.username and parsed.domain) and address in text and text.isprintable()
    except (ValueError, LookupError, AttributeError, MessageError):
        # What email makes of what is no address is anything.
        whole = False
    if not whole:
        raise ValueError(
            'must be one address such as "desk@partner.example" or "Desk <desk@partner.example>"; several are a list'
        )
    if not address.isascii():
        raise ValueError("has an address that is not ASCII; bücher.example is written xn--bcher-kva.example")
    return str(parsed)


def _list_of_one(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


MailAddress = Annotated[str, AfterValidator(_address)]


class MailSettings(DestinationSettings):
    """Mails to people. The endpoint's `url` is that of the server that takes them: smtp:// or smtps://."""

    schemes: ClassVar[tuple[str, ...]] = ("smtp", "smtps")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    carries_companions: ClassVar[bool] = True

    sender: MailAddress
    """Whose mails they are."""
    to: Annotated[tuple[MailAddress, ...], BeforeValidator(_list_of_one)] = Field(min_length=1, max_length=100)
    """Who gets them: one address, or a list."""
    reply_to: Annotated[str, AfterValidator(lambda text: _address(text) if text else text)] = ""
    """Where answers go; without it, to the sender."""
    subject: Annotated[str, AfterValidator(check_subject)] = "{headline}"
    """Of an article's mail: {headline}, {section}, {edition}, {id}, {version}. KILL and the like are added."""
    attach: bool = False
    """Whether the article in the endpoint's format is attached, under its name there."""
    every: Span | None = None
    """In mode "feed": at most one mail in this time, with all that has changed. A kill does not wait."""
    starttls: bool = True
    """Whether a connection to smtp:// must be encrypted before anything is sent; without it, it never is."""
    username: SomeSecret | None = Field(default=None, repr=False)
    """By which name we are let in; without it, by none."""
    password: SomeSecret | None = Field(default=None, repr=False, validate_default=True)
    """The password of that name."""

    @property
    def rate(self) -> float | None:
        """One mail in the time that `every` says."""
        return 1 / self.every.total_seconds() if self.every else None

    @field_validator("every")
    @classmethod
    def _some_time(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(seconds=1):
            raise ValueError('must be at least "1s"')
        return value

    @field_validator("password")
    @classmethod
    def _of_a_name(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (value is None) != (info.data.get("username") is None) and "username" in info.data:
            raise ValueError("and username go together: give both, or none")
        if value is not None and info.data.get("starttls") is False:
            raise ValueError("would be sent unencrypted: take starttls = false away")
        return value
