"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any

from feeds.formats.jsonfeed import VERSION
from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import addresses, legible, moments, objects, parse, required


def json_feed(document: bytes) -> Findings:
    """What the specification asks for of the feed and of its items."""
    feed = parse(document)
    if isinstance(feed, Finding):
        yield feed
        return
    yield from legible(feed)
    if feed.get("version") != VERSION:
        yield Finding(None, "jsonfeed.version", f"version must be {VERSION}")
    yield from required(feed, "jsonfeed", "title")
    if "items" not in feed:
        yield Finding(None, "jsonfeed.items", "items must be there")
    yield from addresses(feed, "jsonfeed", "home_page_url", "feed_url", "next_url", "icon", "favicon")
    for hub in objects(feed, "jsonfeed", "hubs"):
        if isinstance(hub, Finding):
            yield hub
        else:
            yield from required(hub, "jsonfeed.hubs", "type", "url")
            yield from addresses(hub, "jsonfeed.hubs", "url")
    seen: set[str] = set()
    for item in objects(feed, "jsonfeed", "items"):
        if isinstance(item, Finding):
            yield item
            continue
        yield from _item(item)
        identifier = str(item.get("id"))
        if identifier in seen:
            yield Finding(None, "jsonfeed.id.unique", f"id {identifier!r} is not unique")
        seen.add(identifier)


def _item(item: dict[str, Any]) -> Findings:
    yield from required(item, "jsonfeed.item", "id")
    if not any(isinstance(item.get(name), str) for name in ("content_html", "content_text")):
        yield Finding(None, "jsonfeed.item.content", "item must have content_html or content_text")
    yield from addresses(item, "jsonfeed.item", "url", "external_url", "image", "banner_image")
    yield from moments(item, "jsonfeed.item", "date_published", "date_modified")
    language = item.get("language")
    if language is not None and not (isinstance(language, str) and values.language(language)):
        yield Finding(None, "jsonfeed.item.language", f"language {language!r} is no language tag")
    yield from _alternates(item)
    for author in objects(item, "jsonfeed.item", "authors"):
        if isinstance(author, Finding):
            yield author
        elif not {"name", "url", "avatar"} & author.keys():
            yield Finding(None, "jsonfeed.item.authors", "an author must have name, url or avatar")


def _alternates(item: dict[str, Any]) -> Findings:
    """The other editions, in our own extension."""
    ours = item.get("_dateline")
    seen = {str(item.get("language", "")).lower()}
    for alternate in objects(ours if isinstance(ours, dict) else {}, "jsonfeed.item.alternate", "alternates"):
        if isinstance(alternate, Finding):
            yield alternate
            continue
        yield from required(alternate, "jsonfeed.item.alternate", "url", "language")
        yield from addresses(alternate, "jsonfeed.item.alternate", "url")
        language = str(alternate.get("language"))
        if language.lower() in seen:
            yield Finding(None, "jsonfeed.item.alternate.unique", f"there is another page in {language!r}")
        seen.add(language.lower())
