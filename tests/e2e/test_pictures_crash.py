"""A worker dies while it delivers pictures to servers of files, at every point of that; the next one finishes."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
import requests
from file_servers import CuttingProxy, Sshd
from newsroom import TOKEN, Newsroom, start
from PIL import Image
from receiver import Receiver
from waiting import PATIENCE_SECONDS

COLOURS = ("red", "blue")
Names = Mapping[str, int]
"""The files in a folder with their sizes."""


def ends(names: Names, ending: str) -> list[str]:
    return [name for name, size in names.items() if name.endswith(ending) and size]


def is_unfinished(names: Names, ending: str) -> bool:
    return any(f"{ending}." in name and name.endswith(".part") for name in names)


POINTS: dict[str, Callable[[Names], bool]] = {
    "a-picture-half-there": lambda names: not ends(names, ".png") and any(size > 10_000 for size in names.values()),
    "one-picture-there": lambda names: len(ends(names, ".png")) == 1,
    "pictures-there": lambda names: len(ends(names, ".png")) == 2 and not is_unfinished(names, ".json"),
    "the-text-half-there": lambda names: is_unfinished(names, ".json"),
    "the-text-there": lambda names: bool(ends(names, ".json")),
}
"""What lies in a folder when the worker dies: from there on it hears nothing from the server any more."""
FATES = ("goes-on", "killed")
"""What happens to the article before the next worker comes."""


class Partner:
    """A partner's folder, and a proxy before its server that keeps replies back at one point."""

    def __init__(self, number: int, sshd: Sshd, point: str, fate: str) -> None:
        self.article_id = f"{fate}-{point}"
        self.section = f"s{20 + number}"
        self.fate = fate
        self.folder = sshd.files / self.article_id
        self.proxy = CuttingProxy(sshd.port)
        self.on_kill = "both" if "text" in point else "remove"
        self._point = point
        self.proxy.hold = self.is_there

    def is_there(self) -> bool:
        return POINTS[self._point](self.names())

    def names(self) -> Names:
        names = {}
        for path in self.folder.rglob("*"):
            try:
                if path.is_file():
                    names[path.name] = path.stat().st_size
            except FileNotFoundError:
                # It has just been renamed.
                continue
        return names

    def let_go(self) -> None:
        self.proxy.hold = lambda: False
        self.proxy.released.set()

    def endpoint(self, sshd: Sshd) -> str:
        return f"""
[[endpoints]]
name = "{self.article_id}"
feed = "{self.section}"
kind = "sftp"
format = "json"
url = "sftp://127.0.0.1:{self.proxy.port}{self.folder}"
companions = {{ pictures = true }}
[endpoints.sftp]
username = "{sshd.user}"
key = '''{sshd.key}'''
host_keys = ["{sshd.fingerprint}"]
name = "{{id}}.{{ext}}"
on_kill = "{self.on_kill}"
"""

    def flaws(self, pictures: set[bytes]) -> list[str]:
        """What is wrong with what lies there under final names."""
        # Texts first: a picture may come while this looks, and must not be missed for that.
        texts = {path: path.read_bytes() for path in self.folder.rglob("*.json")}
        flaws = [path.name for path in self.folder.rglob("[!.]*.png") if path.read_bytes() not in pictures]
        for path, content in texts.items():
            try:
                named = [image["url"] for image in json.loads(content)["article"]["images"]]
            except ValueError:
                flaws.append(f"{path.name}: {content[:80]!r}")
                continue
            flaws += [f"{path.name} before {name}" for name in named if not (path.parent / name).exists()]
            flaws += [] if len(named) == len(COLOURS) else [f"{path.name} with {named}"]
        return flaws


class Watch:
    """Looks all the time at what lies at partners'."""

    def __init__(self, partners: list[Partner], pictures: set[bytes]) -> None:
        self.flaws: list[str] = []
        self.looks = 0
        self._partners, self._pictures = partners, pictures
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            for partner in self._partners:
                self.flaws += partner.flaws(self._pictures)
            self.looks += 1

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def noisy(seed: str) -> bytes:
    """A picture that takes many messages of SFTP's."""
    content = BytesIO()
    Image.frombytes("RGB", (400, 300), random.Random(seed).randbytes(360_000)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def is_proven_gone(newsroom: Newsroom, article_id: str) -> bool:
    """Whether coverage says so of the one endpoint that has an article."""
    url = f"{newsroom.base_url}/api/articles/{article_id}/coverage"
    report = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    row = next(iter(report.get("receivers", ())), {})
    return row.get("status") == "killed" and (row.get("page") or {}).get("verdict") == "gone"


@pytest.mark.long
def test_sigkill_while_pictures_are_delivered(tmp_path: Path, receiver: Receiver, sshd: Sshd) -> None:
    pictures = {f"/{colour}.png": noisy(colour) for colour in COLOURS}
    for path, content in pictures.items():
        receiver.behave[path] = lambda _, content=content: (200, content)  # type: ignore[misc]
    images = [{"url": f"{receiver.url}{path}"} for path in pictures]
    cases = enumerate(itertools.product(POINTS, FATES))
    partners = [Partner(number, sshd, point, fate) for number, (point, fate) in cases]
    staying = [partner for partner in partners if partner.fate == "goes-on"]
    watch = Watch(staying, set(pictures.values()))
    with start(tmp_path, receiver, 1, "".join(partner.endpoint(sshd) for partner in partners)) as newsroom:
        for partner in partners:
            newsroom.publish(partner.article_id, partner.section, images=images)
        for partner in partners:
            assert partner.proxy.held.wait(PATIENCE_SECONDS), (partner.article_id, partner.names())
        victim = newsroom.stack.children[1].process
        assert victim is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(PATIENCE_SECONDS)
        for partner in partners:
            assert partner.is_there(), (partner.article_id, partner.names())
            partner.let_go()
        for partner in partners:
            if partner.fate == "killed":
                newsroom.kill(partner.article_id)
        threading.Thread(target=newsroom.stack.watch, daemon=True).start()

        def whole(partner: Partner) -> bool:
            return {path.read_bytes() for path in partner.folder.glob("*.png")} == set(pictures.values()) and set(
                partner.names()
            ) == {f"{partner.article_id}.json", *(path.name for path in partner.folder.glob("*.png"))}

        receiver.until(lambda: all(map(whole, staying)), 60, "all to be there, and nothing else")
        watch.stop()
        assert watch.flaws == []
        assert watch.looks > 10
        for partner in staying:
            newsroom.kill(partner.article_id)
        for partner in partners:
            receiver.until(partial(is_proven_gone, newsroom, partner.article_id), 60, "the proof")
            notice = [f"{partner.article_id}.json"] if partner.on_kill == "both" else []
            assert list(partner.names()) == notice
            assert all("article.killed" in path.read_text() for path in partner.folder.glob("*.json"))
        newsroom.stack.stop()
