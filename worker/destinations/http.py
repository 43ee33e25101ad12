"""Pushes over HTTP: an endpoint as its settings describe it, and the request that pushes a message to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

import requests

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.rights import EVERYTHING, Rights
from worker.outbound.auth import BearerAuth, Identity, basic
from worker.outbound.oauth2_tokens import OAuth2Client
from worker.outbound.requests_adapter import header_lines
from worker.outbound.signing import webhook_headers
from worker.outbound.transfer import DEFAULT_TLS, Tls, Transfer
from worker.outbound.webhook_consents import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from config.credentials import TlsSettings
    from config.endpoint_settings import EndpointSettings
    from config.settings import Settings
    from worker.destinations.interface import Message
    from worker.outbound.oauth2_tokens import Tokens
    from worker.outbound.transfer import Answer
    from worker.outbound.webhook_consents import Consent, Consents


@dataclass(frozen=True)
class Endpoint:
    """One partner endpoint as the settings have it. `secrets` sign its pushes (Standard Webhooks), if there are any."""

    name: str
    feed: str
    format: str
    url: str
    mode: Literal["article", "feed"]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    concurrency: int = 1
    """How many articles may be in flight at once."""
    rate: float | None = None
    """Attempts a second at the most; None: no limit."""
    identity: Identity | None = None
    """How it recognises us beside the signature: credentials and headers of its own."""
    consent: Consent | None = None
    """Whether it wants our pushes, where it is to be asked. Its pages are read back without."""
    tls: Tls = DEFAULT_TLS
    gzip: bool = False
    """Whether bodies are compressed."""
    rights: Rights = EVERYTHING
    """How much of an article it may have."""
    delay: int = 0
    """How long after a change it may get it, in ms."""
    early: bool = False
    """Whether it may have articles before their embargo ends, in mode "article"."""
    pulled: bool = False
    """Whether its partner reads it for itself: nothing is pushed."""
    check_url: str = ""
    """The page on which it shows an article, with `{id}` or `{slug}` in it: read back after a kill. Empty: none."""

    @cached_property
    def request(self) -> requests.PreparedRequest:
        """What all requests to this endpoint begin with, without a body."""
        formats = ARTICLE_FORMATS if self.mode == "article" else FEED_FORMATS
        headers = {"Content-Type": formats[self.format].media_type}
        if self.gzip:
            headers["Content-Encoding"] = "gzip"
        return requests.Request("POST", self.url, headers=headers).prepare()

    @cached_property
    def header_lines(self) -> tuple[str, ...]:
        """The header lines of `request`."""
        return tuple(header_lines(self.request))

    def push(
        self, message: Message, on_answer: Callable[[Answer], None], *, replay_id: str, timeout: float, deadline: float
    ) -> Transfer:
        """Return the request that pushes a message, complete: authenticated and signed.

        `on_answer` gets the answer, in the engine's thread, with our secrets removed should the answer repeat them.
        `replay_id`: the replay that the push belongs to, if any. `timeout` in seconds, `deadline` in monotonic seconds.
        Raises RequestPending and RequestImpossible (worker/outbound/errors.py).
        """
        lines = [*self.header_lines]
        if self.consent or self.identity:
            request = self.request.copy()
            for addition in filter(None, (self.consent, self.identity)):
                request = addition(request)
            lines = header_lines(request)
        if self.identity:
            on_answer = partial(self._inspect, request.headers.get("Authorization", ""), on_answer)
        if replay_id:
            lines.append(f"Dateline-Replay: {replay_id}")
        if self.secrets:
            # The signature is of the text: servers undo the content coding before the partner's verifier sees it.
            signature = webhook_headers(self.secrets, message.id, int(time.time()), message.text)
            lines += [f"{name}: {value}" for name, value in signature.items()]
        else:
            lines.append(f"webhook-id: {message.id}")
        return Transfer(self.url, message.payload, lines, timeout, deadline, on_answer, tls=self.tls)

    def _inspect(self, authorization: str, on_answer: Callable[[Answer], None], answer: Answer) -> None:
        assert self.identity is not None
        self.identity.inspect(authorization, answer)
        on_answer(answer)


class Sender(NamedTuple):
    """What requests of ours are made with, whoever they go to.

    `origin`: the DNS name by which we ask for consent. `signing_keys`: Ed25519 keys, `whsk_` and base64.
    """

    tokens: Tokens
    consents: Consents
    origin: str
    signing_keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, tokens: Tokens, consents: Consents) -> Sender:
        """Return the newsroom with these settings as a sender."""
        keys = tuple(key.get_secret_value() for key in settings.signing_keys)
        return cls(tokens, consents, urlsplit(settings.site.base_url).hostname or "", keys)


def configured(settings: EndpointSettings, sender: Sender) -> Endpoint:
    """Return the endpoint that the settings describe."""
    if settings.kind == "pull":
        return pulled(settings)
    secrets = tuple(secret.get_secret_value() for secret in settings.secret)
    return Endpoint(
        settings.name,
        settings.feed,
        settings.format,
        settings.url,
        settings.mode,
        (*secrets, *(sender.signing_keys if settings.public_signature else ())),
        concurrency=settings.concurrency,
        rate=settings.rate,
        identity=_identity(settings, sender),
        consent=_consent(settings, sender),
        tls=_tls(settings.tls),
        gzip=settings.gzip,
        rights=settings.rights.rights(),
        delay=_delay(settings),
        early=settings.rights.early,
        check_url=settings.check_url,
    )


def pulled(settings: EndpointSettings) -> Endpoint:
    """Return the endpoint that the settings describe, whose partner reads it for itself."""
    rights = settings.rights
    return Endpoint(
        settings.name,
        settings.feed,
        settings.format,
        "",
        settings.mode,
        rights=rights.rights(),
        delay=_delay(settings),
        early=rights.early,
        pulled=True,
    )


def _delay(settings: EndpointSettings) -> int:
    delay = settings.rights.delay
    return int(delay.total_seconds() * 1000) if delay else 0


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
                tls=_tls(oauth2.tls),
            )
            hidden = (client.secret,)
            auth = sender.tokens.auth_for(client)
    return Identity(auth, headers, hidden) if auth or headers else None


def _consent(settings: EndpointSettings, sender: Sender) -> Consent | None:
    if not settings.handshake:
        return None
    per_minute = None if settings.rate is None else max(1, round(settings.rate * 60))
    return sender.consents.consent_to(Question(settings.url, sender.origin, per_minute, _tls(settings.tls)))


def _tls(settings: TlsSettings) -> Tls:
    paths = (str(path) if path else None for path in (settings.ca, settings.cert, settings.key))
    # The engine recognises the default by its identity, and spends nothing on it.
    return Tls(True, *paths) if settings.model_fields_set else DEFAULT_TLS
