"""Atom 1.0 (RFC 4287) with tombstones (RFC 6721)."""

from __future__ import annotations

from feeds.formats.extensions import ATOM_NS, TOMBSTONE_NS
from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.xml import Element, address, at, editions, legible, moment, ordered, parse, required, text, unique

_A = f"{{{ATOM_NS}}}"
_STONE = f"{{{TOMBSTONE_NS}}}deleted-entry"


def atom(document: bytes) -> Findings:
    """What RFC 4287 asks for in sections 4.1.1 and 4.1.2, and RFC 6721 of its element."""
    root = parse(document)
    if isinstance(root, Finding):
        yield root
        return
    if root.tag != f"{_A}feed":
        yield at(root, "atom.root", "must be an Atom feed")
        return
    yield from legible(root)
    entries = root.findall(f"{_A}entry")
    yield from required(root, "atom.feed", f"{_A}id", f"{_A}title", f"{_A}updated")
    if root.find(f"{_A}author") is None and any(entry.find(f"{_A}author") is None for entry in entries):
        yield at(root, "atom.author", "the feed or every entry must have an author")
    yield from ordered(root, "atom.feed.updated", moment(root, f"{_A}updated", "atom.feed.updated"))
    for link in root.iter(f"{_A}link"):
        yield from address(link, link.get("href"), "atom.link")
    for identifier in root.iter(f"{_A}id"):
        if not values.uri(identifier.text or ""):
            yield at(identifier, "atom.id", f"id {identifier.text!r} is no URI")
    yield from unique(entries, [text(entry, f"{_A}id") for entry in entries], "atom.id.unique")
    for entry in entries:
        yield from _entry(entry)
    yield from _stones(root)


def _entry(entry: Element) -> Findings:
    yield from required(entry, "atom.entry", f"{_A}id", f"{_A}title", f"{_A}updated")
    alternates = [link for link in entry.iterfind(f"{_A}link") if link.get("rel", "alternate") == "alternate"]
    if entry.find(f"{_A}content") is None and not alternates:
        yield at(entry, "atom.entry.link", "entry must have content or a link to its page")
    yield from editions([link for link in alternates if "hreflang" in link.attrib], "atom.entry.alternate")
    bare = [link for link in alternates if "hreflang" not in link.attrib]
    yield from unique(bare, [link.get("type") or "any type" for link in bare], "atom.entry.alternate.unique")
    published = moment(entry, f"{_A}published", "atom.entry.published")
    yield from ordered(entry, "atom.entry.dates", published, moment(entry, f"{_A}updated", "atom.entry.updated"))


def _stones(root: Element) -> Findings:
    begun = False
    for child in root:
        begun = begun or child.tag == f"{_A}entry"
        if child.tag != _STONE:
            continue
        if begun:
            yield at(child, "atom.deleted-entry", "deleted-entry must stand before the entries")
        if not child.get("ref") or not values.rfc3339(child.get("when") or ""):
            yield at(child, "rfc6721.deleted-entry", "deleted-entry must have ref and a valid when")
