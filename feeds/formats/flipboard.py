"""Flipboard (https://about.flipboard.com/rss-spec/ and its RSS guidelines): long descriptions, large pictures.

It takes down what is no longer in the feed, and learns of that from the hub.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from feeds.article import Image
from feeds.entry import Entry
from feeds.formats.profile import ItemProfile, Profile, rss_profile
from feeds.formats.rss import excerpt

ITEMS_MOST = 30
DESCRIPTION_LEAST = 300
"""Shortest description, in characters."""
PICTURE_LEAST = 500
"""The least width and height of a picture, in pixels."""
# A description is cut at a word, so this is far enough above the least that a long last word does not matter.
_DESCRIPTION_ABOUT = 400


class FlipboardItem(ItemProfile):
    """The item's picture as an RSS enclosure."""

    def extend_rss(self, item: etree._Element) -> None:
        """Append the enclosure. Its length in bytes is not known: 0, as the RSS Advisory Board's profile advises."""
        # RSS requires the type, and we do not guess one.
        for image in filter(large, (image for image in self.entry.images if image.type)):
            etree.SubElement(item, "enclosure", url=image.url, length="0", type=image.type)
            return


def large(image: Image) -> bool:
    """Whether a picture is as large as Flipboard wants, as far as its size is known."""
    return min(image.width or PICTURE_LEAST, image.height or PICTURE_LEAST) >= PICTURE_LEAST


def _entry(entry: Entry) -> Entry:
    if len(entry.summary) >= DESCRIPTION_LEAST:
        return entry
    # The summary, and the text after it.
    return replace(entry, summary=excerpt(" ".join(filter(None, (entry.summary, entry.text))), _DESCRIPTION_ABOUT))


FORMAT = rss_profile(Profile("flipboard", item_profile=FlipboardItem, adapt_entry=_entry, items_most=ITEMS_MOST))
