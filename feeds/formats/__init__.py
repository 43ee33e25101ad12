"""The formats, in one visible table each: what a feed can be served or pushed as, and what one article can be sent as.

A feed format renders an entry once to a fragment, and a feed document is its envelope around fragments. Joined, they
are byte for byte what the whole would be when built at once; a test proves it for every format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from feeds.article import Article
from feeds.entry import Channel, Entry, Tombstone


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bytes before, between and after the fragments of a feed document."""

    head: bytes
    between: bytes
    tail: bytes

    def around(self, fragments: Iterable[bytes]) -> bytes:
        """Return the feed document."""
        return self.head + self.between.join(fragments) + self.tail


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """A format of feed documents.

    name: as in `/feeds/{feed}.{name}` and in the settings. media_type: the Content-Type to the letter.
    fragment(entry): the entry's bytes. envelope(channel, tombstones): what goes around them.
    whole(channel, entries, tombstones): the document built at once, the measure for the other two.
    """

    name: str
    media_type: str
    fragment: Callable[[Entry], bytes]
    envelope: Callable[[Channel, Sequence[Tombstone]], Envelope]
    whole: Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes]


@dataclass(frozen=True, slots=True)
class ArticleFormat:
    """A format of single articles. render(change, article, message_id) returns the body of one push."""

    name: str
    media_type: str
    render: Callable[[str, Article, str], bytes]


from feeds.formats import atom, jsonfeed, native, rss  # noqa: E402 (the table below needs the types above)

FEED_FORMATS: dict[str, FeedFormat] = {f.name: f for f in (rss.FORMAT, atom.FORMAT, jsonfeed.FORMAT)}
ARTICLE_FORMATS: dict[str, ArticleFormat] = {f.name: f for f in (native.FORMAT,)}
