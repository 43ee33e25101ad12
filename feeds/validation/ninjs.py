"""IPTC ninjs 3.1, 2.2 and 1.6, as far as news text and its pictures go.

Each version forbids what it does not know; here these are the properties of a text and its pictures. A document with
others (of events, planning, video) may be good ninjs, but none that this newsroom sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feeds.validation import values
from feeds.validation.finding import Finding, Findings, house
from feeds.validation.json import addresses, legible, moments, objects, parse, required

_COMMON = """uri type version language urgency by located slugline standard profile expires title subjects renditions
associations bodies headlines descriptions genres people organisations places events objects"""
_STATUSES = ("usable", "withheld", "canceled")


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How one version spells what is looked at."""

    known: frozenset[str]
    status: str
    created: tuple[str, str]
    embargo: str
    texts: tuple[str, ...]
    headline: str


NINJS31 = _Spelling(
    frozenset(
        f"""{_COMMON} representationType firstCreated versionCreated contentCreated embargoedUntil pubStatus
        copyrightHolder copyrightNotice usageTerms edNote infoSources altIds trustIndicators rightsInfo
        digitalSourceType eventDetails plannedCoverage""".split()
    ),
    "pubStatus",
    ("firstCreated", "versionCreated"),
    "embargoedUntil",
    ("headlines", "bodies", "descriptions", "associations"),
    "headlines",
)
NINJS22 = _Spelling(
    frozenset(
        f"""{_COMMON} representationtype firstcreated versioncreated contentcreated embargoed pubstatus copyrightholder
        copyrightnotice usageterms ednote infosources altids trustindicators rightsinfo digitalsourcetype""".split()
    ),
    "pubstatus",
    ("firstcreated", "versioncreated"),
    "embargoed",
    ("headlines", "bodies", "descriptions", "associations"),
    "headlines",
)
NINJS16 = _Spelling(
    frozenset(
        """uri type mimetype version language urgency byline located slugline $standard profile expires title subject
        renditions associations headline genre person organisation place event object charcount wordcount
        representationtype firstcreated versioncreated contentcreated embargoed pubstatus copyrightholder
        copyrightnotice usageterms ednote infosource altids trustindicator rightsinfo digitalsourcetype
        body_text body_xhtml description_text description_xhtml headline_main""".split()  # noqa: SIM905 (quoted words are harder to read)
    ),
    "pubstatus",
    ("firstcreated", "versioncreated"),
    "embargoed",
    ("headline", "body_text", "body_xhtml", "description_text", "associations"),
    "headline",
)


def ninjs31(document: bytes) -> Findings:
    """One item of ninjs 3.1."""
    return _item(document, NINJS31)


def ninjs22(document: bytes) -> Findings:
    """One item of ninjs 2.2."""
    return _item(document, NINJS22)


def ninjs16(document: bytes) -> Findings:
    """One item of ninjs 1.6."""
    return _item(document, NINJS16)


def _item(document: bytes, spelling: _Spelling) -> Findings:
    item = parse(document)
    if isinstance(item, Finding):
        yield item
        return
    yield from house(legible(item))
    yield from _identity(item, spelling)
    yield from moments(item, "ninjs", *spelling.created)
    yield from moments(item, "ninjs", spelling.embargo, "expires")
    yield from _status(item, spelling)
    yield from _links(item)
    yield from _alternates(item)


def _identity(item: dict[str, Any], spelling: _Spelling) -> Findings:
    for name in item.keys() - spelling.known:
        yield Finding(None, "ninjs.unknown", f"{name} is no property of a text in this version of ninjs")
    yield from required(item, "ninjs", "uri", "version", spelling.created[1])
    if not isinstance(item.get("uri"), str) or not values.uri(item["uri"]):
        yield Finding(None, "ninjs.uri", f"uri {item.get('uri')!r} must be a URI")
    language = item.get("language")
    if language is not None and not (isinstance(language, str) and values.language(language)):
        yield Finding(None, "ninjs.language", f"language {language!r} is no language tag")
    urgency = item.get("urgency", 1)
    if not isinstance(urgency, int) or not 1 <= urgency <= 9:
        yield Finding(None, "ninjs.urgency", "urgency must be a whole number from 1 to 9")


def _status(item: dict[str, Any], spelling: _Spelling) -> Findings:
    status = item.get(spelling.status, "usable")
    if status not in _STATUSES:
        yield Finding(None, "ninjs.pubstatus", f"{spelling.status} must be one of {', '.join(_STATUSES)}")
    elif status == "usable":
        if not item.get(spelling.headline):
            yield Finding(None, "ninjs.headline", f"a usable item must have {spelling.headline}")
    else:
        for name in spelling.texts:
            if name in item:
                yield Finding(None, "ninjs.notice", f"an item that is {status} must not have {name}")


def _links(item: dict[str, Any]) -> Findings:
    """The addresses of renditions, of the text and of its pictures: arrays, or in 1.x objects."""
    held = item.get("renditions", [])
    for rendition in objects(
        {"renditions": list(held.values()) if isinstance(held, dict) else held}, "ninjs", "renditions"
    ):
        yield from (rendition,) if isinstance(rendition, Finding) else addresses(rendition, "ninjs.rendition", "href")
    for association in objects(_associated(item), "ninjs", "associations"):
        if isinstance(association, Finding):
            yield association
        else:
            yield from required(association, "ninjs.association", "uri")
            yield from _links(association)


def _alternates(item: dict[str, Any]) -> Findings:
    """What is associated as the story in another edition: none in the item's own language, no two in the same."""
    seen = {str(item.get("language", "")).lower()}
    for association in objects(_associated(item), "ninjs", "associations"):
        if isinstance(association, Finding) or not str(association.get("name", "")).startswith("alternate_"):
            continue
        language = str(association.get("language", ""))
        if not values.language(language) or language.lower() in seen:
            reason = f"language {language!r} must be a language tag, and of one edition only"
            yield Finding(None, "ninjs.association.language", reason)
        seen.add(language.lower())


def _associated(item: dict[str, Any]) -> dict[str, Any]:
    """The associations as an array, each with its name, which in 1.x is its key."""
    held = item.get("associations", [])
    if isinstance(held, dict):
        held = [{"name": name} | each if isinstance(each, dict) else each for name, each in held.items()]
    return {"associations": held}
