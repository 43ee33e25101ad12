"""Files: articles put into a folder of an SFTP server (OpenSSH), each uploaded under a temporary name and renamed.

Beside it, in turns, a bare libcurl loop that puts files of the same size there in the same way, over as many
connections, and does nothing else. Ours is the whole newsroom, with a partner that is behind: one worker at a time
serves an endpoint, and claims, renders, sends, and notes attempts and ledger.
"""

from __future__ import annotations

import getpass
import time
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from statistics import median

import pycurl

from bench.file_server import HOST, Sshd, sshd
from bench.newsroom import event, start, until
from bench.receiver import Receiver
from bench.results import Result, at_least
from worker import clock

LIMIT = """\
Each file is four requests to the server: open, write, close, rename. The server's own work for them, 0.4 ms of a
processor, is the same for both. libcurl takes 0.15 to 0.2 ms in the bare loop and 0.3 in ours, where its sockets are
watched and the guard looks at them; a newsroom's worker needs another 0.4 ms for an article: to read it, render it and
hold it against the rules of its format, to name its file, and to note the attempt and the ledger before the next one.
Tried without a gain: eight threads for the server instead of four (they take a quarter more of the processors)."""

_FILES = 2_000
_CONNECTIONS = 8
_ROUNDS = 3
_EVENTS_PER_POST = 100
_FEED = "files"


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    files = max(200, int(_FILES * scale))
    ours: list[float] = []
    bare: list[float] = []
    with ExitStack() as stack:
        server = stack.enter_context(sshd())
        receiver = stack.enter_context(Receiver())
        names = [f"p{number}" for number in range(_ROUNDS)]
        newsroom = stack.enter_context(
            start(receiver, [_FEED], "".join(server.endpoint(name, _FEED, _CONNECTIONS) for name in names))
        )
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
            bare.append(_bare_rate(server, f"bare-{name}", files, b"x" * size))
    return [
        at_least("files", median(ours), 300, "/s", f"{files:,} of {size:,} bytes, {_CONNECTIONS} connections"),
        Result("a bare libcurl loop", median(bare), "/s"),
        at_least("against the bare loop", median(ours) / median(bare), 0.8, "x"),
    ]


def _bare_rate(server: Sshd, name: str, files: int, body: bytes) -> float:
    """Put files there by nothing but libcurl; return how many a second."""
    folder = server.folder / name
    multi = pycurl.CurlMulti()
    free = [pycurl.Curl() for _ in range(_CONNECTIONS)]
    left, busy = iter(range(files)), 0
    begun = time.monotonic()
    while True:
        while free and (number := next(left, None)) is not None:
            multi.add_handle(_upload(server, free.pop(), folder, number, body))
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


def _upload(server: Sshd, curl: pycurl.Curl, folder: Path, number: int, body: bytes) -> pycurl.Curl:
    curl.reset()
    part, final = folder / f".{number}.json.part", folder / f"{number}.json"
    curl.setopt(pycurl.URL, f"sftp://{HOST}:{server.port}{part}")
    curl.setopt(pycurl.USERNAME, getpass.getuser())
    curl.setopt(pycurl.SSH_AUTH_TYPES, pycurl.SSH_AUTH_PUBLICKEY)
    curl.setopt(pycurl.SSH_PRIVATE_KEYFILE, str(server.key))
    curl.setopt(pycurl.UPLOAD, 1)
    curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
    curl.setopt(pycurl.INFILESIZE_LARGE, len(body))
    curl.setopt(pycurl.FTP_CREATE_MISSING_DIRS, 2)
    curl.setopt(pycurl.POSTQUOTE, [f'rename "{part}" "{final}"'])
    return curl
