"""How many subscribers a feed reader tells in its User-Agent, as services do that read a feed for many people.

There is no standard: Feedly writes `Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; ...)`, NewsBlur
`NewsBlur Feed Fetcher - 54 subscribers - https://...`, LiveJournal `12 readers`. Readers on a device of one person tell
nothing. Nobody proves what he tells, so names and numbers are bounded, and that is all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CHARACTERS = 400
"""So much of a User-Agent is read."""
SUBSCRIBERS_MOST = 50_000_000
"""Whoever tells more tells no number of subscribers."""
_NAME_MOST = 40

_NAMES = {
    "aol reader": "AOL Reader",
    "bazqux": "BazQux",
    "bloglovin": "Bloglovin",
    "commafeed": "CommaFeed",
    "digg": "Digg",
    "feed wrangler": "Feed Wrangler",
    "feedbin": "Feedbin",
    "feedfetcher-google": "Google",
    "feedhq": "FeedHQ",
    "feedly": "Feedly",
    "feedspot": "Feedspot",
    "feedwrangler": "Feed Wrangler",
    "flipboard": "Flipboard",
    "freshrss": "FreshRSS",
    "g2reader": "G2Reader",
    "inoreader": "Inoreader",
    "livejournal": "LiveJournal",
    "miniflux": "Miniflux",
    "netvibes": "Netvibes",
    "newsblur": "NewsBlur",
    "newsgator": "NewsGator",
    "nextcloud": "Nextcloud News",
    "readwise": "Readwise",
    "superfeedr": "Superfeedr",
    "theoldreader": "The Old Reader",
    "tiny tiny rss": "Tiny Tiny RSS",
    "tt-rss": "Tiny Tiny RSS",
    "yarrharr": "Yarrharr",
}
KNOWN_READERS = frozenset(_NAMES.values())
"""The names of readers that are known."""

_NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3}){1,2}|\d{1,9})(?: ?[Ss]ubscribers?| readers?)\b", re.ASCII)
# "like FeedFetcher-Google" stands behind a reader's own name: the first one counts.
_NAME_OF_READER = re.compile("|".join(map(re.escape, _NAMES)))
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._ -]*", re.ASCII)
_PRETENDED = re.compile(r"mozilla/[0-9.]* *\(?(?:compatible; *)?", re.ASCII | re.IGNORECASE)


class Readership(NamedTuple):
    """What a feed reader tells: what it is called, and for how many people it reads."""

    reader: str
    subscribers: int


def may_tell(user_agent: bytes) -> bool:
    """Whether it is worth to read a User-Agent; cheap, for each request of a document."""
    return b"ubscriber" in user_agent or b" reader" in user_agent


def readership_of(user_agent: str) -> Readership | None:
    """Return what a User-Agent tells of subscribers; None when it tells nothing, or that nobody has subscribed."""
    text = user_agent[:_CHARACTERS]
    number = _NUMBER.search(text)
    if number is None or not 0 < (subscribers := int(number[1].replace(",", ""))) <= SUBSCRIBERS_MOST:
        return None
    name = _name(text)
    return Readership(name, subscribers) if name else None


def _name(text: str) -> str:
    if match := _NAME_OF_READER.search(text.lower()):
        return _NAMES[match[0]]
    pretended = _PRETENDED.match(text)
    product = _PRODUCT.match(text, pretended.end() if pretended else 0)
    return product[0][:_NAME_MOST].strip(" ._-") if product else ""
