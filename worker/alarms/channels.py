"""The channels of alarms: each gets every message, in order; one worker at a time sends to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import structlog

from worker import clock
from worker.alarms import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ipaddress import IPv4Network, IPv6Network

    from worker.store import Store
    from worker.store.alarms import AlarmMessage

log = structlog.get_logger()

INTERVAL = 1.0
"""How often it is looked for messages (s)."""
_SECONDS = 30
"""How long sending one may take."""
_LEASE_MS = (_SECONDS + 15) * 1000
_PAUSE_MOST_MS = 300_000
"""The longest pause between two tries of a channel that takes nothing."""
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ", "LANG")
"""What a process that sends has of our environment: no proxies, and no secrets."""


class Outcome(NamedTuple):
    """Whether a channel took a message, and else why not."""

    delivered: bool
    reason: str = ""
    handed_on: bool = False
    """Somebody else sends it, and notes how the channel does."""


class AlarmChannel:
    """One channel. `send` sends it a message, and returns what came of it."""

    def __init__(self, store: Store, name: str, send: Callable[[AlarmMessage], Outcome]) -> None:
        self.name = name
        self._alarms = store.alarms
        self._send = send

    def work(self) -> float | None:
        """Send the next message, unless another worker does; return 0 when there may be more. Raises RedisError."""
        now = clock.ms(clock.agreed())
        if self._alarms.channel(self.name).again > now or self._alarms.next_message(self.name) is None:
            return None
        if (token := self._alarms.lease(self.name).acquire(_LEASE_MS)) is None:
            return None
        # Read after the lease is ours, so that nothing is sent again that another worker has just sent.
        message = self._alarms.next_message(self.name)
        if message is None:
            self._alarms.lease(self.name).release(token)
            return None
        outcome = self._send(message)
        self._settle(token, message, outcome)
        return 0.0 if outcome.delivered else None

    def _settle(self, token: str, message: AlarmMessage, outcome: Outcome) -> None:
        state, now = self._alarms.channel(self.name), clock.ms(clock.agreed())
        if outcome.handed_on:
            pass
        elif outcome.delivered:
            state = state._replace(failing=0, error="", tries=0, again=0, success=now)
        else:
            tries = state.tries + 1
            pause = min(1000 * 2 ** min(tries, 10), _PAUSE_MOST_MS)
            state = state._replace(failing=state.failing or now, error=outcome.reason, tries=tries, again=now + pause)
            log.error(
                "alarm_channel_failed", channel=self.name, reason=outcome.reason, next_step="the message is sent again"
            )
        self._alarms.settle(self.name, token, message.place if outcome.delivered else "", state)


class AppriseSender:
    """Sends messages by Apprise to `url`, each in a process of its own. `address`: of this newsroom."""

    def __init__(
        self, url: str, newsroom: str, address: str, allow_networks: Iterable[IPv4Network | IPv6Network]
    ) -> None:
        self._url = url
        self._newsroom = newsroom
        self._address = address
        self._allow_networks = [str(network) for network in allow_networks]

    def __call__(self, message: AlarmMessage) -> Outcome:
        """Send a message."""
        job = {
            "url": self._url,
            "title": texts.title(message, self._newsroom),
            "body": texts.body(message, self._address),
            "over": not message.raised_count,
            "allow_networks": self._allow_networks,
            "seconds": _SECONDS,
        }
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            process = subprocess.run(
                [sys.executable, "-m", "worker.alarms.notify"],
                input=json.dumps(job),
                capture_output=True,
                text=True,
                timeout=_SECONDS + 5,
                # No .netrc and no settings of whoever runs this.
                env=environment | {"HOME": os.devnull, "NETRC": os.devnull},
                start_new_session=True,
                check=False,
            )
            answer = json.loads(process.stdout)
            return Outcome(bool(answer["ok"]), str(answer["reason"]))
        except subprocess.TimeoutExpired:
            return Outcome(delivered=False, reason=f"it did not answer in {_SECONDS} s")
        except (OSError, ValueError, LookupError):
            return Outcome(delivered=False, reason=f"it did not answer in {_SECONDS} s, or its process failed")


class OperationsForwarder:
    """Hands messages to the operations webhook, which sends them as all operational events."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, message: AlarmMessage) -> Outcome:
        """Hand on a message. Raises redis.RedisError."""
        self._store.operations.add(texts.event(message))
        return Outcome(delivered=True, handed_on=True)
