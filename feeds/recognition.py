"""Which format a document is in, by its content alone.

What decides is the root element with its namespaces, the version of a JSON Feed, and names that only one format of
articles has (`ArticleFormat.recognizes`). A truncated or broken document is recognised by what is there, so that the
validation can show where it breaks.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from lxml import etree

from feeds.encodings import without_mark
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS, newssitemap, rss, smartnews
from feeds.formats.extensions import ATOM_NS
from feeds.formats.interface import Outline
from feeds.formats.sitemap import SITEMAP_NS
from feeds.validation.xml import local_name

_SEARCHED_BYTES_MOST = 1024 * 1024
"""How much of a broken JSON document is searched for names."""
_PROFILES = {name for name, feed_format in FEED_FORMATS.items() if feed_format.media_type == rss.FORMAT.media_type}
"""RSS and partners' profiles of it."""
_NAME = re.compile(rb'"([$\w]{1,40})"\s*:', re.ASCII)
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:(?:\\?/){2}jsonfeed\.org')


class Recognised(NamedTuple):
    """A format of feed documents or of single articles, by its name in `feeds.formats`."""

    kind: Literal["feed", "article"]
    name: str


_RSS, _ATOM, _SITEMAP = (Recognised("feed", name) for name in ("rss", "atom", "sitemap"))
_FEED_ROOTS = {
    "rss": _RSS,
    f"{{{ATOM_NS}}}feed": _ATOM,
    f"{{{ATOM_NS}}}entry": _ATOM,
    f"{{{SITEMAP_NS}}}urlset": _SITEMAP,
}
# Without a namespace, with a wrong one or that of Atom 0.3: the validation then asks for the right one.
_FEED_NAMES = {"rss": _RSS, "feed": _ATOM}


def recognise(document: bytes) -> Recognised | None:
    """Return the format of `document`, or None when it is in no format that we know.

    Partners' profiles of RSS look alike. SmartNews has a namespace for its profile. The others are recognised only if
    the document's link to itself ends in the name of the profile, as ours does; otherwise they are plain RSS.
    """
    start = without_mark(document).lstrip()[:1]
    return _json(document) if start == b"{" else _xml(document)


def _article(outline: Outline) -> Recognised | None:
    names = (name for name, article_format in ARTICLE_FORMATS.items() if article_format.recognizes(outline))
    return next((Recognised("article", name) for name in names), None)


def _xml(document: bytes) -> Recognised | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        root = None
    # Contrary to its declared type, the parser returns None if there is nothing to recover.
    if root is None:
        return _article(Outline("", frozenset(), document))
    tag = str(root.tag)
    if article := _article(Outline(tag, frozenset(), document)):
        return article
    feed = _FEED_ROOTS.get(tag) or _FEED_NAMES.get(local_name(root))
    if feed == _RSS:
        return Recognised("feed", _profile(root))
    if feed == _SITEMAP and _has_news(root):
        return Recognised("feed", "news-sitemap")
    return feed


def _has_news(urlset: etree._Element) -> bool:
    # A sitemap without articles declares the namespace at its root; some others only where they use it.
    namespace = newssitemap.NEWS_NS
    return namespace in urlset.nsmap.values() or urlset.find(f"{{*}}url/{{{namespace}}}news") is not None


def _profile(root: etree._Element) -> str:
    if smartnews.SNF_NS in root.nsmap.values():
        return "smartnews"
    for link in root.iterfind(f"channel/{{{ATOM_NS}}}link[@rel='self']"):
        try:
            ending = urlsplit(link.get("href", "")).path.rpartition(".")[2]
        except ValueError:
            continue
        if ending in _PROFILES:
            return ending
    return "rss"


def _json(document: bytes) -> Recognised | None:
    if _JSON_FEED.search(document):
        return Recognised("feed", "json")
    names = _names(document)
    if article := _article(Outline("", names, document)):
        return article
    # Without a version or with a wrong one: the validation then asks for the right one.
    if "items" in names and names & {"version", "home_page_url", "feed_url", "title"}:
        return Recognised("feed", "json")
    return None


def _names(document: bytes) -> frozenset[str]:
    """The names of the object's members; in a broken object, of all members anywhere in it."""
    try:
        return frozenset(json.loads(document.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return frozenset(name.decode() for name in _NAME.findall(document[:_SEARCHED_BYTES_MOST]))
