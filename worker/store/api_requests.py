"""Requests to the API: how many each key makes, and what was answered to those with an Idempotency-Key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

ANSWERS_KEPT_SECONDS = 86_400
"""How long an answer is kept for a request that is sent again."""
_UNDER_WAY_SECONDS = 120
"""How long a request may be under way; when its process has died, it may be sent again after that."""


class KeptAnswer(NamedTuple):
    """What was answered to a request. `digest`: of that request. `status`: 0 while it is under way."""

    digest: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


class ApiRequests:
    """The requests of all keys."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def count(self, caller: str, window: int, seconds: int) -> int:
        """Count a request in a window of time; return how many there were in it, with this one."""
        name = keys.api_requests(caller, window)
        pipe = self._client.pipeline(transaction=False)
        pipe.incr(name)
        pipe.expire(name, seconds)
        count, _ = pipe.execute()
        return int(count)

    def begin(self, caller: str, idempotency_key: str, digest: str) -> KeptAnswer | None:
        """Begin a request, unless one was sent under this key before; return what that was answered."""
        name = keys.api_answer(caller, idempotency_key)
        if self._client.set(name, _text(KeptAnswer(digest)), nx=True, ex=_UNDER_WAY_SECONDS):
            return None
        text = self._client.get(name)
        # It may have expired meanwhile: then the client is asked to send it again.
        return _parse(text) if text else KeptAnswer(digest)

    def finish(self, caller: str, idempotency_key: str, answer: KeptAnswer | None) -> None:
        """Keep what a request is answered; None: nothing was done, and it may be sent again."""
        name = keys.api_answer(caller, idempotency_key)
        if answer is None:
            self._client.delete(name)
        else:
            self._client.set(name, _text(answer), ex=ANSWERS_KEPT_SECONDS)


def _text(answer: KeptAnswer) -> str:
    return json.dumps(answer)


def _parse(text: str) -> KeptAnswer:
    digest, status, headers, body = json.loads(text)
    pairs: list[Any] = headers
    return KeptAnswer(digest, status, tuple((name, value) for name, value in pairs), body)
