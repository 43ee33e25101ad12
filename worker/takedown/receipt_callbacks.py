"""Sends receipts to the CMS: when an event is done, when a kill is proven, when something is parked.

Events are watched from the moment in which their result is noted, before they are acknowledged: a worker that dies
loses none. What is due is looked at by one worker at a time. A receipt that the CMS does not take is sent again, under
the same id, until five days are over; a crash may repeat one.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import requests
import structlog

from worker import clock
from worker.outbound.requests_adapter import session_through
from worker.outbound.signing import WebhookAuth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.outbound.engine import Engine
    from worker.store import Store
    from worker.store.receipt_callbacks import WatchedEvent
    from worker.takedown.event_receipts import DeliveryReceipt, EventReceipts

log = structlog.get_logger()

INTERVAL = 0.5
"""How often it is looked for what is due (s)."""
_AT_ONCE = 40
_SENDERS = 8
_LEASE_MS = 120_000
_LEAST_MS, _MOST_MS = 1_000, 600_000
"""An event is looked at again after a fifth of the time for which it is watched, within these bounds."""
_GIVEN_UP_MS = 5 * 86_400_000


class ReceiptSender:
    """Sends receipts to `url`, signed with `secrets` (Standard Webhooks). `timeout` in seconds."""

    def __init__(
        self, store: Store, receipts: EventReceipts, engine: Engine, url: str, secrets: Sequence[str], timeout: float
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._url = url
        self._secrets = tuple(secrets)
        self._timeout = timeout
        self._session = session_through(engine)
        self._threads = ThreadPoolExecutor(_SENDERS, thread_name_prefix="receipts")

    def stop(self) -> None:
        """Send no more."""
        self._threads.shutdown(cancel_futures=True)

    def send(self) -> None:
        """Send what is due, unless another worker does. Raises RecordAway, redis.RedisError."""
        callbacks = self._store.receipt_callbacks
        if (token := callbacks.lease.acquire(_LEASE_MS)) is None:
            return
        try:
            due = callbacks.due(clock.ms(clock.agreed()), _AT_ONCE)
            for done in [self._threads.submit(self._look_at, event) for event in due]:
                done.result()
        finally:
            callbacks.lease.release(token)

    def _look_at(self, event: WatchedEvent) -> None:
        """Send what there is to say of an event, and see whether that is all."""
        receipts = self._receipts.of(event.event_id)
        news = {name: receipt for receipt in receipts for name in _news(receipt)}
        for name, receipt in news.items():
            if name not in event.sent and self._sent(event.event_id, name, receipt):
                event = event._replace(sent=(*event.sent, name))
        now = clock.ms(clock.agreed())
        age = now - event.since
        if all(_is_final(receipt) for receipt in receipts) and news.keys() <= set(event.sent):
            self._store.receipt_callbacks.finish(event.event_id)
        elif age > _GIVEN_UP_MS:
            log.warning("receipt_given_up", event_id=event.event_id, sent=list(event.sent))
            self._store.receipt_callbacks.finish(event.event_id)
        else:
            self._store.receipt_callbacks.put_off(event, now + min(max(_LEAST_MS, age // 5), _MOST_MS))

    def _sent(self, event_id: str, name: str, receipt: DeliveryReceipt) -> bool:
        """Send one receipt; whether it was taken."""
        message_id = f"receipt_{sha256(f'{event_id} {name}'.encode()).hexdigest()[:32]}"
        kind, now = name.partition(" ")[0], clock.agreed()
        message: dict[str, Any] = {"id": message_id, "type": f"receipt.{kind}", "time": now.isoformat()}
        auth = WebhookAuth(self._secrets, message_id, int(now.timestamp())) if self._secrets else None
        try:
            answer = self._session.post(
                self._url,
                data=json.dumps(message | {"receipt": receipt.as_json()}),
                headers={"Content-Type": "application/json", "webhook-id": message_id},
                auth=auth,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            log.warning("receipt_not_sent", event_id=event_id, kind=kind, reason=str(error))
            return False
        if answer.ok and not answer.is_redirect:
            return True
        log.warning("receipt_not_sent", event_id=event_id, kind=kind, reason=f"it answers {answer.status_code}")
        return False


def _news(receipt: DeliveryReceipt) -> list[str]:
    """What there is to say of an event by now, each by a name that it keeps."""
    news = [
        f"parked {receiver.feed} {receiver.receiver}" for receiver in receipt.receivers if receiver.standing == "parked"
    ]
    number = receipt.event.number
    if receipt.done:
        news.append(f"done {number}")
    if receipt.proven:
        news.append(f"kill_proven {number}")
    return news


def _is_final(receipt: DeliveryReceipt) -> bool:
    return receipt.done is True and receipt.proven is not False
