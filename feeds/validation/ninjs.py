"""The rules of IPTC ninjs 3.1, 2.2 and 1.6, for news text and its pictures.

Each version forbids properties that it does not define. Only those of a text and its pictures are listed here: a
document with others (events, planning, video) may be valid ninjs, but it is not one that this newsroom sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import addresses, each_object, moments, read_object, required

_SHARED = """uri type version language urgency by located slugline standard profile expires title subjects renditions
associations bodies headlines descriptions genres people organisations places events objects"""
_STATUSES = ("usable", "withheld", "canceled")


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How one version spells its properties.

    properties: all of a text. created: the moments of the article and of its version. texts: those that a notice must
    not have.
    """

    properties: frozenset[str]
    status: str
    created: tuple[str, str]
    embargo: str
    texts: tuple[str, ...]
    headline: str


NINJS31 = _Spelling(
    frozenset(
        f"""{_SHARED} representationType firstCreated versionCreated contentCreated embargoedUntil pubStatus
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
        f"""{_SHARED} representationtype firstcreated versioncreated contentcreated embargoed pubstatus copyrightholder
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
    """Check one item of ninjs 3.1."""
    return _item(document, NINJS31)


def ninjs22(document: bytes) -> Findings:
    """Check one item of ninjs 2.2."""
    return _item(document, NINJS22)


def ninjs16(document: bytes) -> Findings:
    """Check one item of ninjs 1.6."""
    return _item(document, NINJS16)


def _item(document: bytes, spelling: _Spelling) -> Findings:
    item = yield from read_object(document)
    if item is None:
        return
    yield from _identity(item, spelling)
    yield from moments(item, "ninjs", *spelling.created)
    yield from moments(item, "ninjs", spelling.embargo, "expires")
    yield from _status(item, spelling)
    yield from _links(item)
    yield from _alternates(item)


def _identity(item: dict[str, Any], spelling: _Spelling) -> Findings:
    for name in item.keys() - spelling.properties:
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
    """Check the addresses in the renditions of the text and of its pictures: arrays, or objects in 1.x."""
    renditions = item.get("renditions", [])
    if isinstance(renditions, dict):
        renditions = list(renditions.values())
    yield from each_object({"renditions": renditions}, "ninjs", "renditions", _rendition)
    yield from each_object({"associations": _associations(item)}, "ninjs", "associations", _association)


def _rendition(rendition: dict[str, Any]) -> Findings:
    yield from addresses(rendition, "ninjs.rendition", "href")


def _association(association: dict[str, Any]) -> Findings:
    yield from required(association, "ninjs.association", "uri")
    yield from _links(association)


def _alternates(item: dict[str, Any]) -> Findings:
    """Check the associations with other editions: none in the item's language, and no two in the same language."""
    earlier_languages = {str(item.get("language", "")).lower()}
    associations = _associations(item)
    for association in associations if isinstance(associations, list) else ():
        if isinstance(association, dict) and str(association.get("name", "")).startswith("alternate_"):
            yield from _alternate(earlier_languages, association)


def _alternate(earlier_languages: set[str], association: dict[str, Any]) -> Findings:
    language = str(association.get("language", ""))
    if not values.language(language) or language.lower() in earlier_languages:
        reason = f"language {language!r} must be a language tag, and of one edition only"
        yield Finding(None, "ninjs.association.language", reason)
    earlier_languages.add(language.lower())


def _associations(item: dict[str, Any]) -> Any:
    """Return the associations as an array, each with its name, which in 1.x is its key."""
    associations = item.get("associations", [])
    if isinstance(associations, dict):
        return [{"name": name} | each if isinstance(each, dict) else each for name, each in associations.items()]
    return associations
