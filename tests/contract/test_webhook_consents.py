"""Endpoints that are asked before anything is pushed to them (CloudEvents webhooks)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from contract.caller import Caller
from contract.misbehaving import PATIENCE, Call, MisbehavingReceiver, answer
from contract.test_auth import Conversation, settings

from worker.destinations.endpoint import Endpoint, configured
from worker.destinations.http import HttpDestination
from worker.destinations.sender import Sender
from worker.outbound.guard import Guard
from worker.outbound.oauth2_tokens import Tokens
from worker.outbound.webhook_consents import Consents


class AskedReceiver(MisbehavingReceiver):
    """Answers OPTIONS with `consent`, header lines, and a status that says nothing; takes what is posted."""

    def __init__(self) -> None:
        self.consent: list[str] = []
        super().__init__()

    async def _do_events(self, call: Call) -> None:
        asked = self.requests[-1].line.startswith("OPTIONS")
        answer(call.writer, 404 if asked else 204, b"", *(self.consent if asked else ()))

    def lines(self) -> list[str]:
        """The methods of what came, in order."""
        return [request.line.split(" ")[0] for request in self.requests]


@pytest.fixture
def receiver() -> Iterator[AskedReceiver]:
    receiver = AskedReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def sender(caller: Caller) -> Iterator[Sender]:
    tokens, consents = Tokens(caller.engine, 5), Consents(caller.engine, 5)
    yield Sender(tokens, consents, "herald.example", caller.engine, Guard(), None)
    caller.engine.stop(0)
    tokens.stop()
    consents.stop()


def endpoint(receiver: AskedReceiver, sender: Sender, **more: Any) -> Endpoint:
    return configured(settings(f"{receiver.url}/events", handshake=True, **more), sender)


def converse(caller: Caller, asked: Endpoint) -> Conversation:
    """Serve the endpoint as often as it takes until it has been asked."""
    end = time.monotonic() + PATIENCE
    while True:
        conversation = Conversation(caller, asked)
        if conversation.settlement.reason != "waiting for the receiver's consent":
            return conversation
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "consent",
    [
        ["WebHook-Allowed-Origin: herald.example", "WebHook-Allowed-Rate: *"],
        ["WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: 120"],
        ["webhook-allowed-origin: Herald.Example"],
    ],
)
def test_a_receiver_that_consents_gets_our_events(
    caller: Caller, receiver: AskedReceiver, sender: Sender, consent: list[str]
) -> None:
    receiver.consent = consent
    for _ in range(2):
        assert converse(caller, endpoint(receiver, sender, rate=2)).word == "delivered"
    assert receiver.lines() == ["OPTIONS", "POST", "POST"]
    question, *pushes = receiver.requests
    assert question.headers["webhook-request-origin"] == "herald.example"
    assert question.headers["webhook-request-rate"] == "120"
    assert [push.headers["origin"] for push in pushes] == ["herald.example"] * 2


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        ([], "its answer has no WebHook-Allowed-Origin"),
        (["WebHook-Allowed-Origin: other.example"], "it names the origin 'other.example', and we are herald.example"),
        (["WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: often"], "is no number of requests a minute"),
        (["WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: 60"], "it takes 60 requests a minute: set rate = 1, or"),
    ],
)
def test_a_receiver_that_does_not_consent_gets_nothing(
    caller: Caller, receiver: AskedReceiver, sender: Sender, consent: list[str], reason: str
) -> None:
    receiver.consent = consent
    conversation = converse(caller, endpoint(receiver, sender, rate=2))
    assert conversation.word == "retry"
    assert reason in conversation.session.attempts[0].attempt.error
    converse(caller, endpoint(receiver, sender, rate=2))
    assert receiver.lines() == ["OPTIONS"]


def test_its_pages_are_read_back_without_its_consent(receiver: AskedReceiver, sender: Sender) -> None:
    destination = endpoint(receiver, sender, headers={"X-Api-Key": "k3y"}).destination
    assert isinstance(destination, HttpDestination)
    identity = destination.identity
    assert identity is not None
    page = identity(requests.Request("GET", f"{receiver.url}/page").prepare())
    assert (page.headers["x-api-key"], "origin" in page.headers) == ("k3y", False)
    assert receiver.lines() == []


def test_a_receiver_that_can_not_be_asked_gets_nothing(caller: Caller, sender: Sender) -> None:
    gone = AskedReceiver()
    gone.close()
    conversation = converse(caller, endpoint(gone, sender))
    assert conversation.word == "retry"
    assert conversation.session.attempts[0].attempt.error.startswith("no consent: ")
