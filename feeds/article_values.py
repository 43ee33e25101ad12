"""The kinds of values that articles, events and settings are made of, each checked and cleaned when it is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from feeds import text
from feeds.moments import DATE, HOUR_MINUTE, OFFSET

# RFC 3339, section 5.6, more lenient (feeds.moments has the differences). Without an offset a time is anybody's guess.
_RFC3339 = re.compile(rf"{DATE}[Tt ]{HOUR_MINUTE}(?::\d{{2}}(?:\.\d{{1,9}})?)?(?:[Zz]|{OFFSET}|[+-]\d{{4}})", re.ASCII)

# The common part of BCP 47: a language, then subtags for script, region and variant.
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise PydanticCustomError("moment", 'must be a time such as "2026-03-04T11:00:00Z", with its offset from UTC')
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment", "is no time that exists") from None
    if not 1900 <= moment.year <= 9000:
        raise PydanticCustomError("moment", "must lie between the years 1900 and 9000")
    return moment


def _cleaned_by(function: Any) -> AfterValidator:
    """Wrap a function that raises ValueError so that its message reaches the sender as it is."""

    def check(value: str) -> str:
        try:
            cleaned: str = function(value)
        except ValueError as error:
            raise PydanticCustomError("text", "{problem}", {"problem": str(error)}) from None
        return cleaned

    return AfterValidator(check)


def _plain(value: str, info: ValidationInfo) -> str:
    """A line of plain text; in an event whose lines are `literal`, what looks like markup is text."""
    try:
        return text.plain(value, literal=bool(info.context and info.context.get("literal")))
    except ValueError as error:
        raise PydanticCustomError("text", "{problem}", {"problem": str(error)}) from None


def _identifier(value: str) -> str:
    if not value.isprintable() or any(character.isspace() for character in value):
        raise ValueError("must not have white space or control characters")
    return value


def _language(value: str) -> str:
    if not _TAG.fullmatch(value):
        raise ValueError('must be a language tag such as "ar" or "zh-Hant"')
    return value


def within(value: str, most: int, least: int = 0) -> str:
    """Return a text that has so many characters. Raises PydanticCustomError."""
    if len(value) > most:
        raise PydanticCustomError("text", "must have at most {most} characters", {"most": most})
    if len(value) < least:
        raise PydanticCustomError("text", "must not be empty")
    return value


def _length(most: int, least: int = 0) -> AfterValidator:
    return AfterValidator(lambda value: within(value, most, least))


URL_MOST = 2000
"""The longest URL, percent-encoded, in characters."""

Moment = Annotated[datetime, BeforeValidator(_moment)]
# Limits are checked after cleaning, so that a stored article that is sent to us again passes them too.
Id = Annotated[str, _cleaned_by(_identifier), _length(200, 1)]
Line = Annotated[str, AfterValidator(_plain), _length(500)]
Name = Annotated[str, AfterValidator(_plain), _length(200, 1)]
Paragraph = Annotated[str, AfterValidator(_plain), _length(5000)]
Url = Annotated[str, _cleaned_by(text.absolute_url), _length(URL_MOST, 1)]
Edition = Annotated[str, Field(max_length=35), _cleaned_by(_language)]
# Strict, because a number of the wrong type is a mistake: true is not urgency 1.
Version = Annotated[int, Field(ge=1, le=2**53, strict=True)]
Urgency = Annotated[int, Field(ge=1, le=9, strict=True)]
Pixels = Annotated[int, Field(ge=1, le=100_000, strict=True)]
