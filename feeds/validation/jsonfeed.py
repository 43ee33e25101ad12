"""The rules of JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from feeds.formats.jsonfeed import VERSION
from feeds.validation import values
from feeds.validation.element_models import UNREGISTERED
from feeds.validation.finding import Finding, Findings, house
from feeds.validation.json import addresses, each_object, moments, read_object, required

VERSIONS = ("https://jsonfeed.org/version/1", VERSION)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be text"


def _texts(value: Any) -> str | None:
    good = isinstance(value, list) and all(isinstance(member, str) for member in value)
    return None if good else "must be an array of texts"


def _size(value: Any) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return None if good else "must be a number from 0"


def _text_that(accepts: Callable[[str], Any], reason: str) -> Callable[[Any], str | None]:
    return lambda value: None if isinstance(value, str) and accepts(value) else f"{value!r} {reason}"


_address = _text_that(values.iri, "is no absolute address")
_time = _text_that(values.rfc3339, "is no valid time")
_language = _text_that(values.language, "is no language tag")
_media_type = _text_that(values.media_type, "is no media type")
_Members = Mapping[str, Callable[[Any], str | None]]

_AUTHOR: _Members = {"name": _text, "url": _address, "avatar": _address}
_HUB: _Members = {"type": _text, "url": _address}
_ATTACHMENT: _Members = {
    "url": _address,
    "mime_type": _media_type,
    "title": _text,
    "size_in_bytes": _size,
    "duration_in_seconds": _size,
}
_ITEM: _Members = {
    "id": _text,
    **dict.fromkeys(("url", "external_url", "image", "banner_image"), _address),
    **dict.fromkeys(("title", "content_html", "content_text", "summary"), _text),
    **dict.fromkeys(("date_published", "date_modified"), _time),
    "tags": _texts,
    "language": _language,
}
_FEED: _Members = {
    **dict.fromkeys(("title", "description", "user_comment"), _text),
    **dict.fromkeys(("home_page_url", "feed_url", "next_url", "icon", "favicon"), _address),
    "language": _language,
    "expired": _flag,
}
_LISTS = {
    "jsonfeed": ("version", "author", "authors", "hubs", "items"),
    "jsonfeed.item": ("author", "authors", "attachments"),
}
"""What else each may have: members with checks for themselves."""
# "Extensions": a name that begins with an underscore and has no dots.
_EXTENSION = re.compile(r"_[A-Za-z][^.]*", re.DOTALL)


def json_feed(document: bytes) -> Findings:
    """Check what the specification asks for, and what the house asks for beyond it."""
    feed = yield from read_object(document)
    if feed is None:
        return
    if feed.get("version") not in VERSIONS:
        yield Finding(None, "jsonfeed.version", f"version must be {VERSION}, or {VERSIONS[0]}")
    yield from _present(feed, "jsonfeed", "title")
    yield from house(_not_empty(feed, "jsonfeed", "title"))
    yield from _members(feed, "jsonfeed", _FEED)
    yield from house(addresses(feed, "jsonfeed", "home_page_url", "feed_url", "next_url", "icon", "favicon"))
    if "next_url" in feed and feed["next_url"] == feed.get("feed_url"):
        yield Finding(None, "jsonfeed.next_url", "next_url must not be feed_url")
    if "items" not in feed:
        yield Finding(None, "jsonfeed.items", "items must be there")
    yield from _authors(feed, "jsonfeed")
    yield from each_object(feed, "jsonfeed", "hubs", _hub)
    earlier_ids: set[str] = set()
    yield from each_object(feed, "jsonfeed", "items", partial(_item, earlier_ids))


def _hub(hub: dict[str, Any]) -> Findings:
    yield from _present(hub, "jsonfeed.hubs", "type", "url")
    yield from _members(hub, "jsonfeed.hubs", _HUB)


def _item(earlier_ids: set[str], item: dict[str, Any]) -> Findings:
    rule = "jsonfeed.item"
    yield from _present(item, rule, "id")
    if not any(isinstance(item.get(name), str) for name in ("content_html", "content_text")):
        yield Finding(None, f"{rule}.content", "item must have content_html or content_text")
    yield from _members(item, rule, _ITEM)
    yield from _authors(item, rule)
    yield from each_object(item, rule, "attachments", _attachment)
    yield from house(_house_item(item))
    identifier = str(item.get("id"))
    if "id" in item and identifier in earlier_ids:
        yield Finding(None, "jsonfeed.id.unique", f"id {identifier!r} is not unique")
    earlier_ids.add(identifier)


def _attachment(attachment: dict[str, Any]) -> Findings:
    rule = "jsonfeed.item.attachments"
    yield from _present(attachment, rule, "url", "mime_type")
    yield from _members(attachment, rule, _ATTACHMENT)


def _house_item(item: dict[str, Any]) -> Findings:
    yield from _not_empty(item, "jsonfeed.item", "id")
    yield from addresses(item, "jsonfeed.item", "url", "external_url", "image", "banner_image")
    yield from moments(item, "jsonfeed.item", "date_published", "date_modified")
    yield from _alternates(item)


def _authors(value: dict[str, Any], rule: str) -> Findings:
    """Check `authors`, and the single `author` that version 1.0 has instead."""
    single = {"authors": [value["author"]]} if "author" in value else {}
    for authors in (value, single):
        yield from each_object(authors, rule, "authors", partial(_author, f"{rule}.authors"))


def _author(rule: str, author: dict[str, Any]) -> Findings:
    if not _AUTHOR.keys() & author.keys():
        yield Finding(None, rule, "an author must have name, url or avatar")
    yield from _members(author, rule, _AUTHOR)


def _present(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    for name in names:
        if name not in value:
            yield Finding(None, f"{rule}.{name}", f"{name} must be there")


def _not_empty(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    """The texts with these names must not be empty."""
    for name in names:
        if isinstance(value.get(name), str):
            yield from required(value, rule, name)


def _members(value: Mapping[str, Any], rule: str, members: _Members) -> Findings:
    """Each member must be of the type that its name asks for, never null. Other names must be those of extensions."""
    for name, member in value.items():
        if name in members:
            if reason := members[name](member):
                yield Finding(None, f"{rule}.{name}", f"{name} {reason}")
            elif name == "language" and not values.known_language(member):
                yield Finding(None, f"{rule}.{name}", f"{name} {member!r} {UNREGISTERED}", "registry")
        elif _EXTENSION.fullmatch(name):
            if not isinstance(member, dict):
                yield Finding(None, f"{rule}.extension", f"{name!r} must be an object, as every extension")
            elif any("." in key for key in member):
                yield Finding(None, f"{rule}.extension", f"the names in {name!r} must not have dots")
        elif name not in _LISTS.get(rule, ()):
            yield Finding(None, f"{rule}.unknown", f"{name!r} is not defined; extensions begin with an underscore")


def _alternates(item: dict[str, Any]) -> Findings:
    """Check the other editions, which stand in our own extension."""
    extension = item.get("_dateline")
    earlier_languages = {str(item.get("language", "")).lower()}
    yield from each_object(
        extension if isinstance(extension, dict) else {},
        "jsonfeed.item.alternate",
        "alternates",
        partial(_alternate, earlier_languages),
    )


def _alternate(earlier_languages: set[str], alternate: dict[str, Any]) -> Findings:
    yield from required(alternate, "jsonfeed.item.alternate", "url", "language")
    yield from addresses(alternate, "jsonfeed.item.alternate", "url")
    language = str(alternate.get("language"))
    if language.lower() in earlier_languages:
        yield Finding(None, "jsonfeed.item.alternate.unique", f"there is another page in {language!r}")
    earlier_languages.add(language.lower())
