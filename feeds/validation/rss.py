"""RSS 2.0 (https://www.rssboard.org/rss-specification) with the modules that readers know.

What its forerunners 0.91 to 0.94 have is in it as well. Where the specification leaves a form open, its board's best
practices (https://www.rssboard.org/rss-profile) tell what is wrong and what is only unwise.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping

from feeds.formats import smartnews
from feeds.formats.extensions import ATOM_NS, MEDIA_NS, TOMBSTONE_NS
from feeds.formats.rss import DC_NS
from feeds.validation import modules, values
from feeds.validation.atom import EVERY
from feeds.validation.finding import Finding, Findings, house
from feeds.validation.kinds import (
    Kind,
    Vocabulary,
    contact,
    count,
    counted,
    http,
    language,
    matches,
    media_type,
    one_of,
    rfc822,
    uri,
    words,
)
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import NAMESPACES, NEAR_MISSES, module
from feeds.validation.xml import (
    Element,
    at,
    doctype,
    editions,
    filled,
    legible,
    ordered,
    parse,
    required,
    text,
    unique,
    web,
)

_ATOM, _DC, _MEDIA = f"{{{ATOM_NS}}}", f"{{{DC_NS}}}", f"{{{MEDIA_NS}}}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
VERSIONS = ("0.91", "0.92", "0.93", "0.94", "2.0")
_OLD_DTD = "-//Netscape Communications//DTD RSS 0.91//EN"


def _at_most(most: int) -> Kind:
    def within(said: str) -> str | None:
        return counted(said) or (f"is more than {most}" if len(said) > 9 or int(said) > most else None)

    return Kind(within)


def _each_once(element: Element) -> Iterator[str]:
    """No hour and no day twice; older feeds call midnight 24."""
    said = [text(inner, ".").lstrip("0") or "0" for inner in element.iterchildren("*")]
    said = ["0" if value == "24" else value for value in said]
    for value in dict.fromkeys(said):
        if said.count(value) > 1:
            yield f"{element.tag} names {value!r} more than once"


def _guid(element: Element) -> Iterator[str]:
    said = text(element, ".")
    if element.get("isPermaLink", "true") != "true":
        return
    if not values.uri(said):
        yield f"guid {said!r} is no absolute address, and isPermaLink is not false"
    elif said.lower().startswith(("tag:", "urn:")):
        yield f"guid {said!r} leads to no page: isPermaLink must be false"


_hour = matches(lambda said: said.isascii() and said.isdecimal() and len(said) < 3 and int(said) <= 24, "is no hour")
_day = one_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORDS, _LINK, _TIME, _CONTACT = Kind(), Kind(uri), Kind(rfc822), Kind(contact)
_CATEGORY = Kind(attributes={"domain": words}, many=True)
_CLOUD = dict.fromkeys(("domain", "path", "registerProcedure", "protocol"), words)
# Atom's elements in RSS: those that say one thing say it once.
_ATOM_KINDS: Mapping[str, Kind] = {tag: kind for tag, kind in EVERY.items() if tag.startswith(_ATOM)}

_IMAGE: Mapping[str, Kind] = {
    "url": _LINK,
    "title": _WORDS,
    "link": _LINK,
    "width": _at_most(144),
    "height": _at_most(400),
    "description": _WORDS,
    **ANYWHERE,
    **module("dc", date=Kind(matches(values.w3cdtf, "is no valid time"))),
}
_TEXT_INPUT: Mapping[str, Kind] = {
    "title": _WORDS,
    "description": _WORDS,
    "name": Kind(matches(re.compile(r"[A-Za-z][A-Za-z0-9:._-]*").match, "is no name of a field")),
    "link": _LINK,
    **ANYWHERE,
}
_ITEM = Kind(
    None,
    holds={
        **modules.ITEM,
        **_ATOM_KINDS,
        "title": _WORDS,
        "link": _LINK,
        "description": _WORDS,
        "author": _CONTACT,
        "category": _CATEGORY,
        "comments": _LINK,
        "enclosure": Kind(
            None,
            attributes={"url": http, "length": count, "type": media_type},
            needs=("url", "length", "type"),
            many=True,
        ),
        "guid": Kind(attributes={"isPermaLink": one_of("true", "false")}, rules=(_guid,)),
        "pubDate": _TIME,
        "source": Kind(attributes={"url": uri}, needs=("url",)),
    },
    many=True,
    rule="rss.item",
)
_CHANNEL = Kind(
    None,
    holds={
        **modules.FEED,
        **_ATOM_KINDS,
        "title": _WORDS,
        "link": _LINK,
        "description": _WORDS,
        "language": Kind(language),
        "copyright": _WORDS,
        "managingEditor": _CONTACT,
        "webMaster": _CONTACT,
        "pubDate": _TIME,
        "lastBuildDate": _TIME,
        "category": _CATEGORY,
        "generator": _WORDS,
        "docs": _LINK,
        "cloud": Kind(None, attributes={**_CLOUD, "port": counted}, needs=(*_CLOUD, "port")),
        "ttl": Kind(counted),
        "image": Kind(None, holds=_IMAGE, must=("url", "title", "link")),
        "rating": _WORDS,
        "textInput": Kind(None, holds=_TEXT_INPUT, must=("title", "description", "name", "link")),
        "skipHours": Kind(None, holds={"hour": Kind(_hour, many=True)}, must=("hour",), rules=(_each_once,)),
        "skipDays": Kind(None, holds={"day": Kind(_day, many=True)}, must=("day",), rules=(_each_once,)),
        "item": _ITEM,
    },
    attributes=modules.INDEXING,
    must=("title", "link", "description"),
    rules=(modules.synchronised,),
    rule="rss.channel",
)
_RSS = Kind(
    None,
    attributes={"version": one_of(*VERSIONS)},
    needs=("version",),
    holds={**modules.ACCESS, "channel": _CHANNEL},
    must=("channel",),
)
_VOCABULARY = Vocabulary(
    NAMESPACES,
    bare=True,
    questionable={**_ATOM_KINDS, **ANYWHERE},
    loose=frozenset({smartnews.SNF_NS}),
)


def rss(document: bytes) -> Findings:
    """What holds for every RSS document, and of our own documents a little more."""
    yield from checked(document)


def checked(document: bytes) -> Generator[Finding, None, Element | None]:
    """The same; the channel, if there is one, is what the generator returns."""
    root = parse(document, typed=True)
    if isinstance(root, Finding):
        yield root
        return None
    yield from house(doctype(root))
    if root.tag != "rss":
        yield at(root, "rss.root", "must be rss, without a namespace")
        return None
    if root.getroottree().docinfo.public_id == _OLD_DTD and root.get("version") != "0.91":
        yield at(root, "rss.doctype", "the document type is that of RSS 0.91")
    for prefix, namespace in root.nsmap.items():
        if meant := NEAR_MISSES.get(namespace):
            yield at(root, "rss.namespace", f"the namespace of {prefix} must be {meant}")
    yield from _VOCABULARY.check(root, _RSS, "rss.root")
    channel = root.find("channel")
    if channel is not None:
        yield from _channel(channel)
        yield from house(_ours(root, channel))
    return channel


def _channel(channel: Element) -> Findings:
    items = channel.findall("item")
    yield from unique(items, [text(item, "guid") for item in items], "rss.guid.unique")
    for item in items:
        if item.find("title") is None and item.find("description") is None:
            yield at(item, "rss.item", "item must have title or description")
    for stone in channel.findall(f"{{{TOMBSTONE_NS}}}deleted-entry"):
        if not stone.get("ref") or not values.rfc3339(stone.get("when") or ""):
            yield at(stone, "rfc6721.deleted-entry", "deleted-entry must have ref and a valid when")


def _ours(root: Element, channel: Element) -> Findings:
    """What is well for every reader."""
    yield from legible(root)
    if root.get("version") in VERSIONS[:-1]:
        yield at(root, "rss.root", 'must have version="2.0"')
    yield from filled(channel, "rss.channel", "title", "link", "description")
    for link in channel.findall("link"):
        yield from web(link, link.text, "rss.channel.link")
    for link in channel.findall(f"{_ATOM}link"):
        yield from web(link, link.get("href"), "rss.channel.atom-link")
    yield from _plain_times(channel, "rss.channel", "pubDate", "lastBuildDate")
    for item in channel.findall("item"):
        yield from _our_item(item)


def _our_item(item: Element) -> Findings:
    said = [found for path in ("title", "description") if (found := item.find(path)) is not None]
    if said and not any(text(found, ".") for found in said):
        yield at(item, "rss.item", "item must have a title or a description that is not empty")
    yield from required(item, "rss.item", "guid")
    for link in item.findall("link"):
        yield from web(link, link.text, "rss.item.link")
    links = item.findall(f"{_ATOM}link")
    for link in links:
        yield from web(link, link.get("href"), "rss.item.atom-link")
    alternates = [link for link in links if "hreflang" in link.attrib and link.get("rel", "alternate") == "alternate"]
    yield from editions(alternates, "rss.item.alternate")
    yield from _plain_times(item, "rss.item", "pubDate")
    published, updated = values.rfc822(text(item, "pubDate")), values.rfc3339(text(item, f"{_ATOM}updated"))
    yield from ordered(item, "rss.item.dates", published, updated)
    if item.find("author") is not None and item.find(f"{_DC}creator") is not None:
        yield at(item, "rss.item.author", "item must have author or dc:creator, not both")
    order = [child.tag for child in item if child.tag in {"description", CONTENT}]
    if order == [CONTENT, "description"]:
        yield at(item, "rss.item.order", "description must stand before content:encoded")
    for picture in item.iter(f"{_MEDIA}content", f"{_MEDIA}thumbnail", "enclosure"):
        yield from web(picture, picture.get("url"), "rss.item.picture")


def _plain_times(parent: Element, rule: str, *paths: str) -> Findings:
    for path in paths:
        said = text(parent, path)
        if values.rfc822(said) and not values.rfc822_plain(said):
            reason = f"{path} {said!r} must have four digits of the year, and GMT or a number for the zone"
            yield at(parent, f"{rule}.{path}", reason)
