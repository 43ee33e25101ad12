"""SmartNews: SmartFormat 2.1 (https://publishers.smartnews.com/hc/en-us, "SmartFormat Specification").

An article is taken down by `media:status state="deleted"` and a pubDate that has changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lxml import etree

from feeds.entry import Channel
from feeds.formats.extensions import MEDIA_NS
from feeds.formats.profile import ChannelProfile, ItemProfile, Profile, rss_profile
from feeds.formats.rss import excerpt
from feeds.formats.timestamps import rfc822

SNF_NS = "http://www.smartnews.be/snf"
BYTES_MOST = 1_000_000
DESCRIPTION_MOST = 30
"""Longest description of the channel, in characters."""


class SmartNewsChannel(ChannelProfile):
    """The channel's date and logo."""

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"snf": SNF_NS}

    def extend_rss(self, rss: etree._Element) -> None:
        """Append pubDate, and snf:logo where there is one."""
        etree.SubElement(rss[0], "pubDate").text = rfc822(self.channel.updated)
        if self.channel.logo_url:
            logo = etree.SubElement(rss[0], f"{{{SNF_NS}}}logo")
            etree.SubElement(logo, "url").text = self.channel.logo_url


class SmartNewsItem(ItemProfile):
    """The item's picture, and that the article of a notice is deleted."""

    def extend_rss(self, item: etree._Element) -> None:
        """Append media:thumbnail or media:status."""
        for image in self.entry.images[:1]:
            etree.SubElement(item, f"{{{MEDIA_NS}}}thumbnail", url=image.url)
        if self.is_notice:
            etree.SubElement(item, f"{{{MEDIA_NS}}}status", state="deleted")


def _channel(channel: Channel) -> Channel:
    # One character is the ellipsis.
    description = channel.description or channel.title
    if len(description) > DESCRIPTION_MOST:
        description = excerpt(description, DESCRIPTION_MOST - 1)
    return replace(channel, description=description)


FORMAT = replace(
    rss_profile(
        Profile(
            "smartnews",
            channel_profile=SmartNewsChannel,
            item_profile=SmartNewsItem,
            adapt_channel=_channel,
            notice_period=timedelta(days=7),
        )
    ),
    bytes_most=BYTES_MOST,
)
