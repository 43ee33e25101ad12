"""Which settings of an endpoint are secrets, and how they are kept apart from the others.

A secret that is not shown stands as `***`. Whoever changes an endpoint may leave that where it stands: the secret stays
as it is. It does not when the endpoint leads elsewhere by then: nobody gets a partner's password by sending it to an
address of their own.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.destination_settings import table_of
from config.endpoint_settings import EndpointSettings
from config.setting_sources import is_secret
from config.value_types import is_pem
from feeds.errors import FieldError, InvalidInput
from worker.management.endpoint_checks import tls_tables
from worker.management.sealing import CantSeal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from worker.management.sealing import Sealer

HIDDEN = "***"
"""In place of a secret."""
SECRET = "secret"  # noqa: S105 (the name of a field)
_UNSHOWN = (HIDDEN, str(SecretStr("a secret")))
"""What stands for a text of PEM: with us, and with pydantic."""
_OF_AUTH = ("username", "password", "token", "client_id", "client_secret")


def places(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield each secret in the settings of an endpoint: its field, and the table and key where it stands."""
    if isinstance(values, dict) and values.get(SECRET):
        yield SECRET, values, SECRET
    headers = values.get("headers")
    if isinstance(headers, dict):
        for name in headers:
            yield f"headers.{name}", headers, name
    auth = values.get("auth")
    if isinstance(auth, dict):
        for name in _OF_AUTH:
            if name in auth:
                yield f"auth.{name}", auth, name
    yield from _of_certificates(values)
    yield from _of_its_kind(values)


def _of_certificates(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, table in tls_tables(values):
        for key, pem in table.items():
            if is_pem(pem) or pem in _UNSHOWN:
                yield f"{name}.{key}", table, key


def _of_its_kind(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    own = EndpointSettings.of_kind(values.get("kind"))
    name_of_table = table_of(str(values.get("kind")))
    table = values.get(name_of_table)
    if own is not None and isinstance(table, dict):
        for name, field in own.model_fields.items():
            if is_secret(field) and table.get(name):
                yield f"{name_of_table}.{name}", table, name


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with `***` in place of every secret."""
    shown = deepcopy(dict(values))
    for _, table, key in places(shown):
        table[key] = HIDDEN
    return shown


def without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without their secrets, as far as they can be checked so."""
    settings = deepcopy(dict(values))
    for name in (SECRET, "headers", "auth", "tls"):
        settings.pop(name, None)
    return settings


def sealed(values: Mapping[str, Any], name: str, sealer: Sealer) -> dict[str, str]:
    """Return the secrets in settings that were checked: field -> sealed value. Raises InvalidInput without a key."""
    secrets = {field: table[key] for field, table, key in places(values)}
    try:
        return {field: sealer.seal(name, field, json.dumps(secret)) for field, secret in secrets.items()}
    except CantSeal as error:
        raise InvalidInput([FieldError(field, str(error)) for field in secrets]) from None


def whole(values: Mapping[str, Any], name: str, secrets: Mapping[str, str], sealer: Sealer) -> dict[str, Any]:
    """Return settings with their secrets in place of `***`. Raises CantOpen."""
    settings = deepcopy(dict(values))
    for field, table, key in places(settings):
        if table[key] == HIDDEN and field in secrets:
            table[key] = json.loads(sealer.open(name, field, secrets[field]))
    return settings


def with_former(
    values: Mapping[str, Any], former: Mapping[str, Any], name: str, secrets: Mapping[str, str], sealer: Sealer
) -> dict[str, Any]:
    """Return new settings of an endpoint with its former secrets where they have `***`.

    `former`: its settings as they were, with `***`. Raises InvalidInput where there is no such secret, or where it
    would be sent to another address than before; CantOpen.
    """
    settings = deepcopy(dict(values))
    errors = []
    for field, table, key in places(settings):
        if table[key] != HIDDEN:
            continue
        if field not in secrets:
            errors.append(FieldError(field, f"{HIDDEN} stands for a secret that there is, and there is none"))
        elif field != SECRET and _leads_elsewhere(field, settings, former):
            errors.append(FieldError(field, "must be given anew: it would be sent to another address than before"))
        else:
            table[key] = json.loads(sealer.open(name, field, secrets[field]))
    if errors:
        raise InvalidInput(errors)
    return settings


def _leads_elsewhere(field: str, values: Mapping[str, Any], former: Mapping[str, Any]) -> bool:
    """Whether a secret in a header would go to another server than it did."""
    if field in {"auth.client_id", "auth.client_secret"} or field.startswith("auth.tls."):
        return _origin(_token_url(values)) != _origin(_token_url(former))
    if _origin(values.get("url")) != _origin(former.get("url")):
        return True
    servers = _servers(former)
    return any(server not in servers for server in _servers(values))


def _servers(values: Mapping[str, Any]) -> list[Any]:
    """What the settings of its kind name beside `url`."""
    own, table = EndpointSettings.of_kind(values.get("kind")), values.get(table_of(str(values.get("kind"))))
    if own is None or not isinstance(table, dict):
        return []
    lists = [table.get(name) for name in own.addresses]
    return [server for servers in lists if isinstance(servers, list) for server in servers]


def _token_url(values: Mapping[str, Any]) -> Any:
    auth = values.get("auth")
    return auth.get("token_url") if isinstance(auth, dict) else None


def _origin(url: Any) -> tuple[str, str, int | None] | None:
    """Where a URL leads: scheme, host and port; None when it is no URL, which is reported elsewhere."""
    try:
        parts = urlsplit(str(url))
        port = parts.port
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port
