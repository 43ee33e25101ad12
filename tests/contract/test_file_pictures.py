"""Pictures beside the files of articles, at servers of each kind."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

import pytest
from contract.file_desk import FileDesk, message, names
from file_servers import Sshd
from pictures import picture, picture_file
from waiting import PATIENCE_SECONDS

from worker.destinations.files import FileDestination
from worker.destinations.interface import Delivery, Message
from worker.outbound.engine import Engine
from worker.outbound.transfer import Answer


def illustrated(tmp_path: Path, version: int, *colours: str, status: str = "published") -> Message:
    """A message about an article with a picture in each of these colours."""
    files = tuple(picture_file(tmp_path, "x", picture(colour=colour)) for colour in colours)
    return replace(message("x", version, status), pictures=files)


def pictures_in(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*.png")}


class TestPictures:
    """Pictures beside articles, in each kind."""

    def test_they_are_there_and_only_those_that_have_changed_are_sent_again(
        self, desk: FileDesk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        assert desk.push(there, illustrated(tmp_path, 1, "red", "blue")).status == 200
        assert len(names(folder)) == 3
        before = {path.name: path.stat().st_ino for path in folder.rglob("*.png")}
        assert desk.push(there, illustrated(tmp_path, 2, "blue", "green", status="corrected")).status == 200
        after = {path.name: path.stat().st_ino for path in folder.rglob("*.png")}
        # The first version stays beside the second, with its pictures.
        assert len(after) == 3
        assert before.items() <= after.items()
        killed = message("x", 3, "killed")
        assert desk.look(there, killed.article).status == 200  # type: ignore[arg-type]
        assert desk.push(there, killed).status == 200
        assert names(folder) == ["2026-03-01/x-v3.json"]
        assert desk.look(there, killed.article).status == 404  # type: ignore[arg-type]

    def test_a_kill_finds_pictures_that_the_ledger_does_not_know(
        self, desk: FileDesk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        desk.push(there, illustrated(tmp_path, 1, "red"))
        desk.remote.clear()
        assert desk.look(there, message("x", 2, "killed").article).status == 200  # type: ignore[arg-type]
        assert desk.push(there, message("x", 2, "killed")).status == 200
        assert pictures_in(folder) == set()

    def test_a_worker_may_die_between_any_two_steps(
        self, desk: FileDesk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        push = illustrated(tmp_path, 1, "red", "blue")
        final = {picture(colour="red"), picture(colour="blue")}
        for steps in range(6):
            desk.remote.clear()
            die(desk, there, push, steps)
            assert pictures_in(folder) >= (final if (folder / "2026-03-01/x-v1.json").exists() else set())
            assert desk.push(there, push, doubtful=True).status == 200
            assert (len(names(folder)), pictures_in(folder)) == (3, final)
            for name in names(folder):
                (folder / name).unlink()

    @pytest.mark.parametrize("steps", range(5))
    def test_a_kill_finds_whatever_a_worker_has_left_that_died_and_so_does_the_next_try_of_the_kill(
        self, desk: FileDesk, partner: tuple[FileDestination, Path], tmp_path: Path, steps: int
    ) -> None:
        """A worker dies after so many steps with an article, the next one after any number with its kill."""
        there, folder = partner
        killed = message("x", 3, "killed")
        assert killed.article is not None
        # The first version has arrived, and stands in the ledger; of the next one nobody knows.
        desk.push(there, illustrated(tmp_path, 1, "red"))
        remote = desk.remote["x"]
        for steps_of_kill in range(6):
            desk.remote["x"] = remote
            die(desk, there, illustrated(tmp_path, 2, "blue", "green"), steps)
            die(desk, there, killed, steps_of_kill)
            if set(names(folder)) - {"2026-03-01/x-v3.json"}:
                assert desk.look(there, killed.article).status == 200
            assert desk.push(there, killed, doubtful=True).status == 200
            assert names(folder) == ["2026-03-01/x-v3.json"]
            assert desk.look(there, killed.article).status == 404
            desk.remote.clear()
            desk.push(there, illustrated(tmp_path, 1, "red"), doubtful=True)

    def test_what_a_dead_worker_has_left_of_another_version_goes(
        self, desk: FileDesk, partner: tuple[FileDestination, Path], tmp_path: Path
    ) -> None:
        there, folder = partner
        desk.push(there, illustrated(tmp_path, 1, "red"))
        remote = desk.remote["x"]
        desk.push(there, illustrated(tmp_path, 2, "blue"))
        (folder / "2026-03-01/x-v2.json").unlink()
        desk.remote["x"] = remote
        assert desk.push(there, illustrated(tmp_path, 3, "green"), doubtful=True).status == 200
        assert pictures_in(folder) == {picture(colour="red"), picture(colour="green")}


def die(desk: FileDesk, there: FileDestination, message: Message, steps: int) -> None:
    """Have a worker take so many steps of a push and die: what it would do then never happens, and nothing is noted."""
    dying = Dying(desk.engine, steps)
    dead = replace(there, root=there.root._replace(engine=dying))
    assert message.article is not None
    delivery = Delivery(
        PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS, "", desk.remote.get(message.article.id, "")
    )
    dying.submit([dead.push(message, delivery, lambda _: None)])
    assert dying.ended.wait(PATIENCE_SECONDS)


class Dying:
    """An engine that carries out so many steps, and then dies."""

    def __init__(self, engine: Engine, steps: int) -> None:
        self._engine = engine
        self._left = steps
        self.ended = Event()

    def submit(self, requests: Sequence[Any]) -> None:
        if not self._left:
            self.ended.set()
            return
        self._left -= 1
        (request,) = requests
        on_answer = request.on_answer

        def answered(answer: Answer) -> None:
            before = self._left
            on_answer(answer)
            if before == self._left and not self.ended.is_set():
                self.ended.set()

        self._engine.submit([replace(request, on_answer=answered)])


def test_pictures_that_no_text_names_any_more_go_with_it(desk: FileDesk, sshd: Sshd, tmp_path: Path) -> None:
    folder = sshd.files / tmp_path.name
    there = desk.destination("sftp", f"sftp://127.0.0.1:{sshd.port}{folder}", sshd.settings(name="{id}.{ext}"))
    desk.push(there, illustrated(tmp_path, 1, "red", "blue"))
    assert desk.push(there, illustrated(tmp_path, 2, "blue", status="corrected")).status == 200
    assert pictures_in(folder) == {picture(colour="blue")}
    assert len(desk.remote["x"].split(",")) == 2
    # What a replay sends again, it sends again whole.
    (next(folder.glob("*.png"))).unlink()
    answers: SimpleQueue[Answer] = SimpleQueue()
    delivery = Delivery(PATIENCE_SECONDS, time.monotonic() + 2 * PATIENCE_SECONDS, "replay", desk.remote["x"])
    desk.engine.submit([there.push(illustrated(tmp_path, 2, "blue"), delivery, answers.put)])
    assert answers.get(timeout=PATIENCE_SECONDS).status == 200
    assert pictures_in(folder) == {picture(colour="blue")}
