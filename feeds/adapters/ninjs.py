"""IPTC ninjs 1.x, 2.x and 3.x, and what Superdesk pushes as ninjs (http_push).

Sources: the JSON schemas of ninjs 1.6, 2.2 and 3.1 (iptc.org); superdesk-core, `publish/formatters/ninjs_formatter.py`
and `publish/transmitters/http_push.py`. 1.x has `headline`, `body_html` and an object of `associations`, 2.x arrays of
`headlines`, `bodies` and `associations`, 3.x the same in camel case. Superdesk says `guid` for `uri`, and adds
`service`, `authors`, `source` and `firstpublished`.

`pubstatus` is taken as it is: usable, withheld (leaves every feed, may come back), canceled (IPTC: must not be used any
more; what Superdesk sends for a kill and a takedown), which becomes a kill. `version` counts where it is a number.
"""

from __future__ import annotations

from typing import Any

from feeds.adapters.decode import json_object
from feeds.adapters.draft import Draft, identity, objects, paragraphs, pixels
from feeds.adapters.interface import Adapted, Adapter, Given
from feeds.errors import FieldError, InvalidEvent

_STATES = ("usable", "withheld", "canceled")
_WRITERS = frozenset({"author", "creator", "writer"})


def read(content: bytes, given: Given) -> Adapted:
    """Return the event in one ninjs object. Raises InvalidEvent when it is none or not of an article."""
    item = _lower(json_object(content))
    draft = Draft("ninjs", content, identity(item.get("uri")) or identity(item.get("guid")) or given.id)
    kind = item.get("type", "text")
    if kind != "text":
        raise InvalidEvent([FieldError("type", f"is {str(kind)[:40]!r}; only text is taken")])
    state = str(item.get("pubstatus", "usable")).rpartition(":")[2].lower()
    if state not in _STATES:
        raise InvalidEvent([FieldError("pubstatus", f"is {state[:40]!r}; known: {', '.join(_STATES)}")])
    _version(draft, item.get("version"))
    draft.time("updated", item.get("versioncreated"), given)
    if state == "canceled":
        return draft.killed()
    draft.article["pubstatus"] = state
    _say(draft, item, given)
    for associated in map(_lower, objects(_values(item.get("associations")))):
        _picture(draft, associated)
        if associated.get("type") == "text" and associated.get("rel") == "alternate":
            # As our own ninjs 3.1 says another edition; ninjs itself names no relations.
            page, uri = _page(associated), identity(associated.get("uri"))
            draft.alternate(associated.get("language"), page, given, uri if uri != page else "")
    return draft.published()


def recognizes(value: Any) -> bool:
    """Whether JSON looks like ninjs: an identifier as ninjs or Superdesk names it, and a property of a news item."""
    if not isinstance(value, dict):
        return False
    item = _lower(value)
    known = ("versioncreated", "pubstatus", "body_html", "bodies", "headlines", "renditions")
    return any(isinstance(item.get(name), str) for name in ("uri", "guid")) and any(name in item for name in known)


def _say(draft: Draft, item: dict[str, Any], given: Given) -> None:
    draft.edition(item.get("language"), given)
    draft.line("headline", item.get("headline") or _text(item, "headline") or item.get("title"))
    draft.line("summary", _text(item, "description"))
    draft.body(_body(item))
    draft.url(_page(item), given, item.get("slugline"))
    for said in (item.get("firstpublished"), item.get("firstpublishedtime")):
        draft.time("published", said, given)
    draft.time("embargoed", item.get("embargoed") or item.get("embargoeduntil"), given)
    draft.time("expires", item.get("expires"), given)
    draft.line("section", next((service.get("name") for service in objects(item.get("service"))), None))
    named = [*objects(item.get("subject")), *objects(item.get("subjects"))]
    keywords = item.get("keywords")
    draft.lines("subjects", [*(each.get("name") for each in named), *(keywords if isinstance(keywords, list) else ())])
    people = [*objects(item.get("person")), *objects(item.get("people"))]
    writers = [each for each in people if str(each.get("rel", "")).rpartition(":")[2].lower() in _WRITERS]
    authors = [each.get("name") for each in (*objects(item.get("authors")), *writers)]
    draft.lines("authors", authors or [item.get("byline") or item.get("by")])
    urgency = item.get("urgency")
    if isinstance(urgency, int | float) and urgency in range(1, 10):
        draft.article["urgency"] = int(urgency)
    elif urgency is not None:
        draft.miss("urgency", "is no number from 1 to 9")
    draft.line("dateline", item.get("located"))
    sources = [*objects(item.get("infosource")), *objects(item.get("infosources"))]
    draft.line("source", item.get("source") or next((each.get("name") for each in sources), None))
    draft.line("rights", item.get("copyrightnotice") or item.get("usageterms"))


def _version(draft: Draft, said: Any) -> None:
    text = identity(said)
    if text.isascii() and text.isdecimal() and len(text) < 16 and int(text) > 0:
        draft.article["version"] = int(text)
    elif said is not None:
        draft.miss("version", f"is {str(said)[:40]!r}, which is no number; the time of the change decides")


def _text(item: dict[str, Any], name: str) -> Any:
    """The headline or description: of 1.x by suffix, `_text` first; of 2.x and 3.x by role, `main` first."""
    said = [_lower(each) for each in objects(item.get(f"{name}s"))]
    said.sort(key=lambda each: each.get("role") not in {"main", None})
    suffixed = (item[key] for key in sorted(item, key=lambda key: key != f"{name}_text") if key.startswith(f"{name}_"))
    return next(filter(None, (*(each.get("value") for each in said), *suffixed)), None)


def _body(item: dict[str, Any]) -> Any:
    for name in ("body_html", "body_xhtml"):
        if item.get(name):
            return item[name]
    said = [each for each in map(_lower, objects(item.get("bodies"))) if isinstance(each.get("value"), str)]
    said.sort(key=lambda each: each.get("role") not in {"main", None})
    marked = [each for each in said if "html" in str(each.get("contenttype", ""))]
    if marked:
        return marked[0]["value"]
    bare = said[0]["value"] if said else item.get("body_text")
    return paragraphs(bare) if isinstance(bare, str) else None


def _page(item: dict[str, Any]) -> Any:
    """The address of the page: the rendition in HTML. The `uri` names the item and need not be the address of any."""
    renditions = map(_lower, objects(_values(item.get("renditions"))))
    return next((each.get("href") for each in renditions if _media_type(each) == "text/html"), None)


def _picture(draft: Draft, item: dict[str, Any]) -> None:
    if item.get("type") not in {"picture", "graphic"}:
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
    """The items of what 1.x has as an object by name and 2.x and 3.x as an array."""
    return list(value.values()) if isinstance(value, dict) else value


def _lower(item: dict[str, Any]) -> dict[str, Any]:
    """`item` with its names in lower case: 3.x then reads as 2.x."""
    return {name.lower(): value for name, value in item.items()}


ADAPTER = Adapter("ninjs", "IPTC ninjs 1.x to 3.x, as Superdesk pushes it", read, recognizes)
