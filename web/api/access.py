"""Who asks, and whether the scope of a route lets them. Each route names its scope: `reader: ArticlesReader`.

The gate (gate.py) has read the token; this only compares. What the bounds of a key allow, the operations themselves
refuse, as they know the feed and the partner.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.requests import HTTPConnection

from web.api.problems import RequestProblem
from worker.management import scopes as names
from worker.management.callers import Caller

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key (`dl_...`), or one of the `api_tokens`."
)


async def permitted(
    connection: HTTPConnection, needed: SecurityScopes, _: Annotated[object, Depends(_bearer)] = None
) -> Caller:
    """Return who asks. Raises RequestProblem: 401 for nobody, 403 for a key without the scope."""
    caller = getattr(connection.state, "caller", None)
    if not isinstance(caller, Caller):
        raise RequestProblem(401, "Send a key: Authorization: Bearer dl_...", headers={"WWW-Authenticate": "Bearer"})
    for scope in needed.scopes:
        if scope not in caller.scopes:
            raise RequestProblem(403, f"{caller.name} lacks the scope {scope}.", scope=scope)
    return caller


EventsReader = Annotated[Caller, Security(permitted, scopes=[names.EVENTS_READ])]
ArticlesReader = Annotated[Caller, Security(permitted, scopes=[names.ARTICLES_READ])]
ArticlesWriter = Annotated[Caller, Security(permitted, scopes=[names.ARTICLES_WRITE])]
ArticlesKiller = Annotated[Caller, Security(permitted, scopes=[names.ARTICLES_KILL])]
ArticlesPuller = Annotated[Caller, Security(permitted, scopes=[names.ARTICLES_PULL])]
ListsReader = Annotated[Caller, Security(permitted, scopes=[names.LISTS_READ])]
ListsWriter = Annotated[Caller, Security(permitted, scopes=[names.LISTS_WRITE])]
FeedsReader = Annotated[Caller, Security(permitted, scopes=[names.FEEDS_READ])]
FeedsWriter = Annotated[Caller, Security(permitted, scopes=[names.FEEDS_WRITE])]
FormatsReader = Annotated[Caller, Security(permitted, scopes=[names.FORMATS_READ])]
FormatsWriter = Annotated[Caller, Security(permitted, scopes=[names.FORMATS_WRITE])]
PartnersReader = Annotated[Caller, Security(permitted, scopes=[names.PARTNERS_READ])]
PartnersWriter = Annotated[Caller, Security(permitted, scopes=[names.PARTNERS_WRITE])]
EndpointsReader = Annotated[Caller, Security(permitted, scopes=[names.ENDPOINTS_READ])]
EndpointsOperator = Annotated[Caller, Security(permitted, scopes=[names.ENDPOINTS_OPERATE])]
EndpointsWriter = Annotated[Caller, Security(permitted, scopes=[names.ENDPOINTS_WRITE])]
SubscriptionsReader = Annotated[Caller, Security(permitted, scopes=[names.SUBSCRIPTIONS_READ])]
LiveReader = Annotated[Caller, Security(permitted, scopes=[names.LIVE_READ])]
AlarmsReader = Annotated[Caller, Security(permitted, scopes=[names.ALARMS_READ])]
AlarmsWriter = Annotated[Caller, Security(permitted, scopes=[names.ALARMS_WRITE])]
KeysReader = Annotated[Caller, Security(permitted, scopes=[names.KEYS_READ])]
KeysWriter = Annotated[Caller, Security(permitted, scopes=[names.KEYS_WRITE])]
PeopleReader = Annotated[Caller, Security(permitted, scopes=[names.PEOPLE_READ])]
PeopleWriter = Annotated[Caller, Security(permitted, scopes=[names.PEOPLE_WRITE])]
AuditReader = Annotated[Caller, Security(permitted, scopes=[names.AUDIT_READ])]
