"""Pictures beside articles, as a worker serves an endpoint that wants them: in order, without, waiting, killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from distributing import SITE, Worker
from file_servers import Sshd
from pictures import picture
from receiver import Receiver
from records import hot_articles
from structlog.testing import capture_logs
from waiting import until

from config.endpoint_settings import EndpointSettings
from feeds.article import Image
from worker import clock
from worker.destinations.endpoint import configured
from worker.destinations.interface import Message
from worker.destinations.sender import Sender
from worker.outbound.guard import Guard
from worker.pictures import pictures
from worker.store import Store
from worker.takedown.coverage_report import coverage_report

PATIENCE = 60


class Partner:
    """A partner with a folder, the worker that serves it, and the newsroom's server of pictures."""

    def __init__(self, worker: Worker, sshd: Sshd, server: Receiver, into: Path) -> None:
        self.worker = worker
        self.folder = into
        self.server = server
        self.sshd = sshd

    def enroll(self, *, rights: Any = None, **companions: Any) -> None:
        values = {
            "name": "e",
            "feed": "f",
            "format": "json",
            "kind": "sftp",
            "url": f"sftp://127.0.0.1:{self.sshd.port}{self.folder}",
            "sftp": self.sshd.settings(name="{id}.{ext}"),
            "companions": {"pictures": True, **companions},
            "rights": rights or {},
        }
        worker = self.worker
        sender: Any = Sender(None, None, "h", worker.engine, Guard(), worker.store.folders)  # type: ignore[arg-type]
        worker.directory.by_name["e"] = configured(EndpointSettings.model_validate(values), sender)
        worker.store.receivers.enroll("f", "endpoint:e", {"endpoint": "e"})

    def change(self, article_id: str, *names: str, credit: str = "") -> None:
        images = tuple(Image(url=f"{self.server.url}/{name}", credit=credit) for name in names)
        self.worker.change(article_id, images=images)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def images(self, article_id: str) -> list[str]:
        """The pictures that a text there names."""
        article = json.loads((self.folder / f"{article_id}.json").read_text())["article"]
        return [image["url"] for image in article["images"]]

    def until(self, true: Callable[[], bool], awaited: str) -> None:
        until(true, lambda: f"{awaited}: {self.names()}")

    def go(self, *names: str) -> None:
        """Have everything sent, through waits for pictures, until these texts are there."""
        end = time.monotonic() + PATIENCE
        while not (self.worker.settled() and all((self.folder / name).exists() for name in names)):
            assert time.monotonic() < end, self.names()
            self.worker.store.receivers.sweep(["f"], clock.ms(clock.now()) + 1000, 100)
            self.worker.go()
            time.sleep(0.05)


@pytest.fixture
def partner(
    redis_url: str,
    store: Store,
    sshd: Sshd,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Partner]:
    monkeypatch.setattr(pictures, "_PAUSE", 0.1)
    assert store.client.ping()
    receiver.otherwise = lambda _: (404, b"")
    worker = Worker(redis_url, receiver, tmp_path / "pictures")
    yield Partner(worker, sshd, receiver, tmp_path / "partner")
    worker.stop()


def test_a_text_names_its_pictures_where_they_lie(partner: Partner) -> None:
    partner.server.behave["/pier"] = lambda _: (200, picture(colour="red"))
    partner.enroll()
    partner.change("a", "pier")
    partner.go("a.json")
    (name,) = partner.images("a")
    assert (partner.folder / name).read_bytes() == picture(colour="red")
    partner.server.behave["/boat"] = lambda _: (200, picture(colour="blue"))
    partner.change("a", "boat")
    partner.go()
    partner.until(lambda: partner.images("a") != [name], "the correction")
    assert partner.names() == sorted(["a.json", *partner.images("a")])
    partner.worker.change("a", "killed")
    partner.go()
    partner.until(lambda: partner.names() == ["a.json"], "the kill")
    assert "article.killed" in (partner.folder / "a.json").read_text()


def test_nobody_waits_for_the_pictures_of_another(partner: Partner) -> None:
    here = Event()
    partner.server.behave["/slow"] = lambda _: (200, picture()) if here.wait(PATIENCE) else (500, b"")
    partner.enroll()
    partner.change("a", "slow")
    partner.change("b")
    partner.worker.go()
    partner.until(lambda: partner.names() == ["b.json"], "the other one")
    here.set()
    partner.go("a.json")
    assert partner.names() == sorted(["a.json", "b.json", *partner.images("a")])


def test_what_is_killed_while_its_pictures_are_fetched_never_leaves(partner: Partner) -> None:
    asked, here = Event(), Event()

    def slow(_: Any) -> tuple[int, bytes]:
        asked.set()
        here.wait(PATIENCE)
        return 200, picture()

    partner.server.behave["/slow"] = slow
    partner.enroll()
    partner.change("a", "slow")
    partner.worker.go()
    assert asked.wait(PATIENCE)
    partner.worker.change("a", "killed")
    here.set()
    partner.go()
    assert not [name for name in partner.names() if name.endswith(".png")]
    assert "article.published" not in "".join(path.read_text() for path in partner.folder.rglob("*.json"))


def test_what_waits_for_pictures_is_given_back_when_its_worker_stops(
    partner: Partner, redis_url: str, tmp_path: Path
) -> None:
    asked, here = Event(), Event()

    def slow(_: Any) -> tuple[int, bytes]:
        asked.set()
        here.wait(PATIENCE)
        return 200, picture()

    partner.server.behave["/slow"] = slow
    worker = Worker(redis_url, partner.server, tmp_path / "of-the-first")
    first = Partner(worker, partner.sshd, partner.server, partner.folder)
    first.enroll()
    partner.enroll()
    first.change("a", "slow")
    with capture_logs() as logs:
        worker.go()
        assert asked.wait(PATIENCE)
        assert worker.pictures is not None
        worker.pictures.stop()
        first.until(lambda: not worker.store.receivers.counts("f")["claimed"], "the claim to end")
        # What still arrives meets nobody.
        here.set()
        first.until(lambda: not worker.engine.unanswered, "the picture")
        worker.stop()
    assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []
    assert partner.names() == []
    partner.go("a.json")
    assert partner.names() == sorted(["a.json", *partner.images("a")])


def test_a_text_goes_without_what_can_not_be_had_and_the_attempt_says_so(partner: Partner) -> None:
    partner.server.behave["/pier"] = lambda _: (200, picture())
    partner.enroll(tries=1)
    partner.change("a", "pier", "gone")
    partner.go("a.json")
    assert len(partner.images("a")) == 1
    ((record,),) = (call.args[2] for call in partner.worker.on_answers.call_args_list)
    attempt = record.attempt
    assert (attempt.outcome, attempt.error) == (
        "delivered",
        f"without pictures: {partner.server.url}/gone: its server answers 404",
    )


def test_a_text_waits_where_it_is_to_and_coverage_says_for_what(partner: Partner) -> None:
    partner.enroll(missing="wait")
    partner.change("a", "late")
    partner.worker.go()

    def waits() -> bool:
        report = coverage_report(partner.worker.store, hot_articles(partner.worker.store), SITE, "a")
        assert report is not None
        return report.rows[0].reason == f"waits for pictures: {partner.server.url}/late: its server answers 404"

    partner.until(waits, "coverage to say so")
    assert partner.names() == []
    partner.server.behave["/late"] = lambda _: (200, picture())
    partner.go("a.json")
    assert len(partner.images("a")) == 1


def test_pictures_without_a_licence_are_not_even_fetched(partner: Partner) -> None:
    partner.server.behave["/pier"] = lambda _: (200, picture())
    partner.enroll(rights={"credits": ["Ada Quill"]})
    partner.change("a", "pier", credit="Somebody Else")
    partner.change("b", "pier", credit="Ada Quill")
    partner.go("a.json", "b.json")
    assert partner.images("a") == []
    assert len(partner.images("b")) == 1
    assert len(partner.server.requests) == 1


def test_a_picture_that_is_removed_just_before_it_is_sent_is_fetched_anew(partner: Partner) -> None:
    partner.server.behave["/pier"] = lambda _: (200, picture(colour="red"))
    partner.server.behave["/boat"] = lambda _: (200, picture(colour="blue"))
    partner.enroll()
    endpoint = partner.worker.directory.by_name["e"]
    there: Any = endpoint.destination
    chances = iter([slice(0, 2), slice(1, 2)])

    class Evicting:
        """The first time all are gone, then all but the first, which is sent before it is seen."""

        gzip = False

        def push(self, message: Message, *about: Any) -> Any:
            for gone in message.pictures[next(chances, slice(0))]:
                gone.path.unlink(missing_ok=True)
            return there.push(message, *about)

    changed: Any = Evicting()
    partner.worker.directory.by_name["e"] = replace(endpoint, destination=changed)
    with capture_logs() as logs:
        partner.change("a", "pier", "boat")
        partner.go("a.json")
    assert len(partner.images("a")) == 2
    assert {(partner.folder / name).read_bytes() for name in partner.images("a")} == {
        picture(colour="red"),
        picture(colour="blue"),
    }
    assert [log for log in logs if log["event"] == "distributor_failed"] == []
