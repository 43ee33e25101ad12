"""What subscribers that are claimed together are sent: the same where they stand at one place, and each with its own
signature.
"""

from __future__ import annotations

from distributing import SITE, Worker
from receiver import Answer, Request

from worker import clock
from worker.outbound.signing import verify_hub_signature
from worker.store.subscription_requests import SubscriptionRequest


def subscribe(worker: Worker, name: str, secret: str = "", feed_format: str = "atom") -> None:
    now = clock.ms(clock.now())
    topic, url = SITE.topic("f", feed_format), f"{worker.receiver.url}/{name}"
    intent = SubscriptionRequest("subscribe", topic, url, feed_format, secret, 600, now, "n", "h", "c")
    worker.store.subscription_requests.request("f", name, intent)
    worker.store.subscription_requests.confirm("f", name, intent, now + 600_000, 10, 10)


def bodies(worker: Worker, name: str) -> list[bytes]:
    return [request.body for request in worker.receiver.at(f"/{name}")]


def wait_for(worker: Worker, pushes: int) -> None:
    worker.receiver.until(lambda: len(worker.receiver.requests) >= pushes and worker.settled(), 20, "all to be told")


def test_who_stands_elsewhere_or_reads_another_format_is_sent_something_else(worker: Worker) -> None:
    worker.change("first")
    subscribe(worker, "old", "secret of old")
    subscribe(worker, "older", "secret of older")
    worker.go()
    wait_for(worker, 2)
    subscribe(worker, "new", "secret of new")
    subscribe(worker, "json", feed_format="json")
    worker.change("second")
    worker.go()
    wait_for(worker, 6)

    (_, change), (_, same_change), (whole,), (document,) = (
        bodies(worker, name) for name in ("old", "older", "new", "json")
    )
    assert change == same_change
    assert (b"of first" in change, b"of second" in change) == (False, True)
    assert (b"of first" in whole, b"of second" in whole) == (True, True)
    assert document.startswith(b"{")
    for name in ("old", "older", "new"):
        for request in worker.receiver.at(f"/{name}"):
            assert verify_hub_signature(f"secret of {name}", request.body, request.headers["x-hub-signature"])


def test_one_that_refuses_ends_alone(worker: Worker) -> None:
    def gone(_: Request) -> Answer:
        return 410, b""

    def failing(_: Request) -> Answer:
        return 503, b""

    worker.receiver.behave |= {"/gone": gone, "/failing": failing}
    for name in ("gone", "failing", "well"):
        subscribe(worker, name)
    worker.change("first")
    worker.go()

    counts = worker.store.receivers.counts
    worker.receiver.until(lambda: counts("f")["backoff"] == 1 and counts("f")["claimed"] == 0, 20, "all to be judged")
    assert not worker.store.receivers.exists("f", "gone")
    assert (counts("f")["settled"], counts("f")["behind"]) == (1, 1)
    assert [len(bodies(worker, name)) for name in ("gone", "failing", "well")] == [1, 1, 1]
