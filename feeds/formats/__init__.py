"""The formats, in one visible table each: what a feed can be served or pushed as, and what one article can be sent as.

A feed format renders an entry once to a fragment, and a feed document is its envelope around fragments. Joined, they
are byte for byte what the whole would be when built at once; a test proves it for every format.
"""

from feeds.formats import (
    applenews,
    applenewsrss,
    atom,
    flipboard,
    jsonfeed,
    msn,
    native,
    newsmlg2,
    newssitemap,
    ninjs,
    nitf,
    rss,
    sitemap,
    smartnews,
)
from feeds.formats.interface import ArticleFormat, FeedFormat

FEED_FORMATS: dict[str, FeedFormat] = {
    f.name: f
    for f in (
        rss.FORMAT,
        atom.FORMAT,
        jsonfeed.FORMAT,
        smartnews.FORMAT,
        msn.FORMAT,
        flipboard.FORMAT,
        applenewsrss.FORMAT,
        newssitemap.FORMAT,
        sitemap.FORMAT,
    )
}
READERS = (rss.FORMAT, atom.FORMAT, jsonfeed.FORMAT)
"""What people's feed readers read; the others are for partners and search engines that know their addresses."""
TOPICS = (*READERS, flipboard.FORMAT)
"""What the hub offers: what readers read, and Flipboard, which hears of takedowns by the hub alone."""
ARTICLE_FORMATS: dict[str, ArticleFormat] = {
    f.name: f for f in (native.FORMAT, *ninjs.FORMATS, newsmlg2.FORMAT, nitf.FORMAT, applenews.FORMAT)
}
