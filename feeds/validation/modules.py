"""The modules that feeds of RSS and Atom borrow from others: what each of their elements may be.

`FEED` and `ITEM` say which stand in a channel or feed and which in an item or entry. An element of their namespaces
that is not here does not exist.

Sources: the modules' own specifications, among them RSS 1.0's modules (content, syndication, slash), RFC 4685
(threads), RFC 5005 (archives), RFC 5023 (publishing), OpenSearch 1.1, FeedSync 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from feeds.formats.extensions import ATOM_NS
from feeds.validation import values
from feeds.validation.kinds import (
    ANYTHING,
    Kind,
    Value,
    at_most,
    count,
    counted,
    decimal,
    http,
    integer,
    iri,
    matches,
    media_type,
    one_of,
    reference,
    rfc3339,
    uri,
    w3cdtf,
    words,
)
from feeds.validation.mediarss import MEDIA, MEDIA_ITEM
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import LINK, MANY_WORDS, OF, WORDS, module, resource
from feeds.validation.podcasts import EPISODE, PODCAST
from feeds.validation.xml import Element

# Threads, archives, publishing, searching.
_reply = Kind(attributes={"ref": iri, "href": reference, "source": reference, "type": media_type}, many=True)
_flare: Mapping[str, Value] = {"href": reference, "src": reference}
# Events may be at a place whose time everybody there knows.
_event_time = matches(lambda text: values.w3cdtf(text) or values.w3cdtf(f"{text}Z"), "is no valid time")

# OpenSearch 1.1, "Role values": those it has, and others with a prefix.
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
    """No two items of a feed may have one id of FeedSync."""
    ids = [sync.get("id") for sync in feed.iterfind(f"*/{{{OF['sx']}}}sync")]
    if len(ids) > len(set(ids)):
        yield "two sx:sync must not have the same id"


_true = one_of("true", "false")
_related = Kind(
    None,
    attributes={"link": uri, "title": words, "type": one_of("complete", "aggregated")},
    needs=("link", "type"),
    many=True,
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


_collection = Kind(holds=None, attributes={"href": reference}, needs=("href",), many=True, rules=(_collection_title,))
ACCESS: Mapping[str, Kind] = module(
    "access", restriction=Kind(attributes={"relationship": one_of("allow", "deny")}, needs=("relationship",))
)
"""Whom a feed is for: in the feed of Atom, and in RSS beside the channel."""
INDEXING: Mapping[str, Value] = {"{urn:atom-extension:indexing}index": one_of("yes", "no")}
"""Whether search engines may take the feed up, as an attribute of it."""

FEED: Mapping[str, Kind] = {
    **ANYWHERE,
    **MEDIA,
    **PODCAST,
    **module("dc", date=Kind(w3cdtf)),
    **module("sy", updateFrequency=Kind(counted), updateBase=Kind(w3cdtf)),
    **module("sy", updatePeriod=Kind(one_of("hourly", "daily", "weekly", "monthly", "yearly"))),
    **module("admin", generatorAgent=resource(many=False), errorReportsTo=resource(many=False)),
    **module("blogChannel", **dict.fromkeys(("blogRoll", "mySubscriptions", "blink", "changes"), LINK)),
    **module("creativeCommons", license=LINK.repeated),
    **module("opensearch", totalResults=Kind(count), startIndex=Kind(integer), itemsPerPage=Kind(count)),
    **module(
        "opensearch",
        Query=Kind(
            None,
            attributes={
                "role": _role,
                "title": at_most(256),
                "totalResults": count,
                "count": count,
                "startIndex": integer,
                "startPage": integer,
                **dict.fromkeys(("searchTerms", "language", "inputEncoding", "outputEncoding", "parameter"), words),
            },
            needs=("role",),
            many=True,
        ),
        link=ANYTHING,
    ),
    **module("opensearch10", totalResults=Kind(count), startIndex=Kind(integer), itemsPerPage=Kind(count)),
    **module(
        "feedburner",
        awareness=LINK,
        browserFriendly=WORDS,
        emailServiceId=WORDS,
        feedburnerHostname=LINK,
        feedFlare=Kind(attributes=_flare, needs=("href", "src"), many=True),
        info=Kind(None, attributes={"uri": reference}, needs=("uri",), many=True),
    ),
    **module("fh", archive=Kind(None), complete=Kind(None)),
    **module("thr", in_reply_to=_reply),
    **module("app", collection=_collection),
    **module(
        "sx",
        sharing=Kind(
            None,
            attributes=dict.fromkeys(("since", "until", "expires"), rfc3339),
            holds=module("sx", related=_related),
            rules=(_sharing,),
        ),
    ),
    **module("at", deleted_entry=ANYTHING),
}
"""What stands in a channel or a feed."""
ITEM: Mapping[str, Kind] = {
    **ANYWHERE,
    **MEDIA,
    **MEDIA_ITEM,
    **EPISODE,
    **module("dc", date=Kind(w3cdtf, many=True)),
    **module("content", encoded=WORDS, items=ANYTHING),
    **module("slash", comments=Kind(count), section=MANY_WORDS, department=MANY_WORDS),
    f"{{{OF['slash']}}}hit_parade": Kind(
        matches(re.compile(r"\d+(?:\s*,\s*\d+)*").fullmatch, "is no list of whole numbers")
    ),
    **module("wfw", comment=LINK, commentRss=LINK, commentRSS=LINK),
    **module("creativeCommons", license=LINK.repeated),
    **module("trackback", ping=LINK, about=LINK.repeated),
    **module("ag", source=WORDS, sourceURL=LINK, timestamp=Kind(_event_time)),
    **module("ev", startdate=Kind(_event_time), enddate=Kind(_event_time), type=WORDS),
    **module("ev", location=ANYTHING, organizer=ANYTHING),
    **module("feedburner", awareness=LINK, origLink=LINK, origEnclosureLink=LINK),
    **module("thr", total=Kind(count), in_reply_to=_reply),
    **module("app", edited=Kind(rfc3339, strict=True), collection=_collection),
    **module("app", control=Kind(None, holds=module("app", draft=Kind(one_of("yes", "no"))))),
    **module(
        "sx",
        sync=Kind(
            None,
            attributes={"id": _name, "updates": _sequence, "deleted": _true, "noconflicts": _true},
            needs=("id", "updates"),
            holds=module(
                "sx",
                history=Kind(
                    None,
                    attributes={"sequence": _sequence, "when": rfc3339, "by": _name},
                    needs=("sequence",),
                    many=True,
                    rules=(_history,),
                ),
                conflicts=ANYTHING,
            ),
            must=(f"{{{OF['sx']}}}history",),
        ),
    ),
    **module(
        "conversationsNetwork",
        introMilliseconds=Kind(count),
        image=Kind(http),
        ratingAverage=Kind(decimal),
        ratingCount=Kind(count),
        ratingIndividual=Kind(counted),
        ratingTimestamp=Kind(w3cdtf),
    ),
}
"""What stands in an item or an entry."""
