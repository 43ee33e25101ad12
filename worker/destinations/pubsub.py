"""Topics of Google Cloud Pub/Sub: a message for each change of an article, with its id as the ordering key.

Subscriptions that have ordering enabled get the messages of one key in the order in which Pub/Sub took them in one
region. We are let in by a token that we sign for ourselves, so nobody else has to be asked for one.

Source: Pub/Sub REST reference v1, "projects.topics.publish"; Google AIP-4111 (self-signed JWTs); RFC 7519.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from feeds.formats import ARTICLE_FORMATS
from worker import clock
from worker.destinations.brokers import RequestBroker, describe, properties
from worker.destinations.http import tls_of
from worker.destinations.steps import Step, refused
from worker.outbound.transfer import DEFAULT_TLS

if TYPE_CHECKING:
    from typing import Any

    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer, Tls

_AUDIENCE = "https://pubsub.googleapis.com/google.pubsub.v1.Publisher"
_TOKEN_SECONDS = 3600
_RENEWED_SECONDS = 600
"""So long before it ends a token is made anew."""
_KEY_BYTES = 1024
"""How long an ordering key may be."""


class Account:
    """A service account. Any thread may use it."""

    def __init__(self, credentials: str) -> None:
        self._key: dict[str, Any] = json.loads(credentials)
        self._lock = Lock()
        self._token = ""
        self._renew = 0.0

    def token(self) -> str:
        """Return a token that is good for some minutes."""
        with self._lock:
            if time.monotonic() >= self._renew:
                self._token = self._signed()
                self._renew = time.monotonic() + _TOKEN_SECONDS - _RENEWED_SECONDS
            return self._token

    def _signed(self) -> str:
        from joserfc import jwt
        from joserfc.jwk import RSAKey

        email, now = self._key["client_email"], int(clock.agreed().timestamp())
        header = {"alg": "RS256", "kid": self._key["private_key_id"], "typ": "JWT"}
        claims = {"iss": email, "sub": email, "aud": _AUDIENCE, "iat": now, "exp": now + _TOKEN_SECONDS}
        return jwt.encode(header, claims, RSAKey.import_key(self._key["private_key"]))


class Topic(RequestBroker):
    """One topic, at `url`."""

    def __init__(self, engine: Engine, url: str, account: Account, media_type: str, *, tls: Tls = DEFAULT_TLS) -> None:
        super().__init__(engine, tls=tls)
        self._address = f"{url}:publish"
        self._account = account
        self._media_type = media_type

    def step(self, message: Message, delivery: Delivery) -> Step:
        """Return the request that publishes a message."""
        assert message.article is not None
        key = message.article.id
        sent = {
            "data": b64encode(message.text).decode(),
            "attributes": properties(message, delivery, self._media_type),
            "orderingKey": key if len(key.encode()) <= _KEY_BYTES else sha256(key.encode()).hexdigest(),
        }
        headers = ("Content-Type: application/json", f"Authorization: Bearer {self._account.token()}")
        return Step("POST", self._address, json.dumps({"messages": [sent]}).encode(), headers)

    def judged(self, answer: Answer) -> Answer:
        """Return an answer of Pub/Sub in the words of all destinations."""
        if answer.fault or answer.status == 200:
            return answer
        try:
            error = json.loads(answer.body)["error"]
            code, reason = str(error["status"]), str(error.get("message", ""))
        except (ValueError, TypeError, KeyError):
            code = reason = ""
        describe(answer, code, reason)
        # There is no such topic, or it is on its way to be deleted.
        return refused(answer, denied=answer.status in {401, 403, 404})


def destination(settings: EndpointSettings, sender: Sender) -> Topic:
    """Return the topic that the settings of an endpoint describe."""
    pubsub = settings.pubsub
    assert pubsub is not None
    account = Account(pubsub.credentials.get_secret_value())
    media_type = ARTICLE_FORMATS[settings.format].media_type
    return Topic(sender.engine, settings.url, account, media_type, tls=tls_of(settings.tls))
