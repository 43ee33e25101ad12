"""A feed as its editors define it: a name, a title, what belongs in it, in which order, how many."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from feeds.article import Edition, Line, Name, Urgency, Url

_STRICT = ConfigDict(frozen=True, extra="forbid")

# The name is part of every topic URL and of every key: lower-case words, with "-", "_" or "/" between them.
FeedName = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[-_/][a-z0-9]+)*$", max_length=100)]

# At most a year (RFC 9111, section 1.2.2, has it that more may not be understood; nobody wants more).
Seconds = Annotated[int, Field(ge=0, le=31_536_000, strict=True)]


class Selector(BaseModel):
    """Which articles: each property that is given must match, by any one of its values. An empty selector takes all."""

    model_config = _STRICT

    edition: tuple[Edition, ...] = ()
    section: tuple[Name, ...] = ()
    subject: tuple[Name, ...] = ()
    author: tuple[Name, ...] = ()
    urgency: tuple[Urgency, ...] = ()


class FeedDefinition(BaseModel):
    """One feed.

    `select` is a union: an article belongs when any selector takes it; without selectors all articles do. With `list`
    the feed is the curated list of that name instead, in the editors' order. `edition` gives the feed its language and
    direction and admits only articles of that edition; without it the feed is mixed. `limit` is the number of entries
    of the feed document; the others stand in archives, each of one `archive` of days or months (UTC).

    `max_age`, `stale_while_revalidate` and `stale_if_error`, in seconds, are told to readers and caches (RFC 9111,
    RFC 5861). `renamed_from`: names that the feed had before, whose addresses lead to it.
    """

    model_config = _STRICT

    name: FeedName
    title: Name
    description: Line = ""
    edition: Edition | None = None
    select: tuple[Selector, ...] = ()
    list: Name | None = None
    order: Literal["published", "updated"] = "published"
    limit: int = Field(default=50, ge=1, le=1000)
    url: Url | None = None
    archive: Literal["day", "month"] = "day"
    max_age: Seconds = 300
    stale_while_revalidate: Seconds = 60
    stale_if_error: Seconds = 86_400
    renamed_from: tuple[FeedName, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.list is not None and self.select:
            raise ValueError("takes either select or list, not both")
        return self
