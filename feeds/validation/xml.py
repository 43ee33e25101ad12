"""Reading XML that may be anybody's: no entities, no document type, no network, and every question with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lxml import etree

from feeds.validation import values
from feeds.validation.finding import Finding, Findings

Element = etree._Element  # noqa: SLF001 (lxml has no public name for what it returns)


def parse(document: bytes, *, typed: bool = False) -> Element | Finding:
    """Return the root element, or why there is none. `typed`: a document type is no reason, but nobody reads it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        return Finding(error.lineno or None, "xml.well-formed", f"is not well-formed: {error.msg}")
    info: Any = root.getroottree().docinfo
    if info.xml_version != "1.0":
        return Finding(1, "xml.version", f"must be XML 1.0, not {info.xml_version}")
    if not typed and (finding := next(doctype(root), None)):
        return finding
    return root


def doctype(root: Element) -> Findings:
    """A document type brings entities, which are not read, for what they could do."""
    info: Any = root.getroottree().docinfo
    if info.doctype:
        yield Finding(1, "xml.doctype", "must not have a document type: entities are not read")


def at(element: Element, rule: str, reason: str) -> Finding:
    """A finding about `element`."""
    line: Any = element.sourceline
    return Finding(line, rule, reason)


def name(element: Element) -> str:
    """The element's name without its namespace."""
    # Not by QName, which refuses what parsers take of broken documents: a prefix that is declared nowhere.
    return str(element.tag).rpartition("}")[2]


def text(parent: Element, path: str) -> str:
    """The text of the first element at `path`, or an empty string."""
    found = parent.find(path)
    return "" if found is None else "".join(map(str, found.itertext())).strip()


def required(parent: Element, rule: str, *paths: str) -> Findings:
    """Each of `paths` must be there with some text."""
    for path in paths:
        if not text(parent, path):
            local = path.rpartition("}")[2]
            yield at(parent, f"{rule}.{local}", f"{name(parent)} must have {local}")


def filled(parent: Element, rule: str, *paths: str) -> Findings:
    """Those of `paths` that are there must have some text."""
    for path in paths:
        if parent.find(path) is not None:
            yield from required(parent, rule, path)


def moment(
    parent: Element, path: str, rule: str, read: Callable[[str], datetime | None] = values.rfc3339
) -> datetime | Finding | None:
    """The moment at `path`; None without one; a finding when it is none that exists."""
    found = parent.find(path)
    if found is None:
        return None
    said = (found.text or "").strip()
    return read(said) or at(found, rule, f"{name(found)} {said!r} is no valid time")


def ordered(parent: Element, rule: str, *moments: datetime | Finding | None) -> Findings:
    """Moments that could not be read are findings; the others must not run backwards."""
    last: datetime | None = None
    for found in moments:
        if isinstance(found, Finding):
            yield found
        elif found is not None:
            if last is not None and found < last:
                yield at(parent, rule, f"{found.isoformat()} must not lie before {last.isoformat()}")
            last = found


def address(element: Element, value: str | None, rule: str) -> Findings:
    """The value must be an absolute URL."""
    if not values.url(value or ""):
        yield at(element, rule, f"{name(element)} {value or ''!r} is no absolute, percent-encoded URL")


def web(element: Element, value: str | None, rule: str) -> Findings:
    """An address must be an absolute URL of the web; what is no address at all is said elsewhere."""
    if value is not None and values.reference(value.strip()):
        yield from address(element, value, rule)


def legible(root: Element) -> Findings:
    """No text and no attribute may have control characters or overrides."""
    for element in root.iter(etree.Element):
        for said in (element.text, element.tail, *element.attrib.values()):
            if said and not values.clean(str(said)):
                yield at(element, "text.characters", f"{name(element)} has control characters or overrides")


def editions(links: list[Element], rule: str) -> Findings:
    """Links to the editions of one page: each with an address and a language, and no two for the same language."""
    for link in links:
        if not values.language(link.get("hreflang") or ""):
            yield at(link, f"{rule}.language", f"hreflang {link.get('hreflang') or ''!r} is no language tag")
    # Two links may lead to one language if their types differ (RFC 4287, section 4.1.2).
    said = [" ".join(((link.get("hreflang") or "").lower(), link.get("type") or "")).strip() for link in links]
    yield from unique(links, said, f"{rule}.unique")


def unique(elements: list[Element], said: list[str], rule: str) -> Findings:
    """No two of the elements may say the same."""
    seen: set[str] = set()
    for element, value in zip(elements, said, strict=True):
        if value and value in seen:
            yield at(element, rule, f"{name(element)} {value!r} is not unique")
        seen.add(value)
