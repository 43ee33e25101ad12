"""Media RSS 1.5.1 (https://www.rssboard.org/media-rss), as Yahoo and Google defined it and portals still ask for it.

What plain RSS says of an item stands in the elements of the module as well, and each picture has its caption as
media:description. An article is taken down by an item with `media:status state="deleted"`.
"""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from feeds.article import AI_ASSISTED, SOURCE_TYPES
from feeds.formats.extensions import MEDIA_NS
from feeds.formats.profile import ItemProfile, Profile, rss_profile

_MEDIA = f"{{{MEDIA_NS}}}"


class MediaItem(ItemProfile):
    """The item in the words of Media RSS; of a notice, that the article is deleted."""

    def extend_rss(self, item: etree._Element) -> None:
        """Append the elements that stand for the whole item."""
        if self.is_notice:
            etree.SubElement(item, f"{_MEDIA}status", state="deleted")
            return
        etree.SubElement(item, f"{_MEDIA}title", type="plain").text = self.entry.title
        if self.entry.summary:
            etree.SubElement(item, f"{_MEDIA}description", type="plain").text = self.entry.summary
        if self.entry.tags:
            # A comma ends a keyword.
            keywords = (" ".join(tag.replace(",", " ").split()) for tag in self.entry.tags)
            etree.SubElement(item, f"{_MEDIA}keywords").text = ", ".join(filter(None, keywords))
        if self.entry.ai_assisted:
            etree.SubElement(item, f"{_MEDIA}category", scheme=SOURCE_TYPES).text = AI_ASSISTED
        for image in self.entry.images[:1]:
            etree.SubElement(item, f"{_MEDIA}thumbnail", url=image.url)
        if self.entry.rights:
            etree.SubElement(item, f"{_MEDIA}copyright").text = self.entry.rights


FORMAT = rss_profile(Profile("mrss", item_profile=MediaItem, notice_period=timedelta(days=7)))
