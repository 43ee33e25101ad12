"""The namespaces of the modules that feeds use, and a short way to write tables of their elements."""

from __future__ import annotations

from collections.abc import Mapping

from feeds.formats.extensions import ATOM_NS, HISTORY_NS, MEDIA_NS, TOMBSTONE_NS
from feeds.validation.element_models import ElementModel, any_text, uri

RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
THREAD_NS = "http://purl.org/syndication/thread/1.0"
ITUNES_NS = "http://www.itunes.com/dtds/podcast-1.0.dtd"
DC_NS = "http://purl.org/dc/elements/1.1/"
TERMS_NS = "http://purl.org/dc/terms/"

NAMESPACES: Mapping[str, str] = {
    ATOM_NS: "atom",
    MEDIA_NS: "media",
    HISTORY_NS: "fh",
    TOMBSTONE_NS: "at",
    RDF_NS: "rdf",
    THREAD_NS: "thr",
    ITUNES_NS: "itunes",
    DC_NS: "dc",
    TERMS_NS: "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://purl.org/rss/1.0/modules/aggregation/": "ag",
    "http://purl.org/rss/1.0/modules/event/": "ev",
    "http://wellformedweb.org/CommentAPI/": "wfw",
    "http://webns.net/mvcb/": "admin",
    "http://backend.userland.com/blogChannelModule": "blogChannel",
    "http://backend.userland.com/creativeCommonsRssModule": "creativeCommons",
    "http://madskills.com/public/xml/rss/module/trackback/": "trackback",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://postneo.com/icbm": "icbm",
    "http://geourl.org/rss/module/": "geourl",
    "http://a9.com/-/spec/opensearch/1.1/": "opensearch",
    "http://a9.com/-/spec/opensearchrss/1.0/": "opensearch10",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.w3.org/2007/app": "app",
    "http://feedsync.org/2007/feedsync": "sx",
    "http://www.bloglines.com/about/specs/fac-1.0": "access",
    "http://conversationsnetwork.org/rssNamespace-1.0/": "conversationsNetwork",
}
"""The namespaces whose elements are all listed in this room, with their usual prefixes."""
NEAR_MISSES: Mapping[str, str] = {"http://search.yahoo.com/mrss": MEDIA_NS}
"""Frequent misspellings of namespaces, with the namespace that each stands for."""

OF: Mapping[str, str] = {prefix: namespace for namespace, prefix in NAMESPACES.items()}
"""The namespace of each prefix."""

WORDS = ElementModel()
"""Any text, once."""
MANY_WORDS = ElementModel(repeatable=True)
"""Any text, any number of times."""
LINK = ElementModel(uri)
"""An absolute address."""


def module(prefix: str, **models: ElementModel) -> dict[str, ElementModel]:
    """Return the elements of one namespace by tag; an underscore stands for the hyphen of a name."""
    return {f"{{{OF[prefix]}}}{name.replace('_', '-')}": model for name, model in models.items()}


def resource(repeatable: bool = True) -> ElementModel:
    """Return an element that names something by rdf:resource."""
    return ElementModel(attributes={f"{{{RDF_NS}}}resource": uri, f"{{{DC_NS}}}title": any_text}, repeatable=repeatable)
