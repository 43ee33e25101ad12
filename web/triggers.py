"""POST /events/{adapter}: how other systems tell us, each in its own format and signed in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from starlette.background import BackgroundTask

from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.errors import InvalidEvent
from web.events import in_thread, wake_all
from web.problem_details import field_list, json_response, problem
from web.receipts import receipt_fields
from worker import clock
from worker.intake.inbound_signatures import SIGNING_SYSTEMS, checked_by_head
from worker.outbound.signing import SignatureError
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from config.settings import AdapterSettings, Settings
    from web.client_address import ClientAddresses
    from web.request_body import BodyReader, RequestBody
    from worker.intake.accept import Intake, Receipt, WakeUp

log = structlog.get_logger()


class TriggersEndpoint:
    """Takes in over HTTP what other systems send."""

    def __init__(self, intake: Intake, settings: Settings, body_reader: BodyReader, addresses: ClientAddresses) -> None:
        self._intake = intake
        self._body_reader = body_reader
        self._addresses = addresses
        self._most_bytes = settings.web.max_body_bytes
        self._edition = settings.site.edition
        self._zone = settings.site.zone
        self._editions = settings.editions
        self._adapters: dict[str, AdapterSettings] = {
            name: getattr(settings.adapters, name) for name in SIGNING_SYSTEMS
        }

    async def post(self, request: Request) -> Response:
        """Take one article in, in the format of the adapter in the path.

        202: accepted, with what is missing. 400: it can't be taken. 404: no such adapter, or it is off. 401, 503: the
        article was not looked at. Raises BodyRefused, and redis.RedisError for a bug.
        """
        name = request.path_params["adapter"]
        if reason := self._why_off(name):
            return problem(404, reason)
        secrets = [secret.get_secret_value() for secret in self._adapters[name].secret]
        try:
            authenticated = checked_by_head(name, request.headers, secrets, clock.now().timestamp())
            client = self._addresses.of(request)
            body = await self._body_reader.read(request, self._most_bytes, client, authenticated=authenticated)
            self._check_signature(name, request.headers, body, secrets)
        except SignatureError as error:
            log.info("trigger_refused", adapter=name, reason=error.reason)
            return problem(401, headers={"WWW-Authenticate": "Bearer"} if SIGNING_SYSTEMS[name].takes_bearer else None)
        return await self._respond(name, body.content, client)

    @staticmethod
    def _check_signature(name: str, headers: Mapping[str, str], body: RequestBody, secrets: list[str]) -> None:
        """Check a signature over one of the texts that may be signed. Raises SignatureError."""
        check = SIGNING_SYSTEMS[name].check
        now = clock.now().timestamp()
        *earlier_texts, last_text = body.signed
        for text in earlier_texts:
            try:
                return check(headers, text, secrets, now)
            except SignatureError:
                continue
        return check(headers, last_text, secrets, now)

    def _why_off(self, name: str) -> str:
        """Return why there is no such adapter, and what to do; empty when it is on."""
        if name not in self._adapters:
            return f"There is no adapter {name[:60]} for requests; known: {', '.join(self._adapters)}."
        if not self._adapters[name].secret:
            return f"The adapter {name} is off. To turn it on, set secret in [adapters.{name}] of the settings."
        return ""

    async def _respond(self, name: str, content: bytes, client: str) -> Response:
        wake_ups: list[WakeUp] = []
        try:
            adapted, receipt = await in_thread(self._accept, name, content, client, wake_ups.append)
        except InvalidEvent as error:
            return problem(400, f"This can't be taken as {ADAPTERS[name].takes}.", error.errors, id=error.event_id)
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return problem(
                503, "The event could not be stored. Nothing is lost: send it again.", headers={"Retry-After": "5"}
            )
        missing = field_list(adapted.missing)
        if receipt.status == "invalid":
            return problem(400, "The event can't be taken.", receipt.errors, id=receipt.event_id, missing=missing)
        response = json_response(202, receipt_fields(receipt) | {"missing": missing})
        response.background = BackgroundTask(wake_all, wake_ups)
        return response

    def _accept(
        self, name: str, content: bytes, client: str, after_answer: Callable[[WakeUp], None]
    ) -> tuple[Adapted, Receipt]:
        settings = self._adapters[name]
        edition = settings.edition or self._edition
        defaults = InputDefaults(url=settings.url, edition=edition, editions=self._editions, zone=self._zone)
        adapted = ADAPTERS[name].read(content, defaults)
        (receipt,) = self._intake.accept(
            [adapted.event], clock.agreed(), way=name, sender=client, after_answer=after_answer
        )
        return adapted, receipt
