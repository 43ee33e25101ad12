"""Queues of Amazon SQS: a message for each change of an article, by a request that libcurl signs.

In a FIFO queue the messages of one article are a group (MessageGroupId), which keeps their order, and a repetition is
dropped for five minutes (MessageDeduplicationId is the id of the push). Other queues keep neither.

Source: Amazon SQS API reference, "SendMessage" (AWS JSON 1.0 protocol), "Common errors".
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from feeds.formats import ARTICLE_FORMATS
from worker.destinations.brokers import RequestBroker, describe, properties
from worker.destinations.http import tls_of
from worker.destinations.steps import Step, refused
from worker.outbound.transfer import DEFAULT_TLS, SigV4, Tls

if TYPE_CHECKING:
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer

_HEADERS = ("Content-Type: application/x-amz-json-1.0", "X-Amz-Target: AmazonSQS.SendMessage")
_GROUP = re.compile(r"[!-~]{1,128}")
_FOR_A_PERSON = frozenset(
    {
        *("QueueDoesNotExist", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"),
        *("AccessDenied", "AccessDeniedException", "InvalidAddress", "InvalidSecurity", "IncompleteSignature"),
        *("MissingAuthenticationToken", "OptInRequired", "KmsAccessDenied", "KmsDisabled", "KmsNotFound"),
    }
)
"""What no repetition mends, beside a 401 or 403."""
_LATER = frozenset({"RequestThrottled", "ThrottlingException", "KmsThrottled", "OverLimit", "RequestExpired"})
"""What comes with a 400 and goes by."""


class Queue(RequestBroker):
    """One queue. `url`: its own address, which is part of each request; the request goes to the root of its host."""

    def __init__(self, engine: Engine, url: str, sigv4: SigV4, media_type: str, *, tls: Tls = DEFAULT_TLS) -> None:
        super().__init__(engine, sigv4=sigv4, tls=tls)
        self._url = url
        self._root = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/"
        self._is_fifo = url.endswith(".fifo")
        self._media_type = media_type

    def step(self, message: Message, delivery: Delivery) -> Step:
        """Return the request that puts a message into the queue."""
        assert message.article is not None
        words = properties(message, delivery, self._media_type)
        attributes = {
            name: {"DataType": "Number" if name == "article-version" else "String", "StringValue": value}
            for name, value in words.items()
        }
        sent = {"QueueUrl": self._url, "MessageBody": message.text.decode(), "MessageAttributes": attributes}
        if self._is_fifo:
            sent["MessageGroupId"] = _name_for(message.article.id)
            # What is sent again because somebody has ordered it is no repetition.
            sent["MessageDeduplicationId"] = _name_for(f"{message.id}{delivery.replay_id}")
        return Step("POST", self._root, json.dumps(sent, ensure_ascii=False).encode(), _HEADERS)

    def judged(self, answer: Answer) -> Answer:
        """Return an answer of SQS in the words of all destinations."""
        if answer.fault or answer.status == 200:
            return answer
        try:
            error = json.loads(answer.body)
            code = str(error["__type"]).rpartition("#")[2]
            reason = str(error.get("message") or error.get("Message") or "")
        except (ValueError, TypeError, KeyError):
            code = reason = ""
        # What it says of a wrong signature repeats what was signed.
        describe(answer, code, "" if code == "SignatureDoesNotMatch" else reason)
        if code in _LATER:
            answer.status = 429
        return refused(answer, denied=answer.status in {301, 307, 401, 403} or code in _FOR_A_PERSON)


def _name_for(text: str) -> str:
    """Return a text as a name of SQS: itself, or where it has other characters or is long, a digest."""
    return text if _GROUP.fullmatch(text) else sha256(text.encode()).hexdigest()


def destination(settings: EndpointSettings, sender: Sender) -> Queue:
    """Return the queue that the settings of an endpoint describe."""
    sqs = settings.sqs
    assert sqs is not None
    return Queue(
        sender.engine,
        settings.url,
        SigV4(sqs.key_id.get_secret_value(), sqs.secret.get_secret_value(), sqs.region, "sqs"),
        ARTICLE_FORMATS[settings.format].media_type,
        tls=tls_of(settings.tls),
    )
