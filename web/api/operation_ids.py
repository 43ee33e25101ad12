"""What each operation is called in the OpenAPI document, and so in clients that are generated from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

_OPERATION_IDS = {
    "GET /events/{event}": "get_receipt",
    "GET /articles": "find_articles",
    "GET /articles/{article}": "get_article",
    "GET /articles/{article}/revisions": "list_revisions",
    "GET /articles/{article}/revisions/{version}": "get_revision",
    "GET /articles/{article}/coverage": "get_coverage",
    "GET /articles/{article}/preview": "preview_article",
    "POST /articles/{article}/kill": "kill_article",
    "POST /articles/{article}/hold": "hold_article",
    "POST /articles/{article}/release": "release_article",
    "POST /articles/{article}/repeat": "repeat_article",
    "PUT /articles/{article}/embargo": "set_embargo",
    "GET /sections": "list_sections",
    "GET /kills": "list_kills",
    "GET /lists": "list_lists",
    "GET /lists/{name}": "get_list",
    "PUT /lists/{name}": "arrange_list",
    "GET /feeds": "list_feeds",
    "GET /feeds/{feed}": "get_feed",
    "GET /feeds/{feed}/preview": "preview_feed",
    "GET /feeds/{feed}/readers": "list_readers",
    "POST /feeds/{feed}/orders": "order_of_feed",
    "GET /feeds/{feed}/orders": "get_feed_order",
    "GET /subscriptions": "list_subscriptions",
    "GET /endpoints": "list_endpoints",
    "POST /endpoints": "create_endpoint",
    "GET /endpoints/{endpoint}": "get_endpoint",
    "PUT /endpoints/{endpoint}": "change_endpoint",
    "DELETE /endpoints/{endpoint}": "remove_endpoint",
    "GET /endpoints/{endpoint}/attempts": "list_attempts",
    "GET /endpoints/{endpoint}/attempts/{attempt}": "get_attempt",
    "GET /endpoints/{endpoint}/outcomes": "get_outcomes",
    "POST /endpoints/{endpoint}/pause": "pause_endpoint",
    "POST /endpoints/{endpoint}/resume": "resume_endpoint",
    "POST /endpoints/{endpoint}/retry": "retry_endpoint",
    "POST /endpoints/{endpoint}/restore": "restore_endpoint",
    "POST /endpoints/{endpoint}/rotate": "rotate_secret",
    "POST /endpoints/{endpoint}/test": "test_endpoint",
    "POST /endpoints/{endpoint}/replays": "order_replay",
    "GET /endpoints/{endpoint}/replays": "get_replay",
    "DELETE /endpoints/{endpoint}/replays": "stop_replay",
    "GET /report": "get_report",
    "GET /partners": "list_partners",
    "POST /partners": "create_partner",
    "GET /partners/{partner}": "get_partner",
    "PUT /partners/{partner}": "change_partner",
    "DELETE /partners/{partner}": "remove_partner",
    "GET /partners/{partner}/articles": "pull_articles",
    "POST /partners/{partner}/articles/ack": "acknowledge_articles",
    "GET /alarms": "list_alarms",
    "POST /alarms/{alarm}/acknowledge": "acknowledge_alarms",
    "POST /alarms/{alarm}/snooze": "snooze_alarms",
    "GET /keys": "list_keys",
    "POST /keys": "create_key",
    "GET /keys/{key}": "get_key",
    "DELETE /keys/{key}": "revoke_key",
    "GET /users": "list_users",
    "POST /users": "add_user",
    "GET /users/{user}": "get_user",
    "PATCH /users/{user}": "change_user",
    "DELETE /users/{user}": "remove_user",
    "PUT /users/{user}/password": "set_password",
    "GET /me": "get_account",
    "GET /newsroom": "get_newsroom",
    "GET /audit": "list_audit_entries",
    "GET /audit/verdict": "verify_audit",
    "GET /live": "follow_live",
    "GET /rates": "get_rates",
}


def operation_id(route: APIRoute) -> str:
    """Return what a route is called: `kill_article`. Names are for good: programs are written by them."""
    path = route.path_format.removeprefix("/api/v1")
    method = min(route.methods or ())
    if name := _OPERATION_IDS.get(f"{method} {path}"):
        return name
    nouns = "_".join(part for part in path.split("/") if part and "{" not in part)
    return f"{route.name}_{nouns}"
