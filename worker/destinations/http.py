"""Pushes over HTTP: a request for each message, authenticated and signed (Standard Webhooks)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

import requests

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings, pem_text
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.outbound.auth import BearerAuth, Identity, basic
from worker.outbound.oauth2_tokens import OAuth2Client
from worker.outbound.requests_adapter import header_lines
from worker.outbound.signing import webhook_headers
from worker.outbound.transfer import DEFAULT_TLS, Tls, Transfer
from worker.outbound.webhook_consents import Question

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from config.credentials import TlsSettings
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.outbound.transfer import Answer
    from worker.outbound.webhook_consents import Consent

TEST_HEADER = "Dateline-Test: 1"
"""In the requests of tests."""


@dataclass(frozen=True)
class HttpDestination:
    """An address to which messages are posted. `secrets` sign them (Standard Webhooks), if there are any."""

    look: ClassVar[None] = None
    """Only its page shows what a partner has, which is read back by `check_url`."""

    url: str
    media_type: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    identity: Identity | None = None
    """How it recognises us beside the signature: credentials and headers of its own."""
    consent: Consent | None = None
    """Whether it wants our pushes, where it is to be asked. Its pages are read back without."""
    tls: Tls = DEFAULT_TLS
    gzip: bool = False
    """Whether bodies are compressed."""

    @cached_property
    def request(self) -> requests.PreparedRequest:
        """What all requests begin with, without a body."""
        headers = {"Content-Type": self.media_type}
        if self.gzip:
            headers["Content-Encoding"] = "gzip"
        return requests.Request("POST", self.url, headers=headers).prepare()

    @cached_property
    def header_lines(self) -> tuple[str, ...]:
        """The header lines of `request`."""
        return tuple(header_lines(self.request))

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the request that pushes a message, complete: authenticated and signed.

        The answer comes with our secrets removed should it repeat them. Raises RequestPending and RequestImpossible.
        """
        lines = [*self.header_lines]
        if self.consent or self.identity:
            request = self.request.copy()
            for addition in filter(None, (self.consent, self.identity)):
                request = addition(request)
            lines = header_lines(request)
        if self.identity:
            on_answer = partial(self._inspect, request.headers.get("Authorization", ""), on_answer)
        if delivery.replay_id:
            lines.append(f"Dateline-Replay: {delivery.replay_id}")
        if delivery.test:
            lines.append(TEST_HEADER)
        if self.secrets:
            # The signature is of the text: servers undo the content coding before the partner's verifier sees it.
            signature = webhook_headers(self.secrets, message.id, int(time.time()), message.text)
            lines += [f"{name}: {value}" for name, value in signature.items()]
        else:
            lines.append(f"webhook-id: {message.id}")
        return Transfer(self.url, message.payload, lines, delivery.timeout, delivery.deadline, on_answer, tls=self.tls)

    def _inspect(self, authorization: str, on_answer: OnAnswer, answer: Answer) -> None:
        assert self.identity is not None
        self.identity.inspect(authorization, answer)
        on_answer(answer)


def destination(settings: EndpointSettings, sender: Sender) -> HttpDestination:
    """Return the destination that the settings describe."""
    secrets = tuple(secret.get_secret_value() for secret in settings.secret)
    formats = ARTICLE_FORMATS if settings.mode == "article" else FEED_FORMATS
    return HttpDestination(
        settings.url,
        formats[settings.format].media_type,
        (*secrets, *(sender.signing_keys if settings.public_signature else ())),
        identity=_identity(settings, sender),
        consent=_consent(settings, sender),
        tls=tls_of(settings.tls),
        gzip=settings.gzip,
    )


def _identity(settings: EndpointSettings, sender: Sender) -> Identity | None:
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    auth: AuthBase | None = None
    hidden: tuple[str, ...] = ()
    match settings.auth:
        case BasicSettings(username=username, password=password):
            hidden = (username.get_secret_value(), password.get_secret_value())
            auth = basic(*hidden)
        case BearerSettings(token=token):
            auth = BearerAuth(token.get_secret_value())
        case OAuth2Settings() as oauth2:
            client = OAuth2Client(
                oauth2.token_url,
                oauth2.client_id.get_secret_value(),
                oauth2.client_secret.get_secret_value(),
                scope=oauth2.scope,
                audience=oauth2.audience,
                in_body=oauth2.client_auth == "body",
                tls=tls_of(oauth2.tls),
            )
            hidden = (client.secret,)
            auth = sender.tokens.auth_for(client)
    return Identity(auth, headers, hidden) if auth or headers else None


def _consent(settings: EndpointSettings, sender: Sender) -> Consent | None:
    if not settings.handshake:
        return None
    per_minute = None if settings.rate is None else max(1, round(settings.rate * 60))
    return sender.consents.consent_to(Question(settings.url, sender.origin, per_minute, tls_of(settings.tls)))


def tls_of(settings: TlsSettings) -> Tls:
    """Return the certificates that the settings name, for the engine."""
    # The engine recognises the default by its identity, and spends nothing on it.
    if not settings.model_fields_set:
        return DEFAULT_TLS
    return Tls(True, *(None if pem is None else pem_text(pem) for pem in (settings.ca, settings.cert, settings.key)))
