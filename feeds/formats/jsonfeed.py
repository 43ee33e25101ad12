"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

Our extension `_dateline` has what JSON Feed has no member for: `version`, the revision of the article;
`alternates`, the story's pages in other editions, each with `language` and `url`; `canceled`, that an item is a notice
in place of an article that was killed; `withdrawn`, the same where it may come back or has expired. In the `_dateline`
of the feed `deleted` has the tombstones, each with `id` and `when`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feeds.article import Alternate
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.interface import Envelope, FeedFormat
from feeds.formats.timestamps import rfc3339

VERSION = "https://jsonfeed.org/version/1.1"


def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the feed document: the entries in the order given, then the notices of what is gone."""
    items = [
        *map(_item, entries),
        *(_notice(tombstone, tombstone.notice) for tombstone in tombstones if tombstone.notice),
    ]
    return _dump(_feed(channel, tombstones) | {"items": items})


def fragment(entry: Entry) -> bytes:
    """Return the item as it stands in every feed document."""
    return _dump(_item(entry))


def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
    """Return what stands before, between and after the items."""
    tail = b"]}"
    return Envelope(
        head=_dump(_feed(channel, tombstones) | {"items": []}).removesuffix(tail),
        separator=b",",
        tail=tail,
        notices=tuple(_dump(_notice(tombstone, tombstone.notice)) for tombstone in tombstones if tombstone.notice),
    )


def redated(envelope: Envelope, updated: datetime) -> Envelope:
    """Return the envelope as it is: JSON Feed does not say when the feed has changed."""
    del updated
    return envelope


def _feed(channel: Channel, tombstones: Sequence[Tombstone]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": channel.home_url,
        "feed_url": channel.self_url,
        **_if_any(next_url=channel.older_url, description=channel.description, language=channel.language),
        "authors": [{"name": channel.publisher}],
        **_if_any(hubs=[{"type": "WebSub", "url": hub} for hub in channel.hubs]),
        **({"_dateline": {"deleted": list(map(_tombstone, tombstones))}} if tombstones else {}),
    }


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        # One of the two is required.
        **({"content_html": entry.html} if entry.html else {"content_text": entry.summary}),
        **_if_any(summary=entry.summary, image=entry.images[0].url if entry.images else ""),
        "date_published": rfc3339(entry.published),
        "date_modified": rfc3339(entry.updated),
        **_if_any(authors=[{"name": name} for name in entry.authors], tags=list(entry.tags)),
        "language": entry.language,
        "_dateline": {
            "version": entry.version,
            **_if_any(alternates=list(map(_alternate, entry.alternates)), ai_assisted=entry.ai_assisted),
        },
    }


def _alternate(alternate: Alternate) -> dict[str, Any]:
    return {"language": alternate.edition, "url": alternate.url}


def _tombstone(tombstone: Tombstone) -> dict[str, Any]:
    return {"id": tombstone.id, "when": rfc3339(tombstone.when)}


def _notice(tombstone: Tombstone, notice: Entry) -> dict[str, Any]:
    return _item(notice) | {"_dateline": {"canceled" if tombstone.killed else "withdrawn": True}}


def _if_any(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not empty: JSON Feed leaves the others out."""
    return {name: value for name, value in fields.items() if value}


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


FORMAT = FeedFormat(
    name="json",
    media_type="application/feed+json",
    fragment=fragment,
    envelope=envelope,
    render=render,
    redated=redated,
)
