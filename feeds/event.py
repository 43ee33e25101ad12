"""Events from a newsroom, checked: an article is new, corrected, killed, reinstated or repeated; a list has changed.

`read(value, now)` is the only way in. It takes the decoded JSON of one event and returns an `Event`, or raises
`InvalidEvent`, which names every wrong field by its path in the sender's JSON.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from feeds.article import Article, Submission
from feeds.article_values import Id, Moment, Name
from feeds.errors import FieldError, InvalidEvent
from feeds.field_errors import field_errors

ARTICLE_PUBLISHED = "article.published"
ARTICLE_CORRECTED = "article.corrected"
ARTICLE_KILLED = "article.killed"
ARTICLE_REINSTATED = "article.reinstated"
ARTICLE_REPEATED = "article.repeated"
LIST_UPDATED = "list.updated"
TYPES = (ARTICLE_PUBLISHED, ARTICLE_CORRECTED, ARTICLE_REINSTATED, ARTICLE_REPEATED, ARTICLE_KILLED, LIST_UPDATED)

_ID: TypeAdapter[str] = TypeAdapter(Id)
_STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)
# A kill fails only if it does not say which article to kill, never for any other field.
_LENIENT = ConfigDict(frozen=True, extra="ignore", defer_build=True)


def _version(value: Any) -> int | None:
    return value if type(value) is int and 1 <= value <= 2**53 else None


def _origin(value: Any) -> str | None:
    try:
        return _ID.validate_python(value)
    except ValidationError:
        return None


class Killed(BaseModel):
    """The article that a kill names. Only its id must be right; other wrong fields count as missing."""

    model_config = _LENIENT

    id: Id
    version: Annotated[int | None, BeforeValidator(_version)] = None
    evolved_from: Annotated[str | None, BeforeValidator(_origin)] = None


class Picks(BaseModel):
    """A curated list: its name and the ids of its articles, the first pick first."""

    model_config = _STRICT

    name: Name
    articles: tuple[Id, ...] = Field(max_length=1000)


class ArticleEvent(BaseModel):
    """An article is new or has changed. Which of the two depends on the stored article, not on the event's type.

    Only `article.reinstated` is different: nothing else brings a killed article back. `literal`: what looks like markup
    in the article's lines of plain text is meant as text.
    """

    model_config = _STRICT

    id: Id
    type: Literal["article.published", "article.corrected", "article.reinstated"]
    time: Moment
    # `read` takes it from the JSON before the article is checked, because the article's lines depend on it.
    literal: Annotated[bool, Field(strict=True)] = False
    article: Submission


class Repeated(BaseModel):
    """The article that must be sent again."""

    model_config = _STRICT

    id: Id


class RepeatEvent(BaseModel):
    """An article must be sent again, unchanged, to partners that may have missed it."""

    model_config = _STRICT

    id: Id
    type: Literal["article.repeated"]
    time: Moment
    article: Repeated


class KillEvent(BaseModel):
    """An article must disappear everywhere."""

    model_config = _LENIENT

    id: Id
    type: Literal["article.killed"]
    time: Moment
    article: Killed


class ListEvent(BaseModel):
    """An editor has changed a curated list."""

    model_config = _STRICT

    id: Id
    type: Literal["list.updated"]
    time: Moment
    list: Picks


Event = ArticleEvent | RepeatEvent | KillEvent | ListEvent

_EVENT: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="type")], config=ConfigDict(defer_build=True)
)


def prepare() -> None:
    """Build what checks events and articles, which is otherwise built with the first: for a process that serves."""
    _EVENT.rebuild()
    Article.model_rebuild()


def read(value: Any, now: datetime) -> Event:
    """Return the event in `value` (decoded JSON); an event without a `time` happened at `now`.

    Raises InvalidEvent with every wrong field.
    """
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", "an event must be a JSON object")])
    event_id = value.get("id") if isinstance(value.get("id"), str) else None
    event_type = value.get("type")
    if event_type not in TYPES:
        problem = "is missing" if event_type is None else f"is {str(event_type)[:60]!r}"
        raise InvalidEvent([FieldError("type", f"{problem}; known types: {', '.join(TYPES)}")], event_id)
    try:
        return _EVENT.validate_python({"time": now, **value}, context={"literal": value.get("literal") is True})
    except ValidationError as error:
        raise InvalidEvent(field_errors(error, skip=1), event_id) from None


def kills(event: Event) -> bool:
    """Whether the event is a kill: by its type or, as some systems send it, by the state of its article."""
    return isinstance(event, KillEvent) or (isinstance(event, ArticleEvent) and event.article.pubstatus == "canceled")


def kind(event: Event) -> Literal["kill", "reinstatement", ""]:
    """Return the kind of an event, as far as it is accepted in another way than others."""
    if kills(event):
        return "kill"
    return "reinstatement" if event.type == ARTICLE_REINSTATED else ""
