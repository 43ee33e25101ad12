"""What every request to the API passes first: whose it is, how many its key has made, its body, its Idempotency-Key.

It stands before FastAPI, so that nobody without a key has a body read or a route looked up. What it knows of a request
is in the request's state: `caller` (worker.management.callers.Caller) and `address`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from feeds.counted import counted
from web.access import bearer_token, caller_of
from web.api.body_text import see_that_it_is_text
from web.api.problems import RequestProblem, invalid
from web.request_body import BodyRefused
from web.wrong_keys import WINDOW_SECONDS as WRONG_SECONDS
from worker import clock
from worker.store.api_requests import KeptAnswer
from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from web.client_address import ClientAddresses
    from web.request_body import BodyReader
    from web.wrong_keys import WrongKeys
    from worker.management.callers import Caller
    from worker.management.keys import KeyRing
    from worker.store.api_requests import ApiRequests

log = structlog.get_logger()

WINDOW_SECONDS = 60
"""In which the requests of a key are counted."""
_NOT_ASKED_SECONDS = 1.0
"""How long a Redis that was away is not asked again for the limits: nobody waits for it."""
_KEY_MOST = 255
"""The longest Idempotency-Key, in characters."""
_NEVER_HELD_UP = re.compile(r"/api/v1/articles/.+/kill", re.DOTALL)
"""What is posted here no limit and no outage holds up."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class ApiLimits:
    """Requests a minute of one key, and the largest body (bytes)."""

    requests: int
    body: int


class Gate:
    """Lets requests with a key in, within its limits. `open_paths`: what needs none."""

    def __init__(
        self,
        application: ASGIApp,
        ring: KeyRing,
        requests: ApiRequests,
        bodies: BodyReader,
        addresses: ClientAddresses,
        wrong_keys: WrongKeys,
        limits: ApiLimits,
        open_paths: frozenset[str],
    ) -> None:
        self._application = application
        self._ring = ring
        self._requests = requests
        self._bodies = bodies
        self._addresses = addresses
        self._limits = limits
        self._open_paths = open_paths
        self._wrong_keys = wrong_keys
        self._outage = Outage(log, part="api")
        self._not_before = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["path"] in self._open_paths:
            await self._application(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            caller = await self._caller(request)
            request.state.caller = caller
            limits = await self._count(request, caller)
            body = await self._body(request)
            self._see_that_it_still_holds(request)
        except RequestProblem as problem:
            await problem.response()(scope, receive, send)
            return
        except BodyRefused as refusal:
            too_much = RequestProblem(refusal.status, refusal.detail, headers=refusal.headers)
            await too_much.response()(scope, receive, send)
            return

        send_with_limits = self._with_limits(request, limits, send)
        whole = _received(body, receive)
        if request.method == "POST" and "idempotency-key" in request.headers:
            await self._once(request, caller, body, whole, send_with_limits)
        else:
            await self._application(scope, whole, send_with_limits)

    def _with_limits(self, request: Request, limits: Mapping[str, str], send: Send) -> Send:
        """Send an answer with the headers that tell of the limits, while the key still holds.

        A question may have waited for a minute for what it is answered. Whoever has changed something is answered all
        the same.
        """
        refused = False

        async def send_with_limits(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start":
                try:
                    if request.method not in _WITH_BODY:
                        self._see_that_it_still_holds(request)
                except RequestProblem as problem:
                    refused = True
                    await problem.response()(request.scope, request.receive, send)
                    return
                headers = MutableHeaders(scope=message)
                for name, value in limits.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return send_with_limits

    async def _caller(self, request: Request) -> Caller:
        address = self._addresses.of(request)
        if not bearer_token(request.headers):
            headers = {"WWW-Authenticate": "Bearer"}
            raise RequestProblem(401, "Send a key: Authorization: Bearer dl_...", headers=headers)
        caller = caller_of(request.headers, self._ring, address)
        if caller is None:
            if not await self._wrong_keys.slow(address):
                raise RequestProblem(429, "Too many wrong keys.", headers={"Retry-After": str(WRONG_SECONDS)})
            raise _wrong_key()
        return caller

    def _see_that_it_still_holds(self, request: Request) -> None:
        """Raise RequestProblem if the key was revoked, or has expired, since the request was let in."""
        if caller_of(request.headers, self._ring, self._addresses.of(request)) is None:
            raise _wrong_key()

    async def _count(self, request: Request, caller: Caller) -> dict[str, str]:
        """Count the request; return the headers that tell of the limit. Raises RequestProblem when it is over."""
        most = self._limits.requests
        now = clock.ms(clock.agreed()) // 1000
        window, left_seconds = now // WINDOW_SECONDS, WINDOW_SECONDS - now % WINDOW_SECONDS
        used = await self._used(caller.key_id or caller.name, window)
        headers = {
            "RateLimit-Policy": f'"key";q={most};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={max(0, most - used)};t={left_seconds}',
        }
        if used > most and not _is_kill(request.scope):
            raise RequestProblem(
                429,
                f"This key may make {counted(most, 'request', 'requests')} a minute.",
                headers={**headers, "Retry-After": str(left_seconds)},
            )
        return headers

    async def _used(self, name: str, window: int) -> int:
        """How many requests were made in a window; 0 while Redis is away: then nobody is limited."""
        if time.monotonic() < self._not_before:
            return 0
        try:
            used = await run_in_threadpool(self._requests.count, name, window, 2 * WINDOW_SECONDS)
        except RedisError as error:
            self._not_before = time.monotonic() + _NOT_ASKED_SECONDS
            self._outage.met(error, "the requests of keys are not limited")
            return 0
        self._outage.over()
        return used

    async def _body(self, request: Request) -> bytes:
        if request.method not in _WITH_BODY:
            return b""
        body = await self._bodies.read(request, self._limits.body, self._addresses.of(request), authenticated=True)
        see_that_it_is_text(body.content)
        return body.content

    async def _once(self, request: Request, caller: Caller, body: bytes, receive: Receive, send: Send) -> None:
        """Have a request carried out once, however often it is sent under its Idempotency-Key."""
        scope, key, name = request.scope, request.headers["idempotency-key"], caller.key_id or caller.name
        if not 0 < len(key) <= _KEY_MOST:
            problem = invalid("Idempotency-Key", f"must have 1 to {_KEY_MOST} characters")
            await problem.response()(scope, receive, send)
            return
        digest = sha256(b"\0".join((request.url.path.encode(), request.url.query.encode(), body))).hexdigest()
        try:
            before = await run_in_threadpool(self._requests.begin, name, key, digest)
        except RedisError:
            if _is_kill(scope):
                await self._application(scope, receive, send)
                return
            detail = "Redis does not answer, so a request can't be kept from being carried out twice; try again."
            problem = RequestProblem(503, detail, headers={"Retry-After": "5"})
            await problem.response()(scope, receive, send)
            return
        if before is not None:
            await _again(before, digest, scope, receive, send)
            return
        collected: list[Message] = []
        answer: KeptAnswer | None = None
        try:

            async def collect(message: Message) -> None:
                collected.append(message)

            await self._application(scope, receive, collect)
            answer = _answer_to_keep(digest, collected, secret=getattr(request.state, "shows_secret", False))
        finally:
            try:
                await run_in_threadpool(self._requests.finish, name, key, answer)
            except RedisError as error:
                self._outage.met(error, "what was answered is not kept")
        for message in collected:
            await send(message)


def _is_kill(scope: Scope) -> bool:
    return scope["method"] == "POST" and _NEVER_HELD_UP.fullmatch(scope["path"]) is not None


def _wrong_key() -> RequestProblem:
    return RequestProblem(401, "This key is not valid.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _received(body: bytes, receive: Receive) -> Receive:
    """Give out a body that was read, and then what else comes."""
    given_out = False

    async def next_message() -> Message:
        nonlocal given_out
        if not given_out:
            given_out = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return next_message


def _answer_to_keep(digest: str, messages: list[Message], *, secret: bool) -> KeptAnswer | None:
    """What is kept of an answer; nothing of one that says to try again. A secret is never kept."""
    status = int(messages[0]["status"])
    if status >= 500 or status == 429:
        return None
    if secret and status < 300:
        return KeptAnswer(digest, 409)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in messages[0]["headers"])
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return KeptAnswer(digest, status, headers, body.decode("utf-8", "replace"))


async def _again(before: KeptAnswer, digest: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request that was sent before as it was answered then."""
    if before.digest != digest:
        problem = invalid("Idempotency-Key", "was used for another request; make a new one")
    elif before.status == 0:
        detail = "This request is under way; send it again in a moment."
        problem = RequestProblem(409, detail, headers={"Retry-After": "1"})
    elif before.status == 409 and not before.body:
        problem = RequestProblem(409, "This was done before. Its answer had a secret, which is shown only once.")
    else:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in before.headers]
        headers.append((b"idempotent-replayed", b"true"))
        await send({"type": "http.response.start", "status": before.status, "headers": headers})
        await send({"type": "http.response.body", "body": before.body.encode()})
        return
    await problem.response()(scope, receive, send)
