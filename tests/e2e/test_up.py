"""`dateline up` itself: nothing that befalls it ends it, and its end leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
import requests
from command_line import dateline
from newsroom import SECRET, TOKEN, settings_text
from ports import free_port
from receiver import Receiver

from worker.record import Record


class Up:
    """`dateline up` in a process of its own."""

    def __init__(self, folder: Path, receiver: Receiver, cwd: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.config = folder / "dateline.toml"
        self.text = settings_text(self.port, folder / "data", receiver.url)
        self.config.write_text(self.text)
        self.log = folder / "log"
        self.url = f"http://127.0.0.1:{self.port}"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
        self._environ = environ | {"DATELINE_CONFIG": str(self.config)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "worker.cli", "up", "--workers", "1"],
                env=self._environ,
                cwd=cwd,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)

    def redis(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.folder / "data" / "redis.sock"), decode_responses=True)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-m", "worker.cli", *words]
        return subprocess.run(arguments, env=self._environ, capture_output=True, text=True, check=False, timeout=60)

    def tree(self) -> list[int]:
        """All processes whose command line has our folder, or that are our children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.folder) in line and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
        return found


@pytest.fixture
def up(tmp_path: Path, receiver: Receiver) -> Iterator[Up]:
    # What lies in the working directory under names of ours is never imported.
    cwd = tmp_path / "cwd"
    for name in ("config", "web", "worker", "feeds"):
        (cwd / name).mkdir(parents=True)
        (cwd / name / "__init__.py").write_text('raise SystemExit("imported from the working directory")')
    (cwd / "config.py").write_text('raise SystemExit("imported from the working directory")')
    up = Up(tmp_path, receiver, cwd)
    yield up
    for pid in up.tree():
        for number in (signal.SIGCONT, signal.SIGKILL):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
    up.process.wait()


def _endpoint(name: str, receiver: Receiver) -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "s0"\nformat = "json"\nurl = "{receiver.url}/{name}"\n'
        f'secret = "{SECRET}"\n'
    )


def _event(article_id: str) -> dict[str, object]:
    article = {
        "id": article_id,
        "version": 1,
        "section": "s0",
        "headline": "h",
        "url": f"https://h.example/{article_id}",
    }
    return {"id": f"evt-{article_id}", "type": "article.published", "article": article}


def _post(up: Up, article_id: str) -> int:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return requests.post(f"{up.url}/events", json=_event(article_id), headers=headers, timeout=60).status_code


@pytest.mark.long
def test_nothing_ends_it_and_its_end_leaves_nothing(up: Up, receiver: Receiver) -> None:
    # A hang-up as soon as it can be told from another process.
    up.until(lambda: bool(up.tree()))
    up.until(lambda: Path(f"/proc/{up.process.pid}/cmdline").exists() and _blocks_hang_ups(up.process.pid), 20)
    up.process.send_signal(signal.SIGHUP)
    up.until(lambda: up.said("Dateline is up"))

    # It has made the record.
    with closing(Record.embedded(up.folder / "data")) as record:
        record.see_that_it_fits()

    # A second one on the same data is told who is there, also with another port, and changes nothing.
    for more in ([], ["--port", "0"]):
        second = up.command("up", *more)
        assert (1, 1) == (second.returncode, second.stderr.count("\n"))
        assert f"already running here (pid {up.process.pid}, port {up.port}" in second.stderr.replace("\n", " ")

    # Settings with a mistake change nothing; good ones are taken though Redis is away when they come.
    up.config.write_text(up.text + "\n[nonsense]\nx = 1\n")
    up.process.send_signal(signal.SIGHUP)
    up.until(lambda: up.said("settings_refused"))
    server = up.redis()
    pid = int(server.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    up.config.write_text(up.text + _endpoint("late", receiver))
    up.process.send_signal(signal.SIGHUP)
    time.sleep(2)
    os.kill(pid, signal.SIGCONT)
    up.until(lambda: up.said('"endpoint": "late"'))

    # A Redis that takes no writes ends nothing.
    workers = set(up.tree())
    server.config_set("maxmemory", "1mb")
    assert 202 == _post(up, "kept-by-the-record")
    ready = requests.get(f"{up.url}/readyz", timeout=60)
    assert 503 == ready.status_code
    assert "memory is full" in ready.json()["detail"]
    ended = up.command("kill", "--unknown-too", "x")
    assert 0 == ended.returncode
    assert "is killed as soon as Redis is back" in ended.stdout.replace("\n", " ")
    time.sleep(5)
    assert workers == set(up.tree())
    assert 200 == requests.get(f"{up.url}/feeds", timeout=60).status_code
    server.config_set("maxmemory", 0)
    assert 202 == _post(up, "taken")
    receiver.wait("/late", 2, 30)

    # Its end while Redis does not answer.
    os.kill(pid, signal.SIGSTOP)
    up.process.terminate()
    assert 0 == up.process.wait(75)
    assert [] == up.tree()
    assert "Traceback" not in up.log.read_text()


def _blocks_hang_ups(pid: int) -> bool:
    """Whether the process's main thread has SIGHUP blocked."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigBlk:")).split()[1]
    return bool(int(mask, 16) & 1 << (signal.SIGHUP - 1))


def test_without_a_record_it_does_not_begin_at_all(tmp_path: Path) -> None:
    config, data = tmp_path / "dateline.toml", tmp_path / "data"
    config.write_text('[[feeds]]\nname = "all"\ntitle = "All articles"\n')
    (data / "record.db").mkdir(parents=True)
    done = dateline("up", "--config", str(config), "--data", str(data), "--port", "0")
    assert (1, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
    assert "record" in done.stderr
    assert not (data / "redis.sock").exists()
