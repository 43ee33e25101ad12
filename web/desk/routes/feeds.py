"""Feeds as readers are served them, and who has subscribed."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from feeds.formats import FEED_FORMATS
from feeds.validation.checks import check_feed
from web.desk.api_calls import unless_away
from web.desk.parts import PREFIX, api_of, parts_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from feeds.validation.finding import Finding

_FEEDS_MOST = 100
"""So many feeds are there to choose from."""
_DOCUMENTS_KEPT = 16
"""Of so many documents it is remembered what is wrong with them."""
_DAYS = 90
"""So many days of what feed readers tell are shown."""


async def feeds(request: Request) -> Response:
    """GET /desk/feeds."""
    query = request.query_params
    page = await api_of(request).get("feeds", limit=100, after=query.get("after", ""))
    return parts_of(request).pages.page(request, "feeds.html", page=page, query=dict(query))


async def feed(request: Request) -> Response:
    """GET /desk/feeds/FEED: its definition, its document in a format, and what the rules of that format say of it."""
    api, name = api_of(request), request.path_params["feed"]
    definition = await api.get("feeds", name)
    readers: dict[str, Any] | None = None
    chosen = request.query_params.get("format", "rss")
    chosen = chosen if chosen in FEED_FORMATS else "rss"
    shown: dict[str, Any] | None = None
    findings: list[Any] = []
    if not definition["pattern"]:
        shown, readers = await asyncio.gather(
            api.get("feeds", name, "preview", format=chosen),
            unless_away(api.get("feeds", name, "readers", days=_DAYS)),
        )
        if shown and shown["document"] is not None:
            document = shown["document"].encode()
            findings = await run_in_threadpool(_findings, FEED_FORMATS[chosen].key, chosen, document)
    return parts_of(request).pages.page(
        request, "feed.html", feed=definition, formats=list(FEED_FORMATS), chosen=chosen, shown=shown,
        findings=findings, readers=readers,
    )  # fmt: skip


@lru_cache(_DOCUMENTS_KEPT)
def _findings(key: str, format_name: str, document: bytes) -> list[Finding]:
    """What the rules of a format say of a document: the same as long as neither changes. `key`: of the format."""
    del key
    return check_feed(format_name, document, ours=True)


async def subscriptions(request: Request) -> Response:
    """GET /desk/subscriptions: those that have a lease, and how many each host has on this page."""
    api, query = api_of(request), request.query_params
    page = await api.get("subscriptions", feed=query.get("feed", ""), limit=100, after=query.get("after", ""))
    hosts = Counter(urlsplit(row["callback"]).hostname or "?" for row in page["items"])
    names = [definition.name for definition in parts_of(request).api_parts.publication.definitions][:_FEEDS_MOST]
    return parts_of(request).pages.page(
        request, "subscriptions.html", page=page, hosts=hosts.most_common(20), feeds=names, query=dict(query)
    )


ROUTES = [
    Route(f"{PREFIX}/feeds", feeds),
    Route(f"{PREFIX}/feeds/{{feed:name}}", feed),
    Route(f"{PREFIX}/subscriptions", subscriptions),
]
