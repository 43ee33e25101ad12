"""Folders that are full, read-only, gone, replaced, or in which our user may not do everything."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from contract.file_desk import LOGIN, FileDesk, message, names
from file_servers import FtpServer, Sshd, fill, small_disk

from feeds.article import Article
from feeds.fingerprint import fingerprints
from worker.destinations.files import FileDestination
from worker.takedown.page_verdict import judge_document


def killed() -> Article:
    article = message("x", 2, "killed").article
    assert article is not None
    return article


class TestDisks:
    """Of OpenSSH, whose answer is the same for whatever fails."""

    @pytest.mark.parametrize("name", ["{id}-v{version}.{ext}", "{id}.{ext}"])
    def test_a_kill_removes_the_text_on_a_full_disk(
        self, desk: FileDesk, sshd: Sshd, tmp_path: Path, name: str
    ) -> None:
        folder = sshd.files / tmp_path.name
        with small_disk(folder, "size=64k"):
            there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", sshd.settings(name=name))
            desk.push(there, message("x", 1))
            fill(folder)
            answer = desk.push(there, message("y", 1))
            assert (answer.status, answer.message) == (507, "the server's disk is full: it has no room for the file")
            # What it has taken of the file would fill the disk for good.
            assert len(names(folder)) == 2
            assert desk.push(there, message("y", 1), doubtful=True).status == 507
            # The text has to go, whatever becomes of the notice.
            desk.push(there, message("x", 2, "killed", text=os.urandom(40_000)))
            assert [left for left in names(folder) if left.startswith(("x", ".x"))] == []
            assert desk.look(there, killed()).status == 404
            (folder / "fill").unlink()
            assert desk.push(there, message("x", 2, "killed"), doubtful=True).status == 200
            assert names(folder) == [name.format(id="x", version=2, ext="json")]

    def test_no_more_files(self, desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
        folder = sshd.files / tmp_path.name
        with small_disk(folder, "nr_inodes=5"):
            there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", sshd.settings(name="{id}.{ext}"))
            statuses = [desk.push(there, message(f"x{number}", 1)).status for number in range(6)]
            assert (statuses[0], statuses[-1]) == (200, 507)
            # It has room for the notice once the text is gone.
            assert desk.push(there, message("x0", 2, "killed")).status == 200

    def test_a_disk_that_is_read_only(self, desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
        folder = sshd.files / tmp_path.name
        with small_disk(folder, "size=1m"):
            there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", sshd.settings(name="{id}-v{version}.{ext}"))
            desk.push(there, message("x", 1))
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
            answer = desk.push(there, message("y", 1))
            assert (answer.status, answer.message) == (403, "the server's disk is read-only: it takes no files")
            assert desk.push(there, message("x", 2, "killed")).status == 403
            assert desk.look(there, killed()).status == 200
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
            assert desk.push(there, message("x", 2, "killed")).status == 200
            assert desk.push(there, message("y", 1)).status == 200
            assert names(folder) == ["x-v2.json", "y-v1.json"]


class TestRights:
    @pytest.mark.parametrize("on_kill", ["both", "remove"])
    def test_a_kill_where_nothing_may_be_listed_or_removed_is_not_done(
        self, desk: FileDesk, tmp_path: Path, on_kill: str
    ) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"NLST", "LIST", "STAT", "DELE"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", {**LOGIN, "on_kill": on_kill})
        desk.push(there, message("x", 1))
        answer = desk.push(there, message("x", 2, "killed"))
        look = desk.look(there, killed())
        server.stop()
        assert (answer.status, look.status) == (403, 403)
        assert 'let it list the folder, or set on_kill = "notice"' in answer.message
        assert "nobody knows what lies in the folder of the endpoint" in look.message
        assert "2026-03-01/x-v1.json" in names(tmp_path)

    def test_a_doubtful_push_arrives_where_nothing_may_be_listed(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"NLST", "LIST", "STAT"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        statuses = [desk.push(there, message("x", 1), doubtful=True).status for _ in range(2)]
        server.stop()
        assert (statuses, names(tmp_path)) == ([200, 200], ["2026-03-01/x-v1.json"])

    def test_a_folder_that_is_empty_and_refused_to_be_listed_is_empty(self, desk: FileDesk, tmp_path: Path) -> None:
        """As some servers do where there is nothing to list; their status has it."""
        server = FtpServer(tmp_path, refuses=frozenset({"NLST"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", {**LOGIN, "on_kill": "remove"})
        desk.push(there, message("x", 1))
        before = desk.look(there, killed()).status
        answer = desk.push(there, message("x", 2, "killed"))
        look = desk.look(there, killed())
        server.stop()
        assert (before, answer.status, look.status) == (200, 200, 404)

    def test_the_words_of_the_server_say_what_it_refuses(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, replies={"STOR": "553 Only PDF files here.", "RNFR": "550 No renaming."})
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, answer.message) == (403, "the server takes no such file: 553 Only PDF files here.")

    def test_who_may_not_rename_is_told_so(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, replies={"RNFR": "550 No renaming."})
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, names(tmp_path)) == (403, [])
        assert "our user needs the right to do both" in answer.message
        assert answer.message.endswith("550 No renaming.")


class TestLooks:
    def test_a_text_under_the_name_of_its_notice_is_no_notice(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
        """A name without the version is that of both; a look may come before the kill could be brought."""
        there, folder = partner
        there = replace(there, root=there.root._replace(terms=there.root.terms._replace(template="{id}.{ext}")))
        headline = "The bridge over the river was closed at noon by the city after an inspection"
        text = f'{{"headline": "{headline}"}}'.encode()
        marks = fingerprints(Article.model_construct(headline=headline))
        desk.push(there, message("x", 1, text=text))
        assert judge_document(desk.look(there, killed()), marks)[0] == "there"
        notice = message("x", 2, "killed")
        assert desk.push(there, notice).status == 200
        assert judge_document(desk.look(there, killed()), marks, notice.digest)[0] == "gone"
        (folder / "x.json").unlink()
        assert judge_document(desk.look(there, killed()), marks)[0] == "gone"

    def test_a_document_that_may_not_be_read_proves_nothing(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"RETR"}))
        own = {**LOGIN, "name": "{id}.{ext}"}
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", own)
        desk.push(there, message("x", 1))
        look = desk.look(there, killed())
        (tmp_path / "x.json").unlink()
        gone = desk.look(there, killed())
        server.stop()
        assert (look.status, look.message) == (
            403,
            "our user may not read x.json: the server has no such file or folder: RETR response: 550",
        )
        assert gone.status == 404


class TestFoldersThatGo:
    def test_a_folder_that_is_gone_proves_no_kill(self, desk: FileDesk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        folder.rename(folder.with_name(f"{folder.name}-elsewhere"))
        folder.write_text("it can't be made anew")
        answer = desk.push(there, message("x", 2, "killed"))
        assert (answer.status in {403, 404}, answer.fault) == (True, None)
        assert desk.look(there, killed()).status == 403
        folder.unlink()
        folder.with_name(f"{folder.name}-elsewhere").rename(folder)
        assert desk.look(there, killed()).status == 200
        assert desk.push(there, message("x", 2, "killed")).status == 200
        assert desk.look(there, killed()).status == 404
        assert names(folder) == ["2026-03-01/x-v2.json"]

    def test_a_folder_of_a_day_that_is_gone_does(self, desk: FileDesk, partner: tuple[FileDestination, Path]) -> None:
        there, folder = partner
        desk.push(there, message("x", 1))
        shutil.rmtree(folder / "2026-03-01")
        assert desk.look(there, killed()).status == 404

    def test_a_folder_that_is_moved_away_under_our_connection(
        self, desk: FileDesk, partner: tuple[FileDestination, Path]
    ) -> None:
        """As when a partner puts the day's folder aside and makes a new one: what comes then belongs into that."""
        there, folder = partner
        # By all of its connections.
        for number in range(8):
            desk.push(there, message(f"x{number}", 1))
        moved = folder.with_name(f"{folder.name}-yesterday")
        folder.rename(moved)
        (folder / "2026-03-01").mkdir(parents=True)
        assert [desk.push(there, message(f"y{number}", 1)).status for number in range(8)] == [200] * 8
        assert names(folder) == [f"2026-03-01/y{number}-v1.json" for number in range(8)]
        assert names(moved) == [f"2026-03-01/x{number}-v1.json" for number in range(8)]
        (folder / "2026-03-01/x-v1.json").write_text("the text, which the partner has kept")
        assert [desk.look(there, killed()).status for _ in range(8)] == [200] * 8
        assert desk.push(there, message("x", 2, "killed")).status == 200
        assert not (folder / "2026-03-01/x-v1.json").exists()
