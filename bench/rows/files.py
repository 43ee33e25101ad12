"""Files: articles put into a folder of an SFTP server (OpenSSH), each uploaded under a temporary name and renamed.

Beside it, in turns, a bare libcurl loop that puts files of the same size there in the same way, over as many
connections, and does nothing else. Ours is the whole newsroom, with a partner that is behind: one worker at a time
serves an endpoint, and claims, renders, sends, and notes attempts and ledger.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pycurl

from bench.newsroom import event, start, until
from bench.receiver import Receiver
from bench.results import Result, at_least
from worker import clock
from worker.runtime.listen_address import free_port

LIMIT = """\
Each file is four requests to the server: open, write, close, rename. The server's own work on the same processors is
most of the time of both."""

_FILES = 2_000
_CONNECTIONS = 8
_ROUNDS = 3
_EVENTS_PER_POST = 100
_WAIT_SECONDS = 300.0
_FEED = "files"
_HOST = "127.0.0.1"


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    files = max(200, int(_FILES * scale))
    ours: list[float] = []
    bare: list[float] = []
    with ExitStack() as stack:
        server = stack.enter_context(_sshd())
        receiver = stack.enter_context(Receiver())
        names = [f"p{number}" for number in range(_ROUNDS)]
        newsroom = stack.enter_context(start(receiver, [_FEED], "".join(map(server.endpoint, names))))
        receivers = newsroom.store.receivers
        until(lambda: len(receivers.endpoints(_FEED)) == len(names), 30, "the endpoints to be enrolled")
        for name in names:
            receivers.pause(_FEED, f"endpoint:{name}", clock.ms(clock.now()), "asked")
        for begin in range(0, files, _EVENTS_PER_POST):
            newsroom.send([event(f"a{number}", _FEED) for number in range(begin, begin + _EVENTS_PER_POST)])
        until(lambda: newsroom.store.changes.head(_FEED).seq >= files, 120, "the articles to be in the feed")
        for name in names:
            begun = time.monotonic()
            receivers.resume(_FEED, f"endpoint:{name}")
            newsroom.wake(_FEED)
            ours.append(files / (server.wait(name, files) - begun))
            size = next((server.folder / name).rglob("*.json")).stat().st_size
            bare.append(server.bare_rate(f"bare-{name}", files, b"x" * size))
    return [
        at_least("files", median(ours), 300, "/s", f"{files:,} of {size:,} bytes, {_CONNECTIONS} connections"),
        Result("a bare libcurl loop", median(bare), "/s"),
        at_least("against the bare loop", median(ours) / median(bare), 0.8, "x"),
    ]


class _Sshd:
    """OpenSSH's server for this user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.folder.mkdir()
        for name in ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        self._key = folder / "user"
        self._fingerprint = _run("ssh-keygen", "-lf", str(folder / "host.pub")).split()[1]
        self.port = free_port(_HOST)
        config = folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress {_HOST}\nHostKey {folder / 'host'}\nPidFile none\nStrictModes no\n"
            f"AuthorizedKeysFile {folder / 'user.pub'}\nUsePAM no\nSubsystem sftp internal-sftp\n"
        )
        self.command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-f", str(config)]

    def endpoint(self, name: str) -> str:
        """The settings of an endpoint that gets the files in a folder of its own."""
        own = {"username": getpass.getuser(), "key": self._key.read_text(), "host_keys": [self._fingerprint]}
        table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in own.items())
        return (
            f'\n[[endpoints]]\nname = "{name}"\nfeed = "{_FEED}"\nformat = "json"\nkind = "sftp"\n'
            f'concurrency = {_CONNECTIONS}\nurl = "sftp://{_HOST}:{self.port}{self.folder / name}"\n'
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

    def bare_rate(self, name: str, files: int, body: bytes) -> float:
        """Put files there by nothing but libcurl; return how many a second."""
        folder = self.folder / name
        multi = pycurl.CurlMulti()
        free = [pycurl.Curl() for _ in range(_CONNECTIONS)]
        left, busy = iter(range(files)), 0
        begun = time.monotonic()
        while True:
            while free and (number := next(left, None)) is not None:
                multi.add_handle(self._upload(free.pop(), folder, number, body))
                busy += 1
            if not busy:
                return files / (time.monotonic() - begun)
            multi.perform()
            _, succeeded, failed = multi.info_read()
            if failed:
                raise RuntimeError(f"libcurl failed: {failed[0][1:]}")
            for curl in succeeded:
                multi.remove_handle(curl)
                free.append(curl)
                busy -= 1
            if not succeeded:
                multi.select(0.1)

    def _upload(self, curl: pycurl.Curl, folder: Path, number: int, body: bytes) -> pycurl.Curl:
        curl.reset()
        part, final = folder / f".{number}.json.part", folder / f"{number}.json"
        curl.setopt(pycurl.URL, f"sftp://{_HOST}:{self.port}{part}")
        curl.setopt(pycurl.USERNAME, getpass.getuser())
        curl.setopt(pycurl.SSH_AUTH_TYPES, pycurl.SSH_AUTH_PUBLICKEY)
        curl.setopt(pycurl.SSH_PRIVATE_KEYFILE, str(self._key))
        curl.setopt(pycurl.UPLOAD, 1)
        curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
        curl.setopt(pycurl.INFILESIZE_LARGE, len(body))
        curl.setopt(pycurl.FTP_CREATE_MISSING_DIRS, 2)
        curl.setopt(pycurl.POSTQUOTE, [f'rename "{part}" "{final}"'])
        return curl


@contextmanager
def _sshd() -> Iterator[_Sshd]:
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        server = _Sshd(Path(folder))
        Path("/run/sshd").mkdir(exist_ok=True)
        with subprocess.Popen(server.command, stderr=subprocess.DEVNULL) as process:
            try:
                yield server
            finally:
                process.terminate()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
