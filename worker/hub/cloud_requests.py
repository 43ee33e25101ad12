"""Takes the registrations of readers that speak rssCloud, by its REST form.

Source: the walkthrough of the rssCloud interface (scripting.com/opmlHowto/dave/rssCloud/walkthrough.html). A reader
registers for the documents at some addresses, for 25 hours, and then hears by a POST which of them has changed. With a
`domain` that is asked with a challenge, without one the address that the request comes from gets a first notification.

Each address is a request to the hub like one by WebSub, under the same limits, verified by the same questions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import parse_qsl

from worker.hub.hub_requests import Wish
from worker.hub.request_form import HubRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from worker.hub.hub_requests import HubRequests

LEASE_SECONDS = 25 * 3600
"""How long a registration lasts; readers renew theirs after 24 hours."""
_ADDRESSES_MOST = 20
"""How many documents one request may name."""
_FIELDS_MOST = 100
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_PATH = re.compile(r"/[!-~]*")
_NUMBERED = re.compile(r"url([1-9]\d{0,2})")


class Registration(NamedTuple):
    """What was asked for. `calls_back`: whether it named no domain, so the notifications go to whoever asked."""

    callback: str
    addresses: tuple[str, ...]
    calls_back: bool


class CloudRequests:
    """Takes registrations for the hub."""

    def __init__(self, hub: HubRequests) -> None:
        self._hub = hub

    def register(self, body: bytes, client: str, now: datetime) -> Registration:
        """Keep what a client at an address asks for; return it. Raises as `HubRequests.request`."""
        registration = read(body, client)
        protocol: Literal["rsscloud", "rsscloud-caller"] = "rsscloud-caller" if registration.calls_back else "rsscloud"
        for number, address in enumerate(registration.addresses, 1):
            wish = Wish(
                *("subscribe", address, registration.callback),
                lease=LEASE_SECONDS,
                protocol=protocol,
                topic_field=f"url{number}",
                callback_field="the address to be notified",
            )
            self._hub.keep(wish, client, now)
        return registration


def read(body: bytes, client: str) -> Registration:
    """Return what a form asks for that the client at an address has sent. Raises HubRefused."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MOST)
    except ValueError:
        raise HubRefused("the request is not a form in UTF-8 (application/x-www-form-urlencoded)") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HubRefused("a field is given more than once")
    scheme = _scheme(fields)
    domain = fields.get("domain", "")
    host = domain or client
    if not _HOST.fullmatch(host):
        raise HubRefused("domain must be the name of a host or its address, without http:// and path")
    if not _PATH.fullmatch(path := fields.get("path", "")):
        raise HubRefused("path must begin with / and be ASCII without white space")
    port = fields["port"]
    authority = f"[{host}]" if ":" in host else host
    if port != {"http": "80", "https": "443"}[scheme]:
        authority += f":{port}"
    return Registration(f"{scheme}://{authority}{path}", _addresses(fields), calls_back=not domain)


def _scheme(fields: Mapping[str, str]) -> str:
    port = fields.get("port", "")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise HubRefused("port must be a number from 1 to 65535")
    protocol = fields.get("protocol", "")
    if protocol not in {"http-post", "https-post"}:
        raise HubRefused("protocol must be http-post or https-post: notifications by XML-RPC and SOAP are not sent")
    return "https" if protocol == "https-post" or int(port) == 443 else "http"


def _addresses(fields: Mapping[str, str]) -> tuple[str, ...]:
    numbered = [(int(match[1]), fields[match[0]]) for name in fields if (match := _NUMBERED.fullmatch(name))]
    addresses = tuple(dict.fromkeys(address for _, address in sorted(numbered) if address))
    if not addresses:
        raise HubRefused("url1 is missing: the address of a feed")
    if len(addresses) > _ADDRESSES_MOST:
        raise HubRefused(f"url{_ADDRESSES_MOST + 1} is one too many: register for the others by another request")
    return addresses
