"""IndexNow (https://www.indexnow.org/documentation): search engines hear which addresses have changed.

One call names up to 10,000 addresses of one host, new, corrected and gone alike: the engine sees for itself which.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from worker.destinations.http import tls_of
from worker.destinations.steps import Step, begin
from worker.outbound.errors import Fault
from worker.outbound.jobs import Job
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.endpoint_settings import EndpointSettings
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.destinations.steps import Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

_ADDRESSES_PER_CALL = 10_000
_FOR_A_PERSON = {403: "the key is not at its place on {host}", 422: "the key is not for addresses of {host}"}
_NOTHING_TO_TELL = Answer(204, {}, b"", None, "", 0.0, started=False)


class IndexNow:
    """A search engine. `home`: the site's own page, which a test names; `key_location`: where the key can be read."""

    gzip = False
    look = None
    """Whether a search engine still shows something can't be seen here."""

    def __init__(
        self, engine: Engine, url: str, key: str, home: str, *, key_location: str | None = None, tls: Tls = DEFAULT_TLS
    ) -> None:
        self._engine = engine
        self._url = url
        self._key = key
        self._home = home
        self._key_location = key_location
        self._tls = tls

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer | Job:
        """Return the first call, with the addresses of one host."""
        calls = list(calls_of((self._home,) if delivery.test else message.addresses))
        if not calls:
            return Job(self._url, lambda: _NOTHING_TO_TELL, delivery.timeout, delivery.deadline, on_answer)
        return begin(self._steps(calls), delivery, self._engine, on_answer, tls=self._tls)

    def _steps(self, calls: list[tuple[str, list[str]]]) -> Steps:
        answer = _NOTHING_TO_TELL
        for host, addresses in calls:
            call: dict[str, Any] = {"host": host, "key": self._key, "urlList": addresses}
            if self._key_location:
                call["keyLocation"] = self._key_location
            body = json.dumps(call, ensure_ascii=False).encode()
            answer = yield Step("POST", self._url, body, ("Content-Type: application/json; charset=utf-8",))
            # It may repeat the key.
            answer.body = b""
            if answer.fault or answer.status >= 300:
                return self._judged(answer, host)
        return answer

    def _judged(self, answer: Answer, host: str) -> Answer:
        if answer.fault is None and answer.status in _FOR_A_PERSON:
            answer.fault = Fault.DENIED
            answer.message = f"answered {answer.status}: {_FOR_A_PERSON[answer.status].format(host=host)}"
        return answer


def calls_of(addresses: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield addresses in calls of one host each, with the host."""
    by_host: dict[str, list[str]] = {}
    for address in dict.fromkeys(addresses):
        by_host.setdefault(urlsplit(address).netloc.lower(), []).append(address)
    for host, of_host in by_host.items():
        for first in range(0, len(of_host), _ADDRESSES_PER_CALL):
            yield host, of_host[first : first + _ADDRESSES_PER_CALL]


def destination(settings: EndpointSettings, sender: Sender) -> IndexNow:
    """Return the search engine that the settings of an endpoint describe."""
    indexnow = settings.indexnow
    assert indexnow is not None
    return IndexNow(
        sender.engine,
        settings.url,
        indexnow.key.get_secret_value(),
        f"https://{sender.origin}/",
        key_location=indexnow.key_location,
        tls=tls_of(settings.tls),
    )
