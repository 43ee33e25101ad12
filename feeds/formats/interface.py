"""What a format is. Each format is one file that makes one value of these types; `feeds.formats` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from feeds.article import Article
from feeds.entry import Channel, Entry, Tombstone


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bytes before, between and after the fragments of a feed document.

    `stones` are tombstones of formats that say them as entries; they stand after the fragments.
    """

    head: bytes
    tail: bytes
    between: bytes = b""
    stones: tuple[bytes, ...] = ()

    def around(self, fragments: Iterable[bytes]) -> bytes:
        """Return the feed document."""
        return self.head + self.between.join((*fragments, *self.stones)) + self.tail

    def room(self, fragments: Sequence[bytes], most: int) -> int:
        """Return how many of the fragments, from the first on, make a document of at most `most` bytes."""
        size = len(self.around(()))
        for count, fragment in enumerate(fragments):
            size += len(fragment) + len(self.between)
            if size > most:
                return count
        return len(fragments)


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """A format of feed documents.

    name: as in `/feeds/{feed}.{name}` and in the settings. media_type: the Content-Type, verbatim.
    fragment(entry): the entry's bytes. envelope(channel, tombstones): what goes around them.
    whole(channel, entries, tombstones): the document built at once, the measure for the other two.
    select(channel, entries): those of the entries that belong in the document, where a partner sets bounds to number or
    age. Age is reckoned from the feed's last change, never from the clock: the same articles give the same bytes.
    links_gone: whether tombstones should have the `url` of the article that went.
    bytes_most: how large a partner lets a document be; the last entries give way.
    """

    name: str
    media_type: str
    fragment: Callable[[Entry], bytes]
    envelope: Callable[[Channel, Sequence[Tombstone]], Envelope]
    whole: Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes]
    select: Callable[[Channel, Sequence[Entry]], Sequence[Entry]] | None = None
    links_gone: bool = False
    bytes_most: int | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sends the articles. `authority` stands in every permanent id (RFC 4151); `name` is the paper's."""

    authority: str
    name: str


@dataclass(frozen=True, slots=True)
class Outline:
    """What shows the format of a document, even of one that is cut off or broken.

    root: the root element of XML as `{namespace}name`, empty for JSON. names: the names in the JSON object, of a broken
    document those anywhere in it; empty for XML. document: its bytes.
    """

    root: str
    names: frozenset[str]
    document: bytes


@dataclass(frozen=True, slots=True)
class ArticleFormat:
    """A format of single articles.

    name: as in the settings. media_type: the Content-Type, verbatim.
    render(change, article, message_id, provider): the body of one push. Article ids are unique within one newsroom
    only; IPTC's formats ask for an id that is unique in the world and for the name of the sender: `provider` has both.
    recognizes(outline): whether a document is in this format, by what no other format has.
    marks_embargo: whether it can mark an article as embargoed; in a format that can't, nothing may be sent early.
    """

    name: str
    media_type: str
    render: Callable[[str, Article, str, Provider], bytes]
    recognizes: Callable[[Outline], bool]
    marks_embargo: bool = True
