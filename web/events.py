"""POST /events: how a CMS tells us. Native JSON, one event or an array, or CloudEvents 1.0 in its three modes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from feeds.adapters import cloudevents
from feeds.errors import FieldError, InvalidEvent
from web.access import bearer
from web.problem_details import answer, field_list, problem
from worker import clock
from worker.intake.accept import Receipt
from worker.outbound.signing import SignatureError, may_be_webhook, verify_webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from web.client_address import Clients
    from web.request_body import Bodies
    from worker.runtime.wiring import Services


class EventsIntake:
    """Takes events in over HTTP."""

    def __init__(self, services: Services, bodies: Bodies, clients: Clients) -> None:
        settings = services.settings
        self._bodies = bodies
        self._clients = clients
        self._intake = services.intake
        self._limit = settings.web.max_body_bytes
        self._tokens = [token.get_secret_value().encode() for token in settings.api_tokens]
        self._secrets = [secret.get_secret_value() for secret in settings.event_secrets]

    async def post(self, request: Request) -> Response:
        """Take the events of one request.

        202: all are accepted. 207: some; each is answered for. 400: none. 401, 503: nothing was looked at. Raises
        BodyRefused.
        """
        known = bearer(request.headers, self._tokens)
        if not known and not self._may_be_signed(request.headers):
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        body = await self._bodies.read(request, self._limit, self._clients.address(request), known=known)
        if not known and not any(self._signed(request.headers, text) for text in body.signed):
            return problem(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            values, single = _values(request.headers, body.content)
        except InvalidEvent as error:
            return problem(400, "The event can't be taken.", error.errors)
        if not values:
            return problem(400, "The array has no event in it.")
        try:
            receipts = await run_in_threadpool(self._accept, values)
        except RedisError:
            return problem(
                503, "The events could not be kept. Nothing is lost: send them again.", headers={"Retry-After": "5"}
            )
        return _answer(receipts, single=single)

    def _may_be_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether it is worth while to read the body. Who sends a token, a wrong one, does not sign as well."""
        token = headers.get("authorization", "").lower().startswith("bearer ")
        return bool(self._secrets) and not token and may_be_webhook(headers, clock.now().timestamp())

    def _signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            verify_webhook(headers, body, self._secrets, clock.now().timestamp())
        except SignatureError:
            return False
        return True

    def _accept(self, values: list[Any]) -> list[Receipt]:
        checked = [value if isinstance(value, InvalidEvent) else None for value in values]
        accepted = iter(
            self._intake.accept([value for value in values if not isinstance(value, InvalidEvent)], clock.agreed())
        )
        return [Receipt("invalid", error.event_id, error.errors) if error else next(accepted) for error in checked]


def _values(headers: Mapping[str, str], body: bytes) -> tuple[list[Any], bool]:
    """The events in a body, and whether it was a single one. What is no CloudEvent is an InvalidEvent in its place."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent([FieldError("", f"the body is no JSON: {error}")]) from None
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == cloudevents.BATCHED:
        if not isinstance(value, list):
            raise InvalidEvent([FieldError("", "a batch of CloudEvents must be a JSON array")])
        return [_cloud_event(item) for item in value], False
    if media_type == cloudevents.STRUCTURED:
        return [cloudevents.structured(value)], True
    if "ce-specversion" in headers:
        return [cloudevents.binary(headers, value)], True
    return (value, False) if isinstance(value, list) else ([value], True)


def _cloud_event(value: Any) -> Any:
    try:
        return cloudevents.structured(value)
    except InvalidEvent as error:
        return error


def _answer(receipts: list[Receipt], *, single: bool) -> Response:
    bad = sum(receipt.status == "invalid" for receipt in receipts)
    if single and bad:
        return problem(400, "The event can't be taken.", receipts[0].errors, id=receipts[0].event_id)
    told = [_told(receipt) for receipt in receipts]
    if single:
        return answer(202, told[0])
    if bad == len(receipts):
        return problem(400, "None of the events can be taken.", events=told)
    return answer(207 if bad else 202, {"events": told})


def _told(receipt: Receipt) -> dict[str, Any]:
    told: dict[str, Any] = {"id": receipt.event_id, "status": receipt.status}
    if receipt.errors:
        told["errors"] = field_list(receipt.errors)
    return told
