"""SIGHUP: every process reads all settings again that can change while it runs, and says in one line what has changed.

Two web servers and two workers in processes of their own, as systemd runs them, on one Redis.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from forked import ForkedProcess
from newsroom import CLAIM_SECONDS, SECRET, TOKEN, published, settings_text
from ports import free_port
from receiver import Answer, Receiver, Request

from config.settings import load
from worker.management.callers import shell
from worker.management.management import Management
from worker.management.sealing import new_key
from worker.management.surroundings import Surroundings
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.runtime.record_in_use import record_of
from worker.store import Store


class Process:
    """A `dateline` command that runs, and its log."""

    def __init__(self, log: Path, words: list[str], environ: dict[str, str]) -> None:
        self.log = log
        self.process = ForkedProcess(words, environ, log=log)
        self.mark = 0

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """What it has logged since the mark, of these events."""
        text = self.log.read_bytes()[self.mark :].decode()
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] in events]


class Farm:
    """Two web servers and two workers, with settings that can be written anew."""

    def __init__(self, folder: Path, receiver: Receiver, redis_url: str) -> None:
        self.receiver = receiver
        self.config = folder / "dateline.toml"
        self.token = folder / "token"
        self.token.write_text(TOKEN)
        ports = [free_port() for _ in range(2)]
        text = settings_text(ports[0], folder / "data", receiver.url)
        self.text = text.replace(f'api_tokens = ["{TOKEN}"]', 'api_tokens_file = "token"')
        assert self.text != text
        # What is held up here is answered late, not twice.
        assert "\ntimeout = 3\n" in self.text
        self.text = self.text.replace("\ntimeout = 3\n", "\ntimeout = 100\n").replace(
            f"claim_seconds = {CLAIM_SECONDS}", "claim_seconds = 120"
        )
        self.config.write_text(self.text)
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
        environ |= {"DATELINE_REDIS_URL": redis_url, "DATELINE_MANAGEMENT__SECRET_KEY": new_key()}
        self.settings = load(self.config, environ)
        at = ["--config", str(self.config)]
        self.webs = [
            Process(folder / f"web-{port}.log", ["web", *at], environ | {"DATELINE_WEB__PORT": str(port)})
            for port in ports
        ]
        self.workers = [
            Process(folder / f"worker-{n}.log", ["worker", *at, "--name", f"worker-{n}"], environ) for n in (1, 2)
        ]
        self.store = Store.connect(redis_url)

    @property
    def all(self) -> list[Process]:
        return [*self.webs, *self.workers]

    def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            for one in self.all:
                assert one.process.poll() is None, one.log.read_text()[-3000:]
            assert time.monotonic() < deadline, what + "".join(one.log.read_text()[-2000:] for one in self.all)
            time.sleep(0.05)

    def ready(self) -> bool:
        try:
            answers = [requests.get(f"{url}/readyz", timeout=5) for url in self.urls]
        except requests.RequestException:
            return False
        return all(answer.status_code == 200 and answer.json()["workers"] == 2 for answer in answers)

    def reread(self, text: str, event: str = "settings_changed") -> list[dict[str, Any]]:
        """Write the settings, tell all processes, wait until they are in force; return the one line of each."""
        self.config.write_text(text)
        for one in self.all:
            one.mark = one.log.stat().st_size
            one.process.send_signal(signal.SIGHUP)
        events = ("settings_changed", "settings_refused", "settings_not_taken")
        self.until(lambda: all(one.lines(*events) for one in self.all), "a line of each")
        if event == "settings_changed":
            self.until(lambda: all(one.lines("settings_read_again") for one in self.workers), "workers to go over")
        lines = [one.lines(*events) for one in self.all]
        assert [[event]] * 4 == [[line["event"] for line in some] for some in lines]
        return [some[0] for some in lines]

    def post(self, url: str, article_id: str, token: str = TOKEN, section: str = "s20") -> int:
        event = published(article_id, section)
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{url}/events", json=event, headers=headers, timeout=60).status_code

    def document(self, url: str, feed: str = "s20") -> str:
        return requests.get(f"{url}/feeds/{feed}.atom", timeout=60).text


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("f")
    server = EmbeddedRedis(folder / "redis")
    farm = Farm(folder, shared_receiver, server.start())
    try:
        farm.until(farm.ready, "all to be ready", 100)
        yield farm
        for one in farm.all:
            one.process.terminate()
        assert [0] * 4 == [one.process.wait(60) for one in farm.all]
        for one in farm.all:
            assert "Traceback" not in one.log.read_text()
            assert '"uncaught"' not in one.log.read_text()
            assert '"stop_failed"' not in one.log.read_text()
    finally:
        for one in farm.all:
            one.process.kill()
            one.process.stdin.close()
        farm.store.close()
        server.stop()


@pytest.fixture(autouse=True)
def _as_before(farm: Farm) -> Iterator[None]:
    yield
    farm.token.write_text(TOKEN)
    farm.reread(farm.text)


def test_titles_change_what_is_served(farm: Farm) -> None:
    assert 202 == farm.post(farm.urls[0], "titled")
    for url in farm.urls:
        farm.until(lambda url=url: "titled" in farm.document(url), "the article")  # type: ignore[misc]
        assert "<title>Section 20</title>" in farm.document(url)
    pids = {web.process.pid: _children(web.process.pid) for web in farm.webs}
    text = farm.text.replace('"Section 20"', '"Harbour and Sea"').replace('"The Test Herald"', '"The Evening Herald"')
    for line in farm.reread(text):
        assert {"site.title", "feeds.s20.title"} == set(line["changed"])
        assert "restart_for" not in line
    title = "<title>Harbour and Sea</title>"
    for url in farm.urls:
        farm.until(lambda url=url: title in farm.document(url), "the title")  # type: ignore[misc]
        assert "titled" in farm.document(url)
        assert "The Evening Herald" in requests.get(f"{url}/feeds", timeout=60).text
    # No process was started anew.
    assert pids == {web.process.pid: _children(web.process.pid) for web in farm.webs}


def test_a_token_that_was_revoked_opens_nothing(farm: Farm) -> None:
    farm.token.write_text("another-token")
    for line in farm.reread(farm.text):
        assert ["api_tokens"] == line["changed"]
        assert "another-token" not in json.dumps(line)
    for number, url in enumerate(farm.urls):
        assert 401 == farm.post(url, f"revoked-{number}")
        assert 202 == farm.post(url, f"allowed-{number}", "another-token")


def test_what_is_managed_changes_on_every_process_without_a_signal(farm: Farm) -> None:
    mira = shell("mira")
    with closing(record_of(farm.settings)) as record:
        management = Management(farm.store, record, Surroundings.of(farm.settings))
        key, token = management.keys.create(mira, "desk", ["articles:read", "events:write"])

        def answers(status: int) -> bool:
            headers = {"Authorization": f"Bearer {token}"}
            asked = [requests.get(f"{url}/api/v1/me", headers=headers, timeout=60) for url in farm.urls]
            return [status] * 2 == [answer.status_code for answer in asked]

        def pushed(path: str) -> list[str]:
            return [json.loads(push.body)["article"]["id"] for push in farm.receiver.at(path)]

        farm.until(lambda: answers(200), "both web servers to take the key")
        values = {"feed": "s22", "format": "json", "url": f"{farm.receiver.url}/managed"}
        _, secret = management.endpoints.create(mira, "managed", values)
        assert secret is not None
        farm.until(lambda: "endpoint:managed" in farm.store.receivers.endpoints("s22"), "it to be enrolled")
        for number in range(10):
            assert 202 == farm.post(farm.urls[0], f"managed-{number}", section="s22")
        farm.until(lambda: len(farm.receiver.at("/managed")) >= 10, "the pushes")
        series = 'dateline_endpoint_pushes_total{endpoint="managed",outcome="delivered"}'
        for url in farm.urls:
            # A web server hears of it by itself, maybe after workers have pushed.
            farm.until(lambda url=url: series in requests.get(f"{url}/metrics", timeout=60).text, "it")  # type: ignore[misc]
        management.endpoints.change(mira, "managed", {**values, "url": f"{farm.receiver.url}/moved", "secret": "***"})
        # Each worker pushes to the new address as soon as it has heard of it, and nothing is lost or sent twice.
        names = [f"managed-{number}" for number in range(10)]
        streak = 0
        while streak < 8:
            names.append(f"moved-{len(names)}")
            assert len(names) < 200
            assert 202 == farm.post(farm.urls[1], names[-1], section="s22")
            farm.until(lambda: names[-1] in pushed("/managed") + pushed("/moved"), "the push")
            streak = streak + 1 if names[-1] in pushed("/moved") else 0
        assert sorted(names) == sorted(pushed("/managed") + pushed("/moved"))
        management.endpoints.remove(mira, "managed")
        farm.until(lambda: farm.store.receivers.counts("s22")["paused"] == 1, "it to be paused")
        management.keys.revoke(mira, key.id)
        farm.until(lambda: answers(401), "both web servers to refuse the key")
    for one in farm.all:
        text = one.log.read_text()
        assert token not in text
        assert secret not in text


def test_an_endpoint_that_is_added_is_pushed_to_and_is_in_metrics(farm: Farm) -> None:
    endpoint = (
        '\n[[endpoints]]\nname = "late"\nfeed = "s21"\nformat = "json"\n'
        f'url = "{farm.receiver.url}/late"\nsecret = "{SECRET}"\n'
    )
    for line in farm.reread(farm.text + endpoint):
        assert ["endpoints.late (new)"] == line["changed"]
    assert 202 == farm.post(farm.urls[1], "for-late", section="s21")
    farm.receiver.wait("/late", 1, 30)
    for url in farm.urls:
        metrics = requests.get(f"{url}/metrics", timeout=60).text
        assert 'dateline_endpoint_behind{endpoint="late"}' in metrics
    # Its address and secret change: what comes next goes there, signed by the new one.
    other = endpoint.replace("/late", "/later").replace(SECRET, "whsec_" + "bmV3" * 8)
    for line in farm.reread(farm.text + other):
        assert ["endpoints.late.url", "endpoints.late.secret"] == line["changed"]
        assert "bmV3" not in json.dumps(line)
    assert 202 == farm.post(farm.urls[0], "for-later", section="s21")
    farm.receiver.wait("/later", 1, 30)


def test_what_is_under_way_ends_as_it_began(farm: Farm) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Answer:
        begun.set()
        go_on.wait(90)
        return 204, b""

    farm.receiver.behave["/p3"] = slow
    try:
        assert 202 == farm.post(farm.urls[0], "slow", section="s3")
        assert begun.wait(60)
        # They are in force before it has ended.
        farm.reread(farm.text.replace(f"{farm.receiver.url}/p3", f"{farm.receiver.url}/p3-new"))
        assert 202 == farm.post(farm.urls[1], "after-slow", section="s3")
        go_on.set()
        farm.receiver.wait("/p3-new", 1, 30)
    finally:
        del farm.receiver.behave["/p3"]
    told = [json.loads(one.body)["article"]["id"] for path in ("/p3", "/p3-new") for one in farm.receiver.at(path)]
    assert ["slow", "after-slow"] == told


def test_feeds_change_what_belongs_in_them(farm: Farm) -> None:
    assert 202 == farm.post(farm.urls[0], "of-another-section", section="s24")
    farm.until(lambda: "of-another-section" in farm.document(farm.urls[0], "s24"), "it")
    farm.reread(farm.text.replace('section = ["s25"]', 'section = ["s24", "s25"]'))
    for url in farm.urls:
        farm.until(lambda url=url: "of-another-section" in farm.document(url, "s25"), "it")  # type: ignore[misc]


def test_a_broken_file_is_one_line_and_nothing_else(farm: Farm) -> None:
    for line in farm.reread(farm.text.replace("claim_seconds = 120", 'claim_seconds = "soon"'), "settings_refused"):
        assert ["delivery.claim_seconds"] == line["fields"]
        assert "delivery.claim_seconds" in line["reason"]
    for line in farm.reread("[site\n", "settings_refused"):
        assert "is no TOML" in line["reason"]
    for number, url in enumerate(farm.urls):
        assert 202 == farm.post(url, f"as-before-{number}", section="s22")
        farm.until(lambda url=url, n=number: f"as-before-{n}" in farm.document(url, "s22"), "it")  # type: ignore[misc]


def test_what_needs_a_restart_is_named_and_stays(farm: Farm) -> None:
    text = farm.text.replace('"herald.example,2026"', '"evening.example,2026"').replace("body_timeout = 5", "")
    text = text.replace('data_dir = "', 'data_dir = "/elsewhere')
    for line in farm.reread(text):
        assert ["web.body_timeout"] == line["changed"]
        assert {"data_dir", "site.id_authority"} == set(line["restart_for"])
    assert 202 == farm.post(farm.urls[0], "same-ids", section="s23")
    farm.until(lambda: "same-ids" in farm.document(farm.urls[0], "s23"), "it")
    assert "tag:herald.example,2026:" in farm.document(farm.urls[0], "s23")


def test_nothing_is_lost_and_no_request_fails_while_settings_change_again_and_again(farm: Farm) -> None:
    ended = threading.Event()
    failures: list[object] = []
    posted: list[str] = []

    def post(url: str, name: str) -> None:
        while not ended.is_set():
            article_id = f"{name}-{len(posted)}"
            try:
                status = farm.post(url, article_id, section="s2")
                posted.append(article_id)
                if status != 202 or requests.get(f"{url}/feeds/s2.rss", timeout=60).status_code != 200:
                    failures.append(status)
            except requests.RequestException as error:
                failures.append(error)
            time.sleep(0.02)

    threads = [threading.Thread(target=post, args=(url, f"run-{n}")) for n, url in enumerate(farm.urls)]
    for thread in threads:
        thread.start()
    for number in range(4):
        farm.reread(
            farm.text.replace('"Section 2"', f'"Section 2, {number}"').replace(
                "timeout = 100", f"timeout = {101 + number % 2}"
            )
        )
    ended.set()
    for thread in threads:
        thread.join()
    assert [] == failures
    told = lambda: {json.loads(request.body)["article"]["id"] for request in farm.receiver.at("/p2")}  # noqa: E731
    farm.until(lambda: set(posted) <= told(), "every article at the endpoint")


def _children(pid: int) -> set[int]:
    return {int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()}
