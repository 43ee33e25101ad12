"""Files at real servers: OpenSSH's sshd, pyftpdlib and ProFTPD, by each kind of endpoint."""

from __future__ import annotations

import dataclasses
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import pytest
from contract.file_desk import LOGIN, FileDesk, message, names
from file_servers import PEM, FtpServer, Sshd
from waiting import PATIENCE_SECONDS

from worker.destinations.file_places import Place, temporary
from worker.destinations.files import FileDestination
from worker.destinations.interface import Message
from worker.outbound.transfer import Answer


class TestEachKind:
    def test_an_article_its_correction_and_its_kill(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
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

    def test_a_name_that_is_there_is_replaced(self, desk: FileDesk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        for text in (b"one", b"two", b"three"):
            # Also where the ledger knows nothing of it.
            assert desk.push(there, message("x", 1, text=text)).status == 200
            desk.remote.clear()
        assert [(folder / name).read_bytes() for name in names(folder)] == [b"three"]

    def test_a_correction_under_another_name_leaves_no_earlier_text(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = with_names(partner, "{edition}/{date}/{id}.{ext}")
        desk.push(there, message("x", 1))
        desk.push(there, message("y", 1))
        for version, day, edition in ((2, 2, "en"), (3, 2, "fr")):
            moved = dated(message("x", version, "corrected"), day, edition)
            answer = desk.push(there, moved)
            assert (answer.status, answer.remote) == (200, f'["{edition}/2026-03-0{day}/x.json"]')
        assert names(folder) == ["en/2026-03-01/y.json", "fr/2026-03-02/x.json"]

    def test_a_try_that_may_have_come_far_is_looked_at_first(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
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
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = partner
        for version in (1, 2):
            desk.push(there, message("x", version))
        desk.push(there, message("x-v1", 1))
        (folder / "2026-03-01" / temporary(Place("", "x-v9.json"), 5, "0" * 8).base).write_text("half")
        desk.remote.clear()
        assert desk.push(there, message("x", 10, "killed")).status == 200
        assert names(folder) == ["2026-03-01/x-v1-v1.json", "2026-03-01/x-v10.json"]

    def test_a_test_leaves_nothing(self, desk: FileDesk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        assert desk.push(there, message("t", 1), test=True).status == 200
        assert desk.push(there, message("t", 2, "killed"), test=True).status == 200
        assert names(folder) == ["2026-03-01/x-v1.json"]

    def test_temporary_files_are_removed_once_nobody_comes_back_for_them(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        now = int(time.time() * 1000)
        old, new = (temporary(Place("", "x-v1.json"), now - age, "0" * 8).base for age in (3_600_000, 0))
        for base in (old, new, ".other.part"):
            (folder / "2026-03-01" / base).write_text("half")
        answers: SimpleQueue[Answer] = SimpleQueue()
        desk.engine.submit([there.tidied("2026-03-01/", 10, answers.put)])
        assert answers.get(timeout=PATIENCE_SECONDS).message == "1"
        assert [name.removeprefix("2026-03-01/") for name in names(folder)] == sorted([".other.part", new, "x-v1.json"])


def with_names(partner: tuple[FileDestination, Path], template: str) -> tuple[FileDestination, Path]:
    """The same folder, with other names of files."""
    there, folder = partner
    terms = there.root.terms._replace(template=template)
    return dataclasses.replace(there, root=there.root._replace(terms=terms)), folder


def dated(sent: Message, day: int, edition: str) -> Message:
    """The same message about an article of another day and edition."""
    assert sent.article is not None
    changes = {"published": datetime(2026, 3, day, tzinfo=UTC), "edition": edition}
    return dataclasses.replace(sent, article=sent.article.model_copy(update=changes))


def test_an_earlier_text_that_is_not_removed_stays_in_the_ledger(desk: FileDesk, tmp_path: Path) -> None:
    server = FtpServer(tmp_path, refuses=frozenset({"DELE"}))
    there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", {**LOGIN, "name": "{date}/{id}.{ext}"})
    desk.push(there, message("x", 1))
    answer = desk.push(there, dated(message("x", 2, "corrected"), 2, "en"))
    killed = dated(message("x", 3, "killed"), 2, "en")
    assert killed.article is not None
    look = desk.look(there, killed.article)
    server.stop()
    reason = "the server does not remove 2026-03-01/x.json; our user needs the right to"
    assert (answer.status, answer.message) == (200, reason)
    assert answer.remote == '["2026-03-01/x.json","2026-03-02/x.json"]'
    assert (look.status, look.message) == (200, "2026-03-01/x.json lies there")


@pytest.mark.parametrize(("on_kill", "left"), [("notice", ["x-v1.json", "x-v2.json"]), ("remove", [])])
def test_what_a_kill_leaves_is_a_choice(
    desk: FileDesk, sshd: Sshd, tmp_path: Path, on_kill: str, left: list[str]
) -> None:
    own = sshd.settings(name="{id}-v{version}.{ext}", on_kill=on_kill)
    there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", own)
    desk.push(there, message("x", 1))
    killed = desk.push(there, message("x", 2, "killed"))
    assert (killed.status, names(sshd.files / tmp_path.name)) == (200, left)
    assert (there.look is None) == (on_kill == "notice")


@pytest.mark.parametrize("below", ["", "/below/it"])
def test_our_home_folder(desk: FileDesk, own_sshd: Sshd, below: str) -> None:
    folder = own_sshd.files / below.strip("/")
    there = desk.destination("sftp", f"sftp://127.0.0.1:{own_sshd.port}/~{below}", own_sshd.settings(name="{id}.{ext}"))
    for text in (b"one", b"two"):
        assert desk.push(there, message("x", 1, text=text)).status == 200
    assert (names(folder), (folder / "x.json").read_bytes()) == (["x.json"], b"two")
    killed = message("x", 2, "killed")
    assert desk.push(there, killed).status == 200
    assert (folder / "x.json").read_bytes() == killed.text
    assert there.room(Place("", ""))[0] == f'*statvfs "{below.strip("/") + "/" if below else "."}"'


def test_a_folder_that_the_partner_has_removed_is_made_anew(
    desk: FileDesk, partner: tuple[FileDestination, Path]
) -> None:
    there, folder = partner
    for version in (1, 2):
        assert desk.push(there, message("x", version)).status == 200
        shutil.rmtree(folder / "2026-03-01")


def test_a_list_that_is_cut_off_proves_nothing_and_is_asked_for_as_a_status(
    desk: FileDesk, unended: FtpServer, tmp_path: Path
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
