"""MSN Partner Hub (https://support.microsoft.com, "MSN feed item metadata requirements" and "MSN HTML guidelines").

An article is taken down by an item with the same id that has expired (`dcterms:valid`) and a newer `dcterms:modified`.
Feeds whose ids or dates change at each poll are refused; ours change with the articles alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import nh3
from lxml import etree

from feeds.entry import Entry
from feeds.formats.body import parse_html, rewrite_blocks
from feeds.formats.profile import ChannelProfile, ItemProfile, Profile, rss_profile
from feeds.formats.timestamps import rfc3339

DCTERMS_NS = "http://purl.org/dc/terms/"
OLDEST = timedelta(days=365)
ITEMS_MOST = 20
# "Allowed HTML tags", without embeds: our articles have none.
TAGS = set(
    """b i em strong sub sup small h1 h2 h3 h4 h5 a img table thead tbody tfoot tr td th col caption colgroup ul ol li
    p div span br blockquote""".split()  # noqa: SIM905 (quoted words are harder to read)
)
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


class MsnChannel(ChannelProfile):
    """Declares DCMI terms at the root, so that no item has to."""

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"dcterms": DCTERMS_NS}


class MsnItem(ItemProfile):
    """When the item was changed, and for a notice, when it ceased to be valid."""

    def extend_rss(self, item: etree._Element) -> None:
        """Append the dcterms elements; a period is written as in DCMI Period."""
        moment = rfc3339(self.entry.updated)
        etree.SubElement(item, f"{{{DCTERMS_NS}}}modified").text = moment
        if self.is_notice:
            etree.SubElement(item, f"{{{DCTERMS_NS}}}valid").text = f"end={moment}; scheme=W3C-DTF"


def _entry(entry: Entry) -> Entry:
    if not entry.html:
        return entry
    root = parse_html(entry.html)
    rewrite_blocks(root, TAGS, "div")
    markup = etree.tostring(root, method="html", encoding="unicode")
    markup = markup.removeprefix("<div>").removesuffix("</div>")  # that `parse_html` put around it
    return replace(entry, html=nh3.clean(markup, tags=TAGS, attributes=_ATTRIBUTES, link_rel=None).strip())


FORMAT = rss_profile(
    Profile(
        "msn",
        channel_profile=MsnChannel,
        item_profile=MsnItem,
        adapt_entry=_entry,
        items_most=ITEMS_MOST,
        oldest_age=OLDEST - timedelta(days=1),  # "less than 365 days": it may be read some time after the last change
        notice_period=timedelta(days=7),
    )
)
