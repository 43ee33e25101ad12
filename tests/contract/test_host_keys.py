"""A server of SFTP whose host key changes, and known_hosts in whatever state they are."""

from __future__ import annotations

import subprocess

import pytest
from contract.file_desk import FileDesk, message
from file_servers import Sshd

from worker.outbound.errors import Fault


def public(sshd: Sshd, name: str) -> str:
    return " ".join((sshd.folder / f"{name}.pub").read_text().split()[:2])


def fingerprint(sshd: Sshd, name: str) -> str:
    command = ["ssh-keygen", "-lf", str(sshd.folder / f"{name}.pub")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]


def change_key(sshd: Sshd) -> None:
    """Have the server show the key `other` from now on."""
    sshd.stop()
    (sshd.folder / "host").write_text(sshd.other_key)
    (sshd.folder / "host.pub").unlink()
    sshd.start()


@pytest.mark.parametrize("pinned", ["host_keys", "known_hosts"])
def test_a_server_that_changes_its_key_gets_nothing_until_the_settings_have_it(
    desk: FileDesk, own_sshd: Sshd, pinned: str
) -> None:
    def own(name: str) -> dict[str, object]:
        if pinned == "host_keys":
            return own_sshd.settings(host_keys=[fingerprint(own_sshd, name)])
        own_sshd.known_hosts.write_text(f"[127.0.0.1]:{own_sshd.port} {public(own_sshd, name)}\n")
        return own_sshd.settings(host_keys=[], known_hosts=str(own_sshd.known_hosts))

    there = desk.destination("sftp", own_sshd.url, own("host"))
    assert desk.push(there, message("x", 1)).status == 200
    change_key(own_sshd)
    # At the first try the connection breaks that was kept.
    answers = [desk.push(there, message("y", 1)) for _ in range(2)]
    assert (answers[1].fault, answers[1].started) == (Fault.DENIED, False)
    shown = fingerprint(own_sshd, "other")
    assert answers[1].message == f"the server's host key is not the one that we know: it is {shown}"
    assert answers[0].message.startswith("the connection broke: ") or answers[0].fault is Fault.DENIED
    assert own_sshd.names() == ["2026-03-01/x-v1.json"]
    assert desk.push(desk.destination("sftp", own_sshd.url, own("other")), message("y", 1)).status == 200
    assert own_sshd.names() == ["2026-03-01/x-v1.json", "2026-03-01/y-v1.json"]


def test_a_connection_ends_with_the_key_in_the_file_by_which_it_was_made(desk: FileDesk, own_sshd: Sshd) -> None:
    own = own_sshd.settings(host_keys=[], known_hosts=str(own_sshd.known_hosts))
    there = desk.destination("sftp", own_sshd.url, own)
    assert desk.push(there, message("x", 1)).status == 200
    own_sshd.known_hosts.write_text(f"[127.0.0.1]:{own_sshd.port} {public(own_sshd, 'other')}\n")
    assert desk.push(there, message("y", 1)).fault is Fault.DENIED
    assert own_sshd.names() == ["2026-03-01/x-v1.json"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("{at} {host}", ""),
        ("# ours\n\n{at} {other}\n{at} {host} herald", ""),
        ("@cert-authority *.example {other}\n{at} {host}", ""),
        ("{at} {other}", "the server's host key is not the one that we know: it is SHA256:"),
        ("", "the server's host key is not the one that we know: it is SHA256:"),
        ("@revoked {at} {host}\n{at} {host}", "the server's host key is not the one that we know: it is SHA256:"),
        ("{at} ssh-new AAAAB3NzaC1uZXc=\n{at} {host}", "known_hosts has a host key of a kind that is not known here"),
    ],
)
def test_known_hosts(desk: FileDesk, own_sshd: Sshd, lines: str, reason: str) -> None:
    keys = {name: public(own_sshd, name) for name in ("host", "other")}
    own_sshd.known_hosts.write_text(lines.format(at=f"[127.0.0.1]:{own_sshd.port}", **keys) + "\n")
    own = own_sshd.settings(host_keys=[], known_hosts=str(own_sshd.known_hosts))
    answer = desk.push(desk.destination("sftp", own_sshd.url, own), message("x", 1))
    assert (answer.fault is Fault.DENIED, own_sshd.names() == []) == (bool(reason), bool(reason))
    assert answer.message.startswith(reason)
