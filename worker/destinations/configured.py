"""A partner endpoint as the settings have it, made ready to be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.credentials import BasicSettings, BearerSettings, OAuth2Settings
from worker.destinations.http import Endpoint
from worker.outbound.auth import BearerAuth, Identity, basic
from worker.outbound.oauth2_tokens import Client
from worker.outbound.transfer import CHECKED, Tls

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from config.credentials import TlsSettings
    from config.settings import EndpointSettings
    from worker.outbound.oauth2_tokens import Tokens


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
            client = Client(
                oauth2.token_url,
                oauth2.client_id.get_secret_value(),
                oauth2.client_secret.get_secret_value(),
                scope=oauth2.scope,
                audience=oauth2.audience,
                in_body=oauth2.client_auth == "body",
                tls=_tls(oauth2.tls),
            )
            hidden = (client.secret,)
            auth = tokens.of(client)
    return Identity(auth, headers, hidden) if auth or headers else None


def _tls(settings: TlsSettings) -> Tls:
    paths = (str(path) if path else None for path in (settings.ca, settings.cert, settings.key))
    # The engine knows the usual by its identity, and spends nothing on it.
    return Tls(True, *paths) if settings.model_fields_set else CHECKED
