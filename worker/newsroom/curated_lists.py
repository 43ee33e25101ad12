"""Curated lists as people look at them: which there are, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.newsroom.publication import Publication
    from worker.store import Store


def curated_lists(publication: Publication, sees: Callable[[str], bool] = lambda _: True) -> dict[str, list[str]]:
    """Return the lists by name, each with the feeds that show it; only of feeds that `sees` allows."""
    by_list: dict[str, list[str]] = {}
    for definition in publication.configured:
        if definition.list and sees(definition.name):
            by_list.setdefault(definition.list, []).append(definition.name)
    return dict(sorted(by_list.items()))


def articles_of(store: Store, name: str) -> list[dict[str, Any]]:
    """Return the articles of a list, the first pick first; `headline`: None when one is not published here as yet."""
    picks = store.lists.get_many([name])[name]
    originals = store.lineage.originals(picks)
    stored = store.articles.get_many(set(originals.values()))
    articles = [stored.get(originals[pick]) for pick in picks]
    return [
        {"article": pick, "headline": article.article.headline if article else None}
        for pick, article in zip(picks, articles, strict=True)
    ]


def unpublished(store: Store, articles: Sequence[str]) -> list[str]:
    """Return those of these articles that are not published here as yet."""
    originals = store.lineage.originals(articles)
    there = store.articles.get_many(set(originals.values()))
    return sorted(name for name, original in originals.items() if original not in there)
