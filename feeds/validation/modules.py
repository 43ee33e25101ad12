"""The elements of the modules that RSS and Atom feeds use.

`FEED` lists those of a channel or feed, `ITEM` those of an item or entry. An element of their namespaces that is not
listed does not exist.

Sources: the modules' own specifications, among them RSS 1.0's modules (content, syndication, slash), RFC 4685
(threads), RFC 5005 (archives), RFC 5023 (publishing), OpenSearch 1.1, FeedSync 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.formats.extensions import ATOM_NS
from feeds.validation import values
from feeds.validation.element_models import (
    ANYTHING,
    ElementModel,
    TextCheck,
    any_text,
    at_most,
    count,
    decimal,
    http,
    integer,
    iri,
    matches,
    media_type,
    one_of,
    positive_integer,
    reference,
    rfc3339,
    uri,
    w3cdtf,
)
from feeds.validation.mediarss import MEDIA, MEDIA_ITEM
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import LINK, MANY_WORDS, OF, WORDS, module, resource
from feeds.validation.podcasts import EPISODE, PODCAST
from feeds.validation.xml import Element

# Threads, archives, publishing, searching.
_reply = ElementModel(
    attributes={"ref": iri, "href": reference, "source": reference, "type": media_type}, repeatable=True
)
_flare: Mapping[str, TextCheck] = {"href": reference, "src": reference}
# The time of an event may be local, without a zone.
_event_time = matches(lambda text: values.w3cdtf(text) or values.w3cdtf(f"{text}Z"), "is no valid time")

# OpenSearch 1.1, "Role values": those of the specification, and others with a prefix.
_role = matches(
    re.compile(r"request|example|related|correction|subset|superset|[^\s:]+:[^\s:]+").fullmatch,
    "is no role of a query",
)


def _sharing(element: Element) -> Iterator[str]:
    if ("since" in element.attrib) != ("until" in element.attrib):
        yield "sharing must have since and until, or none of them"
    since, until = values.rfc3339(element.get("since", "")), values.rfc3339(element.get("until", ""))
    if since and until and since > until:
        yield "since must not lie after until"


def synchronised(feed: Element) -> Iterator[str]:
    """No two items of a feed may have the same id of FeedSync."""
    ids = [sync.get("id") for sync in feed.iterfind(f"*/{{{OF['sx']}}}sync")]
    if len(ids) > len(set(ids)):
        yield "two sx:sync must not have the same id"


_true = one_of("true", "false")
_related = ElementModel(
    None,
    attributes={"link": uri, "title": any_text, "type": one_of("complete", "aggregated")},
    required_attributes=("link", "type"),
    repeatable=True,
)
_most = 2**31 - 1
_sequence = matches(
    lambda text: text.isascii() and text.isdecimal() and 0 < int(text[-18:]) <= _most and len(text) < 19,
    f"is no whole number from 1 to {_most}",
)
_name = matches(re.compile(r"(?:[0-9A-Za-z()+,.:=@;$_!*'/?#-]|%[0-9A-Fa-f]{2})+").fullmatch, "is no name of a URN")


def _history(element: Element) -> Iterator[str]:
    if not {"when", "by"} & set(map(str, element.attrib)):
        yield "history must have when or by"


def _collection_title(element: Element) -> Iterator[str]:
    if element.find(f"{{{ATOM_NS}}}title") is None:
        yield "collection must have a title"


_collection = ElementModel(
    children=None,
    attributes={"href": reference},
    required_attributes=("href",),
    repeatable=True,
    checks=(_collection_title,),
)
ACCESS: Mapping[str, ElementModel] = module(
    "access",
    restriction=ElementModel(
        attributes={"relationship": one_of("allow", "deny")}, required_attributes=("relationship",)
    ),
)
"""Whom a feed is for: it stands in an Atom feed, and in RSS beside the channel."""
INDEXING: Mapping[str, TextCheck] = {"{urn:atom-extension:indexing}index": one_of("yes", "no")}
"""Whether search engines may index the feed: an attribute of the feed."""

FEED: Mapping[str, ElementModel] = {
    **ANYWHERE,
    **MEDIA,
    **PODCAST,
    **module("dc", date=ElementModel(w3cdtf)),
    **module("sy", updateFrequency=ElementModel(positive_integer), updateBase=ElementModel(w3cdtf)),
    **module("sy", updatePeriod=ElementModel(one_of("hourly", "daily", "weekly", "monthly", "yearly"))),
    **module("admin", generatorAgent=resource(repeatable=False), errorReportsTo=resource(repeatable=False)),
    **module("blogChannel", **dict.fromkeys(("blogRoll", "mySubscriptions", "blink", "changes"), LINK)),
    **module("creativeCommons", license=LINK.repeated),
    **module(
        "opensearch",
        totalResults=ElementModel(count),
        startIndex=ElementModel(integer),
        itemsPerPage=ElementModel(count),
    ),
    **module(
        "opensearch",
        Query=ElementModel(
            None,
            attributes={
                "role": _role,
                "title": at_most(256),
                "totalResults": count,
                "count": count,
                "startIndex": integer,
                "startPage": integer,
                **dict.fromkeys(("searchTerms", "language", "inputEncoding", "outputEncoding", "parameter"), any_text),
            },
            required_attributes=("role",),
            repeatable=True,
        ),
        link=ANYTHING,
    ),
    **module(
        "opensearch10",
        totalResults=ElementModel(count),
        startIndex=ElementModel(integer),
        itemsPerPage=ElementModel(count),
    ),
    **module(
        "feedburner",
        awareness=LINK,
        browserFriendly=WORDS,
        emailServiceId=WORDS,
        feedburnerHostname=LINK,
        feedFlare=ElementModel(attributes=_flare, required_attributes=("href", "src"), repeatable=True),
        info=ElementModel(None, attributes={"uri": reference}, required_attributes=("uri",), repeatable=True),
    ),
    **module("fh", archive=ElementModel(None), complete=ElementModel(None)),
    **module("thr", in_reply_to=_reply),
    **module("app", collection=_collection),
    **module(
        "sx",
        sharing=ElementModel(
            None,
            attributes=dict.fromkeys(("since", "until", "expires"), rfc3339),
            children=module("sx", related=_related),
            checks=(_sharing,),
        ),
    ),
    **module("at", deleted_entry=ANYTHING),
}
"""What may stand in a channel or a feed."""
ITEM: Mapping[str, ElementModel] = {
    **ANYWHERE,
    **MEDIA,
    **MEDIA_ITEM,
    **EPISODE,
    **module("dc", date=ElementModel(w3cdtf, repeatable=True)),
    **module("content", encoded=WORDS, items=ANYTHING),
    **module("slash", comments=ElementModel(count), section=MANY_WORDS, department=MANY_WORDS),
    f"{{{OF['slash']}}}hit_parade": ElementModel(
        matches(re.compile(r"\d+(?:\s*,\s*\d+)*").fullmatch, "is no list of whole numbers")
    ),
    **module("wfw", comment=LINK, commentRss=LINK, commentRSS=LINK),
    **module("creativeCommons", license=LINK.repeated),
    **module("trackback", ping=LINK, about=LINK.repeated),
    **module("ag", source=WORDS, sourceURL=LINK, timestamp=ElementModel(_event_time)),
    **module("ev", startdate=ElementModel(_event_time), enddate=ElementModel(_event_time), type=WORDS),
    **module("ev", location=ANYTHING, organizer=ANYTHING),
    **module("feedburner", awareness=LINK, origLink=LINK, origEnclosureLink=LINK),
    **module("thr", total=ElementModel(count), in_reply_to=_reply),
    **module("app", edited=ElementModel(rfc3339, keeps_space=True), collection=_collection),
    **module("app", control=ElementModel(None, children=module("app", draft=ElementModel(one_of("yes", "no"))))),
    **module(
        "sx",
        sync=ElementModel(
            None,
            attributes={"id": _name, "updates": _sequence, "deleted": _true, "noconflicts": _true},
            required_attributes=("id", "updates"),
            children=module(
                "sx",
                history=ElementModel(
                    None,
                    attributes={"sequence": _sequence, "when": rfc3339, "by": _name},
                    required_attributes=("sequence",),
                    repeatable=True,
                    checks=(_history,),
                ),
                conflicts=ANYTHING,
            ),
            required_children=(f"{{{OF['sx']}}}history",),
        ),
    ),
    **module(
        "conversationsNetwork",
        introMilliseconds=ElementModel(count),
        image=ElementModel(http),
        ratingAverage=ElementModel(decimal),
        ratingCount=ElementModel(count),
        ratingIndividual=ElementModel(positive_integer),
        ratingTimestamp=ElementModel(w3cdtf),
    ),
}
"""What may stand in an item or an entry."""
