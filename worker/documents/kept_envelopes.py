"""The last envelopes, kept in memory: all but the time of its last change is the same when a feed has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.store.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from feeds.entry import Channel, Tombstone
    from feeds.formats.interface import Envelope, FeedFormat

_BYTES = 32 * 1024 * 1024
_TOMBSTONE_BYTES = 500
"""What the objects of a tombstone take, about; a notice has a few more."""


class _OfFeed(NamedTuple):
    lasting: tuple[object, ...]
    tombstones: Sequence[Tombstone]
    envelope: Envelope


class KeptEnvelopes:
    """Makes envelopes. Threads may share it."""

    def __init__(self) -> None:
        self._envelopes: ByteCache[Hashable, _OfFeed] = ByteCache(_BYTES)

    def make(self, feed_format: FeedFormat, channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
        """Return `feed_format.envelope(channel, tombstones)`. Raises FormatFault.

        It is the last one with another time, where the format can do that and nothing else has changed.
        """
        if feed_format.redated is None:
            return feed_format.envelope(channel, tombstones)
        key = (feed_format.key, channel.self_url, *(tombstone.id for tombstone in tombstones))
        before = self._envelopes.get(key)
        if before and (channel.lasting, tombstones) == (before.lasting, before.tombstones):
            return feed_format.redated(before.envelope, channel.updated)
        envelope = feed_format.envelope(channel, tombstones)
        size = len(envelope.around(())) + _TOMBSTONE_BYTES * len(tombstones)
        self._envelopes.keep(key, _OfFeed(channel.lasting, tombstones, envelope), size)
        return envelope
