"""Who asks for something, and what may be done: every operation takes a caller, and refuses by itself."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from feeds.patterns import pattern_of
from worker.management.scopes import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable


class Whichever(Enum):
    """In place of a name."""

    FILTERED = "filtered"
    """The operation shows no more than `Caller.sees` allows, so a bound refuses nothing."""


FILTERED = Whichever.FILTERED
Named = str | Whichever | None


class Forbidden(Exception):
    """The caller may not do this; the message says why, in one line."""

    def __init__(self, message: str, scope: str = "") -> None:
        super().__init__(message)
        self.scope = scope


class Bounds(BaseModel):
    """What a key is for; None: whatever there is. A pattern of feeds, `city/*`, is all that it makes."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    feeds: tuple[str, ...] | None = None
    partners: tuple[str, ...] | None = None
    adapters: tuple[str, ...] | None = None

    def within(self, other: Bounds) -> bool:
        """Whether these allow nothing that `other` does not."""
        return all(
            theirs is None or (ours is not None and all(_allows(theirs, name) for name in ours))
            for ours, theirs in (
                (self.feeds, other.feeds),
                (self.partners, other.partners),
                (self.adapters, other.adapters),
            )
        )


class Caller(BaseModel):
    """Somebody who asks: a key, a person, the settings file, somebody at a shell.

    `name`: `key:NAME`, `user:NAME`, `link:PARTNER`, `file` or `shell:USER`. `key_id`: of a key or a link.
    `address`: from where, for the audit.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    scopes: frozenset[str]
    bounds: Bounds = Bounds()
    key_id: str = ""
    address: str = ""

    def require(self, scope: str, *, feed: Named = None, partner: Named = None, adapter: Named = None) -> None:
        """Raise Forbidden unless the caller may do what `scope` stands for, to what is named.

        A caller that is bound to feeds may do only what names one, or filters by them (`FILTERED`); so with the others.
        """
        if scope not in self.scopes:
            raise Forbidden(f"{self.name} lacks the scope {scope}", scope)
        for noun, bound, name in (
            ("feed", self.bounds.feeds, feed),
            ("partner", self.bounds.partners, partner),
            ("adapter", self.bounds.adapters, adapter),
        ):
            if bound is None or isinstance(name, Whichever) or (name is not None and _allows(bound, name)):
                continue
            allowed = ", ".join(bound) or "none"
            raise Forbidden(f"{self.name} is for the {noun} {allowed} only", scope)

    def may(self, scope: str, *, feed: Named = None, partner: Named = None, adapter: Named = None) -> bool:
        """Whether `require` raises nothing."""
        try:
            self.require(scope, feed=feed, partner=partner, adapter=adapter)
        except Forbidden:
            return False
        return True

    def sees(self, *, feed: Named = FILTERED, partner: Named = FILTERED) -> bool:
        """Whether the bounds let the caller see what is of this feed and this partner (None: of nobody).

        Who is bound to an adapter sends by it, and sees nothing.
        """
        return self.bounds.adapters is None and all(
            bound is None or isinstance(name, Whichever) or (name is not None and _allows(bound, name))
            for bound, name in ((self.bounds.feeds, feed), (self.bounds.partners, partner))
        )


FILE = Caller(name="file", scopes=ALL)
"""Whoever shows one of the `api_tokens` of the settings."""
DATELINE = Caller(name="dateline", scopes=ALL)
"""Dateline itself, when something is due."""


def shell(user: str) -> Caller:
    """Return somebody at a shell beside Redis, who may do everything."""
    return Caller(name=f"shell:{user}", scopes=ALL)


def _allows(bound: Iterable[str], name: str) -> bool:
    names = set(bound)
    return name in names or pattern_of(name) in names
