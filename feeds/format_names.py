"""The names of adapters and formats: no help, and no reading of settings, waits for their import.

A test compares them with the tables.
"""

ADAPTERS = ("ninjs", "wordpress", "ghost", "page", "text")
FEED_FORMATS = (
    "rss",
    "atom",
    "json",
    "smartnews",
    "msn",
    "flipboard",
    "applenews-rss",
    "mrss",
    "news-sitemap",
    "sitemap",
)
ARTICLE_FORMATS = (
    *("json", "ninjs31", "ninjs22", "ninjs16", "newsmlg2", "newsml12", "nitf", "iptc7901"),
    *("anpa1312", "html", "text", "applenews"),
)
MARK_NO_EMBARGO = ("applenews",)
"""Formats of articles that can't say that an article is under embargo."""
READERS = ("rss", "atom", "json")
"""The formats of feeds for people's feed readers."""
FORMATS = tuple(dict.fromkeys((*FEED_FORMATS, *ARTICLE_FORMATS)))
