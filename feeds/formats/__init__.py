"""The formats: what a feed can be served or pushed as, and what one article can be sent as.

Each format is one module that makes a value of `FeedFormat` or `ArticleFormat` (`interface`), and the tables here list
them; `table` puts those beside them that a newsroom defines itself, which `own` makes. What several formats share:

- `xml_fragments`: fragments and envelopes of XML formats. `extensions`: what feedgen lacks.
- `profile`: profiles of RSS for partners. `changes`: statuses and the notes to editors and readers.
- `body`: an article's HTML as a tree; `xhtml`: as a document; `paragraphs`: its text without markup. `timestamps`: how
  formats write times.

The ideas behind them:

- **A feed document is an envelope around fragments.** A fragment is one entry, rendered once. Fragments and envelopes
  are cut from what feedgen renders, so a document is byte for byte what feedgen makes of the whole, at a fraction of
  the cost when one article of many is new. tests/unit/test_formats.py shows it for every format.
- **Rendering is a function**: the same articles give the same bytes. Ages are counted from the feed's last change,
  never from the clock (Google News' two days, MSN's year, the week in which a notice stands). `FeedFormat.select`
  leaves out what a partner's limits exclude, before fragments are joined.
- **An article format learns who sends.** Article ids are unique within one newsroom only; IPTC's formats want an id
  that is unique in the world, and a provider. So `render` takes a `Provider` beside the article.
- **RSS has tombstones too** (`at:deleted-entry` of RFC 6721 in the channel): RSS itself cannot say that an item is
  gone, and readers that do not know the element ignore it.
- **The entry's page stands before and after its other editions** in Atom and RSS: fastfeedparser takes the first
  alternate for the page, feedparser the last (tests/golden/test_readers.py). RFC 4287 allows both if only one of them
  has hreflang.
- **A notice has nothing of the text.** A kill or a withdrawal brings what identifies the article, and a line for
  editors or readers.

This room must never do I/O, ask the time, or change the articles that it is given. A format must never leave out a
kill, and one that cannot mark an embargo says so (`marks_embargo`), so that nothing is sent in it early.
"""

from feeds.formats import (
    anpa1312,
    applenews,
    applenewsrss,
    atom,
    flipboard,
    htmlpage,
    iptc7901,
    jsonfeed,
    mrss,
    msn,
    native,
    newsml12,
    newsmlg2,
    newssitemap,
    ninjs,
    nitf,
    plaintext,
    rss,
    sitemap,
    smartnews,
)
from feeds.formats.interface import ArticleFormat, FeedFormat
from feeds.formats.table import FormatTable

FEED_FORMATS = FormatTable[FeedFormat](
    (
        rss.FORMAT,
        atom.FORMAT,
        jsonfeed.FORMAT,
        smartnews.FORMAT,
        msn.FORMAT,
        flipboard.FORMAT,
        applenewsrss.FORMAT,
        mrss.FORMAT,
        newssitemap.FORMAT,
        sitemap.FORMAT,
    )
)
READERS = (rss.FORMAT, atom.FORMAT, jsonfeed.FORMAT)
"""For people's feed readers; the others are for partners and search engines, which know their addresses."""
TOPICS = (*READERS, flipboard.FORMAT)
"""What the hub offers: the formats for readers, and Flipboard, which learns of takedowns from the hub alone."""
ARTICLE_FORMATS = FormatTable[ArticleFormat](
    (
        native.FORMAT,
        *ninjs.FORMATS,
        newsmlg2.FORMAT,
        newsml12.FORMAT,
        nitf.FORMAT,
        iptc7901.FORMAT,
        anpa1312.FORMAT,
        htmlpage.FORMAT,
        plaintext.FORMAT,
        applenews.FORMAT,
    )
)
