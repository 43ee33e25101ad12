"""IPTC ninjs 3.1, 2.2 and 1.6: one news item as JSON (https://iptc.org/standards/ninjs/).

The three have the same content in different spellings, and each forbids properties that it does not define.
3.x and 2.x differ in the case of names, and in one name; 1.x has one property for each kind of text (`body_xhtml`), and
objects where later versions have arrays. 3.1 is for new partners; IPTC maintains the others for receivers that began
with them.

A correction is a higher `version` with a note to editors; a kill is `canceled`, a withdrawal `withheld`, and both bring
only what identifies the article. The embargo stands in every version of an article that has one.

The same story in another edition is an association of type text, with its language and its page and nothing of its
text. Its name is `alternate` and the language (`alternate_ar`); in 3.1 its `rel` is `alternate` too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from feeds.article import AI_ASSISTED, SOURCE_TYPES, Alternate, Article, Image
from feeds.entry import tag_uri
from feeds.formats.change_statuses import editors_note, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import rfc3339
from feeds.machine_rights import PLUS

# A dialect takes the item as 3.1 spells it and returns it as one version does.
Dialect = Callable[[dict[str, Any]], dict[str, Any]]

_NEW_IN_31 = {"digitalSourceType", "rightsInfo"}
_SCHEMA = re.compile(rb"ninjs-schema_([123])\.")
_VERSIONS = {b"1": "ninjs16", b"2": "ninjs22", b"3": "ninjs31"}


def render(dialect: Dialect, change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the item. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    status = pubstatus(change, article)
    item = {
        "uri": tag_uri(provider.authority, "article", article.id),
        "type": "text",
        "version": str(article.version),
        "firstCreated": rfc3339(article.published),
        "versionCreated": rfc3339(article.updated),
        "pubStatus": status,
        "language": article.edition,
        "edNote": editors_note(change, article),
        "altIds": [{"role": "id", "value": article.id}],
    }
    if status == "usable":
        item |= _content(article, provider)
    spelled = dialect({name: value for name, value in item.items() if value})
    return json.dumps(spelled, ensure_ascii=False, separators=(",", ":")).encode()


def _content(article: Article, provider: Provider) -> dict[str, Any]:
    sections = [{"name": article.section, "rel": "section"}] if article.section else []
    return {
        "representationType": "full",
        "embargoedUntil": article.embargoed and rfc3339(article.embargoed),
        "expires": article.expires and rfc3339(article.expires),
        "urgency": article.urgency,
        "headlines": [_text("main", "text/plain", article.headline)],
        "descriptions": [_text("summary", "text/plain", article.summary)] if article.summary else [],
        "bodies": [_text("main", "text/html", article.body_html)] if article.body_html else [],
        "by": ", ".join(article.authors),
        "located": article.dateline,
        "infoSources": [{"name": article.source or provider.name}],
        "usageTerms": article.rights,
        **_only_in_31(article, provider),
        "subjects": sections + [{"name": name, "rel": "subject"} for name in article.subjects],
        "renditions": [_page(article.url)],
        "associations": [
            *(_picture(number, image, provider) for number, image in enumerate(article.images, 1)),
            *(_alternate(alternate, provider) for alternate in article.alternates),
        ],
    }


def _only_in_31(article: Article, provider: Provider) -> dict[str, Any]:
    """What versions before 3.1 have no property for."""
    properties: dict[str, Any] = {}
    if article.ai_assisted:
        name = "Made by people with the help of a trained model"
        properties["digitalSourceType"] = {"name": name, "uri": f"{SOURCE_TYPES}{AI_ASSISTED}"}
    if provider.machines:
        properties["rightsInfo"] = {"langId": PLUS, "encodedRights": provider.machines.data_mining}
    return properties


def _text(role: str, media_type: str, value: str) -> dict[str, str]:
    return {"role": role, "contentType": media_type, "value": value}


def _page(url: str) -> dict[str, str]:
    return {"name": "web", "href": url, "contentType": "text/html"}


def _alternate(alternate: Alternate, provider: Provider) -> dict[str, Any]:
    return {
        # 1.x has names of letters, digits and underscores.
        "name": f"alternate_{alternate.edition.replace('-', '_')}",
        "rel": "alternate",
        "uri": tag_uri(provider.authority, "article", alternate.id) if alternate.id else alternate.url,
        "type": "text",
        "representationType": "partial",
        "language": alternate.edition,
        "renditions": [_page(alternate.url)],
    }


def _picture(number: int, image: Image, provider: Provider) -> dict[str, Any]:
    sizes = {name: value for name, value in (("width", image.width), ("height", image.height)) if value}
    kind = {"contentType": image.type} if image.type else {}
    picture = {
        "name": f"picture{number}",
        # A picture that lies beside the item has a path, which is no identity.
        "uri": image.url if "://" in image.url else tag_uri(provider.authority, "picture", image.url),
        "type": "picture",
        "descriptions": [_text("caption", "text/plain", image.caption)] if image.caption else [],
        "by": image.credit,
        "renditions": [{"name": "main", "href": image.url, **kind, **sizes}],
    }
    return {name: value for name, value in picture.items() if value}


def _ninjs31(item: dict[str, Any]) -> dict[str, Any]:
    schema = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json#"
    return item | {"standard": {"name": "ninjs", "version": "3.1", "schema": schema}}


def _ninjs22(item: dict[str, Any]) -> dict[str, Any]:
    schema = "http://www.iptc.org/std/ninjs/ninjs-schema_2.2.json#"
    return {**_older(item), "standard": {"name": "ninjs", "version": "2.2", "schema": schema}}


def _older(item: dict[str, Any]) -> dict[str, Any]:
    """Return the item as 2.x spells it, where an association has no `rel`."""
    older = {name: value for name, value in item.items() if name not in _NEW_IN_31}
    old: dict[str, Any] = _lower(older)
    for associated in old.get("associations", ()):
        associated.pop("rel", None)
    return old


def _lower(value: Any) -> Any:
    """Return the value with every name as 2.x spells it."""
    if isinstance(value, list):
        return [_lower(part) for part in value]
    if isinstance(value, dict):
        renamed = {"embargoedUntil": "embargoed"}
        return {str(renamed.get(name, name)).lower(): _lower(part) for name, part in value.items()}
    return value


def _ninjs16(item: dict[str, Any]) -> dict[str, Any]:
    older = _older(item)
    spelled: dict[str, Any] = {
        name: older.pop(name)
        for name in tuple(older)
        if name
        not in {
            *("altids", "associations", "bodies", "by", "descriptions", "headlines", "infosources"),
            *("renditions", "representationtype", "subjects"),
        }
    }
    spelled.pop("name", None)
    if "representationtype" in older:
        spelled["representationtype"] = {"full": "complete", "partial": "incomplete"}[older["representationtype"]]
    for name, kind in (("headlines", "headline"), ("descriptions", "description_text"), ("bodies", "body_xhtml")):
        for text in older.get(name, ()):
            spelled[kind] = text["value"]
    for name, singular in (("by", "byline"), ("infosources", "infosource"), ("subjects", "subject")):
        if name in older:
            spelled[singular] = older[name]
    for rendition in older.get("renditions", ()):
        named = {("mimetype" if key == "contenttype" else key): value for key, value in rendition.items()}
        spelled.setdefault("renditions", {})[named.pop("name")] = named
    for associated in older.get("associations", ()):
        spelled.setdefault("associations", {})[associated["name"]] = _ninjs16(associated)
    if "altids" in older:
        spelled["altids"] = {alternative["role"]: alternative["value"] for alternative in older["altids"]}
    return spelled


def _version(outline: Outline) -> str:
    """Return the version whose schema the item names, or else the one whose spelling it has."""
    if schema := _SCHEMA.search(outline.document):
        return _VERSIONS[schema[1]]
    if outline.names & {"headlines", "bodies", "descriptions"}:
        return "ninjs22" if outline.names & {"versioncreated", "pubstatus"} else "ninjs31"
    return "ninjs16" if outline.names & {"versioncreated", "pubstatus", "headline"} else "ninjs31"


def _format(name: str, dialect: Dialect) -> ArticleFormat:
    def recognizes(outline: Outline) -> bool:
        return "uri" in outline.names and _version(outline) == name

    return ArticleFormat(name, "application/json", partial(render, dialect), recognizes)


FORMATS = (_format("ninjs31", _ninjs31), _format("ninjs22", _ninjs22), _format("ninjs16", _ninjs16))
