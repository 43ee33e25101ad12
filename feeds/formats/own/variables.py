"""What templates and mappings are given: the article as JSON has it, and what goes with it (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

from feeds.article import ORDERING, Article
from feeds.entry import Channel, Entry, Tombstone, tag_uri
from feeds.formats.body import body_tree, parse_html
from feeds.formats.change_statuses import editors_note, pubstatus
from feeds.formats.interface import Provider
from feeds.formats.paragraphs import paragraphs
from feeds.formats.timestamps import rfc3339

PARAGRAPHS = "paragraphs"
"""The one value that takes time, so it is made only for whoever uses it."""


def of_article(change: str, article: Article, provider: Provider, uses: Collection[str] = ()) -> dict[str, Any]:
    """Return the values for one article; of one that is killed or withdrawn nothing of the text.

    `change`: as "article.corrected". `uses`: `PARAGRAPHS`, if they are used. Raises ValueError for an unknown change.
    """
    status = pubstatus(change, article)
    if status == "usable":
        fields = article.model_dump(mode="json", exclude=set(ORDERING))
        if PARAGRAPHS in uses:
            fields[PARAGRAPHS] = paragraphs(body_tree(article))
    else:
        fields = article.notice()
    fields |= {"pubstatus": status, "uri": tag_uri(provider.authority, "article", article.id)}
    return {
        "article": fields,
        "change": change.removeprefix("article."),
        "note": editors_note(change, article),
        "provider": {"name": provider.name, "authority": provider.authority},
    }


def of_entry(entry: Entry, uses: Collection[str] = ()) -> dict[str, Any]:
    """Return the values for one article in a feed, by the same names as far as feeds have them."""
    texts = {PARAGRAPHS: paragraphs(parse_html(entry.html or f"<p>{escape(entry.summary)}</p>"))} if uses else {}
    return {
        "article": {
            "id": entry.article_id,
            "uri": entry.id,
            "version": entry.version,
            "edition": entry.language,
            "headline": entry.title,
            "summary": entry.summary,
            "url": entry.url,
            "body_html": entry.html,
            "section": entry.section,
            "subjects": list(entry.subjects),
            "authors": list(entry.authors),
            "images": [image.model_dump(mode="json") for image in entry.images],
            "alternates": [alternate.model_dump(mode="json") for alternate in entry.alternates],
            "published": rfc3339(entry.published),
            "updated": rfc3339(entry.updated),
            "rights": entry.rights,
            "ai_assisted": entry.ai_assisted,
            **texts,
        },
        "provider": {"name": entry.publisher},
    }


def of_feed(channel: Channel, tombstones: Sequence[Tombstone]) -> dict[str, Any]:
    """Return the values for what stands around the articles of a feed."""
    return {
        "feed": {
            "id": channel.id,
            "title": channel.title,
            "description": channel.description,
            "language": channel.language,
            "publisher": channel.publisher,
            "home_url": channel.home_url,
            "self_url": channel.self_url,
            "logo_url": channel.logo_url,
            "updated": rfc3339(channel.updated),
        },
        "removed": [
            {"uri": stone.id, "when": rfc3339(stone.when), "url": stone.url, "killed": stone.killed}
            for stone in tombstones
        ],
    }
