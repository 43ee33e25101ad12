"""An HTTP endpoint: where it is, how it is spoken to, and the request that pushes a message to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

import requests

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.rights import EVERYTHING, Rights
from worker.outbound.auth import BearerAuth, Identity, basic
from worker.outbound.oauth2_tokens import OAuth2Client
from worker.outbound.requests_adapter import header_lines
from worker.outbound.signing import webhook_headers
from worker.outbound.transfer import DEFAULT_TLS, Tls, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from config.credentials import TlsSettings
    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Message
    from worker.outbound.oauth2_tokens import Tokens
    from worker.outbound.transfer import Answer


@dataclass(frozen=True)
class Endpoint:
    """One partner endpoint as the settings have it. Secrets sign (Standard Webhooks); without one nothing is signed."""

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
    """What is said of us beside the signature."""
    tls: Tls = DEFAULT_TLS
    gzip: bool = False
    """Whether bodies are compressed."""
    rights: Rights = EVERYTHING
    """How much of an article it may have."""
    delay: int = 0
    """How long after a change it is told of it, in ms."""
    early: bool = False
    """Whether it may have articles before their embargo ends, in mode "article"."""
    check_url: str = ""
    """The page on which it shows an article, with `{id}` or `{slug}` in it: read back after a kill. Empty: no such."""

    @cached_property
    def request(self) -> requests.PreparedRequest:
        """The request that each push of this endpoint begins as, without a body."""
        formats = ARTICLE_FORMATS if self.mode == "article" else FEED_FORMATS
        headers = {"Content-Type": formats[self.format].media_type}
        if self.gzip:
            headers["Content-Encoding"] = "gzip"
        return requests.Request("POST", self.url, headers=headers).prepare()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Its header lines."""
        return tuple(header_lines(self.request))

    def push(
        self, message: Message, answered: Callable[[Answer], None], *, replay: str, timeout: float, deadline: float
    ) -> Transfer:
        """Return the request that pushes a message, complete: authenticated and signed.

        `answered` takes the answer, in the engine's thread, without what of ours it may repeat. `replay`: the id of the
        replay that it belongs to, or nothing. `timeout` in seconds, `deadline` in monotonic seconds.
        Raises TokenPending and TokenFailed (worker/outbound/oauth2_tokens.py).
        """
        if self.identity:
            request = self.identity(self.request.copy())
            lines = header_lines(request)
            answered = partial(self._answered, request.headers.get("Authorization", ""), answered)
        else:
            lines = [*self.lines]
        if replay:
            lines.append(f"Dateline-Replay: {replay}")
        if self.secrets:
            # Signed is what the partner's verifier is given: servers take the content coding off before it.
            signature = webhook_headers(self.secrets, message.id, int(time.time()), message.text)
            lines += [f"{name}: {value}" for name, value in signature.items()]
        else:
            lines.append(f"webhook-id: {message.id}")
        return Transfer(self.url, message.payload, lines, timeout, deadline, answered, tls=self.tls)

    def _answered(self, authorization: str, answered: Callable[[Answer], None], answer: Answer) -> None:
        assert self.identity is not None
        self.identity.inspect(authorization, answer)
        answered(answer)


def configured(settings: EndpointSettings, tokens: Tokens) -> Endpoint:
    """Return the endpoint; OAuth2 tokens are those that `tokens` keeps."""
    return Endpoint(
        settings.name,
        settings.feed,
        settings.format,
        settings.url,
        settings.mode,
        tuple(secret.get_secret_value() for secret in settings.secret),
        concurrency=settings.concurrency,
        rate=settings.rate,
        identity=_identity(settings, tokens),
        tls=_tls(settings.tls),
        gzip=settings.gzip,
        rights=settings.rights.rights(),
        delay=int(settings.rights.delay.total_seconds() * 1000) if settings.rights.delay else 0,
        early=settings.rights.early,
        check_url=settings.check_url,
    )


def _identity(settings: EndpointSettings, tokens: Tokens) -> Identity | None:
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
            auth = tokens.auth_for(client)
    return Identity(auth, headers, hidden) if auth or headers else None


def _tls(settings: TlsSettings) -> Tls:
    paths = (str(path) if path else None for path in (settings.ca, settings.cert, settings.key))
    # The engine knows the usual by its identity, and spends nothing on it.
    return Tls(True, *paths) if settings.model_fields_set else DEFAULT_TLS
