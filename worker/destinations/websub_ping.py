"""Pings to a WebSub hub of somebody else: these topics have changed, fetch them (PubSubHubbub 0.3, section 7.1).

W3C's WebSub leaves open how a publisher notifies its hub; hubs take the ping of PubSubHubbub, several topics in one. It
has nothing of an article: the hub reads the feed, and so a kill reaches it as it reaches every reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from worker.destinations.http import tls_of
from worker.outbound.transfer import DEFAULT_TLS, Tls, Transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender

_HEADERS = ["Content-Type: application/x-www-form-urlencoded"]


class WebSubPing:
    """A hub, and the topics that it fetches."""

    gzip = False
    look = None
    """What a hub passes on can't be seen here."""

    def __init__(self, url: str, topics: Sequence[str], *, tls: Tls = DEFAULT_TLS) -> None:
        self._url = url
        self._body = urlencode([("hub.mode", "publish"), *(("hub.url", topic) for topic in topics)]).encode()
        self._tls = tls

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the ping."""
        del message
        return Transfer(self._url, self._body, _HEADERS, delivery.timeout, delivery.deadline, on_answer, tls=self._tls)


def destination(settings: EndpointSettings, sender: Sender) -> WebSubPing:
    """Return the hub that the settings of an endpoint describe."""
    del sender
    ping = settings.websub_ping
    assert ping is not None
    return WebSubPing(settings.url, ping.topics, tls=tls_of(settings.tls))
