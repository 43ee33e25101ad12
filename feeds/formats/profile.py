"""A partner's profile of RSS: a declaration of what the partner wants beyond, or otherwise than, our own RSS.

Silence takes nothing down at a partner that has an article: one that says so by an item (`Item.gone`) is told for as
long as `kept`, in an item with the old id, a line for readers in place of the title, and none of the text. The others
take down what is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from feedgen.ext.base import BaseExtension

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats import rss
from feeds.formats.changes import readers_note
from feeds.formats.interface import FeedFormat
from feeds.formats.xml_fragments import xml_format


class ChannelProfile(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What a profile adds to the channel."""

    channel: Channel


class Item(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What a profile adds to an item; `gone`: the item is there to say that the article is not."""

    entry: Entry
    gone: bool = False


AHEAD = timedelta(hours=1)
"""How far the clock of a CMS may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One partner's RSS.

    channel(channel), entry(entry): both as the partner wants them. most: items in a document. oldest: how long before
    the feed's last change an item may have been published. kept: how long a takedown is told after it happened; None:
    the partner takes down what is no longer there.
    """

    name: str
    front: type[ChannelProfile] = ChannelProfile
    item: type[Item] = Item
    channel: Callable[[Channel], Channel] = lambda channel: channel
    entry: Callable[[Entry], Entry] = lambda entry: entry
    most: int | None = None
    oldest: timedelta | None = None
    kept: timedelta | None = None

    def whole(self, channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
        """Return the feed document of the entries given, then the takedowns."""
        feed = rss.generator(self.channel(channel))
        feed.register_extension("partner", self.front, self.item)
        feed.partner.channel = channel
        for entry in map(self.entry, entries):
            # No partner's profile has a place for the other editions; a link to one could be taken for the article's.
            item = rss.add(feed, replace(entry, alternates=()))
            item.partner.entry = entry
            item.media.described = True
        for stone in tombstones:
            if self.kept is not None and channel.updated - stone.when <= self.kept:
                notice = _notice(channel, stone)
                item = rss.add(feed, notice)
                item.partner.entry, item.partner.gone = notice, True
        document: bytes = feed.rss_str()
        return document

    def select(self, channel: Channel, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return the entries that the partner's bounds leave, in their order."""
        return bounded(channel, entries, self.most, self.oldest)


def bounded(channel: Channel, entries: Sequence[Entry], most: int | None, oldest: timedelta | None) -> Sequence[Entry]:
    """Return the first `most` of the entries published no longer than `oldest` before the feed's last change.

    Where age counts, what is yet to be published does not belong either.
    """
    if oldest is not None:
        entries = [entry for entry in entries if -AHEAD <= channel.updated - entry.published <= oldest]
    return entries[:most]


def _notice(channel: Channel, stone: Tombstone) -> Entry:
    """The entry that stands for one that went; its dates are the moment it went, newer than any it had."""
    return Entry(
        id=stone.id,
        title=readers_note(channel.language),
        url=stone.url or channel.home_url,
        summary=readers_note(channel.language),
        html="",
        language=channel.language or "en",
        section="",
        subjects=(),
        authors=(),
        images=(),
        published=stone.when,
        updated=stone.when,
        rights="",
        article_id="",
        version=0,
    )


def rss_profile(profile: Profile) -> FeedFormat:
    """Return the profile as a feed format."""
    return xml_format(
        profile.name,
        "application/rss+xml; charset=utf-8",
        profile.whole,
        b"<item>",
        b"</channel></rss>",
        # Asked of every entry of a document: not where it would leave all.
        select=profile.select if profile.most is not None or profile.oldest is not None else None,
        links_gone=profile.kept is not None,
    )
