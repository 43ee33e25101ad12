"""Queues and topics of Azure Service Bus: a message for each change of an article, in a session of its own.

Whoever reads an entity with sessions gets the messages of one session (SessionId) in their order, one reader at a time.
Where duplicates are detected, a repetition (MessageId, which is the id of the push) is dropped.

Source: Service Bus REST API, "Send Message"; "Service Bus access control with Shared Access Signatures".
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from feeds.formats import ARTICLE_FORMATS
from worker import clock
from worker.destinations.brokers import RequestBroker, describe, properties
from worker.destinations.http import tls_of
from worker.destinations.steps import Step, refused
from worker.outbound.transfer import DEFAULT_TLS

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer, Tls

_SIGNED_SECONDS = 600
_NAME_LENGTH = 128
"""How long a SessionId or a MessageId may be."""
_DETAIL = re.compile(rb"<Detail>(.*?)</Detail>", re.DOTALL)
_TOO_LARGE = re.compile(r"too large|exceed\w* the (?:\w+ )*size|size limit|MessageSizeExceeded", re.IGNORECASE)
_QUOTA = re.compile(r"quota|QuotaExceeded", re.IGNORECASE)


class Entity(RequestBroker):
    """One queue or topic, at `url`."""

    def __init__(
        self, engine: Engine, url: str, policy: str, key: str, media_type: str, *, tls: Tls = DEFAULT_TLS
    ) -> None:
        super().__init__(engine, tls=tls)
        self._url = url.rstrip("/")
        self._policy = policy
        self._key = key.encode()
        self._media_type = media_type

    def step(self, message: Message, delivery: Delivery) -> Step:
        """Return the request that sends a message."""
        assert message.article is not None
        words = properties(message, delivery, self._media_type)
        # What is sent again because somebody has ordered it is no repetition.
        broker = {
            "MessageId": _name_for(f"{message.id}{delivery.replay_id}"),
            "SessionId": _name_for(message.article.id),
            "Label": message.status,
        }
        own = {name: value for name, value in words.items() if name != "content-type"}
        headers = (
            f"Authorization: {self._signature()}",
            f"Content-Type: {self._media_type}",
            f"BrokerProperties: {json.dumps(broker)}",
            *(f"{name}: {value if name == 'article-version' else json.dumps(value)}" for name, value in own.items()),
        )
        return Step("POST", f"{self._url}/messages", message.text, headers)

    def _signature(self) -> str:
        until = int(clock.agreed().timestamp()) + _SIGNED_SECONDS
        resource = quote_plus(self._url)
        signed = b64encode(hmac.digest(self._key, f"{resource}\n{until}".encode(), "sha256")).decode()
        return f"SharedAccessSignature sr={resource}&sig={quote_plus(signed)}&se={until}&skn={quote_plus(self._policy)}"

    def judged(self, answer: Answer) -> Answer:
        """Return an answer of Service Bus in the words of all destinations."""
        if answer.fault or answer.status == 201:
            answer.status = 200 if answer.status == 201 else answer.status
            return answer
        detail = _DETAIL.search(answer.body)
        reason = detail[1].decode(errors="replace") if detail else ""
        describe(answer, "", reason)
        # Of what is too large, or finds the entity full, it says 403 as well.
        if answer.status == 403 and _TOO_LARGE.search(reason):
            answer.status = 413
        elif answer.status == 403 and _QUOTA.search(reason):
            answer.status = 507
        return refused(answer, denied=answer.status in {401, 403, 404, 410})


def _name_for(text: str) -> str:
    """Return a text as a name of Service Bus: itself, or where it is long, a digest."""
    return text if len(text) <= _NAME_LENGTH else sha256(text.encode()).hexdigest()


def destination(settings: EndpointSettings, sender: Sender) -> Entity:
    """Return the queue or topic that the settings of an endpoint describe."""
    own = settings.service_bus
    assert own is not None
    media_type = ARTICLE_FORMATS[settings.format].media_type
    return Entity(
        sender.engine, settings.url, own.policy, own.key.get_secret_value(), media_type, tls=tls_of(settings.tls)
    )
