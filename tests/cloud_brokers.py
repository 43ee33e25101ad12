"""Models of Google Cloud Pub/Sub and Azure Service Bus for tests: who signs is checked, and what is kept is told."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote_plus

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from receiver import Answer, Receiver, Request

_NUMBERS = count(1)
POLICY, KEY = "send", "a-service-bus-key"


class Kept(NamedTuple):
    """A message that a model has. `group`: what its order is kept by; `id`: by what a repetition is known."""

    group: str
    id: str
    text: str
    properties: dict[str, Any]


class PubSub:
    """A topic, and the JSON key of the account that may publish to it."""

    def __init__(self, receiver: Receiver) -> None:
        path = f"/v1/projects/herald-2026/topics/news{next(_NUMBERS)}"
        self.url = f"{receiver.url}{path}"
        self.kept: list[Kept] = []
        self.answer: Callable[[Request], Answer | None] = lambda _: None
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._public = RSAKey.import_key(pem)
        self.email = "dateline@herald-2026.iam.gserviceaccount.example"
        self.credentials = json.dumps({"client_email": self.email, "private_key_id": "k1", "private_key": pem})
        receiver.behave[f"{path}:publish"] = self._publish

    def _publish(self, request: Request) -> Answer:
        try:
            token = jwt.decode(request.headers["authorization"].removeprefix("Bearer "), self._public)
        except (JoseError, ValueError):
            return _google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        assert token.claims["aud"] == "https://pubsub.googleapis.com/google.pubsub.v1.Publisher"
        assert (token.claims["iss"], token.header["kid"]) == (self.email, "k1")
        assert token.claims["exp"] - token.claims["iat"] <= 3600
        if (answer := self.answer(request)) is not None:
            return answer
        (message,) = json.loads(request.body)["messages"]
        text = b64decode(message["data"]).decode()
        attributes = message["attributes"]
        self.kept.append(Kept(message["orderingKey"], attributes["message-id"], text, attributes))
        return 200, json.dumps({"messageIds": [str(len(self.kept))]}).encode()


def _google(status: int, code: str, message: str) -> Answer:
    return status, json.dumps({"error": {"code": status, "message": message, "status": code}}).encode()


class ServiceBus:
    """A queue with sessions, in which duplicates are detected."""

    def __init__(self, receiver: Receiver) -> None:
        path = f"/news{next(_NUMBERS)}"
        self.url = f"{receiver.url}{path}"
        self.kept: list[Kept] = []
        self.answer: Callable[[Request], Answer | None] = lambda _: None
        receiver.behave[f"{path}/messages"] = self._send

    def _send(self, request: Request) -> Answer:
        scheme, _, parameters = request.headers["authorization"].partition(" ")
        signed = dict(parse_qsl(parameters))
        resource = quote_plus(signed["sr"])
        expected = hmac.digest(KEY.encode(), f"{resource}\n{signed['se']}".encode(), "sha256")
        if (scheme, signed["sr"], signed["skn"]) != ("SharedAccessSignature", self.url, POLICY) or not (
            hmac.compare_digest(b64encode(expected).decode(), signed["sig"])
        ):
            return (
                401,
                b"<Error><Code>401</Code><Detail>InvalidSignature: The token is not valid.</Detail></Error>",
            )
        if (answer := self.answer(request)) is not None:
            return answer
        broker = json.loads(request.headers["brokerproperties"])
        own = {name: json.loads(request.headers[name]) for name in request.headers if name in _OWN}
        if broker["MessageId"] not in {one.id for one in self.kept}:
            kept = Kept(
                broker["SessionId"], broker["MessageId"], request.body.decode(), own | {"label": broker["Label"]}
            )
            self.kept.append(kept)
        return 201, b""


_OWN = {"article-id", "article-version", "status", "message-id", "dateline-replay", "dateline-test"}
