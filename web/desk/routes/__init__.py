"""The addresses of the desk: a module for each group of pages, which lists its own in ROUTES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.desk.routes import (
    alarms,
    articles,
    audit,
    endpoints,
    feeds,
    formats,
    kills,
    lists,
    live,
    now,
    openid,
    partners,
    people,
    sign_in,
)

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

# In which order they are asked: what names more of an address comes first.
ROUTES: list[BaseRoute] = [
    *sign_in.ROUTES,
    *openid.ROUTES,
    *now.ROUTES,
    *live.ROUTES,
    *alarms.ROUTES,
    *kills.ROUTES,
    *articles.ROUTES,
    *lists.ROUTES,
    *partners.ROUTES,
    *endpoints.ROUTES,
    *feeds.ROUTES,
    *formats.ROUTES,
    *audit.ROUTES,
    *people.ROUTES,
]
