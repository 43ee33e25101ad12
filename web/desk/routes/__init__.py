"""The addresses of the desk: a module for each group of pages, which lists its own in ROUTES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.desk.routes import articles, endpoints, kills, live, now, sign_in

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

ROUTES: list[BaseRoute] = [
    *sign_in.ROUTES,
    *now.ROUTES,
    *live.ROUTES,
    *kills.ROUTES,
    *articles.ROUTES,
    *endpoints.ROUTES,
]
