"""A partner's profile of RSS: a declaration of how its RSS differs from ours.

Some partners keep an article until an item tells them to take it down. They get a notice for the `notice_period`: an
item with the old id (`ItemProfile.is_notice`), with a line for readers in place of the title, and nothing of the
text. Other partners take down what is no longer in the feed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from feedgen.ext.base import BaseExtension

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats import rss
from feeds.formats.change_statuses import readers_note
from feeds.formats.interface import FeedFormat
from feeds.formats.xml_fragments import xml_format


class ChannelProfile(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What a profile adds to the channel."""

    channel: Channel


class ItemProfile(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What a profile adds to an item. `is_notice`: the item stands for an article that left the feed."""

    entry: Entry
    is_notice: bool = False


AHEAD = timedelta(hours=1)
"""How far the clock of a CMS may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One partner's RSS.

    channel_profile, item_profile: what it adds to the channel and to each item. adapt_channel, adapt_entry: return them
    as the partner wants them. items_most: the most items in a document. oldest_age: how long before the feed's last
    change an item may have been published. notice_period: how long a notice stands after an article left; None: the
    partner takes down what is no longer there.
    """

    name: str
    channel_profile: type[ChannelProfile] = ChannelProfile
    item_profile: type[ItemProfile] = ItemProfile
    adapt_channel: Callable[[Channel], Channel] = lambda channel: channel
    adapt_entry: Callable[[Entry], Entry] = lambda entry: entry
    items_most: int | None = None
    oldest_age: timedelta | None = None
    notice_period: timedelta | None = None

    def render(self, channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
        """Return the feed document: the entries, then the notices."""
        feed = rss.generator(self.adapt_channel(channel))
        feed.register_extension("partner", self.channel_profile, self.item_profile)
        feed.partner.channel = channel
        for entry in map(self.adapt_entry, entries):
            # No partner's profile has a place for the other editions; a link to one could be taken for the article's.
            item = rss.add(feed, replace(entry, alternates=()))
            item.partner.entry = entry
            item.media.caption_is_description = True
        for tombstone in tombstones:
            if self.notice_period is not None and channel.updated - tombstone.when <= self.notice_period:
                notice = _notice(channel, tombstone)
                item = rss.add(feed, notice)
                item.partner.entry, item.partner.is_notice = notice, True
        document: bytes = feed.rss_str()
        return document

    def select(self, channel: Channel, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return the entries that keep the partner's limits, in their order."""
        return bounded(channel, entries, self.items_most, self.oldest_age)


def bounded(
    channel: Channel, entries: Sequence[Entry], items_most: int | None, oldest_age: timedelta | None
) -> Sequence[Entry]:
    """Return the first `items_most` of the entries published no longer than `oldest_age` before the feed's last change.

    Where age is limited, entries of the future are left out too.
    """
    if oldest_age is not None:
        entries = [entry for entry in entries if -AHEAD <= channel.updated - entry.published <= oldest_age]
    return entries[:items_most]


def _notice(channel: Channel, tombstone: Tombstone) -> Entry:
    """Return the notice for an entry that left; its dates are the moment it left, later than any it had."""
    return Entry(
        id=tombstone.id,
        title=readers_note(channel.language),
        url=tombstone.url or channel.home_url,
        summary=readers_note(channel.language),
        html="",
        language=channel.language or "en",
        section="",
        subjects=(),
        authors=(),
        images=(),
        published=tombstone.when,
        updated=tombstone.when,
        rights="",
        article_id="",
        version=0,
    )


def rss_profile(profile: Profile) -> FeedFormat:
    """Return the profile as a feed format."""
    return xml_format(
        profile.name,
        "application/rss+xml; charset=utf-8",
        profile.render,
        b"<item>",
        b"</channel></rss>",
        # Called for every document, so only where there is a limit.
        select=profile.select if profile.items_most is not None or profile.oldest_age is not None else None,
        tombstones_need_url=profile.notice_period is not None,
    )
