"""Files at real servers: OpenSSH's sshd and pyftpdlib, also through connections that are cut."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import pytest
from file_servers import PEM, CuttingProxy, FtpServer, Sshd, random_cuts
from pictures import picture, picture_file
from receiver import Receiver

from config.endpoint_settings import EndpointSettings
from feeds.article import Article
from worker.destinations.endpoint import configured
from worker.destinations.file_places import Place, temporary
from worker.destinations.files import FileDestination
from worker.destinations.interface import Delivery, Message
from worker.destinations.sender import Sender
from worker.outbound.engine import Engine
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer, Transfer

PATIENCE = 60
LOCAL = Guard((ip_network("127.0.0.0/8"),))


class Folders:
    """Notes which folders are written to."""

    def __init__(self) -> None:
        self.noted: set[tuple[str, str]] = set()

    def note(self, endpoint: str, folder: str) -> None:
        self.noted.add((endpoint, folder))


class Desk:
    """Sends messages to a destination, as a session does, and keeps what the ledger would keep."""

    def __init__(self, guard: Guard = LOCAL) -> None:
        self.engine = Engine(guard)
        self.engine.start()
        self.folders = Folders()
        self.remote: dict[str, str] = {}

    def destination(self, kind: str, url: str, own: dict[str, Any], **common: Any) -> FileDestination:
        values = {"name": "a", "feed": "w", "format": "json", "kind": kind, "url": url, kind: own, **common}
        sender: Any = Sender(None, None, "h", self.engine, LOCAL, self.folders)  # type: ignore[arg-type]
        there = configured(EndpointSettings.model_validate(values), sender).destination
        assert isinstance(there, FileDestination)
        return there

    def push(self, there: FileDestination, message: Message, *, doubtful: bool = False, test: bool = False) -> Answer:
        assert message.article is not None
        name = message.article.id
        delivery = Delivery(10, time.monotonic() + 60, "", self.remote.get(name, ""), doubtful, test)
        answers: SimpleQueue[Answer] = SimpleQueue()
        self.engine.submit([there.push(message, delivery, answers.put)])
        answer = answers.get(timeout=PATIENCE)
        self.remote[name] = answer.remote or self.remote.get(name, "")
        return answer

    def look(self, there: FileDestination, article: Article) -> Answer:
        assert there.look is not None
        answers: SimpleQueue[Answer] = SimpleQueue()
        delivery = Delivery(10, time.monotonic() + 60, "", self.remote.get(article.id, ""))
        self.engine.submit([there.look(article, delivery, answers.put)])
        return answers.get(timeout=PATIENCE)


def message(article_id: str, version: int, status: str = "published", text: bytes = b"") -> Message:
    article = Article.model_construct(
        id=article_id, version=version, edition="en", published=datetime(2026, 3, 1, tzinfo=UTC), headline="H"
    )
    return Message.of("m", text or f"{article_id} {version} {status}".encode(), status, article, compressed=False)


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.engine.stop(0)


LOGIN = {"username": "herald", "password": "pass"}


@pytest.fixture(params=["sftp", "ftp", "active", "ftps", "unended", "proftpd", "proftpd_tls"])
def partner(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> tuple[FileDestination, Path]:
    """A destination of each kind, and where its files lie."""
    folder = f"incoming/{tmp_path.name}"
    if request.param == "sftp":
        server: Any = request.getfixturevalue("sshd")
        there = desk.destination("sftp", f"{server.url}/{folder}", server.settings())
    elif request.param in {"ftps", "unended", "proftpd_tls"}:
        server = request.getfixturevalue(request.param)
        url = f"ftps://127.0.0.1:{server.port}/{folder}"
        there = desk.destination("ftps", url, LOGIN, tls={"ca": str(PEM)})
    else:
        server = request.getfixturevalue("proftpd" if request.param == "proftpd" else "ftp")
        own = {**LOGIN, "active": request.param == "active"}
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/{folder}", own)
    return there, server.files / folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestEachKind:
    def test_an_article_its_correction_and_its_kill(self, desk: Desk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        assert desk.push(there, message("x", 1)).status == 200
        assert names(folder) == ["2026-03-01/x-v1.json"]
        assert (folder / "2026-03-01/x-v1.json").read_text() == "x 1 published"
        corrected = desk.push(there, message("x", 2, "corrected"))
        assert (corrected.status, corrected.remote) == (200, '["2026-03-01/x-v1.json","2026-03-01/x-v2.json"]')
        killed = message("x", 3, "killed")
        assert killed.article is not None
        assert desk.look(there, killed.article).status == 200
        assert desk.push(there, killed).remote == '["2026-03-01/x-v3.json"]'
        assert names(folder) == ["2026-03-01/x-v3.json"]
        assert desk.look(there, killed.article).status == 404
        assert desk.folders.noted == {("a", "2026-03-01/")}

    def test_a_name_that_is_there_is_replaced(self, desk: Desk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        for text in (b"one", b"two", b"three"):
            # Also where the ledger knows nothing of it.
            assert desk.push(there, message("x", 1, text=text)).status == 200
            desk.remote.clear()
        assert [(folder / name).read_bytes() for name in names(folder)] == [b"three"]

    def test_a_try_that_may_have_come_far_is_looked_at_first(
        self, desk: Desk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = partner
        assert desk.push(there, message("x", 1), doubtful=True).status == 200
        file = folder / "2026-03-01/x-v1.json"
        before = file.stat().st_ino
        stale = folder / "2026-03-01" / temporary(Place("", "x-v1.json"), 5, "0" * 8).base
        stale.write_text("half")
        foreign = folder / "2026-03-01/.y-v1.json.part"
        foreign.write_text("of somebody else")
        assert desk.push(there, message("x", 1), doubtful=True).status == 200
        assert (file.stat().st_ino, stale.exists(), foreign.exists()) == (before, False, True)
        assert desk.push(there, message("x", 1, text=b"other"), doubtful=True).status == 200
        assert file.read_text() == "other"

    def test_a_kill_finds_what_the_ledger_does_not_know(
        self, desk: Desk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = partner
        for version in (1, 2):
            desk.push(there, message("x", version))
        desk.push(there, message("x-v1", 1))
        (folder / "2026-03-01" / temporary(Place("", "x-v9.json"), 5, "0" * 8).base).write_text("half")
        desk.remote.clear()
        assert desk.push(there, message("x", 10, "killed")).status == 200
        assert names(folder) == ["2026-03-01/x-v1-v1.json", "2026-03-01/x-v10.json"]

    def test_a_test_leaves_nothing(self, desk: Desk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        assert desk.push(there, message("t", 1), test=True).status == 200
        assert desk.push(there, message("t", 2, "killed"), test=True).status == 200
        assert names(folder) == ["2026-03-01/x-v1.json"]

    def test_temporary_files_are_removed_once_nobody_comes_back_for_them(
        self, desk: Desk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        now = int(time.time() * 1000)
        old, new = (temporary(Place("", "x-v1.json"), now - age, "0" * 8).base for age in (3_600_000, 0))
        for base in (old, new, ".other.part"):
            (folder / "2026-03-01" / base).write_text("half")
        answers: SimpleQueue[Answer] = SimpleQueue()
        desk.engine.submit([there.tidied("2026-03-01/", 10, answers.put)])
        assert answers.get(timeout=PATIENCE).message == "1"
        assert [name.removeprefix("2026-03-01/") for name in names(folder)] == sorted([".other.part", new, "x-v1.json"])


@pytest.mark.parametrize(("on_kill", "left"), [("notice", ["x-v1.json", "x-v2.json"]), ("remove", [])])
def test_what_a_kill_leaves_is_a_choice(desk: Desk, sshd: Sshd, tmp_path: Path, on_kill: str, left: list[str]) -> None:
    own = sshd.settings(name="{id}-v{version}.{ext}", on_kill=on_kill)
    there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", own)
    desk.push(there, message("x", 1))
    killed = desk.push(there, message("x", 2, "killed"))
    assert (killed.status, names(sshd.files / tmp_path.name)) == (200, left)
    assert (there.look is None) == (on_kill == "notice")


class TestFailures:
    def test_a_wrong_host_key(self, desk: Desk, sshd: Sshd, tmp_path: Path) -> None:
        url = f"{sshd.url}/{tmp_path.name}"
        right = desk.destination("sftp", url, sshd.settings())
        wrong = desk.destination("sftp", url, sshd.settings(host_keys=["SHA256:" + "A" * 43]))
        # Also where a connection is open that another has made by the right one.
        desk.push(right, message("x", 1))
        answer = desk.push(wrong, message("y", 1))
        assert (answer.fault, answer.started) == (Fault.DENIED, False)
        assert answer.message == f"the server's host key is not the one that we know: it is {sshd.fingerprint}"
        unknown = tmp_path / "known_hosts"
        unknown.write_text("")
        own = sshd.settings(host_keys=[], known_hosts=str(unknown))
        assert desk.push(desk.destination("sftp", url, own), message("y", 1)).fault is Fault.DENIED
        assert names(sshd.files / tmp_path.name) == ["2026-03-01/x-v1.json"]

    def test_known_hosts(self, desk: Desk, sshd: Sshd, tmp_path: Path) -> None:
        own = sshd.settings(host_keys=[], known_hosts=str(sshd.known_hosts))
        there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", own)
        assert desk.push(there, message("x", 1)).status == 200

    def test_a_wrong_key(self, desk: Desk, sshd: Sshd) -> None:
        there = desk.destination("sftp", sshd.url, sshd.settings(key=sshd.other_key))
        answer = desk.push(there, message("x", 1))
        assert (answer.fault, answer.message) == (
            Fault.DENIED,
            "the server does not let us in: Authentication failure",
        )

    def test_a_wrong_password(self, desk: Desk, ftp: FtpServer) -> None:
        there = desk.destination("ftp", f"ftp://127.0.0.1:{ftp.port}/", {**LOGIN, "password": "no"})
        answer = desk.push(there, message("x", 1))
        assert (answer.fault, answer.message) == (Fault.DENIED, "the server does not let us in: Access denied: 530")

    def test_a_certificate_of_nobody(self, desk: Desk, ftps: FtpServer) -> None:
        ftps.commands.clear()
        there = desk.destination("ftps", f"ftps://127.0.0.1:{ftps.port}/", LOGIN)
        assert desk.push(there, message("x", 1)).fault is Fault.TLS
        assert "PASS" not in "".join(ftps.commands)

    def test_a_server_without_tls_learns_no_password(self, desk: Desk, ftp: FtpServer) -> None:
        ftp.commands.clear()
        there = desk.destination("ftps", f"ftps://127.0.0.1:{ftp.port}/", LOGIN)
        assert desk.push(there, message("x", 1)).fault is Fault.TLS
        assert "PASS" not in "".join(ftp.commands)

    def test_a_folder_that_can_not_be_made(self, desk: Desk, sshd: Sshd) -> None:
        there = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}/proc/none", sshd.settings())
        answer = desk.push(there, message("x", 1))
        assert (answer.status, answer.fault) == (404, None)

    def test_a_server_that_does_not_rename(self, desk: Desk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"RNTO"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, answer.fault, names(tmp_path)) == (403, None, [])
        assert "RNTO x-v1.json" in answer.message

    def test_a_server_that_renames_onto_no_name(self, desk: Desk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, renames_onto_names=False)
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        assert [desk.push(there, message("x", 1, text=text)).status for text in (b"one", b"two")] == [200, 200]
        server.stop()
        assert (tmp_path / "2026-03-01/x-v1.json").read_text() == "two"
        assert len(names(tmp_path)) == 1

    def test_a_server_that_removes_nothing(self, desk: Desk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"DELE"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        desk.push(there, message("x", 1))
        answer = desk.push(there, message("x", 2, "killed"))
        server.stop()
        assert (answer.status, answer.message) == (403, "the server does not remove 2026-03-01/x-v1.json")

    @pytest.mark.parametrize("reply", ["552 Quota exceeded.", "452 Disk full."])
    def test_a_full_disk(self, desk: Desk, tmp_path: Path, reply: str) -> None:
        server = FtpServer(tmp_path, replies={"STOR": reply})
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, answer.fault) == (507, None)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
    def test_a_full_disk_at_openssh(self, desk: Desk, sshd: Sshd, tmp_path: Path) -> None:
        folder = sshd.files / tmp_path.name
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False).returncode:
            pytest.skip("nothing can be mounted here")
        try:
            there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", sshd.settings())
            answer = desk.push(there, message("x", 1, text=os.urandom(300_000)))
            assert (answer.fault, answer.started) == (Fault.RESET, True)
            assert "a full disk?" in answer.message
            assert desk.push(there, message("x", 1, text=b"short"), doubtful=True).status == 200
            assert names(folder) == ["2026-03-01/x-v1.json"]
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)

    def test_nobody_listens(self, desk: Desk, sshd: Sshd) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"sftp://127.0.0.1:{unused.getsockname()[1]}/"
            answer = desk.push(desk.destination("sftp", url, sshd.settings()), message("x", 1))
        assert (answer.fault, answer.started) == (Fault.CONNECT, False)


class TestAddresses:
    @pytest.mark.parametrize("kind", ["sftp", "ftp", "ftps"])
    @pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "2130706433"])
    def test_no_kind_calls_an_internal_address(self, kind: str, host: str) -> None:
        desk = Desk(Guard())
        own = {**LOGIN, **({"host_keys": ["SHA256:" + "A" * 43]} if kind == "sftp" else {})}
        answer = desk.push(desk.destination(kind, f"{kind}://{host}:9/", own), message("x", 1))
        desk.engine.stop(0)
        assert (answer.fault, answer.started) == (Fault.FORBIDDEN, False)

    def test_data_go_where_the_commands_go_whatever_the_server_says(self, desk: Desk, tmp_path: Path) -> None:
        """A server can't have us connect to somebody else: the address in its answer to PASV is not used."""
        victim = socket.create_server(("127.0.0.2", 0))
        victim.settimeout(0.2)
        port = victim.getsockname()[1]
        reply = f"227 Entering passive mode (127,0,0,2,{port >> 8},{port & 255})."
        server = FtpServer(tmp_path, replies={"PASV": reply, "EPSV": "500 What?"})
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert answer.status != 200
        with pytest.raises(TimeoutError):
            victim.accept()
        victim.close()


def cut(desk: Desk, there: FileDestination, proxy: CuttingProxy, folder: Path, cuts: int) -> None:
    """Send versions of a few articles through connections that are cut, each until it has arrived."""
    latest: dict[str, int] = {}
    watched = Watch(folder)
    version = 0
    while proxy.cuts < cuts:
        version += 1
        article_id = f"a{version % 5}"
        text = f"{version:06} ".encode() * 300
        status, doubtful = 0, False
        end = time.monotonic() + PATIENCE
        while status != 200:
            assert time.monotonic() < end
            answer = desk.push(there, message(article_id, version, text=text), doubtful=doubtful)
            status = answer.status
            assert status == 200 or answer.fault not in {None, Fault.DENIED, Fault.INTERNAL}, answer
            doubtful |= answer.started
        latest[article_id] = version
        for name, newest in latest.items():
            assert (folder / f"{name}.json").read_bytes() == f"{newest:06} ".encode() * 300
    watched.stop()
    assert watched.partial == []
    assert names(folder) == sorted(f"{name}.json" for name in latest)


class Watch:
    """Looks all the time at the files that lie there under final names; `partial`: what was not whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.partial: list[tuple[str, int]] = []
        self._running = True
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._running:
            for path in self._folder.glob("a*.json"):
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                if content != content[:7] * 300:
                    self.partial.append((path.name, len(content)))
            time.sleep(0.002)

    def stop(self) -> None:
        self._running = False
        self._thread.join()


@pytest.mark.parametrize("cuts", [50, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("kind", ["sftp", "ftp", "ftp-data"])
def test_connections_that_are_cut_anywhere(
    desk: Desk, request: pytest.FixtureRequest, tmp_path: Path, kind: str, cuts: int
) -> None:
    server: Any = request.getfixturevalue("sshd" if kind == "sftp" else "ftp")
    folder = server.files / tmp_path.name
    folder.mkdir()
    proxy = CuttingProxy(server.port)
    base = f"sftp://127.0.0.1:{proxy.port}{server.files}" if kind == "sftp" else f"ftp://127.0.0.1:{proxy.port}"
    own = server.settings() if kind == "sftp" else LOGIN
    there = desk.destination(kind[:4].rstrip("-"), f"{base}/{tmp_path.name}", {**own, "name": "{id}.{ext}"})
    lengths = random_cuts(random.Random(cuts), 20_000 if kind == "sftp" else 2_500)
    if kind == "ftp-data":
        proxy.data_cut_after = lengths
    else:
        proxy.cut_after = lengths
    cut(desk, there, proxy, folder, cuts)
    proxy.close()


def illustrated(tmp_path: Path, version: int, *colours: str, status: str = "published") -> Message:
    """A message about an article with a picture in each of these colours."""
    files = tuple(picture_file(tmp_path, "x", picture(colour=colour)) for colour in colours)
    return replace(message("x", version, status), pictures=files)


def pictures_in(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*.png")}


def test_a_folder_that_the_partner_has_removed_is_made_anew(desk: Desk, partner: tuple[FileDestination, Path]) -> None:
    there, folder = partner
    for version in (1, 2):
        assert desk.push(there, message("x", version)).status == 200
        shutil.rmtree(folder / "2026-03-01")


class TestPictures:
    """Pictures beside articles, in each kind."""

    def test_they_are_there_and_only_those_that_have_changed_are_sent_again(
        self, desk: Desk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        assert desk.push(there, illustrated(tmp_path, 1, "red", "blue")).status == 200
        assert len(names(folder)) == 3
        before = {path.name: path.stat().st_ino for path in folder.rglob("*.png")}
        assert desk.push(there, illustrated(tmp_path, 2, "blue", "green", status="corrected")).status == 200
        after = {path.name: path.stat().st_ino for path in folder.rglob("*.png")}
        # The first version stays beside the second, with its pictures.
        assert len(after) == 3
        assert before.items() <= after.items()
        killed = message("x", 3, "killed")
        assert desk.look(there, killed.article).status == 200  # type: ignore[arg-type]
        assert desk.push(there, killed).status == 200
        assert names(folder) == ["2026-03-01/x-v3.json"]
        assert desk.look(there, killed.article).status == 404  # type: ignore[arg-type]

    def test_a_kill_finds_pictures_that_the_ledger_does_not_know(
        self, desk: Desk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        desk.push(there, illustrated(tmp_path, 1, "red"))
        desk.remote.clear()
        assert desk.look(there, message("x", 2, "killed").article).status == 200  # type: ignore[arg-type]
        assert desk.push(there, message("x", 2, "killed")).status == 200
        assert pictures_in(folder) == set()

    def test_a_worker_may_die_between_any_two_steps(
        self, desk: Desk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        push = illustrated(tmp_path, 1, "red", "blue")
        final = {picture(colour="red"), picture(colour="blue")}
        for steps in range(6):
            # The steps that the engine is given beyond these never happen, and nothing is noted.
            dying = Dying(desk.engine, steps)
            dead = replace(there, root=there.root._replace(engine=dying))
            desk.remote.clear()
            dying.submit([dead.push(push, Delivery(10, time.monotonic() + 60), lambda _: None)])
            assert dying.ended.wait(PATIENCE)
            assert pictures_in(folder) >= (final if (folder / "2026-03-01/x-v1.json").exists() else set())
            assert desk.push(there, push, doubtful=True).status == 200
            assert (len(names(folder)), pictures_in(folder)) == (3, final)
            for name in names(folder):
                (folder / name).unlink()

    def test_what_a_dead_worker_has_left_of_another_version_goes(
        self, desk: Desk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        desk.push(there, illustrated(tmp_path, 1, "red"))
        remote = desk.remote["x"]
        desk.push(there, illustrated(tmp_path, 2, "blue"))
        (folder / "2026-03-01/x-v2.json").unlink()
        desk.remote["x"] = remote
        assert desk.push(there, illustrated(tmp_path, 3, "green"), doubtful=True).status == 200
        assert pictures_in(folder) == {picture(colour="red"), picture(colour="green")}


class Dying:
    """An engine that carries out so many steps, and then dies."""

    def __init__(self, engine: Engine, steps: int) -> None:
        self._engine = engine
        self._left = steps
        self.ended = Event()

    def submit(self, requests: Sequence[Any]) -> None:
        if not self._left:
            self.ended.set()
            return
        self._left -= 1
        (request,) = requests
        on_answer = request.on_answer

        def answered(answer: Answer) -> None:
            before = self._left
            on_answer(answer)
            if before == self._left and not self.ended.is_set():
                self.ended.set()

        self._engine.submit([replace(request, on_answer=answered)])


def test_a_list_that_is_cut_off_proves_nothing_and_is_asked_for_as_a_status(
    desk: Desk, unended: FtpServer, tmp_path: Path
) -> None:
    folder = unended.files / tmp_path.name
    url = f"ftps://127.0.0.1:{unended.port}/{tmp_path.name}"
    there = desk.destination("ftps", url, {**LOGIN, "name": "{id}.{ext}", "on_kill": "remove"}, tls={"ca": str(PEM)})
    desk.push(there, message("x", 1))
    killed = message("x", 2, "killed")
    assert desk.look(there, killed.article).status == 200  # type: ignore[arg-type]
    assert desk.push(there, killed).status == 200
    assert names(folder) == []
    assert desk.look(there, killed.article).status == 404  # type: ignore[arg-type]
    assert "STAT ." in unended.commands


def test_a_server_that_does_not_reply_holds_up_nobody_else(desk: Desk, sshd: Sshd, tmp_path: Path) -> None:
    """libcurl waits for the reply to a rename in the thread that carries all its other transfers."""
    folder, receiver, proxy = sshd.files / tmp_path.name, Receiver(), CuttingProxy(sshd.port)
    own = sshd.settings(name="{id}.{ext}")
    slow = desk.destination("sftp", f"sftp://127.0.0.1:{proxy.port}{folder}", own)
    quick = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}{folder}", own)
    proxy.hold = (folder / "x.json").exists
    answers: SimpleQueue[Answer] = SimpleQueue()
    delivery = Delivery(PATIENCE, time.monotonic() + 2 * PATIENCE)
    desk.engine.submit([slow.push(message("x", 1), delivery, answers.put)])
    assert proxy.held.wait(PATIENCE)
    others: SimpleQueue[Answer] = SimpleQueue()
    desk.engine.submit([Transfer(receiver.url, b"", [], 10, time.monotonic() + 30, others.put)])
    desk.engine.submit([quick.push(message("y", 1), Delivery(10, time.monotonic() + 30), others.put)])
    for _ in range(2):
        assert others.get(timeout=20).fault is None
    assert answers.empty()
    proxy.released.set()
    assert answers.get(timeout=PATIENCE).status == 200
    receiver.close()
    proxy.close()


def test_pictures_that_no_text_names_any_more_go_with_it(desk: Desk, sshd: Sshd, tmp_path: Path) -> None:
    folder = sshd.files / tmp_path.name
    there = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}{folder}", sshd.settings(name="{id}.{ext}"))
    desk.push(there, illustrated(tmp_path, 1, "red", "blue"))
    assert desk.push(there, illustrated(tmp_path, 2, "blue", status="corrected")).status == 200
    assert pictures_in(folder) == {picture(colour="blue")}
    assert len(desk.remote["x"].split(",")) == 2
    # What a replay sends again, it sends again whole.
    (next(folder.glob("*.png"))).unlink()
    answers: SimpleQueue[Answer] = SimpleQueue()
    delivery = Delivery(10, time.monotonic() + 60, "replay", desk.remote["x"])
    desk.engine.submit([there.push(illustrated(tmp_path, 2, "blue"), delivery, answers.put)])
    assert answers.get(timeout=PATIENCE).status == 200
    assert pictures_in(folder) == {picture(colour="blue")}
