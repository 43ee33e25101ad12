"""What a key or a person may do: the table of scopes, and the scopes of each role."""

from __future__ import annotations

from typing import Literal, get_args

EVENTS_WRITE = "events:write"
EVENTS_READ = "events:read"
ARTICLES_READ = "articles:read"
ARTICLES_WRITE = "articles:write"
ARTICLES_KILL = "articles:kill"
ARTICLES_PULL = "articles:pull"
LISTS_READ = "lists:read"
LISTS_WRITE = "lists:write"
FEEDS_READ = "feeds:read"
FEEDS_WRITE = "feeds:write"
FEEDS_PRIVATE = "feeds:private"
FORMATS_READ = "formats:read"
FORMATS_WRITE = "formats:write"
PARTNERS_READ = "partners:read"
PARTNERS_WRITE = "partners:write"
ENDPOINTS_READ = "endpoints:read"
ENDPOINTS_OPERATE = "endpoints:operate"
ENDPOINTS_WRITE = "endpoints:write"
SUBSCRIPTIONS_READ = "subscriptions:read"
LIVE_READ = "live:read"
ALARMS_READ = "alarms:read"
ALARMS_WRITE = "alarms:write"
KEYS_READ = "keys:read"
KEYS_WRITE = "keys:write"
PEOPLE_READ = "people:read"
PEOPLE_WRITE = "people:write"
AUDIT_READ = "audit:read"

SCOPES: dict[str, str] = {
    EVENTS_WRITE: "send events: publish, correct, kill, set lists",
    EVENTS_READ: "see what became of events",
    ARTICLES_READ: "search articles, see their revisions and who has them, preview them",
    ARTICLES_WRITE: "hold, release and repeat articles, correct an embargo",
    ARTICLES_KILL: "kill articles",
    ARTICLES_PULL: "read a partner's stream of articles, and acknowledge it",
    LISTS_READ: "see curated lists",
    LISTS_WRITE: "set curated lists",
    FEEDS_READ: "see the definitions of feeds and how they stand",
    FEEDS_WRITE: "push or withdraw the past of a feed",
    FEEDS_PRIVATE: "read feeds that are private",
    FORMATS_READ: "see the newsroom's own formats",
    FORMATS_WRITE: "create, change, try and remove the newsroom's own formats",
    PARTNERS_READ: "see partners",
    PARTNERS_WRITE: "create, change and remove partners",
    ENDPOINTS_READ: "see endpoints, how they stand and what was sent to them",
    ENDPOINTS_OPERATE: "pause, resume, test and retry endpoints, and replay to them",
    ENDPOINTS_WRITE: "create, change and remove endpoints, and rotate their secrets",
    SUBSCRIPTIONS_READ: "see WebSub subscriptions",
    LIVE_READ: "follow what happens as it happens",
    ALARMS_READ: "see alarms, and whether their channels take them",
    ALARMS_WRITE: "acknowledge and snooze alarms",
    KEYS_READ: "see keys (never the keys themselves)",
    KEYS_WRITE: "create and revoke keys, with no more than one has oneself",
    PEOPLE_READ: "see who may sign in",
    PEOPLE_WRITE: "say who may sign in, and with which role",
    AUDIT_READ: "read the audit",
}
"""Every scope, with what it allows, for people."""

ALL: frozenset[str] = frozenset(SCOPES)
PARTNER_PAGE = "partner:page"
"""Of a link to the page of a partner. No key is given it, and it opens nothing but that page."""
PARTNER_PAGE_SCOPES = frozenset({ENDPOINTS_READ, ENDPOINTS_OPERATE, ENDPOINTS_WRITE})
"""What the page asks of the API in the name of the partner, for its buttons."""

Role = Literal["viewer", "desk", "operator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

_VIEWER = frozenset(
    {
        *(EVENTS_READ, ARTICLES_READ, LISTS_READ, FEEDS_READ, PARTNERS_READ, ENDPOINTS_READ, SUBSCRIPTIONS_READ),
        *(LIVE_READ, ALARMS_READ, FORMATS_READ),
    }
)
_DESK = _VIEWER | {EVENTS_WRITE, ARTICLES_WRITE, ARTICLES_KILL, LISTS_WRITE, ALARMS_WRITE}
_OPERATOR = _DESK | {
    *(FEEDS_WRITE, FORMATS_WRITE, ENDPOINTS_OPERATE, ENDPOINTS_WRITE, PARTNERS_WRITE, KEYS_READ, AUDIT_READ)
}

ROLE_SCOPES: dict[Role, frozenset[str]] = {"viewer": _VIEWER, "desk": _DESK, "operator": _OPERATOR, "admin": ALL}
