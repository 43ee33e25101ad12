"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

Our own words stand in `_dateline`, for what JSON Feed has no word: `version`, the revision of the article;
`alternates`, the story's pages in other editions, each with `language` and `url`; `canceled`, that there is no article
any more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from feeds.article import Alternate
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.interface import Envelope, FeedFormat
from feeds.formats.moments import rfc3339

VERSION = "https://jsonfeed.org/version/1.1"


def whole(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the feed document: the entries in the order given, then the tombstones."""
    return _dump(_feed(channel) | {"items": [*map(_item, entries), *map(_stone, tombstones)]})


def fragment(entry: Entry) -> bytes:
    """Return the item as it stands in every feed document."""
    return _dump(_item(entry))


def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
    """Return what stands before, between and after the items."""
    tail = b"]}"
    return Envelope(
        head=_dump(_feed(channel) | {"items": []}).removesuffix(tail),
        between=b",",
        tail=tail,
        stones=tuple(_dump(_stone(tombstone)) for tombstone in tombstones),
    )


def _feed(channel: Channel) -> dict[str, Any]:
    return {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": channel.home_url,
        "feed_url": channel.self_url,
        **_said(description=channel.description, language=channel.language),
        "authors": [{"name": channel.publisher}],
        "hubs": [{"type": "WebSub", "url": channel.hub_url}],
    }


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        # One of the two is required.
        **({"content_html": entry.html} if entry.html else {"content_text": entry.summary}),
        **_said(summary=entry.summary, image=entry.images[0].url if entry.images else ""),
        "date_published": rfc3339(entry.published),
        "date_modified": rfc3339(entry.updated),
        **_said(authors=[{"name": name} for name in entry.authors], tags=list(entry.tags)),
        "language": entry.language,
        "_dateline": {"version": entry.version, **_said(alternates=list(map(_alternate, entry.alternates)))},
    }


def _alternate(alternate: Alternate) -> dict[str, Any]:
    return {"language": alternate.edition, "url": alternate.url}


def _stone(tombstone: Tombstone) -> dict[str, Any]:
    return {
        "id": tombstone.id,
        "content_text": "",
        "date_modified": rfc3339(tombstone.when),
        "_dateline": {"canceled": True},
    }


def _said(**fields: Any) -> dict[str, Any]:
    """Return the fields that say something: JSON Feed leaves the others out."""
    return {name: value for name, value in fields.items() if value}


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


FORMAT = FeedFormat(
    name="json",
    media_type="application/feed+json",
    fragment=fragment,
    envelope=envelope,
    whole=whole,
)
