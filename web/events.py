"""POST /events: how a CMS tells us. Native JSON, one event or an array, or CloudEvents 1.0 in its three modes."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import RedisError
from starlette.background import BackgroundTask

from feeds.adapters import cloudevents
from feeds.errors import FieldError, InvalidEvent
from web.access import caller_of
from web.header_fields import media_type
from web.problem_details import json_response, problem
from web.receipts import receipt_fields
from worker import clock
from worker.intake.accept import Receipt
from worker.management.scopes import EVENTS_WRITE
from worker.outbound.signing import SignatureError, may_be_webhook, verify_webhook
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from config.settings import Settings
    from web.client_address import ClientAddresses
    from web.request_body import BodyReader, RequestBody
    from worker.intake.accept import Intake, WakeUp
    from worker.management.callers import Caller
    from worker.management.keys import KeyRing

T = TypeVar("T")
_threads = ThreadPoolExecutor(40, thread_name_prefix="accept")
"""Those that share a commit wait for it together, each in a thread."""


class EventsEndpoint:
    """Takes events in over HTTP, from senders that carry a token or a key, or sign with one of the event secrets."""

    def __init__(
        self,
        intake: Intake,
        settings: Settings,
        ring: KeyRing,
        body_reader: BodyReader,
        addresses: ClientAddresses,
    ) -> None:
        self._intake = intake
        self._most_bytes = settings.web.max_body_bytes
        self._ring = ring
        self._secrets = [secret.get_secret_value() for secret in settings.event_secrets]
        self._body_reader = body_reader
        self._addresses = addresses

    async def post(self, request: Request) -> Response:
        """Take the events of one request.

        202: all are accepted. 207: some are; the answer has a status for each. 400: none is. 401, 503: no event was
        looked at; 403: by a key that may not. Raises BodyRefused, and redis.RedisError for a bug.
        """
        client = self._addresses.of(request)
        caller = caller_of(request.headers, self._ring, client)
        if (refusal := self._refusal(caller, request.headers)) is not None:
            return refusal
        authenticated = caller is not None
        body = await self._body_reader.read(request, self._most_bytes, client, authenticated=authenticated)
        # A key may have been revoked while the body came.
        now = caller_of(request.headers, self._ring, client) if authenticated else None
        if now is None and (authenticated or not self._signed(request, body)):
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            events, single = _events(request.headers, body.content)
        except InvalidEvent as error:
            return problem(400, "The event can't be taken.", error.errors)
        if not events:
            return problem(400, "The array has no event in it.")
        wake_ups: list[WakeUp] = []
        try:
            sender = caller.name if caller is not None and caller.key_id else client
            receipts = await in_thread(self._accept, events, sender, wake_ups.append)
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return problem(
                503, "The events could not be stored. Nothing is lost: send them again.", headers={"Retry-After": "5"}
            )
        response = _respond(receipts, single=single)
        response.background = BackgroundTask(wake_all, wake_ups)
        return response

    def _refusal(self, caller: Caller | None, headers: Mapping[str, str]) -> Response | None:
        """What whoever can't send events is answered before their body is read."""
        if caller is not None and not caller.may(EVENTS_WRITE):
            return problem(403, f"{caller.name} may not send events here: it lacks {EVENTS_WRITE}, or is bound.")
        if caller is None and not self._may_be_signed(headers):
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        return None

    def _may_be_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether the body is worth reading. A sender with a token, a wrong one, does not sign as well."""
        token = headers.get("authorization", "").lower().startswith("bearer ")
        return bool(self._secrets) and not token and may_be_webhook(headers, clock.now().timestamp())

    def _signed(self, request: Request, body: RequestBody) -> bool:
        return any(self._is_signed(request.headers, text) for text in body.signed)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            verify_webhook(headers, body, self._secrets, clock.now().timestamp())
        except SignatureError:
            return False
        return True

    def _accept(self, events: list[Any], sender: str, after_answer: Callable[[WakeUp], None]) -> list[Receipt]:
        readable = [event for event in events if not isinstance(event, InvalidEvent)]
        receipts = self._intake.accept(readable, clock.agreed(), way="post", sender=sender, after_answer=after_answer)
        accepted = iter(receipts)
        return [
            Receipt("invalid", event.event_id, event.errors) if isinstance(event, InvalidEvent) else next(accepted)
            for event in events
        ]


def in_thread(accept: Callable[..., T], *arguments: Any) -> Awaitable[T]:
    """Accept events in a thread; it is Starlette's `run_in_threadpool` at two thirds of its price."""
    return asyncio.get_running_loop().run_in_executor(_threads, accept, *arguments)


async def wake_all(wake_ups: Iterable[WakeUp]) -> None:
    """Wake workers: done in the background of a response, which is when it has been sent."""
    for wake_up in wake_ups:
        wake_up()


def _events(headers: Mapping[str, str], body: bytes) -> tuple[list[Any], bool]:
    """Return the events in a body, and whether it was a single one. An invalid CloudEvent is an InvalidEvent."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent([FieldError("", f"the body is no JSON: {error}")]) from None
    content_type = media_type(headers)
    if content_type == cloudevents.BATCHED:
        if not isinstance(value, list):
            raise InvalidEvent([FieldError("", "a batch of CloudEvents must be a JSON array")])
        return [_cloud_event(event) for event in value], False
    if content_type == cloudevents.STRUCTURED:
        return [cloudevents.structured(value)], True
    if "ce-specversion" in headers:
        return [cloudevents.binary(headers, value)], True
    return (value, False) if isinstance(value, list) else ([value], True)


def _cloud_event(value: Any) -> Any:
    try:
        return cloudevents.structured(value)
    except InvalidEvent as error:
        return error


def _respond(receipts: list[Receipt], *, single: bool) -> Response:
    invalid = sum(receipt.status == "invalid" for receipt in receipts)
    if single and invalid:
        return problem(400, "The event can't be taken.", receipts[0].errors, id=receipts[0].event_id)
    events = [receipt_fields(receipt) for receipt in receipts]
    if single:
        return json_response(202, events[0])
    if invalid == len(receipts):
        return problem(400, "None of the events can be taken.", events=events)
    return json_response(207 if invalid else 202, {"events": events})
