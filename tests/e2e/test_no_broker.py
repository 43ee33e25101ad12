"""A broker that never says a word: events are carried out all the same, and kills as fast as ever."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from newsroom import Newsroom, published, start
from receiver import Receiver

from worker import clock
from worker.intake.accept import Intake

KILLS = 8


class Silence:
    """Nobody is woken: what is measured is the way behind the POST."""

    def consume(self, *, urgent: bool) -> None:
        """Wake nobody."""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    """A newsroom whose broker takes connections and never says anything, from the start on."""
    with socket.socket() as broker:
        broker.bind(("127.0.0.1", 0))
        broker.listen(1000)
        url = f"redis://127.0.0.1:{broker.getsockname()[1]}/0"
        folder = tmp_path_factory.mktemp("n")
        with start(folder, shared_receiver, 2, variables={"DATELINE_BROKER_URL": url}) as newsroom:
            yield newsroom


def accept(newsroom: Newsroom, *events: dict[str, Any]) -> None:
    receipts = Intake(newsroom.store, Silence()).accept(events, clock.now())  # type: ignore[arg-type]
    assert {"accepted"} == {receipt.status for receipt in receipts}


def test_events_and_kills_do_not_wait_for_it(newsroom: Newsroom) -> None:
    begin = len(newsroom.receiver.at("/p0"))
    accept(newsroom, *(published(f"nb-{number}", "s0") for number in range(KILLS)))
    pushes = newsroom.receiver.wait("/p0", begin + KILLS)
    for number in range(KILLS):
        asked = time.monotonic()
        accept(newsroom, {"id": f"kill-{uuid4()}", "type": "article.killed", "article": {"id": f"nb-{number}"}})
        pushes = newsroom.receiver.wait("/p0", begin + KILLS + number + 1)
        assert b"article.killed" in pushes[-1].body
        # A second at the most; the rest is for a machine that is busy with other tests.
        assert pushes[-1].at - asked < 10


def test_subscribers_are_asked_all_the_same(newsroom: Newsroom) -> None:
    from worker.store.subscription_requests import SubscriptionRequest

    callback = f"{newsroom.receiver.url}/nb-subscriber"
    intent = SubscriptionRequest(
        "subscribe", newsroom.topic("s9"), callback, "atom", "", 86400, clock.ms(clock.now()), "n", "127.0.0.1", "c"
    )
    newsroom.store.subscription_requests.request("s9", "nb", intent)
    newsroom.receiver.until(lambda: newsroom.subscriptions("s9") == 1, 20, "the subscription")
