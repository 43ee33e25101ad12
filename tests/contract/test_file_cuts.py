"""Files sent through connections that are cut anywhere: nothing is ever there in part, or older than it was."""

from __future__ import annotations

import random
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from contract.file_desk import LOGIN, FileDesk, message, names
from file_servers import CuttingProxy, random_cuts
from waiting import PATIENCE_SECONDS

from worker.destinations.files import FileDestination
from worker.outbound.errors import Fault


def cut(desk: FileDesk, there: FileDestination, proxy: CuttingProxy, folder: Path, cuts: int) -> None:
    """Send versions of a few articles through connections that are cut, each until it has arrived."""
    latest: dict[str, int] = {}
    watched = Watch(folder)
    version = 0
    while proxy.cuts < cuts:
        version += 1
        article_id = f"a{version % 5}"
        text = f"{version:06} ".encode() * 300
        status, doubtful = 0, False
        end = time.monotonic() + PATIENCE_SECONDS
        while status != 200:
            assert time.monotonic() < end
            answer = desk.push(there, message(article_id, version, text=text), doubtful=doubtful, seconds=10)
            status = answer.status
            assert status == 200 or answer.fault not in {None, Fault.DENIED, Fault.INTERNAL}, answer
            doubtful |= answer.started
        latest[article_id] = version
        for name, newest in latest.items():
            assert (folder / f"{name}.json").read_bytes() == f"{newest:06} ".encode() * 300
    watched.stop()
    assert watched.partial == []
    assert names(folder) == sorted(f"{name}.json" for name in latest)


class Watch:
    """Looks all the time at the files that lie there under final names; `partial`: what was not whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.partial: list[tuple[str, int]] = []
        self._running = True
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while self._running:
            for path in self._folder.glob("a*.json"):
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                if content != content[:7] * 300:
                    self.partial.append((path.name, len(content)))
            time.sleep(0.002)

    def stop(self) -> None:
        self._running = False
        self._thread.join()


@pytest.mark.parametrize("cuts", [50, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("kind", ["sftp", "ftp", "ftp-data"])
def test_connections_that_are_cut_anywhere(
    desk: FileDesk, request: pytest.FixtureRequest, tmp_path: Path, kind: str, cuts: int
) -> None:
    server: Any = request.getfixturevalue("sshd" if kind == "sftp" else "ftp")
    folder = server.files / tmp_path.name
    folder.mkdir()
    proxy = CuttingProxy(server.port)
    base = f"sftp://127.0.0.1:{proxy.port}{server.files}" if kind == "sftp" else f"ftp://127.0.0.1:{proxy.port}"
    own = server.settings() if kind == "sftp" else LOGIN
    there = desk.destination(kind[:4].rstrip("-"), f"{base}/{tmp_path.name}", {**own, "name": "{id}.{ext}"})
    lengths = random_cuts(random.Random(cuts), 20_000 if kind == "sftp" else 2_500)
    if kind == "ftp-data":
        proxy.data_cut_after = lengths
    else:
        proxy.cut_after = lengths
    cut(desk, there, proxy, folder, cuts)
    proxy.close()
