"""Servers of files that refuse, are full, are somebody else's or do not reply."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from queue import SimpleQueue

import pytest
from contract.file_desk import LOGIN, FileDesk, message, names
from file_servers import CuttingProxy, FtpServer, Sshd
from receiver import Receiver
from waiting import PATIENCE_SECONDS

from worker.destinations.interface import Delivery
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer, Transfer


class TestFailures:
    def test_a_wrong_host_key(self, desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
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

    def test_known_hosts(self, desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
        own = sshd.settings(host_keys=[], known_hosts=str(sshd.known_hosts))
        there = desk.destination("sftp", f"{sshd.url}/{tmp_path.name}", own)
        assert desk.push(there, message("x", 1)).status == 200

    def test_a_wrong_key(self, desk: FileDesk, sshd: Sshd) -> None:
        there = desk.destination("sftp", sshd.url, sshd.settings(key=sshd.other_key))
        answer = desk.push(there, message("x", 1))
        assert (answer.fault, answer.message) == (
            Fault.DENIED,
            "the server does not let us in: Authentication failure",
        )

    def test_a_wrong_password(self, desk: FileDesk, ftp: FtpServer) -> None:
        there = desk.destination("ftp", f"ftp://127.0.0.1:{ftp.port}/", {**LOGIN, "password": "no"})
        answer = desk.push(there, message("x", 1))
        assert (answer.fault, answer.message) == (Fault.DENIED, "the server does not let us in: Access denied: 530")

    def test_a_certificate_of_nobody(self, desk: FileDesk, ftps: FtpServer) -> None:
        ftps.commands.clear()
        there = desk.destination("ftps", f"ftps://127.0.0.1:{ftps.port}/", LOGIN)
        assert desk.push(there, message("x", 1)).fault is Fault.TLS
        assert "PASS" not in "".join(ftps.commands)

    def test_a_server_without_tls_learns_no_password(self, desk: FileDesk, ftp: FtpServer) -> None:
        ftp.commands.clear()
        there = desk.destination("ftps", f"ftps://127.0.0.1:{ftp.port}/", LOGIN)
        assert desk.push(there, message("x", 1)).fault is Fault.TLS
        assert "PASS" not in "".join(ftp.commands)

    def test_a_folder_that_can_not_be_made(self, desk: FileDesk, sshd: Sshd) -> None:
        there = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}/proc/none", sshd.settings())
        answer = desk.push(there, message("x", 1))
        assert (answer.status, answer.fault) == (404, None)

    def test_a_server_that_does_not_rename(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"RNTO"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, answer.fault, names(tmp_path)) == (403, None, [])
        assert answer.message.endswith("550 Not with me.")

    def test_a_server_that_renames_onto_no_name(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, renames_onto_names=False)
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        assert [desk.push(there, message("x", 1, text=text)).status for text in (b"one", b"two")] == [200, 200]
        server.stop()
        assert (tmp_path / "2026-03-01/x-v1.json").read_text() == "two"
        assert len(names(tmp_path)) == 1

    def test_a_server_that_removes_nothing(self, desk: FileDesk, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, refuses=frozenset({"DELE"}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        desk.push(there, message("x", 1))
        answer = desk.push(there, message("x", 2, "killed"))
        server.stop()
        assert (answer.status, answer.message) == (
            403,
            "the server does not remove 2026-03-01/x-v1.json; our user needs the right to",
        )

    @pytest.mark.parametrize("reply", ["552 Quota exceeded.", "452 Disk full."])
    def test_a_full_disk(self, desk: FileDesk, tmp_path: Path, reply: str) -> None:
        server = FtpServer(tmp_path, replies={"STOR": reply})
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/", LOGIN)
        answer = desk.push(there, message("x", 1))
        server.stop()
        assert (answer.status, answer.fault) == (507, None)

    @pytest.mark.parametrize("command", ["CWD", "EPSV", "STOR", "SIZE", "RNFR", "RNTO"])
    def test_a_reply_that_comes_too_late_is_not_taken_for_another(
        self, desk: FileDesk, tmp_path: Path, command: str
    ) -> None:
        server = FtpServer(tmp_path, late=frozenset({command}))
        there = desk.destination("ftp", f"ftp://127.0.0.1:{server.port}/in", {**LOGIN, "name": "{id}.{ext}"})
        late = desk.push(there, message("x", 1), seconds=1)
        answers = [desk.push(there, message("x", version, "corrected"), doubtful=version == 2) for version in (2, 3)]
        server.stop()
        assert late.fault is Fault.TIMEOUT
        assert [(answer.status, answer.message) for answer in answers] == [(200, "")] * 2
        assert (names(tmp_path), (tmp_path / "in/x.json").read_text()) == (["in/x.json"], "x 3 corrected")

    def test_nobody_listens(self, desk: FileDesk, sshd: Sshd) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"sftp://127.0.0.1:{unused.getsockname()[1]}/"
            answer = desk.push(desk.destination("sftp", url, sshd.settings()), message("x", 1))
        assert (answer.fault, answer.started) == (Fault.CONNECT, False)


class TestAddresses:
    @pytest.mark.parametrize("kind", ["sftp", "ftp", "ftps"])
    @pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "2130706433"])
    def test_no_kind_calls_an_internal_address(self, kind: str, host: str) -> None:
        desk = FileDesk(Guard())
        own = {**LOGIN, **({"host_keys": ["SHA256:" + "A" * 43]} if kind == "sftp" else {})}
        answer = desk.push(desk.destination(kind, f"{kind}://{host}:9/", own), message("x", 1))
        desk.engine.stop(0)
        assert (answer.fault, answer.started) == (Fault.FORBIDDEN, False)

    def test_data_go_where_the_commands_go_whatever_the_server_says(self, desk: FileDesk, tmp_path: Path) -> None:
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


def test_a_server_that_does_not_reply_holds_up_nobody_else(desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
    """libcurl waits for the reply to a rename in the thread that carries all its other transfers."""
    folder, receiver, proxy = sshd.files / tmp_path.name, Receiver(), CuttingProxy(sshd.port)
    own = sshd.settings(name="{id}.{ext}")
    slow = desk.destination("sftp", f"sftp://127.0.0.1:{proxy.port}{folder}", own)
    quick = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}{folder}", own)
    proxy.hold = (folder / "x.json").exists
    answers: SimpleQueue[Answer] = SimpleQueue()
    delivery = Delivery(PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS)
    desk.engine.submit([slow.push(message("x", 1), delivery, answers.put)])
    assert proxy.held.wait(PATIENCE_SECONDS)
    others: SimpleQueue[Answer] = SimpleQueue()
    desk.engine.submit(
        [Transfer(receiver.url, b"", [], PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS, others.put)]
    )
    desk.engine.submit(
        [quick.push(message("y", 1), Delivery(PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS), others.put)]
    )
    for _ in range(2):
        assert others.get(timeout=PATIENCE_SECONDS).fault is None
    assert answers.empty()
    proxy.released.set()
    assert answers.get(timeout=PATIENCE_SECONDS).status == 200
    receiver.close()
    proxy.close()
