"""Reads IPTC ninjs 1.x, 2.x and 3.x, and the ninjs that Superdesk pushes (http_push).

Sources: the JSON schemas of ninjs 1.6, 2.2 and 3.1 (iptc.org); superdesk-core, `publish/formatters/ninjs_formatter.py`
and `publish/transmitters/http_push.py`. 1.x has `headline`, `body_html` and an object of `associations`, 2.x arrays of
`headlines`, `bodies` and `associations`, 3.x the same in camel case. Superdesk names the `uri` `guid`, and adds
`service`, `authors`, `source` and `firstpublished`.

`pubstatus` is usable, withheld (leaves every feed, may come back) or canceled (IPTC: must no longer be used; Superdesk
sends it for a kill and for a takedown), which becomes a kill. `version` is used if it is a number. `evolvedfrom`
(Superdesk's `rewrite_of`) names the document that this one updates and replaces.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from feeds.adapters.decode import json_object
from feeds.adapters.draft import BYLINE, Draft, escaped, identity, objects, paragraphs, pixels
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent
from feeds.text import fold, legal

# A whole document in a field for a piece of HTML; XHTML has a namespace or a declaration.
_XML = re.compile(r"\s*(?:<\?xml\b|<!DOCTYPE\s+nitf|<(?:nitf|newsItem|newsMessage|NewsML)\b)")
_HTML_OF = {"hl1": "h1", "hl2": "h2", "bq": "blockquote", "block": "div", "lang": "span", "q": "q"}
# Properties that are read, or that hold nothing that readers or partners could want.
_READ = frozenset(
    """uri guid type mimetype representationtype profile standard version versioncreated versionauthor pubstatus urgency
    headline headlines title description descriptions body bodies body_html body_xhtml body_text renditions
    associations firstpublished firstpublishedtime firstcreated contentcreated embargoed embargoeduntil expires service
    subject subjects keywords person people authors byline by located source infosource infosources copyrightnotice
    usageterms language slugline altids charcount wordcount readtime priority description_text description_html
    evolvedfrom trustindicators creditline datetime""".split()  # noqa: SIM905 (60 quoted words are harder to read)
)
_STATES = ("usable", "withheld", "canceled")
_NOT_WRITING = ("photo", "picture", "camera", "video", "illustrat", "graphic")
# Separators of the people in a byline.
_BETWEEN = re.compile(r"\s*(?:[,;/|،]|\band\b|\bund\b|\bet\b|&)\s*", re.IGNORECASE)
_WRITERS = frozenset({"author", "creator", "writer"})


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event in a ninjs object. Raises InvalidEvent when it is not ninjs, or not an article."""
    item = _lower(json_object(content))
    draft = Draft("ninjs", content, identity(item.get("uri")) or identity(item.get("guid")) or defaults.id)
    kind = item.get("type", "text")
    if kind != "text":
        raise InvalidEvent([FieldError("type", f"is {str(kind)[:40]!r}; only text is taken")])
    state = str(item.get("pubstatus", "usable")).rpartition(":")[2].lower()
    if state not in _STATES:
        raise InvalidEvent([FieldError("pubstatus", f"is {state[:40]!r}; known: {', '.join(_STATES)}")])
    _version(draft, item.get("version"))
    draft.origin(item.get("evolvedfrom"))
    draft.time("updated", item.get("versioncreated"), defaults)
    if state == "canceled":
        return draft.killed()
    draft.article["pubstatus"] = state
    _set_fields(draft, item, defaults)
    if unread_names := sorted(name for name, value in item.items() if value and name.lstrip("$_") not in _READ):
        draft.note(
            "", f"has {', '.join(unread_names)[:300]}, for which an article here has no place; what it says is left out"
        )
    for associated in map(_lower, objects(_values(item.get("associations")))):
        _picture(draft, associated)
        if associated.get("type") in ("video", "audio", "composite", "component", "planning", "event"):
            name = identity(associated.get("uri")) or identity(associated.get("guid")) or "one"
            draft.note("", f"has {associated['type']} among its associations ({name[:200]}), which is left out")
        if associated.get("type") == "text" and associated.get("rel") == "alternate":
            # Our own ninjs 3.1 marks other editions like this; ninjs itself defines no relations.
            page, uri = _page(associated), identity(associated.get("uri"))
            draft.alternate(associated.get("language"), page, defaults, uri if uri != page else "")
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like ninjs: an identifier of ninjs or Superdesk, and a property of a news item."""
    if not isinstance(value, dict):
        return False
    item = _lower(value)
    news_properties = ("versioncreated", "pubstatus", "body_html", "bodies", "headlines", "renditions")
    return any(isinstance(item.get(name), str) for name in ("uri", "guid")) and any(
        name in item for name in news_properties
    )


def _set_fields(draft: Draft, item: dict[str, Any], defaults: InputDefaults) -> None:
    draft.edition(item.get("language"), defaults)
    draft.line("headline", item.get("headline") or _text(item, "headline") or item.get("title"))
    draft.line("summary", _text(item, "description"))
    draft.body(_body(draft, item))
    draft.url(_page(item), defaults, item.get("slugline"))
    # The first publication, else the moment when the item was created.
    times = (item.get(name) for name in ("firstpublished", "firstpublishedtime", "firstcreated", "contentcreated"))
    draft.time("published", None, defaults, *times)
    draft.time("embargoed", item.get("embargoed") or item.get("embargoeduntil"), defaults)
    draft.time("expires", item.get("expires"), defaults)
    concepts = [*objects(item.get("subject")), *objects(item.get("subjects"))]
    # Our own ninjs marks the section like this; ninjs itself defines no relations.
    sections = [concept for concept in concepts if str(concept.get("rel", "")).lower() == "section"]
    subjects = [concept for concept in concepts if concept not in sections]
    draft.line("section", next((each.get("name") for each in (*objects(item.get("service")), *sections)), None))
    keywords = item.get("keywords")
    draft.lines(
        "subjects", [*(each.get("name") for each in subjects), *(keywords if isinstance(keywords, list) else ())]
    )
    people = [*objects(item.get("person")), *objects(item.get("people"))]
    writers = [person for person in people if str(person.get("rel", "")).rpartition(":")[2].lower() in _WRITERS]
    authors = [author for author in objects(item.get("authors")) if _writes(author)]
    names = [person.get("name") for person in (*authors, *writers)]
    draft.lines("authors", names or _people(item.get("byline") or item.get("by")))
    urgency = item.get("urgency")
    if isinstance(urgency, int | float) and urgency in range(1, 10):
        draft.article["urgency"] = int(urgency)
    elif urgency is not None:
        draft.note("urgency", "is no number from 1 to 9")
    draft.line("dateline", item.get("located"))
    sources = [*objects(item.get("infosource")), *objects(item.get("infosources"))]
    draft.line("source", item.get("source") or next((each.get("name") for each in sources), None))
    draft.line("rights", item.get("copyrightnotice") or item.get("usageterms"))


def _writes(author: dict[str, Any]) -> bool:
    """Whether one of Superdesk's authors wrote the text; its authors include photographers and film makers."""
    roles = (author.get(name) for name in ("role", "jobtitle", "rel"))
    role_names = " ".join(
        str(role.get("name", "")) if isinstance(role, dict) else str(role or "") for role in roles
    ).lower()
    return not any(word in role_names for word in _NOT_WRITING)


def _people(byline: Any) -> list[Any]:
    """The people of a byline, one by one, without "By" and without the photographers."""
    if not isinstance(byline, str):
        return [byline]
    people = []
    for part in _BETWEEN.split(byline):
        name = BYLINE.sub("", part).strip()
        if name and not any(word in fold(part) for word in _NOT_WRITING):
            people.append(name)
    return people


def _version(draft: Draft, version: Any) -> None:
    text = identity(version)
    if text.isascii() and text.isdecimal() and len(text) < 16 and int(text) > 0:
        draft.article["version"] = int(text)
    elif version is not None:
        draft.note("version", f"is {str(version)[:40]!r}, which is no number; the time of the change decides")


def _text(item: dict[str, Any], name: str) -> Any:
    """The headline or description: in 1.x by suffix, `_text` first; in 2.x and 3.x by role, `main` first."""
    variants = [_lower(variant) for variant in objects(item.get(f"{name}s"))]
    variants.sort(key=lambda each: each.get("role") not in ("main", None))
    suffixed = (item[key] for key in sorted(item, key=lambda key: key != f"{name}_text") if key.startswith(f"{name}_"))
    return next(filter(None, (*(variant.get("value") for variant in variants), *suffixed)), None)


def _body(draft: Draft, item: dict[str, Any]) -> Any:
    for name in ("body_html", "body_xhtml"):
        if item.get(name):
            value = item[name]
            return _source(draft, value, "XML") if isinstance(value, str) and _XML.match(value) else value
    bodies = [body for body in map(_lower, objects(item.get("bodies"))) if isinstance(body.get("value"), str)]
    bodies.sort(key=lambda each: each.get("role") not in ("main", None))
    html_bodies = [body for body in bodies if "html" in str(body.get("contenttype", ""))]
    if html_bodies:
        return html_bodies[0]["value"]
    if plain_bodies := [each for each in bodies if str(each.get("contenttype", "")).lower() in {"", "text/plain"}]:
        return _plain_or_source(draft, plain_bodies[0]["value"])
    if bodies:
        return _source(draft, bodies[0]["value"], str(bodies[0].get("contenttype", "")))
    return _plain_or_source(draft, item.get("body_text"))


def _plain_or_source(draft: Draft, body: Any) -> Any:
    if not isinstance(body, str):
        return None
    return _source(draft, body, "XML") if _XML.match(body) else paragraphs(body)


def _source(draft: Draft, value: str, media_type: str) -> Any:
    """The text in a document of another format as HTML. Only NITF and XHTML are read; others are noted."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(legal(value).encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    content = None
    for name in ("{*}body.content", "{*}body"):
        if root is not None and content is None:
            content = next(root.iter(name), None)
    if content is None:
        draft.note("body_html", f"is in {media_type[:60] or 'an unknown format'}, which is not read; it is left out")
        return None
    for element in list(content.iter(etree.Element)):
        # lxml leaves an undeclared prefix in the name, and such a name is not allowed for an element.
        name = str(element.tag).rpartition("}")[2].rpartition(":")[2] or "span"
        element.tag = _HTML_OF.get(name, name)
        if name in {"media", "nitf-table-metadata", "object"} and element.getparent() is not None:
            draft.note("body_html", f"has {name} in its source, which is left out")
            element.getparent().remove(element)
    etree.cleanup_namespaces(content)
    inside = "".join(etree.tostring(child, encoding="unicode", method="html") for child in content)
    return escaped(content.text or "") + inside


def _page(item: dict[str, Any]) -> Any:
    """The address of the page: that of the HTML rendition. The `uri` names the item and need not be an address."""
    renditions = map(_lower, objects(_values(item.get("renditions"))))
    return next((each.get("href") for each in renditions if _media_type(each) == "text/html"), None)


def _picture(draft: Draft, item: dict[str, Any]) -> None:
    if item.get("type") not in ("picture", "graphic"):
        return
    renditions = [_lower(each) for each in objects(_values(item.get("renditions")))]
    renditions.sort(key=lambda each: pixels(each.get("width")) or 0, reverse=True)
    best = next((each for each in renditions if each.get("href")), {})
    media_type = _media_type(best)
    names = [item.get("byline") or item.get("by"), item.get("copyrightholder")]
    credit = " / ".join(dict.fromkeys(name for name in names if isinstance(name, str) and name.strip()))
    draft.image(
        url=best.get("href"),
        type=media_type if media_type.startswith("image/") else None,
        width=pixels(best.get("width")),
        height=pixels(best.get("height")),
        caption=_text(item, "description") or item.get("headline") or _text(item, "headline"),
        credit=credit,
    )


def _media_type(rendition: dict[str, Any]) -> str:
    return str(rendition.get("mimetype") or rendition.get("contenttype") or "").lower()


def _values(value: Any) -> Any:
    """The members of a property that is an object by name in 1.x and an array in 2.x and 3.x."""
    return list(value.values()) if isinstance(value, dict) else value


def _lower(item: dict[str, Any]) -> dict[str, Any]:
    """`item` with its names in lower case: 3.x then reads as 2.x."""
    return {name.lower(): value for name, value in item.items()}


ADAPTER = Adapter("ninjs", "IPTC ninjs 1.x to 3.x, as Superdesk pushes it", read, recognizes)
