"""A feed as its editors define it: its name, its title, which articles belong in it, in which order, and how many."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from feeds.article_values import Edition, Line, Name, Urgency, Url
from feeds.machine_rights import MachineRights

_STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)

# The name is part of every topic URL and every Redis key: lower-case words, with "-", "_" or "/" between them.
_WORDS = r"[a-z0-9]+(?:[-_/][a-z0-9]+)*"
_PATTERN = re.compile(rf"(?:{_WORDS}/)?(author|subject|section|edition)/\*")


def _feed_name(value: str) -> str:
    if not re.fullmatch(_WORDS, value) and not _PATTERN.fullmatch(value):
        raise ValueError(
            "must be lower-case words with - _ or / between them, or end in author/*, subject/*, section/* or edition/*"
        )
    return value


FeedName = Annotated[str, Field(max_length=100), AfterValidator(_feed_name)]

# A year at the most: caches need not understand much more (RFC 9111, section 1.2.2), and nobody needs it.
Seconds = Annotated[int, Field(ge=0, le=31_536_000, strict=True)]


class Selector(BaseModel):
    """Which articles a feed takes: each property must match, if it is given, with any of its values."""

    model_config = _STRICT

    edition: tuple[Edition, ...] = ()
    section: tuple[Name, ...] = ()
    subject: tuple[Name, ...] = ()
    author: tuple[Name, ...] = ()
    urgency: tuple[Urgency, ...] = ()


class FeedDefinition(BaseModel):
    """One feed.

    `select` is a union: an article belongs to the feed when any selector takes it; without selectors all articles do.
    With `list` the feed is the curated list of that name instead, in the editors' order. `edition` gives the feed its
    language and direction and admits only articles of that edition; without it the feed is mixed. `limit` is the number
    of entries in the feed document; older ones are in archives, one for each day or month (`archive`, in UTC).

    A name that ends in "/*" makes the definition a pattern (feeds.patterns): a feed for each author, subject, section
    or edition of the articles that it takes, and at most `most` feeds. A "*" in its title and description stands for
    the author's name, and so on. The feeds of `edition/*` may have `titles`, each in its own language.

    `max_age`, `stale_while_revalidate` and `stale_if_error`, in seconds, are sent to readers and caches (RFC 9111,
    RFC 5861). `renamed_from`: former names of the feed; their addresses redirect to it.

    `private`: only those are served who show a key for it; nothing public names it, and no hub pushes it. `partners`:
    whose keys are for it, beside those of partners with an endpoint that gets it.

    `machines`: what programs may do with its articles, in place of what the site says. `hubs`: WebSub hubs of somebody
    else that its documents name beside ours.
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
    titles: dict[Edition, Name] = {}
    most: int = Field(default=10_000, ge=1, le=1_000_000)
    archive: Literal["day", "month"] = "day"
    max_age: Seconds = 300
    stale_while_revalidate: Seconds = 60
    stale_if_error: Seconds = 86_400
    renamed_from: tuple[FeedName, ...] = ()
    private: bool = False
    partners: tuple[FeedName, ...] = ()
    machines: MachineRights | None = None
    hubs: tuple[Url, ...] = Field(default=(), max_length=5)

    @property
    def by(self) -> str | None:
        """The property of which a pattern has a feed for each value; None: this is a single feed."""
        pattern = _PATTERN.fullmatch(self.name)
        return pattern[1] if pattern else None

    @property
    def filling(self) -> str:
        """What decides which articles are in the feed, and where, as JSON."""
        return self.model_dump_json(include={"edition", "select", "list", "order"})

    @property
    def announced(self) -> str:
        """All of it as JSON, as releases read it too that had no private feeds, rights for machines or other hubs."""
        absent = set() if self.private else {"private", "partners"}
        absent |= {name for name in ("machines", "hubs") if not getattr(self, name)}
        return self.model_dump_json(exclude=absent)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.list is not None and self.select:
            raise ValueError("takes either select or list, not both")
        if self.by is not None and self.list is not None:
            raise ValueError("is a pattern, which takes no list")
        if self.edition is not None and self.by == "edition":
            raise ValueError("is the pattern of all editions, which takes no edition")
        if self.titles and self.by != "edition":
            raise ValueError("takes titles only as the pattern edition/*")
        if self.hubs and self.private:
            raise ValueError("is private: takes no hubs, which would pass it on")
        if self.partners and not self.private:
            raise ValueError("takes partners only if it is private: add private = true")
        return self
