"""What a format is: the types that each module of a format makes a value of. `feeds.formats` lists the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.article import Article
from feeds.entry import Channel, Entry, Tombstone
from feeds.machine_rights import MachineRights
from feeds.patterns import pattern_of
from feeds.validation.finding import Findings


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bytes before, between and after the fragments of a feed document.

    `notices` are the tombstones of formats that write them as entries; they stand after the fragments.
    """

    head: bytes
    tail: bytes
    separator: bytes = b""
    notices: tuple[bytes, ...] = ()

    def around(self, fragments: Iterable[bytes]) -> bytes:
        """Return the feed document."""
        parts = [*fragments, *self.notices] or [b""]
        # Joined with the first and the last: documents are long, and so every byte of one is copied once.
        parts[0] = self.head + parts[0]
        parts[-1] += self.tail
        return self.separator.join(parts)

    def count_that_fit(self, fragments: Sequence[bytes], bytes_most: int) -> int:
        """Return how many of the fragments, from the first on, make a document of at most `bytes_most` bytes."""
        size = len(self.around(()))
        for count, fragment in enumerate(fragments):
            size += len(fragment) + len(self.separator)
            if size > bytes_most:
                return count
        return len(fragments)


class FormatFault(ValueError):
    """A newsroom's own format that can't be made, or a document by it. `line`: of the template, from 1; 0: none."""

    def __init__(self, problem: str, line: int = 0) -> None:
        self.problem = problem
        self.line = line
        super().__init__(f"line {line}: {problem}" if line else problem)


@dataclass(frozen=True, slots=True)
class Own:
    """What a format has that the newsroom defines itself.

    digest: of its definition, a part of every key under which something is kept that was made by it. extension: the
    ending of the names of files in it. check(document): what is wrong with a document by the rules it came with.
    """

    digest: str
    extension: str
    check: Callable[[bytes], Findings]


class _Format:
    """What formats of both kinds are asked where documents are kept: in memory, or as files."""

    __slots__ = ()
    name: str
    media_type: str
    own: Own | None

    @property
    def key(self) -> str:
        """What documents of the format are kept under: another one as soon as its definition is another."""
        return f"{self.name} {self.own.digest}" if self.own else self.name

    @property
    def extension(self) -> str:
        """The ending of the names of files in this format, without a dot."""
        if self.own:
            return self.own.extension
        kind = self.media_type.partition(";")[0].rpartition("/")[2].rpartition("+")[2]
        return {"plain": "txt", "vnd.iptc.newsml": "xml"}.get(kind, kind)


@dataclass(frozen=True, slots=True)
class FeedFormat(_Format):
    """A format of feed documents.

    name: as in `/feeds/{feed}.{name}` and in the settings. media_type: the Content-Type, verbatim.
    fragment(entry): the entry's bytes. envelope(channel, tombstones): what goes around them.
    render(channel, entries, tombstones): the document built at once; fragments in their envelope give the same bytes.
    select(channel, entries): the entries that belong in the document, where a partner limits their number or age. Age
    is counted from the feed's last change, never from the clock: the same articles give the same bytes.
    redated(envelope, updated): the envelope of the same channel and tombstones at another time of the channel's last
    change, where that is all that stands there of it; None: make it anew.
    tombstones_need_url: whether tombstones should have the `url` of the article that left.
    bytes_most: the largest document that a partner takes; the last entries are left out.
    own: of one that the newsroom defines itself, what only these have.
    """

    name: str
    media_type: str
    fragment: Callable[[Entry], bytes]
    envelope: Callable[[Channel, Sequence[Tombstone]], Envelope]
    render: Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes]
    select: Callable[[Channel, Sequence[Entry]], Sequence[Entry]] | None = None
    redated: Callable[[Envelope, datetime], Envelope] | None = None
    tombstones_need_url: bool = False
    bytes_most: int | None = None
    own: Own | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sends the articles, and on which terms.

    `authority` is part of every permanent id (RFC 4151); `name` is the name of the paper. `machines`: what programs may
    do with what is sent, if anything is stated; `machines_of`: the same of feeds that state it themselves.
    """

    authority: str
    name: str
    machines: MachineRights | None = None
    machines_of: tuple[tuple[str, MachineRights], ...] = ()

    def towards(self, feed: str, machines: MachineRights | None) -> Provider:
        """Return the same sender to whoever gets a feed. `machines`: what a contract says, in place of the feed."""
        by_feed = dict(self.machines_of)
        of_feed = by_feed.get(feed) or by_feed.get(pattern_of(feed))
        return Provider(self.authority, self.name, machines or of_feed or self.machines)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the format of a document is recognized by, even if the document is cut off or broken.

    root: the root element of XML as `{namespace}name`, empty for JSON. names: the names in the JSON object, or all
    names in a broken document; empty for XML. document: its bytes.
    """

    root: str
    names: frozenset[str]
    document: bytes


@dataclass(frozen=True, slots=True)
class ArticleFormat(_Format):
    """A format of single articles.

    name: as in the settings. media_type: the Content-Type, verbatim.
    render(change, article, message_id, provider): the body of one push. Article ids are unique within one newsroom
    only; IPTC's formats ask for an id that is unique in the world and for the name of the sender: both come from
    `provider`.
    recognizes(outline): whether a document is in this format and in no other.
    marks_embargo: whether it can mark an article as embargoed; in a format that can't, nothing may be sent early.
    own: of one that the newsroom defines itself, what only these have.
    """

    name: str
    media_type: str
    render: Callable[[str, Article, str, Provider], bytes]
    recognizes: Callable[[Outline], bool]
    marks_embargo: bool = True
    own: Own | None = None
