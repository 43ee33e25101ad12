"""The rules of RSS 2.0 (https://www.rssboard.org/rss-specification) with the modules that readers know.

They include the elements of RSS 0.91 to 0.94. Where the specification leaves a form open, its board's best practices
(https://www.rssboard.org/rss-profile) decide what is wrong and what is only unwise.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping

from feeds.formats import smartnews
from feeds.formats.extensions import ATOM_NS, MEDIA_NS, TOMBSTONE_NS
from feeds.formats.rss import DC_NS
from feeds.validation import modules, values
from feeds.validation.atom import ATOM_ELEMENTS
from feeds.validation.element_models import (
    ElementModel,
    Vocabulary,
    any_text,
    contact,
    count,
    http,
    language,
    matches,
    media_type,
    one_of,
    positive_integer,
    rfc822,
    uri,
)
from feeds.validation.finding import Finding, Findings, house
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import NAMESPACES, NEAR_MISSES, module
from feeds.validation.xml import (
    Element,
    at,
    chronological,
    editions,
    legible,
    not_empty,
    read_root,
    required,
    text,
    unique,
    web_address,
)

_ATOM, _DC, _MEDIA = f"{{{ATOM_NS}}}", f"{{{DC_NS}}}", f"{{{MEDIA_NS}}}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
VERSIONS = ("0.91", "0.92", "0.93", "0.94", "2.0")
_OLD_DTD = "-//Netscape Communications//DTD RSS 0.91//EN"


def _at_most(most: int) -> ElementModel:
    def within(text: str) -> str | None:
        return positive_integer(text) or (f"is more than {most}" if len(text) > 9 or int(text) > most else None)

    return ElementModel(within)


def _each_once(element: Element) -> Iterator[str]:
    """No hour and no day may be named twice; older feeds call midnight 24."""
    names = [text(child, ".").lstrip("0") or "0" for child in element.iterchildren("*")]
    names = ["0" if name == "24" else name for name in names]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{element.tag} names {name!r} more than once"


def _guid(element: Element) -> Iterator[str]:
    guid = text(element, ".")
    if element.get("isPermaLink", "true") != "true":
        return
    if not values.uri(guid):
        yield f"guid {guid!r} is no absolute address, and isPermaLink is not false"
    elif guid.lower().startswith(("tag:", "urn:")):
        yield f"guid {guid!r} leads to no page: isPermaLink must be false"


_hour = matches(lambda hour: hour.isascii() and hour.isdecimal() and len(hour) < 3 and int(hour) <= 24, "is no hour")
_day = one_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORDS, _LINK, _TIME, _CONTACT = ElementModel(), ElementModel(uri), ElementModel(rfc822), ElementModel(contact)
_CATEGORY = ElementModel(attributes={"domain": any_text}, repeatable=True)
_CLOUD = dict.fromkeys(("domain", "path", "registerProcedure", "protocol"), any_text)
# Atom's elements in RSS; those that Atom has once stand once in RSS too.
_ATOM_MODELS: Mapping[str, ElementModel] = {tag: model for tag, model in ATOM_ELEMENTS.items() if tag.startswith(_ATOM)}

_IMAGE: Mapping[str, ElementModel] = {
    "url": _LINK,
    "title": _WORDS,
    "link": _LINK,
    "width": _at_most(144),
    "height": _at_most(400),
    "description": _WORDS,
    **ANYWHERE,
    **module("dc", date=ElementModel(matches(values.w3cdtf, "is no valid time"))),
}
_TEXT_INPUT: Mapping[str, ElementModel] = {
    "title": _WORDS,
    "description": _WORDS,
    "name": ElementModel(matches(re.compile(r"[A-Za-z][A-Za-z0-9:._-]*").match, "is no name of a field")),
    "link": _LINK,
    **ANYWHERE,
}
_ITEM = ElementModel(
    None,
    children={
        **modules.ITEM,
        **_ATOM_MODELS,
        "title": _WORDS,
        "link": _LINK,
        "description": _WORDS,
        "author": _CONTACT,
        "category": _CATEGORY,
        "comments": _LINK,
        "enclosure": ElementModel(
            None,
            attributes={"url": http, "length": count, "type": media_type},
            required_attributes=("url", "length", "type"),
            repeatable=True,
        ),
        "guid": ElementModel(attributes={"isPermaLink": one_of("true", "false")}, checks=(_guid,)),
        "pubDate": _TIME,
        "source": ElementModel(attributes={"url": uri}, required_attributes=("url",)),
    },
    repeatable=True,
    rule="rss.item",
)
_CHANNEL = ElementModel(
    None,
    children={
        **modules.FEED,
        **_ATOM_MODELS,
        "title": _WORDS,
        "link": _LINK,
        "description": _WORDS,
        "language": ElementModel(language),
        "copyright": _WORDS,
        "managingEditor": _CONTACT,
        "webMaster": _CONTACT,
        "pubDate": _TIME,
        "lastBuildDate": _TIME,
        "category": _CATEGORY,
        "generator": _WORDS,
        "docs": _LINK,
        "cloud": ElementModel(
            None, attributes={**_CLOUD, "port": positive_integer}, required_attributes=(*_CLOUD, "port")
        ),
        "ttl": ElementModel(positive_integer),
        "image": ElementModel(None, children=_IMAGE, required_children=("url", "title", "link")),
        "rating": _WORDS,
        "textInput": ElementModel(
            None, children=_TEXT_INPUT, required_children=("title", "description", "name", "link")
        ),
        "skipHours": ElementModel(
            None,
            children={"hour": ElementModel(_hour, repeatable=True)},
            required_children=("hour",),
            checks=(_each_once,),
        ),
        "skipDays": ElementModel(
            None,
            children={"day": ElementModel(_day, repeatable=True)},
            required_children=("day",),
            checks=(_each_once,),
        ),
        "item": _ITEM,
    },
    attributes=modules.INDEXING,
    required_children=("title", "link", "description"),
    checks=(modules.synchronised,),
    rule="rss.channel",
)
_RSS = ElementModel(
    None,
    attributes={"version": one_of(*VERSIONS)},
    required_attributes=("version",),
    children={**modules.ACCESS, "channel": _CHANNEL},
    required_children=("channel",),
)
_VOCABULARY = Vocabulary(
    NAMESPACES,
    bare=True,
    questionable={**_ATOM_MODELS, **ANYWHERE},
    loose=frozenset({smartnews.SNF_NS}),
)


def rss(document: bytes) -> Findings:
    """Check what every RSS document must be, and what the house asks for beyond it."""
    yield from check_rss(document)


def check_rss(document: bytes) -> Generator[Finding, None, Element | None]:
    """Check the same, and return the channel if there is one: profiles of partners carry on with it."""
    root = yield from read_root(document, "rss", "must be rss, without a namespace", "rss", foreign=True)
    if root is None:
        return None
    if root.getroottree().docinfo.public_id == _OLD_DTD and root.get("version") != "0.91":
        yield at(root, "rss.doctype", "the document type is that of RSS 0.91")
    for prefix, namespace in root.nsmap.items():
        if intended := NEAR_MISSES.get(namespace):
            yield at(root, "rss.namespace", f"the namespace of {prefix} must be {intended}")
    yield from _VOCABULARY.check(root, _RSS, "rss.root")
    channel = root.find("channel")
    if channel is not None:
        yield from _channel(channel)
        yield from house(_house_rules(root, channel))
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


def _house_rules(root: Element, channel: Element) -> Findings:
    """What the house asks for, so that every reader copes."""
    yield from legible(root)
    if root.get("version") in VERSIONS[:-1]:
        yield at(root, "rss.root", 'must have version="2.0"')
    yield from not_empty(channel, "rss.channel", "title", "link", "description")
    for link in channel.findall("link"):
        yield from web_address(link, link.text, "rss.channel.link")
    for link in channel.findall(f"{_ATOM}link"):
        yield from web_address(link, link.get("href"), "rss.channel.atom-link")
    yield from _plain_times(channel, "rss.channel", "pubDate", "lastBuildDate")
    for item in channel.findall("item"):
        yield from _house_item(item)


def _house_item(item: Element) -> Findings:
    texts = [element for path in ("title", "description") if (element := item.find(path)) is not None]
    if texts and not any(text(element, ".") for element in texts):
        yield at(item, "rss.item", "item must have a title or a description that is not empty")
    yield from required(item, "rss.item", "guid")
    for link in item.findall("link"):
        yield from web_address(link, link.text, "rss.item.link")
    links = item.findall(f"{_ATOM}link")
    for link in links:
        yield from web_address(link, link.get("href"), "rss.item.atom-link")
    alternates = [link for link in links if "hreflang" in link.attrib and link.get("rel", "alternate") == "alternate"]
    yield from editions(alternates, "rss.item.alternate")
    yield from _plain_times(item, "rss.item", "pubDate")
    published, updated = values.rfc822(text(item, "pubDate")), values.rfc3339(text(item, f"{_ATOM}updated"))
    yield from chronological(item, "rss.item.dates", published, updated)
    if item.find("author") is not None and item.find(f"{_DC}creator") is not None:
        yield at(item, "rss.item.author", "item must have author or dc:creator, not both")
    order = [child.tag for child in item if child.tag in {"description", CONTENT}]
    if order == [CONTENT, "description"]:
        yield at(item, "rss.item.order", "description must stand before content:encoded")
    for picture in item.iter(f"{_MEDIA}content", f"{_MEDIA}thumbnail", "enclosure"):
        yield from web_address(picture, picture.get("url"), "rss.item.picture")


def _plain_times(parent: Element, rule: str, *paths: str) -> Findings:
    for path in paths:
        time = text(parent, path)
        if values.rfc822(time) and not values.rfc822_plain(time):
            reason = f"{path} {time!r} must have four digits of the year, and GMT or a number for the zone"
            yield at(parent, f"{rule}.{path}", reason)
