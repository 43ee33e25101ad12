"""Reading XML that anybody may have written, and the checks that several formats share.

Nothing is fetched and no entity is resolved. Every finding has the line of its element.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any

from lxml import etree

from feeds.validation import values
from feeds.validation.finding import Finding, Findings, house

Element = etree._Element  # noqa: SLF001 (lxml has no public name for what it returns)


def read_root(
    document: bytes, rule: str, reason: str, *tags: str, foreign: bool = False
) -> Generator[Finding, None, Element | None]:
    """Return the root element, or None if the document cannot be judged; what is wrong so far is yielded.

    tags: what the root may be; `reason` says so in the finding `{rule}.root`. foreign: the format's documents are read
    from anybody, so a document type is a finding of the house alone, and the caller asks whether texts are legible.
    """
    root = _parse(document)
    if isinstance(root, Finding):
        yield root
        return None
    if doctype := _doctype(root):
        yield doctype._replace(source="house") if foreign else doctype
        if not foreign:
            return None
    if root.tag not in tags:
        yield at(root, f"{rule}.root", reason)
        return None
    if not foreign:
        yield from house(legible(root))
    return root


def read_any(document: bytes) -> Generator[Finding, None, Element | None]:
    """Return the root element of a document in no format of ours, as `read_root` does."""
    root = _parse(document)
    if isinstance(root, Finding):
        yield root
        return None
    if doctype := _doctype(root):
        yield doctype
        return None
    yield from house(legible(root))
    return root


def _parse(document: bytes) -> Element | Finding:
    """Return the root element, or why there is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        return Finding(error.lineno or None, "xml.well-formed", f"is not well-formed: {error.msg}")
    info: Any = root.getroottree().docinfo
    if info.xml_version != "1.0":
        return Finding(1, "xml.version", f"must be XML 1.0, not {info.xml_version}")
    return root


def _doctype(root: Element) -> Finding | None:
    """Return a finding if there is a document type: it brings entities, which are never resolved, for safety."""
    info: Any = root.getroottree().docinfo
    return Finding(1, "xml.doctype", "must not have a document type: entities are not read") if info.doctype else None


def at(element: Element, rule: str, reason: str) -> Finding:
    """Return a finding about `element`, with its line."""
    line: Any = element.sourceline
    return Finding(line, rule, reason)


def local_name(element: Element) -> str:
    """Return the element's name without its namespace."""
    # QName would refuse a prefix that is declared nowhere; parsers let it pass in broken documents.
    return str(element.tag).rpartition("}")[2]


def text(parent: Element, path: str) -> str:
    """Return the text of the first element at `path`, or an empty string."""
    element = parent.find(path)
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def required(parent: Element, rule: str, *paths: str) -> Findings:
    """Each of `paths` must lead to an element with some text."""
    for path in paths:
        if not text(parent, path):
            local = path.rpartition("}")[2]
            yield at(parent, f"{rule}.{local}", f"{local_name(parent)} must have {local}")


def not_empty(parent: Element, rule: str, *paths: str) -> Findings:
    """Every element at one of `paths` must have some text."""
    for path in paths:
        if parent.find(path) is not None:
            yield from required(parent, rule, path)


def moment(
    parent: Element, path: str, rule: str, read: Callable[[str], datetime | None] = values.rfc3339
) -> datetime | Finding | None:
    """Return the moment at `path`, None if there is no element, a finding if its text is not a valid time."""
    element = parent.find(path)
    if element is None:
        return None
    time = (element.text or "").strip()
    return read(time) or at(element, rule, f"{local_name(element)} {time!r} is no valid time")


def chronological(parent: Element, rule: str, *moments: datetime | Finding | None) -> Findings:
    """No moment may lie before the one before it; moments that could not be read are yielded as findings."""
    last: datetime | None = None
    for moment_read in moments:
        if isinstance(moment_read, Finding):
            yield moment_read
        elif moment_read is not None:
            if last is not None and moment_read < last:
                yield at(parent, rule, f"{moment_read.isoformat()} must not lie before {last.isoformat()}")
            last = moment_read


def address(element: Element, value: str | None, rule: str) -> Findings:
    """An address must be an absolute URL."""
    if not values.url(value or ""):
        yield at(element, rule, f"{local_name(element)} {value or ''!r} is no absolute, percent-encoded URL")


def web_address(element: Element, value: str | None, rule: str) -> Findings:
    """An address must be an absolute URL of the web; the format's own rules report what is not an address at all."""
    if value is not None and values.reference(value.strip()):
        yield from address(element, value, rule)


def legible(root: Element) -> Findings:
    """No text and no attribute may have control characters or overrides."""
    for element in root.iter(etree.Element):
        for element_text in (element.text, element.tail, *element.attrib.values()):
            if element_text and not values.clean(str(element_text)):
                yield at(element, "text.characters", f"{local_name(element)} has control characters or overrides")


def editions(links: list[Element], rule: str) -> Findings:
    """Links to the editions of one page: each with an address and a language, and no two for the same language."""
    for link in links:
        if not values.language(link.get("hreflang") or ""):
            yield at(link, f"{rule}.language", f"hreflang {link.get('hreflang') or ''!r} is no language tag")
    # Two links may lead to one language if their types differ (RFC 4287, section 4.1.2).
    languages = [" ".join(((link.get("hreflang") or "").lower(), link.get("type") or "")).strip() for link in links]
    yield from unique(links, languages, f"{rule}.unique")


def unique(elements: list[Element], keys: list[str], rule: str) -> Findings:
    """No two of the elements may have the same key; empty keys do not count."""
    earlier_keys: set[str] = set()
    for element, key in zip(elements, keys, strict=True):
        if key and key in earlier_keys:
            yield at(element, rule, f"{local_name(element)} {key!r} is not unique")
        earlier_keys.add(key)
