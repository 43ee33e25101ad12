"""A record that fails in busy time, on either database: nothing that was accepted is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests
from command_line import dateline
from newsroom import Newsroom, published, start
from postgresql import Cluster, programs_or_skip
from receiver import Receiver
from sqlalchemy import select

from worker.record import Record, tables

SECTIONS = (0, 2, 3)
"""Each has an endpoint that is told of each article."""
PAUSE_SECONDS = 0.05
CAUGHT_UP_SECONDS = 90

pytestmark = pytest.mark.long


class Desk:
    """Publishes all the time, corrects every third article and kills every tenth; remembers what was accepted."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self._ended = threading.Event()
        self._name = uuid4().hex[:8]
        self.events: list[str] = []
        self.versions: dict[str, int] = {}
        self.killed: set[str] = set()
        self.refused: list[str] = []

    @contextmanager
    def at_work(self, seconds: float = 1.0) -> Iterator[None]:
        """Work while something happens, and so long before and after it."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            time.sleep(seconds)
            yield
            time.sleep(seconds)
        finally:
            self._ended.set()
            thread.join(90)
            assert not thread.is_alive()

    def told(self) -> set[tuple[str, int, str]]:
        """What endpoints have been told of its articles: article, version, what it meant."""
        bodies = (request.body for request in list(self._newsroom.receiver.requests) if request.path.startswith("/p"))
        messages = (json.loads(body) for body in bodies if self._name.encode() in body)
        return {
            (message["article"]["id"], message["article"]["version"], message["type"].removeprefix("article."))
            for message in messages
        }

    def _work(self) -> None:
        number = 0
        while not self._ended.wait(PAUSE_SECONDS):
            number += 1
            article, section = f"{self._name}-{number}", f"s{SECTIONS[number % len(SECTIONS)]}"
            self._send(published(article, section))
            if number % 3 == 0:
                self._send(published(article, section, 2))
            if number % 10 == 0:
                self._send({"id": f"evt-{uuid4()}", "type": "article.killed", "article": {"id": article}})

    def _send(self, event: dict[str, object]) -> None:
        article = event["article"]
        assert isinstance(article, dict)
        try:
            answer = self._newsroom.post(event)
        except requests.RequestException as error:
            self.refused.append(str(error))
            return
        if answer.status_code != 202:
            self.refused.append(answer.text)
            return
        self.events.append(str(event["id"]))
        if "version" in article:
            self.versions[article["id"]] = article["version"]
        else:
            self.killed.add(article["id"])


class Kept:
    """What the record holds of a desk's work."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def missing(self, desk: Desk) -> dict[str, int]:
        """How much of what was accepted is not there, or not carried out, or there more than once; by table."""
        articles = sorted(desk.versions)
        events, revisions, held = tables.events.c, tables.revisions.c, tables.deliveries.c
        with self.record.read() as connection:
            done = Counter(
                connection.scalars(
                    select(events.event_id).where(events.event_id.in_(desk.events), events.done.is_not(None))
                )
            )
            found = select(revisions.article_id, revisions.version).where(revisions.article_id.in_(articles))
            noted = {(row.article_id, row.version) for row in connection.execute(found)}
            rows = connection.execute(
                select(held.article_id, held.endpoint, held.version, held.action, held.state).where(
                    held.article_id.in_(articles)
                )
            ).all()
            tried = set(
                connection.scalars(
                    select(tables.attempts.c.article_id).where(
                        tables.attempts.c.article_id.in_(articles), tables.attempts.c.outcome == "delivered"
                    )
                )
            )
        ledger = {(row.article_id, row.version, row.action) for row in rows if row.state == "taken"}
        told = desk.told()
        newest = {article: version for article, version, _ in sorted(told, key=lambda one: one[1])}
        # What was killed before an endpoint heard of it, no endpoint hears of.
        alive = {article: version for article, version in desk.versions.items() if article not in desk.killed}
        return {
            "events": sum(done[event] != 1 for event in desk.events),
            "revisions": sum((article, version) not in noted for article, version in alive.items()),
            "told": sum(newest.get(article, 0) < version for article, version in alive.items()),
            "kills": sum(
                (article, "killed") not in {(one[0], one[2]) for one in told} for article in {*newest} & desk.killed
            ),
            "ledger": len(told - ledger),
            "attempts": sum(article not in tried for article, _, _ in told),
        }

    def until_all_is_there(self, desk: Desk) -> None:
        """Wait until nothing is missing."""
        deadline = time.monotonic() + CAUGHT_UP_SECONDS
        while any((missing := self.missing(desk)).values()):
            assert time.monotonic() < deadline, missing
            time.sleep(0.2)


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that tests may stop."""
    cluster = Cluster(programs_or_skip())
    yield cluster
    cluster.remove()


@contextmanager
def newsroom_on(url: str, folder: Path) -> Iterator[tuple[Newsroom, Kept]]:
    receiver = Receiver()
    with closing(Record.connect(url, wait_seconds=30)) as record:
        record.upgrade()
        with start(folder, receiver, 2, variables={"DATELINE_RECORD_URL": url}) as newsroom:
            yield newsroom, Kept(record)
    receiver.close()


@pytest.fixture(scope="module")
def on_postgresql(own_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Newsroom, Kept]]:
    with newsroom_on(own_cluster.url(own_cluster.database()), tmp_path_factory.mktemp("p")) as both:
        yield both


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Newsroom, Kept]]:
    folder = tmp_path_factory.mktemp("s")
    with newsroom_on(f"sqlite:///{folder}/record.db", folder) as both:
        yield both


class TestPostgresql:
    @pytest.mark.parametrize("seconds", [3, 30])
    def test_it_is_stopped_for_a_while(
        self, on_postgresql: tuple[Newsroom, Kept], own_cluster: Cluster, seconds: float
    ) -> None:
        newsroom, kept = on_postgresql
        desk = Desk(newsroom)
        with desk.at_work():
            own_cluster.stop()
            try:
                time.sleep(seconds)
                assert requests.get(f"{newsroom.base_url}/healthz", timeout=60).status_code == 200
            finally:
                own_cluster.start()
        assert desk.refused == []
        kept.until_all_is_there(desk)

    def test_it_is_restarted(self, on_postgresql: tuple[Newsroom, Kept], own_cluster: Cluster) -> None:
        newsroom, kept = on_postgresql
        desk = Desk(newsroom)
        with desk.at_work():
            for _ in range(2):
                own_cluster.stop()
                own_cluster.start()
                time.sleep(1)
        assert desk.refused == []
        kept.until_all_is_there(desk)

    def test_connections_are_cut(self, on_postgresql: tuple[Newsroom, Kept], own_cluster: Cluster) -> None:
        newsroom, kept = on_postgresql
        desk = Desk(newsroom)
        with desk.at_work():
            for _ in range(30):
                own_cluster.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dateline'"
                )
                time.sleep(0.1)
        assert desk.refused == []
        kept.until_all_is_there(desk)

    def test_somebody_holds_its_tables(self, on_postgresql: tuple[Newsroom, Kept], own_cluster: Cluster) -> None:
        newsroom, kept = on_postgresql
        desk = Desk(newsroom)
        database = str(kept.record.url.database)
        with (
            desk.at_work(),
            psycopg.connect(host=str(own_cluster.folder), user="postgres", dbname=database) as connection,
        ):
            # One after the other they are locked against whoever has others of them: that is a deadlock.
            connection.execute(b"LOCK TABLE events, articles IN EXCLUSIVE MODE")
            time.sleep(7)
        assert desk.refused == []
        kept.until_all_is_there(desk)


class TestSqlite:
    def test_it_is_backed_up(self, on_sqlite: tuple[Newsroom, Kept], tmp_path: Path) -> None:
        newsroom, kept = on_sqlite
        desk = Desk(newsroom)
        url = kept.record.url.render_as_string()
        with desk.at_work():
            for number in range(3):
                copy = tmp_path / f"copy{number}"
                done = dateline("record", "backup", str(copy), variables={"DATELINE_RECORD_URL": url})
                assert (done.returncode, done.stderr) == (0, "")
        assert desk.refused == []
        kept.until_all_is_there(desk)

    def test_somebody_holds_it(self, on_sqlite: tuple[Newsroom, Kept]) -> None:
        newsroom, kept = on_sqlite
        desk = Desk(newsroom)
        assert kept.record.file is not None
        with desk.at_work(), closing(sqlite3.connect(kept.record.file, isolation_level=None)) as theirs:
            theirs.execute("BEGIN IMMEDIATE")
            time.sleep(7)
            theirs.execute("ROLLBACK")
        assert desk.refused == []
        kept.until_all_is_there(desk)


@contextmanager
def little_disk(folder: Path, megabytes: int, owner: str = "root") -> Iterator[Path]:
    """A disk of that size, if this user may make one."""
    folder.mkdir(exist_ok=True)
    options = f"size={megabytes}m,uid={pwd.getpwnam(owner).pw_uid}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may make no disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """A disk on which nothing has room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
        try:
            yield
        finally:
            filler.unlink()


class TestDiskFull:
    def test_of_sqlite(self, tmp_path: Path) -> None:
        with (
            little_disk(tmp_path / "disk", 24) as disk,
            newsroom_on(f"sqlite:///{disk}/record.db", tmp_path) as (newsroom, kept),
        ):
            desk = Desk(newsroom)
            with desk.at_work(), full(disk):
                time.sleep(4)
            assert desk.refused == []
            kept.until_all_is_there(desk)

    def test_of_postgresql(self, own_cluster: Cluster, tmp_path: Path) -> None:
        with little_disk(own_cluster.folder / "disk", 40, "postgres") as disk:
            name = f"disk{uuid4().hex[:8]}"
            own_cluster.run(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
            database = own_cluster.database(f"TABLESPACE {name}")
            try:
                with newsroom_on(own_cluster.url(database), tmp_path) as (newsroom, kept):
                    desk = Desk(newsroom)
                    with desk.at_work(), full(disk):
                        time.sleep(4)
                    assert desk.refused == []
                    kept.until_all_is_there(desk)
            finally:
                own_cluster.run(f"DROP DATABASE {database} WITH (FORCE)", f"DROP TABLESPACE {name}")
