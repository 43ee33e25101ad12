"""Which feeds an article belongs to, what its change does in each of them, and where it is placed there.

Values are compared after `text.fold` (case, compatibility forms and more). What readers see is never folded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from feeds.article import Article
from feeds.definition import FeedDefinition, Selector
from feeds.moments import ms
from feeds.patterns import PatternFeed
from feeds.text import fold

Lists = Mapping[str, Sequence[str]]
"""Curated lists by name: article ids, the first pick first."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What an article's change does in one feed. A higher `order` is nearer to the top.

    waits: the article is under embargo, and some endpoint may have it early.
    """

    feed: str
    change: Literal["enters", "stays", "leaves", "waits"]
    order: int


def matches(definition: FeedDefinition, article: Article, lists: Lists) -> bool:
    """Whether the article belongs to the feed, visible or not."""
    if isinstance(definition, PatternFeed) and not definition.takes(article):
        return False
    # Language tags do not distinguish upper and lower case (RFC 5646, section 2.1.1).
    if definition.edition is not None and article.edition.lower() != definition.edition.lower():
        return False
    if definition.list is not None:
        return article.id in lists.get(definition.list, ())
    return not definition.select or any(_takes(selector, article) for selector in definition.select)


def order(definition: FeedDefinition, article: Article, lists: Lists) -> int:
    """Return the article's place in the feed: its time (ms), or its rank from the bottom of the curated list."""
    if definition.list is not None:
        picks = lists.get(definition.list, ())
        return len(picks) - picks.index(article.id) if article.id in picks else 0
    moment = article.published if definition.order == "published" else article.updated
    return ms(moment)


def placements(
    article: Article,
    definitions: Collection[FeedDefinition],
    lists: Lists,
    before: Collection[str],
    now: datetime,
    early: Collection[str] = (),
) -> list[Placement]:
    """Return what the article as it is now does in each feed that it belongs to or was recorded in (`before`).

    `early`: the feeds whose articles some endpoint may have before their embargo ends.
    """
    visible, waits = article.visible(now), article.waits(now)
    placed = []
    for definition in definitions:
        recorded = definition.name in before
        if visible and matches(definition, article, lists):
            place = order(definition, article, lists)
            placed.append(Placement(definition.name, "stays" if recorded else "enters", place))
        elif waits and definition.name in early and matches(definition, article, lists):
            placed.append(Placement(definition.name, "waits", 0))
        elif recorded:
            placed.append(Placement(definition.name, "leaves", 0))
    return placed


def _takes(selector: Selector, article: Article) -> bool:
    return (
        _meets(selector.edition, (article.edition,))
        and _meets(selector.section, (article.section,))
        and _meets(selector.subject, article.subjects)
        and _meets(selector.author, article.authors)
        and (not selector.urgency or article.urgency in selector.urgency)
    )


def _meets(selected: tuple[str, ...], values: tuple[str, ...]) -> bool:
    return not selected or not _folded(selected).isdisjoint(_folded(values))


@lru_cache(maxsize=4096)
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold, words))
