"""An event: what a newsroom tells us, checked.

`read(value, now)` is the only way in. It takes the decoded JSON of one event and returns an `Event`, or raises
`InvalidEvent` naming every wrong field in the sender's own words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from feeds.article import Id, Moment, Name, Submission
from feeds.errors import FieldError, InvalidEvent

ARTICLE_PUBLISHED = "article.published"
ARTICLE_CORRECTED = "article.corrected"
ARTICLE_KILLED = "article.killed"
LIST_UPDATED = "list.updated"
TYPES = (ARTICLE_PUBLISHED, ARTICLE_CORRECTED, ARTICLE_KILLED, LIST_UPDATED)

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Killed(BaseModel):
    """The article that a kill names. Only its id counts: a kill must not fail for the rest of what is sent with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Id
    version: int | None = Field(default=None, ge=1, le=2**53)


class Picks(BaseModel):
    """A curated list: its name and the ids of its articles, the first pick first."""

    model_config = _STRICT

    name: Name
    articles: tuple[Id, ...] = Field(max_length=1000)


class ArticleEvent(BaseModel):
    """An article is new or has changed. Which of the two is decided by what we hold, not by the sender's word."""

    model_config = _STRICT

    id: Id
    type: Literal["article.published", "article.corrected"]
    time: Moment
    article: Submission


class KillEvent(BaseModel):
    """An article must go, everywhere."""

    model_config = _STRICT

    id: Id
    type: Literal["article.killed"]
    time: Moment
    article: Killed


class ListEvent(BaseModel):
    """An editor has arranged a curated list anew."""

    model_config = _STRICT

    id: Id
    type: Literal["list.updated"]
    time: Moment
    list: Picks


Event = ArticleEvent | KillEvent | ListEvent

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


def read(value: Any, now: datetime) -> Event:
    """Return the event that `value` (decoded JSON) is; an event without a `time` happened at `now`.

    Raises InvalidEvent with every wrong field.
    """
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", "an event must be a JSON object")])
    event_id = value.get("id") if isinstance(value.get("id"), str) else None
    kind = value.get("type")
    if kind not in TYPES:
        problem = "is missing" if kind is None else f"is {str(kind)[:60]!r}"
        raise InvalidEvent([FieldError("type", f"{problem}; known types: {', '.join(TYPES)}")], event_id)
    try:
        return _EVENT.validate_python({"time": now, **value})
    except ValidationError as error:
        raise InvalidEvent(field_errors(error, skip=1), event_id) from None


def field_errors(error: ValidationError, skip: int = 0) -> list[FieldError]:
    """Return what pydantic found as field errors in our words; `skip` leading parts of each path are left out."""
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in detail["loc"][skip:])
        kind, message = detail["type"], detail["msg"]
        if kind == "missing":
            message = "is missing"
        elif kind == "extra_forbidden":
            message = "is not a known field"
        elif kind == "missing_in":
            name, _, message = message.partition(": ")
            path = f"{path}.{name}" if path else name
        elif kind not in {"moment", "text", "url"}:
            message = message[:1].lower() + message[1:]
        found.append(FieldError(path, message))
    return found
