"""The 410 of a feed that was removed from the settings: a feed with one last entry, which tells its readers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from feeds.definition import FeedDefinition
from feeds.entry import Entry, tag_uri
from feeds.formats import READERS
from feeds.formats.change_statuses import ended_note
from feeds.formats.interface import FeedFormat
from web.problem_details import problem
from worker import clock
from worker.newsroom.publication import Publication


def gone_feed(
    publication: Publication,
    name: str,
    feed_format: FeedFormat | None,
    removed: datetime,
    headers: Mapping[str, str],
) -> Response:
    """Return the 410: a feed with that entry in formats for readers, else a problem."""
    note = ended_note(publication.edition)
    directory = f"{publication.base_url}/feeds"
    if feed_format not in READERS:
        return problem(410, f"{note} {directory}", headers=headers)
    entry = Entry(
        id=tag_uri(publication.authority, "feed", f"{name}/ended"),
        title=note,
        url=directory,
        summary=note,
        html="",
        language=publication.edition,
        section="",
        subjects=(),
        authors=(),
        images=(),
        published=removed,
        updated=removed,
        rights="",
        article_id="",
        version=1,
        publisher=publication.title,
    )
    definition = FeedDefinition(name=name, title=name, url=directory)
    channel = publication.channel(definition, feed_format.name, clock.ms(removed), hub_url="")
    return Response(feed_format.render(channel, [entry], ()), 410, headers, feed_format.media_type)
