"""Endpoints that are servers of files, served as a worker does: in order, through outages, until a kill is proven."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributing import SITE, TIMEOUT, Worker
from file_servers import CuttingProxy, Sshd, fill, small_disk
from records import hot_articles
from waiting import until

from config.endpoint_settings import EndpointSettings
from worker import clock
from worker.destinations.endpoint import configured
from worker.destinations.file_places import Place, temporary
from worker.destinations.sender import Sender
from worker.outbound.guard import Guard
from worker.receivers.file_sweep import FileSweep
from worker.store.page_checks import PageSighting
from worker.takedown import readback
from worker.takedown.coverage_report import coverage_report
from worker.takedown.readback import Readback

PATIENCE = 60


class Partner:
    """A partner with a folder on the server, and the worker that serves it."""

    def __init__(
        self, worker: Worker, sshd: Sshd, into: str, port: int = 0, *, mode: str = "article", **own: Any
    ) -> None:
        self.worker = worker
        self.folder = sshd.files / into
        values = {
            "name": "e",
            "feed": "f",
            "mode": mode,
            "format": "json",
            "kind": "sftp",
            "url": f"sftp://127.0.0.1:{port or sshd.port}{self.folder}",
            "sftp": sshd.settings(**own),
        }
        sender: Any = Sender(None, None, "h", worker.engine, Guard(), worker.store.folders)  # type: ignore[arg-type]
        worker.directory.by_name["e"] = configured(EndpointSettings.model_validate(values), sender)
        worker.store.receivers.enroll("f", "endpoint:e", {"endpoint": "e"})

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def until(self, true: Callable[[], bool], awaited: str) -> None:
        until(true, lambda: f"{awaited}: {self.names()}")

    def go(self) -> None:
        self.worker.go()
        self.until(self.worker.settled, "all to be sent")

    def state(self) -> tuple[str, str]:
        (receiver,) = self.worker.store.receivers.get_many("f", ["endpoint:e"])
        return receiver.state, receiver.remembered.reason


def test_articles_a_correction_and_a_kill(worker: Worker, sshd: Sshd) -> None:
    partner = Partner(worker, sshd, "in-order", name="{id}-v{version}.{ext}")
    for article in ("a", "b", "a"):
        worker.change(article)
        partner.go()
    assert partner.names() == ["a-v1.json", "a-v2.json", "b-v1.json"]
    worker.change("a", "killed")
    partner.go()
    assert partner.names() == ["a-v3.json", "b-v1.json"]
    assert "article.killed" in (partner.folder / "a-v3.json").read_text()
    entry = worker.store.ledgers.read_one("f", "e", ["a", "b"])
    assert '"remote":"[\\"a-v3.json\\"]"' in entry["a"]
    assert '"remote":"[\\"b-v1.json\\"]"' in entry["b"]


def test_a_kill_while_the_article_is_in_flight(worker: Worker, sshd: Sshd) -> None:
    partner = Partner(worker, sshd, "in-flight", name="{id}.{ext}", on_kill="remove")
    for number in range(20):
        worker.change(f"a{number}")
    worker.go()
    partner.until(lambda: len(partner.names()) >= 3, "some to be there")
    for number in range(20):
        worker.change(f"a{number}", "killed")
    partner.go()
    assert partner.names() == []


def test_an_outage_loses_nothing(worker: Worker, sshd: Sshd) -> None:
    proxy = CuttingProxy(sshd.port)
    partner = Partner(worker, sshd, "outage", proxy.port, name="{id}.{ext}")
    worker.change("a")
    partner.go()
    # From now on every connection is cut before anything can be said.
    proxy.cut_after = iter([10] * 1000)
    worker.directory.by_name["e"].destination.server.renew_connections()  # type: ignore[union-attr]
    worker.change("b")
    worker.change("a")
    worker.go()
    partner.until(lambda: partner.state()[0] == "backoff", "a failure")
    proxy.cut_after = iter(())
    worker.store.receivers.bring_forward("f", {"endpoint:e": clock.ms(clock.now())})
    partner.go()
    proxy.close()
    assert partner.names() == ["a.json", "b.json"]
    assert '"version":2' in (partner.folder / "a.json").read_text()


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({"host_keys": ["SHA256:" + "A" * 43]}, "the server's host key is not the one that we know: it is SHA256:"),
        ({"key": "other"}, "the server does not let us in"),
    ],
)
def test_whoever_does_not_let_us_in_is_paused(worker: Worker, sshd: Sshd, own: dict[str, Any], reason: str) -> None:
    if "key" in own:
        own = {"key": sshd.other_key}
    partner = Partner(worker, sshd, "paused", **own)
    worker.change("a")
    worker.go()
    partner.until(lambda: partner.state()[0] == "paused", "it to be paused")
    assert reason in partner.state()[1]
    assert partner.names() == []
    assert worker.alerts.raise_alert.call_args.args[0] == "endpoint.suspended"


def test_a_kill_gets_through_a_full_disk_while_all_else_waits(worker: Worker, sshd: Sshd) -> None:
    folder = sshd.files / "full"
    with small_disk(folder, "size=64k"):
        partner = Partner(worker, sshd, "full", name="{id}.{ext}")
        worker.change("a")
        partner.go()
        fill(folder)
        for article in ("b", "c", "d"):
            worker.change(article)
        worker.go()
        partner.until(lambda: partner.state()[0] == "backoff", "it to wait")
        assert partner.state()[1] == "the server's disk is full: it has no room for the file"
        assert partner.names() == ["a.json", "fill"]
        worker.change("a", "killed")
        worker.go()
        partner.until(lambda: (folder / "fill").exists() and "headline" not in text_of(folder / "a.json"), "the kill")
        (folder / "fill").unlink()

        def has_all() -> bool:
            # One that has failed twice while another was taken is tried by itself, in its own time.
            worker.store.endpoints.retry("f", "e", clock.ms(clock.now()))
            worker.go()
            return partner.names() == ["a.json", "b.json", "c.json", "d.json"]

        partner.until(has_all, "all others")
        assert "article.killed" in text_of(folder / "a.json")


def test_a_kill_takes_the_document_of_a_feed_away_that_finds_no_room(worker: Worker, sshd: Sshd) -> None:
    folder = sshd.files / "full-document"
    with small_disk(folder, "size=64k"):
        partner = Partner(worker, sshd, "full-document", mode="feed", document="world.json")
        worker.change("a")
        worker.change("b")
        partner.go()
        assert "Headline of a" in text_of(folder / "world.json")
        fill(folder)
        worker.change("b", summary="x" * 4900)
        worker.go()
        partner.until(lambda: partner.state()[0] == "backoff", "it to wait")
        assert "Headline of a" in text_of(folder / "world.json")
        worker.change("a", "killed")
        worker.go()
        partner.until(lambda: "Headline of a" not in text_of(folder / "world.json"), "the text to go")


def test_what_a_dead_worker_has_left_is_removed(worker: Worker, sshd: Sshd) -> None:
    partner = Partner(worker, sshd, "left")
    worker.change("a")
    partner.go()
    old = temporary(Place("", "b-v1.json"), int(time.time() * 1000) - 3_600_000, "0" * 8).base
    (partner.folder / "2026-03-01" / old).write_text("half")
    FileSweep(worker.store, worker.engine, worker.directory, TIMEOUT).sweep()
    partner.until(lambda: partner.names() == ["a-v1.json"], "it to be removed")


def test_a_kill_is_proven_by_looking(worker: Worker, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    class AtOnce:
        def submit(self, do: Callable[..., None], *about: Any) -> None:
            do(*about)

    monkeypatch.setattr(readback, "PAUSES", (0,) * 7)
    partner = Partner(worker, sshd, "proven")
    checks: Any = AtOnce()
    looks = Readback(
        worker.store, worker.engine, checks, worker.directory, worker.alerts, timeout=TIMEOUT, claim_seconds=20
    )
    worker.change("a")
    partner.go()
    worker.change("a", "killed")
    partner.go()
    stored = worker.store.articles.get("a")
    assert stored is not None
    killed = replace(stored, accepted=clock.ms(clock.now()))

    def confirmed() -> bool:
        report = coverage_report(worker.store, hot_articles(worker.store), SITE, "a")
        assert report is not None
        return report.rows[0].confirmed

    (partner.folder / "2026-03-01" / "a-v1.json").write_text("somebody has put it back")
    looks.schedule("f", killed)

    def is_there() -> bool:
        looks.check_due("f")
        return sighting(worker).verdict == "there"

    partner.until(is_there, "it to be seen")
    assert not confirmed()
    (partner.folder / "2026-03-01" / "a-v1.json").unlink()

    def is_gone() -> bool:
        looks.check_due("f")
        return sighting(worker).verdict == "gone"

    partner.until(is_gone, "it to be gone")
    assert sighting(worker).reason == "none of its files lies there"
    assert confirmed()


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def sighting(worker: Worker) -> PageSighting:
    return worker.store.page_checks.sightings("f", ["e"], "a").get("e", PageSighting(0, 0))
