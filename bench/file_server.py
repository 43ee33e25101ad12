"""A server of files for the benchmark: OpenSSH's, and a slow way to it."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from worker.runtime.listen_address import free_port

HOST = "127.0.0.1"
_WAIT_SECONDS = 300.0


class Sshd:
    """OpenSSH's server for this user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.folder.mkdir()
        for name in ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        self.key = folder / "user"
        self._fingerprint = _run("ssh-keygen", "-lf", str(folder / "host.pub")).split()[1]
        self.port = free_port(HOST)
        config = folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {HOST}\nHostKey {folder / 'host'}\nPidFile none\nStrictModes no\n"
            f"AuthorizedKeysFile {folder / 'user.pub'}\nUsePAM no\nSubsystem sftp internal-sftp\n"
        )
        self.command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-f", str(config)]

    def endpoint(self, name: str, feed: str, concurrency: int = 8, port: int = 0) -> str:
        """The settings of an endpoint that gets the files in a folder of its own; `port`: of another way to it."""
        own = {"username": getpass.getuser(), "key": self.key.read_text(), "host_keys": [self._fingerprint]}
        table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in own.items())
        return (
            f'\n[[endpoints]]\nname = "{name}"\nfeed = "{feed}"\nformat = "json"\nkind = "sftp"\n'
            f'concurrency = {concurrency}\nurl = "sftp://{HOST}:{port or self.port}{self.folder / name}"\n'
            f"[endpoints.sftp]\n{table}"
        )

    def wait(self, name: str, files: int) -> float:
        """Wait until so many files are there under their final names; return when that was."""
        end = time.monotonic() + _WAIT_SECONDS
        while sum(not base.startswith(".") for _, _, bases in os.walk(self.folder / name) for base in bases) < files:
            if time.monotonic() > end:
                raise TimeoutError(f"not all files were there after {_WAIT_SECONDS:g} s")
            # To look costs the server's processor: not more often than it shows.
            time.sleep(0.05)
        return time.monotonic()


class SlowWay:
    """Passes connections on to a port, and keeps whatever comes from there for so many seconds."""

    def __init__(self, port: int, seconds: float) -> None:
        self._target = port
        self._seconds = seconds
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((HOST, self._target))
                for source, sink, seconds in ((client, server, 0.0), (server, client, self._seconds)):
                    threading.Thread(target=self._pass_on, args=(source, sink, seconds), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket, seconds: float) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                time.sleep(seconds)
                sink.sendall(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def sshd() -> Iterator[Sshd]:
    """Run a server."""
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        server = Sshd(Path(folder))
        Path("/run/sshd").mkdir(exist_ok=True)
        with subprocess.Popen(server.command, stderr=subprocess.DEVNULL) as process:
            try:
                yield server
            finally:
                process.terminate()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
