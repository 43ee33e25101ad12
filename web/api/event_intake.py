"""POST /events in the OpenAPI document: it stands outside of the API, and a client has it at the same place.

What an event is, feeds/event.py checks, and docs/newsroom.md says; here is what a program must know to send one.
"""

from __future__ import annotations

from typing import Any

from web.api.problems import MEDIA_TYPE
from worker.management.scopes import EVENTS_WRITE

_RECEIPT = {
    "type": "object",
    "title": "SentEvent",
    "description": "What became of an event that was sent. `kept`: there when one of the two alone has it.",
    "properties": {
        "id": {"type": ["string", "null"]},
        "status": {"type": "string", "enum": ["accepted", "duplicate", "invalid"]},
        "kept": {"type": "string", "enum": ["record", "redis"]},
    },
    "required": ["id", "status"],
}
_EVENT = {
    "type": "object",
    "title": "Event",
    "description": "An event. A kill, a withdrawal and a repetition have no more of the article than its `id`.",
    "properties": {
        "id": {"type": "string", "description": "Its own: sent again with the same id it is carried out once."},
        "type": {
            "type": "string",
            "description": "article.published, article.corrected, article.killed, article.repeated, list.updated ...",
        },
        "article": {"type": "object", "description": "id, version, headline, body_html, url, section, edition ..."},
        "list": {"type": "object", "description": "Of list.updated: name, articles."},
    },
    "required": ["id", "type"],
}
_PROBLEM = {
    "type": "object",
    "title": "EventProblem",
    "description": "Why an event can't be taken (RFC 9457); `errors` names every bad field.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "title": "EventFieldProblem",
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
                "required": ["field", "problem"],
            },
        },
    },
    "required": ["title", "status"],
}
SCHEMAS: dict[str, Any] = {"SentEvent": _RECEIPT, "Event": _EVENT, "EventProblem": _PROBLEM}

PATHS: dict[str, Any] = {
    "/events": {
        "post": {
            "tags": ["events"],
            "summary": "Send an event",
            "description": "Take an event; its receipt says what becomes of it. An array of events is taken, too.",
            "operationId": "send_event",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}},
            },
            "responses": {
                "202": {
                    "description": "It is accepted.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SentEvent"}}},
                },
                "default": {
                    "description": "A problem.",
                    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/EventProblem"}}},
                },
            },
            "security": [{"key": [EVENTS_WRITE]}],
        }
    }
}
