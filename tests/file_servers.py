"""Servers of files on 127.0.0.1 for the tests: OpenSSH's sshd, pyftpdlib, and a proxy that cuts connections."""

from __future__ import annotations

import contextlib
import getpass
import grp
import logging
import os
import random
import re
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from types import MappingProxyType
from typing import Any

import pytest
from ports import free_port

PROFTPD = shutil.which("proftpd") or "/usr/sbin/proftpd"
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
PEM = Path(__file__).parent / "contract" / "localhost.pem"
_START_SECONDS = 60
_PASSIVE = re.compile(rb"229 [^\r\n]*\(\|\|\|(\d+)\|\)[^\r\n]*\r\n")
"""A server's reply to EPSV (RFC 2428, section 3)."""


class Sshd:
    """OpenSSH's server for this user, who is let in by `key`; `fingerprint` is that of its host key."""

    def __init__(self, folder: Path) -> None:
        if not Path(SSHD).exists():
            if os.environ.get("CI") == "true":
                pytest.fail("there is no sshd: apt-get install openssh-server")
            pytest.skip("there is no sshd: apt-get install openssh-server")
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self.user = getpass.getuser()
        for name in ("host", "user", "other"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        self.key = (folder / "user").read_text()
        self.other_key = (folder / "other").read_text()
        self.fingerprint = _run("ssh-keygen", "-lf", str(folder / "host.pub")).split()[1]
        self.port = free_port()
        kind, key, *_ = (folder / "host.pub").read_text().split()
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"sftp://127.0.0.1:{self.port}{self.files}"

    def start(self) -> None:
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "user.pub",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "MaxStartups": "200",
            # The home folder is that of the files.
            "Subsystem": f"sftp internal-sftp -d {self.files}",
        }
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        if os.geteuid() == 0:
            # Where sshd separates its privileges, if it has any.
            Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log
            )
        _wait_for(self.port)

    def stop(self) -> None:
        """Stop listening, and end all connections."""
        if self._process is not None:
            children = _children(self._process.pid)
            self._process.terminate()
            self._process.wait()
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, 15)
            self._process = None

    def names(self) -> list[str]:
        """All files, with the path from the endpoint's folder on."""
        return sorted(str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file())

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"username": self.user, "key": self.key, "host_keys": [self.fingerprint], **more}


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return [*direct, *(grandchild for child in direct for grandchild in _children(child))]
    return []


class FtpServer:
    """pyftpdlib's server, with TLS if asked for.

    `refuses`: names of commands that it answers with 550; `replies`: what it answers to others; `late`: names of those
    to which the reply comes only when the next command is there, the first time. `ends_data`: whether it ends what it
    sends as TLS wants it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        refuses: frozenset[str] = frozenset(),
        replies: Mapping[str, str] = MappingProxyType({}),
        late: frozenset[str] = frozenset(),
        renames_onto_names: bool = True,
        ends_data: bool = True,
    ) -> None:
        with warnings.catch_warnings():
            # Of asyncore, which it stands on; from Python 3.12 on it brings that along.
            warnings.simplefilter("ignore", DeprecationWarning)
            from pyftpdlib.authorizers import DummyAuthorizer
            from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
            from pyftpdlib.ioloop import IOLoop
            from pyftpdlib.servers import FTPServer

        self.files = folder
        folder.mkdir(parents=True, exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user("herald", "pass", str(folder), perm="elradfmwMT")
        self.commands: list[str] = []
        commands = self.commands
        on_time = {"", *refuses, *replies}

        class Handler(TLS_FTPHandler if tls else FTPHandler):  # type: ignore[misc]
            command = late_reply = ""

            def respond(self, resp: str, **options: Any) -> None:
                if self.command in late - on_time:
                    on_time.add(self.command)
                    self.late_reply = resp
                else:
                    super().respond(resp, **options)

            def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
                commands.append(line)
                self.command = ""
                if self.late_reply:
                    self.respond(self.late_reply)
                self.command, self.late_reply = cmd, ""
                taken = cmd == "RNTO" and not renames_onto_names and self.fs.lexists(self.fs.ftp2fs(arg))
                if cmd in refuses or cmd in replies or taken:
                    self.respond(replies.get(cmd, "550 Not with me."))
                    return
                super().pre_process_command(line, cmd, arg)

        class Abrupt(TLS_DTPHandler):  # type: ignore[misc]
            def close(self) -> None:
                DTPHandler.close(self)

        if not ends_data:
            Handler.dtp_handler = Abrupt
        Handler.authorizer = authorizer
        Handler.use_sendfile = False
        if tls:
            Handler.certfile = str(PEM)
            Handler.tls_control_required = Handler.tls_data_required = True
        self.port = free_port()
        Handler.auth_failed_timeout = 0
        logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
        self._server = FTPServer(("127.0.0.1", self.port), Handler, ioloop=IOLoop())
        self._stopped = Event()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.files)) for path in self.files.rglob("*") if path.is_file())

    def _serve(self) -> None:
        while not self._stopped.is_set():
            self._server.ioloop.loop(timeout=0.05, blocking=False)
        self._server.close_all()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(60)


class ProFtpd:
    """ProFTPD for this user, under the name of herald; with TLS if asked for."""

    def __init__(self, folder: Path, *, tls: bool) -> None:
        if not Path(PROFTPD).exists():
            pytest.skip("there is no ProFTPD: apt-get install proftpd-basic proftpd-mod-crypto")
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self.port = free_port()
        password = _run("openssl", "passwd", "-6", "pass").strip()
        users = folder / "users"
        users.write_text(f"herald:{password}:{os.getuid()}:{os.getgid()}::{self.files}:/bin/false\n")
        users.chmod(0o600)
        lines = [
            *("ModulePath /usr/lib/proftpd", "ServerType standalone", "DefaultServer on", "UseIPv6 off"),
            *("DefaultAddress 127.0.0.1", f"Port {self.port}", "UseReverseDNS off", "RequireValidShell off"),
            *(f"User {getpass.getuser()}", f"Group {grp.getgrgid(os.getgid()).gr_name}", "RootLogin on"),
            *("AuthOrder mod_auth_file.c", f"AuthUserFile {users}", "DelayTable none", "WtmpLog off"),
            *(f"ScoreboardFile {folder / 'board'}", f"PidFile {folder / 'pid'}", f"SystemLog {folder / 'log'}"),
            *("TransferLog none", "AllowOverwrite on", "MaxInstances 200"),
        ]
        if tls:
            lines += [
                *("LoadModule mod_tls.c", "TLSEngine on", "TLSRequired on", f"TLSLog {folder / 'tls.log'}"),
                *(f"TLSECCertificateFile {PEM}", f"TLSECCertificateKeyFile {PEM}"),
            ]
        config = folder / "proftpd.conf"
        config.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen([PROFTPD, "-n", "-q", "-c", str(config)], stdin=subprocess.DEVNULL)
        _wait_for(self.port)

    def stop(self) -> None:
        children = _children(self._process.pid)
        self._process.terminate()
        self._process.wait()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 15)


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    """Mount a disk of its own in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "fill").open("wb", buffering=0) as file:
        while file.write(os.urandom(4096)):
            pass


class CuttingProxy:
    """Passes connections on to a server, and cuts each after as many bytes as `cut_after` says; None: never.

    `hold` says whether what the server says is kept back until `released`. `data_cut_after`: the same as `cut_after` of
    the connections for the data of FTP, which go through it too if this is set.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self.cut_after: Iterator[int | None] = iter(())
        self.data_cut_after: Iterator[int | None] | None = None
        self.cuts = 0
        self.hold: Callable[[], bool] = lambda: False
        self.held, self.released = Event(), Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            left = next(self.cut_after, None)
            Thread(target=self._serve, args=(client, left, self._target), daemon=True).start()

    def _serve(self, client: socket.socket, left: int | None, target: int) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", target))
        except OSError:
            client.close()
            return
        budget = [left]
        threads = [
            Thread(target=self._pass_on, args=(source, sink, budget), daemon=True)
            for source, sink in ((client, server), (server, client))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
        server.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket, budget: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                piece = _PASSIVE.sub(self._detour, piece) if self.data_cut_after is not None else piece
                if sink.getpeername()[1] != self._target and self.hold():
                    self.held.set()
                    self.released.wait()
                left = budget[0]
                if left is not None:
                    budget[0] = max(0, left - len(piece))
                    if left <= len(piece):
                        sink.sendall(piece[:left])
                        self.cuts += 1
                        break
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _detour(self, reply: re.Match[bytes]) -> bytes:
        """Have the connection for the data that a server waits for come through here."""
        assert self.data_cut_after is not None
        listener, left = socket.create_server(("127.0.0.1", 0)), next(self.data_cut_after, None)

        def pass_on() -> None:
            with listener:
                listener.settimeout(10)
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
            client.settimeout(None)
            self._serve(client, left, int(reply[1]))

        Thread(target=pass_on, daemon=True).start()
        return b"229 Entering extended passive mode (|||%d|).\r\n" % listener.getsockname()[1]

    def close(self) -> None:
        self._listener.close()


def random_cuts(chance: random.Random, most: int) -> Iterator[int | None]:
    while True:
        yield chance.randrange(1, most)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _wait_for(port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "the server does not listen"
            time.sleep(0.02)
        else:
            return
