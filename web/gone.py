"""What a feed that was removed from the settings says with its 410: one last entry, which tells people."""

from __future__ import annotations

from datetime import datetime

from feeds.definition import FeedDefinition
from feeds.entry import Entry, tag_uri
from feeds.formats import READERS
from feeds.formats.changes import ended_note
from feeds.formats.interface import FeedFormat
from worker import clock
from worker.newsroom.publication import Publication


def ended(site: Publication, name: str, feed_format: FeedFormat | None, when: datetime) -> tuple[bytes, str]:
    """Return the body and its media type: the feed with nothing but that entry, where readers read the format."""
    note = ended_note(site.edition)
    directory = f"{site.base_url}/feeds"
    if feed_format not in READERS:
        return f"{note} {directory}\n".encode(), "text/plain; charset=utf-8"
    entry = Entry(
        id=tag_uri(site.authority, "feed", f"{name}/ended"),
        title=note,
        url=directory,
        summary=note,
        html="",
        language=site.edition,
        section="",
        subjects=(),
        authors=(),
        images=(),
        published=when,
        updated=when,
        rights="",
        article_id="",
        version=1,
        publisher=site.title,
    )
    definition = FeedDefinition(name=name, title=name, url=directory)
    channel = site.channel(definition, feed_format.name, clock.ms(when), hub_url="")
    return feed_format.whole(channel, [entry], ()), feed_format.media_type
