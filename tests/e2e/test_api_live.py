"""What happens, as it happens, from real processes: server-sent events, what was missed, slow clients, lost keys."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from newsroom import TOKEN, Newsroom, start
from receiver import Receiver

from web.api.live import SLOW_SECONDS
from worker.store import keys

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    more = f'\n[receipts]\nurl = "{shared_receiver.url}/receipts"\n'
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        yield newsroom


class Follower:
    """A client of the stream, with what it has heard."""

    def __init__(self, newsroom: Newsroom, token: str = TOKEN, last: str = "", kinds: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
        address = f"{newsroom.base_url}/api/v1/live?kinds={kinds}"
        self.answer = requests.get(address, headers=headers, stream=True, timeout=(60, 60))
        assert self.answer.status_code == 200, self.answer.text
        self.heard: list[tuple[str, str, dict[str, Any]]] = []
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    self.heard.append((fields["id"], fields["event"], json.loads(fields["data"])))
                    fields = {}
        except requests.RequestException:
            pass
        self.ended.set()

    def kinds_of(self, article: str) -> list[str]:
        return [kind for _, kind, fields in self.heard if fields.get("article") == article]


def test_an_article_is_followed_from_its_acceptance_to_its_kill(newsroom: Newsroom) -> None:
    follower = Follower(newsroom)
    newsroom.publish("live-1", "s2")
    newsroom.receiver.until(lambda: "delivered" in follower.kinds_of("live-1"), 30, "delivery")
    # Of what is carried out and of what is delivered tell two threads.
    newsroom.receiver.until(lambda: len(follower.kinds_of("live-1")) == 3, 30, "all of it")
    assert follower.kinds_of("live-1")[0] == "accepted"
    assert set(follower.kinds_of("live-1")) == {"accepted", "carried_out", "delivered"}
    newsroom.kill("live-1")
    newsroom.receiver.until(lambda: "kill_confirmed" in follower.kinds_of("live-1"), 30, "kill")
    newsroom.receiver.until(lambda: follower.kinds_of("live-1").count("carried_out") == 2, 30, "both events")
    # Who comes back says what they have heard last, and gets the rest.
    first = next(name for name, kind, fields in follower.heard if fields["article"] == "live-1")
    again = Follower(newsroom, last=first, kinds="carried_out,delivered")
    newsroom.receiver.until(lambda: len(again.kinds_of("live-1")) == 4, 30, "what was missed")
    assert again.kinds_of("live-1") == [
        kind for kind in follower.kinds_of("live-1") if kind in {"carried_out", "delivered"}
    ]


def test_who_comes_back_with_an_id_of_a_stream_that_was_lost_hears_of_what_happens(newsroom: Newsroom) -> None:
    # The other Redis had a clock that was far ahead.
    follower = Follower(newsroom, last=f"{int(time.time() * 1000) + 86_400_000}-0")
    newsroom.publish("live-lost", "s2")
    newsroom.receiver.until(lambda: "accepted" in follower.kinds_of("live-lost"), 60, "what happens")


def test_a_key_hears_of_its_feeds_and_no_longer_than_it_is_valid(newsroom: Newsroom) -> None:
    wanted = {"name": "desk", "scopes": ["live:read"], "bounds": {"feeds": ["s3"]}}
    created = requests.post(f"{newsroom.base_url}/api/v1/keys", json=wanted, headers=AUTHORIZATION, timeout=60)
    assert created.status_code == 201, created.text

    def is_known() -> bool:
        headers = {"Authorization": f"Bearer {created.json()['key']}"}
        return requests.get(f"{newsroom.base_url}/api/v1/me", headers=headers, timeout=60).status_code == 200

    newsroom.receiver.until(is_known, 20, "the key")
    follower = Follower(newsroom, token=created.json()["key"])
    newsroom.publish("live-2", "s2")
    newsroom.publish("live-3", "s3")
    newsroom.receiver.until(lambda: "delivered" in follower.kinds_of("live-3"), 30, "delivery")
    assert follower.kinds_of("live-2") == []
    assert {name for _, _, fields in follower.heard for name in fields["feeds"]} == {"s3"}
    address = f"{newsroom.base_url}/api/v1/keys/{created.json()['id']}"
    assert requests.delete(address, headers=AUTHORIZATION | {"If-Match": "*"}, timeout=60).status_code == 200
    assert follower.ended.wait(60)


@pytest.mark.long
def test_a_client_that_does_not_read_loses_its_connection(newsroom: Newsroom) -> None:
    parts = urlsplit(newsroom.base_url)
    with socket.socket() as slow, socket.socket() as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for client in (slow, quick):
            client.connect((parts.hostname, parts.port))
            client.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.settimeout(60)
        # More than sockets hold: when somebody else has it, this one is waited for. No more at a time than may wait for
        # one that reads, however slow our processes are.
        for _ in range(4):
            newsroom.store.live.append([("failed", {"feeds": ["s2"], "article": "x" * 4000})] * 500)
            left = 500 * 4000
            while left > 0:
                part = quick.recv(1 << 20)
                assert part
                left -= len(part)
        end = time.monotonic() + SLOW_SECONDS + 3
        while time.monotonic() < end:
            newsroom.store.live.append([("failed", {"feeds": ["s2"], "article": "x" * 4000})])
            time.sleep(0.2)
        # What is in the sockets comes, and then the end: nothing was kept for it beyond that.
        while slow.recv(1 << 20):
            pass


def stopped_between_two_looks(newsroom: Newsroom, workers: Sequence[Any]) -> bool:
    """Stop workers while none of them looks for receipts that are due; else they go on."""
    for worker in workers:
        os.kill(worker.pid, signal.SIGSTOP)
    if not newsroom.store.client.exists(keys.CALLING_BACK):
        return True
    for worker in workers:
        os.kill(worker.pid, signal.SIGCONT)
    return False


def test_the_cms_hears_of_what_is_parked_and_by_whom(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    receiver.behave["/p2"] = lambda push: (422, b"no such section") if b"live-bad" in push.body else (204, b"")
    event = newsroom.publish("live-bad", "s2")
    # That it is the article's fault is seen by others that are taken.
    newsroom.publish("live-good", "s2")

    def parked() -> list[dict[str, Any]]:
        receipts = [json.loads(push.body) for push in receiver.at("/receipts") if event["id"].encode() in push.body]
        return [receipt for receipt in receipts if receipt["type"] == "receipt.parked"]

    receiver.until(lambda: bool(parked()), 60, "the receipt")
    del receiver.behave["/p2"]
    receipt = parked()[0]
    [row] = [row for row in receipt["receipt"]["receivers"] if row["standing"] == "parked"]
    assert (row["feed"], row["receiver"]) == ("s2", "p2")
    assert "422 no such section" in row["reason"]
    assert len({receipt["id"] for receipt in parked()}) == 1


def test_a_receipt_outlives_the_worker_that_is_killed(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    receiver.behave["/receipts"] = lambda _: (500, b"")
    event = newsroom.publish("live-9", "s2")

    def tries() -> list[str]:
        return [push.headers["webhook-id"] for push in receiver.at("/receipts") if event["id"].encode() in push.body]

    receiver.until(lambda: bool(tries()), 30, "a try")
    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    victims = [child.process for child in newsroom.stack.children if child.process and "worker" in child.name]
    # While one looks for what is due, no other does: not even when it has died, until its lease is over.
    receiver.until(lambda: stopped_between_two_looks(newsroom, victims), 60, "both to stand still")
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)
    for victim in victims:
        victim.wait()
    count = len(tries())
    del receiver.behave["/receipts"]
    receiver.until(lambda: len(tries()) > count, 60, "the receipt, by another worker")
    assert len(set(tries())) == 1
    newsroom.stack.stop()
    watch.join()
