"""The rules of Atom 1.0 (RFC 4287) with tombstones (RFC 6721), for a feed or for an entry by itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lxml import etree

from feeds.formats.extensions import ATOM_NS, HISTORY_NS, TOMBSTONE_NS
from feeds.validation import modules, values
from feeds.validation.element_models import (
    ElementModel,
    Vocabulary,
    any_text,
    bare_name,
    count,
    iri,
    language,
    mailbox,
    matches,
    media_type,
    one_of,
    reference,
    rfc3339,
)
from feeds.validation.finding import Findings, house
from feeds.validation.metadata import ANYWHERE
from feeds.validation.namespaces import NAMESPACES
from feeds.validation.xml import (
    Element,
    at,
    chronological,
    editions,
    legible,
    local_name,
    not_empty,
    read_root,
    text,
    unique,
    web_address,
)

_A = f"{{{ATOM_NS}}}"
_STONE = f"{{{TOMBSTONE_NS}}}deleted-entry"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_THREAD = "{http://purl.org/syndication/thread/1.0}"
_SAME_MOST = 10
"""So many entries with one id are a mistake; fewer may be versions of one entry."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")

# Section 3.3: letters in upper case, and no white space.
_time = matches(lambda time: values.rfc3339(time) is not None and time == time.upper(), "is no valid time")


def _text_construct(element: Element) -> Iterator[str]:
    """Section 3.1.1."""
    kind = element.get("type", "text")
    if kind == "xhtml":
        yield from _xhtml(element)
    elif len(_children(element)):
        yield f"{local_name(element)} of type {kind} must not hold elements"


def _xhtml(element: Element) -> Iterator[str]:
    children = _children(element)
    if [child.tag for child in children] != [f"{_XHTML}div"] or _has_own_text(element):
        yield f"{local_name(element)} of type xhtml must hold one div of XHTML and nothing else"
        return
    for inner in children[0].iterdescendants(etree.Element):
        tag = str(inner.tag)
        namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
        if not namespace:
            yield f"{local_name(element)}: {tag} in the div must have the namespace of XHTML"
        elif namespace in NAMESPACES and not any(True for _ in inner.iterancestors("{*}metadata")):
            yield f"{local_name(element)}: {bare_name(tag)} must not stand in the div"


def _content(element: Element) -> Iterator[str]:
    """Section 4.1.3."""
    kind = element.get("type", "text")
    if element.get("src") is not None:
        if len(_children(element)) or _has_own_text(element):
            yield "content with src must be empty"
        if kind in {"text", "html", "xhtml"} and "type" in element.attrib:
            yield f"content with src must have a media type, not {kind}"
        return
    if kind in {"text", "html", "xhtml"}:
        yield from _text_construct(element)
        return
    main = kind.split(";")[0].strip().lower()
    if main.startswith(("multipart/", "message/")):
        yield f"content must not have the composite type {main}"
    elif main.endswith(("+xml", "/xml")):
        if len(_children(element)) and _has_own_text(element):
            yield f"content of type {main} must not have text beside its element"
    elif len(_children(element)):
        yield f"content of type {main} must not hold elements"
    elif not main.startswith("text/") and not _is_base64("".join(map(str, element.itertext()))):
        yield f"content of type {main} must be in Base64"


def _is_base64(content: str) -> bool:
    packed = "".join(content.split())
    try:
        return _BASE64.fullmatch(packed) is not None and base64.b64decode(packed, validate=True) is not None
    except ValueError:
        return False


def _children(element: Element) -> list[Element]:
    return list(element.iterchildren(etree.Element))


def _has_own_text(element: Element) -> bool:
    parts = (element.text, *(child.tail for child in element))
    return any(part and part.strip() for part in parts)


def _alternates(element: Element) -> Iterator[str]:
    """Sections 4.1.1 and 4.1.2: no two alternates may have the same type and language."""
    earlier: set[tuple[str, str]] = set()
    for link in element.iterfind(f"{_A}link"):
        if link.get("rel", "alternate").removeprefix("http://www.iana.org/assignments/relation/") != "alternate":
            continue
        type_and_language = (link.get("type", "").lower(), link.get("hreflang", "").lower())
        if type_and_language in earlier:
            yield f"{local_name(element)} must have only one alternate of the same type and hreflang"
        earlier.add(type_and_language)


def _archive_links(feed: Element) -> Iterator[str]:
    """RFC 5005, sections 2 and 3."""
    links = {link.get("rel", "alternate"): link.get("href") for link in feed.iterfind(f"{_A}link")}
    if feed.find(f"{{{HISTORY_NS}}}complete") is not None:
        for relation in ("first", "last", "next", "previous", "next-archive", "prev-archive"):
            if relation in links:
                yield f"a complete feed must not have a link {relation}"
        if "current" in links and links["current"] != links.get("self", links["current"]):
            yield "the link current of a complete feed must be its own"
    for end, beyond in (("first", "previous"), ("last", "next")):
        if {end, beyond, "self"} <= links.keys() and links[end] == links["self"]:
            yield f"the {end} feed must not have a link {beyond}"


def _reply_attributes(link: Element) -> Iterator[str]:
    """RFC 4685, section 4."""
    if link.get("rel") != "replies" and {f"{_THREAD}count", f"{_THREAD}updated"} & set(map(str, link.attrib)):
        yield "thr:count and thr:updated are for links replies"


def _undefined_content(element: Element) -> Iterator[str]:
    """Section 6.4: links and categories may hold any elements but those of Atom."""
    for child in _children(element):
        if str(child.tag).startswith(_A):
            yield f"{local_name(element)} must not hold {local_name(child)}"


def _content_type(text: str) -> str | None:
    return None if text in {"text", "html", "xhtml"} else media_type(text)


TEXT = ElementModel(attributes={"type": one_of("text", "html", "xhtml")}, children=None, checks=(_text_construct,))
PERSON = ElementModel(
    None,
    children={
        f"{_A}name": ElementModel(),
        f"{_A}uri": ElementModel(reference, keeps_space=True),
        f"{_A}email": ElementModel(mailbox),
    },
    required_children=(f"{_A}name",),
    repeatable=True,
)
CATEGORY = ElementModel(
    attributes={"term": any_text, "scheme": iri, "label": any_text},
    required_attributes=("term",),
    children=None,
    repeatable=True,
    checks=(_undefined_content,),
)
LINK = ElementModel(
    attributes={
        "href": reference,
        "rel": any_text,
        "type": media_type,
        "hreflang": language,
        "title": any_text,
        "length": count,
        f"{_THREAD}count": count,
        f"{_THREAD}updated": rfc3339,
    },
    required_attributes=("href",),
    children=None,
    repeatable=True,
    checks=(_undefined_content, _reply_attributes),
)
CONTENT = ElementModel(attributes={"type": _content_type, "src": reference}, children=None, checks=(_content,))
DATE = ElementModel(_time, keeps_space=True)
_METADATA: Mapping[str, ElementModel] = {
    f"{_A}author": PERSON,
    f"{_A}category": CATEGORY,
    f"{_A}contributor": PERSON,
    f"{_A}generator": ElementModel(attributes={"uri": reference, "version": any_text}),
    f"{_A}icon": ElementModel(reference, keeps_space=True),
    f"{_A}id": ElementModel(iri, keeps_space=True),
    f"{_A}link": LINK,
    f"{_A}logo": ElementModel(reference, keeps_space=True),
    f"{_A}rights": TEXT,
    f"{_A}subtitle": TEXT,
    f"{_A}title": TEXT,
    f"{_A}updated": DATE,
}
ENTRY = ElementModel(
    None,
    children={
        **modules.ITEM,
        **{tag: _METADATA[tag] for tag in _METADATA if bare_name(tag) not in {"generator", "icon", "logo", "subtitle"}},
        f"{_A}content": CONTENT,
        f"{_A}published": DATE,
        f"{_A}source": ElementModel(None, children={**modules.FEED, **_METADATA}, checks=(_alternates,)),
        f"{_A}summary": TEXT,
    },
    required_children=(f"{_A}id", f"{_A}title", f"{_A}updated"),
    repeatable=True,
    checks=(_alternates,),
    rule="atom.entry",
)
FEED = ElementModel(
    None,
    children={**modules.FEED, **modules.ACCESS, **_METADATA, f"{_A}entry": ENTRY},
    attributes=modules.INDEXING,
    required_children=(f"{_A}id", f"{_A}title", f"{_A}updated"),
    checks=(_alternates, _archive_links, modules.synchronised),
)
ATOM_ELEMENTS: Mapping[str, ElementModel] = {**modules.FEED, **modules.ITEM, **FEED.children, **ENTRY.children}  # type: ignore[dict-item]
"""Every element of Atom and of the modules, wherever it may stand."""
_VOCABULARY = Vocabulary(
    {namespace: "" if namespace == ATOM_NS else prefix for namespace, prefix in NAMESPACES.items()},
    bare=False,
    questionable=ANYWHERE,
)


def atom(document: bytes) -> Findings:
    """Check what RFC 4287, RFC 6721 and the modules ask for, and what the house asks for beyond them."""
    root = yield from read_root(document, "atom", "must be an Atom feed", f"{_A}feed", f"{_A}entry", foreign=True)
    if root is None:
        return
    if root.tag == f"{_A}entry":
        yield from _VOCABULARY.check(root, replace(ENTRY, checks=(*ENTRY.checks, _authored)), "atom.entry")
        yield from _entry(root)
        return
    yield from _VOCABULARY.check(root, FEED, "atom.feed")
    yield from _feed(root)
    yield from house(_house_rules(root))


def _authored(entry: Element) -> Iterator[str]:
    if entry.find(f"{_A}author") is None and entry.find(f"{_A}source/{_A}author") is None:
        yield "entry must have an author"


def _feed(root: Element) -> Findings:
    entries = root.findall(f"{_A}entry")
    if root.find(f"{_A}author") is None and any(True for entry in entries for _ in _authored(entry)):
        yield at(root, "atom.author", "the feed or every entry must have an author")
    entries_begun = False
    for child in _children(root):
        entries_begun = entries_begun or child.tag == f"{_A}entry"
        if entries_begun and child.tag != f"{_A}entry" and str(child.tag).startswith(_A):
            yield at(child, "atom.feed.order", f"{local_name(child)} must stand before the entries")
    ids = {text(entry, f"{_A}id") for entry in entries}
    if len(entries) >= _SAME_MOST and len(ids) == 1:
        yield at(entries[1], "atom.id.same", "all entries have the same id")
    for entry in entries:
        yield from _entry(entry)
    for stone in root.iterchildren(_STONE):
        if not stone.get("ref") or not values.rfc3339(stone.get("when") or ""):
            yield at(stone, "rfc6721.deleted-entry", "deleted-entry must have ref and a valid when")


def _entry(entry: Element) -> Findings:
    content = entry.find(f"{_A}content")
    if content is None:
        links = entry.iterfind(f"{_A}link")
        if not any(link.get("rel", "alternate") == "alternate" for link in links):
            yield at(entry, "atom.entry.link", "entry must have content or a link to its page")
        return
    # Section 4.1.2.
    kind = content.get("type", "text").split(";")[0]
    binary = "/" in kind and not kind.endswith(("+xml", "/xml")) and not kind.startswith("text/")
    if (content.get("src") is not None or binary) and entry.find(f"{_A}summary") is None:
        yield at(entry, "atom.entry.summary", "entry must have summary: its content is elsewhere or in Base64")


def _house_rules(root: Element) -> Findings:
    """What the house asks for, so that every reader copes."""
    yield from legible(root)
    entries = root.findall(f"{_A}entry")
    yield from not_empty(root, "atom.feed", f"{_A}id", f"{_A}title", f"{_A}updated")
    for link in root.iter(f"{_A}link"):
        yield from web_address(link, link.get("href"), "atom.link")
    for identifier in root.iter(f"{_A}id"):
        if values.iri(identifier.text or "") and not values.uri(identifier.text or ""):
            yield at(identifier, "atom.id", f"id {identifier.text!r} must be percent-encoded")
    yield from unique(entries, [text(entry, f"{_A}id") for entry in entries], "atom.id.unique")
    for entry in entries:
        yield from not_empty(entry, "atom.entry", f"{_A}id", f"{_A}title", f"{_A}updated")
        links = [link for link in entry.iterfind(f"{_A}link") if link.get("rel", "alternate") == "alternate"]
        yield from editions([link for link in links if "hreflang" in link.attrib], "atom.entry.alternate")
        dates = (values.rfc3339(text(entry, f"{_A}{date}")) for date in ("published", "updated"))
        yield from chronological(entry, "atom.entry.dates", *dates)
    entries_begun = False
    for child in root:
        entries_begun = entries_begun or child.tag == f"{_A}entry"
        if entries_begun and child.tag == _STONE:
            yield at(child, "atom.deleted-entry", "deleted-entry must stand before the entries")
