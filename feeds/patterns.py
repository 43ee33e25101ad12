"""Pattern feeds: one definition such as `author/*` stands for a feed of every author, made when it is first needed.

The last part of such a feed's name is a slug: a value of the property, folded and made fit for an address. The articles
by "Mira Okonjo" are in `author/mira-okonjo`. Values with the same slug share a feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from feeds.definition import FeedDefinition
from feeds.text import fold

if TYPE_CHECKING:
    from feeds.article import Article

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_SLUG_MOST = 80
"""The longest slug, in characters."""


class PatternFeed(FeedDefinition):
    """One feed of a pattern: the articles with an author, a subject ... (`of`) whose slug is `value`."""

    of: str
    value: str

    def takes(self, article: Article) -> bool:
        """Whether the article has a value with this feed's slug."""
        return any(slug_of(value) == self.value for value in values(self.of, article))


def pattern_of(name: str) -> str:
    """Return the name of the pattern from which a feed with this name would be made."""
    return f"{name.rpartition('/')[0]}/*"


@lru_cache(maxsize=16_384)
def slug_of(value: str) -> str:
    """Return the slug of a value; "" when the value has no word in it.

    Letters of every script stay; whatever is between words becomes a hyphen.
    """
    return _BETWEEN_WORDS.sub("-", fold(value))[:_SLUG_MOST].strip("-")


def values(by: str, article: Article) -> Iterable[str]:
    """Return the article's values of a property by which patterns make feeds."""
    if by == "author":
        return article.authors
    if by == "subject":
        return article.subjects
    return (article.section if by == "section" else article.edition,)


def slugs_of(pattern: FeedDefinition, article: Article) -> dict[str, str]:
    """Return the slugs of the pattern's feeds to which the article belongs: slug -> value as the article writes it."""
    assert pattern.by is not None
    # The first spelling in the article wins.
    values_by_slug = {slug_of(value): value for value in reversed(list(values(pattern.by, article)))}
    values_by_slug.pop("", None)
    return values_by_slug


def feed_name(pattern: FeedDefinition, slug: str) -> str:
    """Return the name of the pattern's feed with this slug."""
    return f"{pattern.name.removesuffix('*')}{slug}"


def feed(pattern: FeedDefinition, slug: str, written: str = "") -> FeedDefinition | None:
    """Return the pattern's feed with this slug; None when it is not the slug of any value.

    `written`: the value as the feed's title shows it.
    """
    if not slug or slug_of(slug) != slug:
        return None
    value = written or slug.replace("-", " ")
    fields = {name: getattr(pattern, name) for name in type(pattern).model_fields}
    title = pattern.title.replace("*", value)
    if pattern.by == "edition":
        title = {slug_of(edition): title_there for edition, title_there in pattern.titles.items()}.get(slug, title)
        fields["edition"] = written or slug
    # Not checked again: the pattern was, and the name may have letters that names in the settings may not.
    return PatternFeed.model_construct(
        **fields
        | {
            "name": feed_name(pattern, slug),
            "title": title,
            "description": pattern.description.replace("*", value),
            "titles": {},
            "of": pattern.by,
            "value": slug,
        }
    )
