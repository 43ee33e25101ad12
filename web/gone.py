"""What a feed that was removed from the settings says with its 410: one last entry, which tells people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from feeds.definition import FeedDefinition
from feeds.entry import Entry, tag_uri
from feeds.formats import READERS
from feeds.formats.changes import ended_note
from feeds.formats.interface import FeedFormat
from web.problem_details import problem
from worker import clock
from worker.newsroom.publication import Publication


def ended(
    site: Publication, name: str, feed_format: FeedFormat | None, when: datetime, headers: Mapping[str, str]
) -> Response:
    """Return the 410: the feed with nothing but that entry, where readers read the format, else a problem."""
    note = ended_note(site.edition)
    directory = f"{site.base_url}/feeds"
    if feed_format not in READERS:
        return problem(410, f"{note} {directory}", headers=headers)
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
    return Response(feed_format.whole(channel, [entry], ()), 410, headers, feed_format.media_type)
