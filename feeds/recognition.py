"""Which format a document is of, told from its content alone.

What a document says of itself decides: the root element and its namespaces, the version of a JSON Feed, the names that
only one format of articles has. A document that is cut off or broken is recognised by as much as there is, so that the
gate can say where it breaks.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from lxml import etree

from feeds.formats import newsmlg2, newssitemap, nitf, smartnews
from feeds.formats.extensions import ATOM_NS
from feeds.formats.sitemap import SITEMAP_NS
from feeds.validation.xml import name as name_of

_BYTES_MOST = 1024 * 1024
"""As much of a broken JSON document as is looked through for names."""
_PROFILES = ("smartnews", "msn", "flipboard", "applenews-rss")
_NAME = re.compile(rb'"([$\w]{1,40})"\s*:', re.ASCII)
_NINJS = {b"1": "ninjs16", b"2": "ninjs22", b"3": "ninjs31"}
_NINJS_SCHEMA = re.compile(rb"ninjs-schema_([123])\.")
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:(?:\\?/){2}jsonfeed\.org')


class Recognised(NamedTuple):
    """A format of feed documents or of single articles, by the name that `feeds.formats` has for it."""

    kind: Literal["feed", "article"]
    name: str


_RSS, _SITEMAP = Recognised("feed", "rss"), Recognised("feed", "sitemap")
_ROOTS = {
    "rss": _RSS,
    f"{{{ATOM_NS}}}feed": Recognised("feed", "atom"),
    f"{{{ATOM_NS}}}entry": Recognised("feed", "atom"),
    f"{{{SITEMAP_NS}}}urlset": _SITEMAP,
    f"{{{newsmlg2.NAMESPACE}}}newsItem": Recognised("article", "newsmlg2"),
    f"{{{nitf.NAMESPACE}}}nitf": Recognised("article", "nitf"),
}


# Whose namespace is missing, wrong, or that of Atom 0.3, the gate says what it must be.
_ALIKE = {"rss": _RSS, "feed": Recognised("feed", "atom")}


def recognise(document: bytes) -> Recognised | None:
    """Return the format of `document`, or None when it is of none that we know.

    Partners' profiles of RSS look alike. SmartNews' has a namespace of its own; the others are told only where the
    document's link to itself ends in the name of the profile, as ours do, and are plain RSS where it does not.
    """
    start = document.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return _json(document) if start == b"{" else _xml(document)


def _xml(document: bytes) -> Recognised | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        return None
    # In spite of its type: nothing, where there was nothing to recover.
    found = None if root is None else _ROOTS.get(root.tag) or _ALIKE.get(name_of(root))
    if found == _RSS:
        return Recognised("feed", _profile(root))
    if found == _SITEMAP and _has_news(root):
        return Recognised("feed", "news-sitemap")
    return found


def _has_news(urlset: etree._Element) -> bool:
    # One without any article yet declares the namespace; others declare it where they use it.
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
    names = _names(document)
    if _JSON_FEED.search(document):
        return Recognised("feed", "json")
    if {"type", "article"} <= names:
        return Recognised("article", "json")
    if {"identifier", "components"} <= names:
        return Recognised("article", "applenews")
    if "uri" in names:
        return Recognised("article", _ninjs(document, names))
    # Whose version is missing or wrong, the gate says what it must be.
    if "items" in names and names & {"version", "home_page_url", "feed_url", "title"}:
        return Recognised("feed", "json")
    return None


def _names(document: bytes) -> frozenset[str]:
    """The names that the object has; of a broken one those that stand anywhere in it."""
    try:
        value = json.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return frozenset(name.decode() for name in _NAME.findall(document[:_BYTES_MOST]))
    return frozenset(value)


def _ninjs(document: bytes, names: frozenset[str]) -> str:
    """The version that the item says it follows, else the one whose spelling it has."""
    if said := _NINJS_SCHEMA.search(document):
        return _NINJS[said[1]]
    if names & {"headlines", "bodies", "descriptions"}:
        return "ninjs22" if names & {"versioncreated", "pubstatus"} else "ninjs31"
    return "ninjs16" if names & {"versioncreated", "pubstatus", "headline"} else "ninjs31"
