"""Pattern feeds: one definition such as `author/*` stands for a feed of every author, made when it is first needed.

Such a feed is named for a value of its property, folded and made fit for an address: the articles by "Mira Okonjo" are
in `author/mira-okonjo`. Values that come to the same name share a feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from feeds.article import Article
from feeds.definition import FeedDefinition
from feeds.text import fold

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_LONGEST = 80
"""The longest part of a name, in characters."""


class MadeFeed(FeedDefinition):
    """One feed of a pattern: of what has an author, a subject ... (`of`) that is called `value` in names."""

    of: str
    value: str

    def takes(self, article: Article) -> bool:
        """Whether the article has such a value."""
        return any(named(value) == self.value for value in values(self.of, article))


def pattern_of(name: str) -> str:
    """Return the name of the pattern that a feed of this name would be made from."""
    return f"{name.rpartition('/')[0]}/*"


@lru_cache(maxsize=16_384)
def named(value: str) -> str:
    """Return what a value is called in the name of a feed; "" when there is no word in it.

    Letters of every script stay; what stands between words becomes a hyphen.
    """
    return _BETWEEN_WORDS.sub("-", fold(value))[:_LONGEST].strip("-")


def values(by: str, article: Article) -> Iterable[str]:
    """Return the values that the article has of a property that patterns are by."""
    if by == "author":
        return article.authors
    if by == "subject":
        return article.subjects
    return (article.section if by == "section" else article.edition,)


def wanted(pattern: FeedDefinition, article: Article) -> dict[str, str]:
    """Return the feeds of the pattern that the article would be in: what each is called -> as the article writes it."""
    assert pattern.by is not None
    called = {named(value): value for value in reversed(list(values(pattern.by, article)))}
    called.pop("", None)
    return called


def made_name(pattern: FeedDefinition, value: str) -> str:
    """Return the name of the pattern's feed for what is called `value`."""
    return f"{pattern.name.removesuffix('*')}{value}"


def made(pattern: FeedDefinition, value: str, written: str = "") -> FeedDefinition | None:
    """Return the feed of the pattern for what is called `value`; None when no value is called so.

    `written`: the value as its title shows it.
    """
    if not value or named(value) != value:
        return None
    shown = written or value.replace("-", " ")
    fields = {name: getattr(pattern, name) for name in type(pattern).model_fields}
    title = pattern.title.replace("*", shown)
    if pattern.by == "edition":
        title = {named(edition): own for edition, own in pattern.titles.items()}.get(value, title)
        fields["edition"] = written or value
    # Everything in it was checked with the pattern, but for its name, which says more than names in the settings may.
    return MadeFeed.model_construct(
        **fields
        | {
            "name": made_name(pattern, value),
            "title": title,
            "description": pattern.description.replace("*", shown),
            "titles": {},
            "of": pattern.by,
            "value": value,
        }
    )
