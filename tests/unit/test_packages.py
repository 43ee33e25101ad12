"""Something else under the name of one of our packages, where Python looks first: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DATELINE = Path(sys.executable).with_name("dateline")


def run(folder: Path, *command: str, path: str = "") -> tuple[int, list[str]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DATELINE_", "PYTHON"))}
    environ |= {"PYTHONPATH": path} if path else {}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr.splitlines()


def foreign(folder: Path, name: str) -> Path:
    """Something that would be imported as `name`."""
    if name.endswith(".py"):
        package = folder / name
        package.write_text("raise SystemExit('imported')\n")
    else:
        package = folder / name
        package.mkdir()
        (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    return package


@pytest.mark.parametrize("name", ["config", "web", "feeds", "worker", "config.py", "worker.py"])
def test_on_the_path_it_is_one_line(tmp_path: Path, name: str) -> None:
    package = foreign(tmp_path, name)
    said = (
        f"dateline: {package} is in the way of our package {name.removesuffix('.py')}: "
        f"start dateline without {tmp_path} in PYTHONPATH"
    )
    for path in (str(tmp_path), f"/nowhere:{tmp_path}"):
        assert (1, [said]) == run(Path("/"), str(DATELINE), "--version", path=path)
    # An empty entry is the working directory.
    assert (1, [said]) == run(tmp_path, str(DATELINE), "--version", path=":/nowhere")


def test_in_the_working_directory_it_is_one_line(tmp_path: Path) -> None:
    package = foreign(tmp_path, "config")
    advice = "start dateline from another folder, or with python -P"
    said = f"dateline: {package} is in the way of our package config: {advice}"
    python = (sys.executable, "-m", "worker.cli", "--version")
    assert (1, [said]) == run(tmp_path, *python)
    assert (0, []) == run(tmp_path, sys.executable, "-P", *python[1:])
    assert (0, []) == run(tmp_path, str(DATELINE), "--version")


def test_a_folder_that_is_no_package_is_in_nobodys_way(tmp_path: Path) -> None:
    for name in ("config", "feeds", "web", "worker"):
        (tmp_path / name).mkdir()
    assert (0, []) == run(tmp_path, str(DATELINE), "--version", path=str(tmp_path))


def test_a_disk_that_has_no_room_for_the_answer_is_named_once() -> None:
    """Neither as a traceback nor, when Python ends, again."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([DATELINE, "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (1, "dateline: can't write: No space left on device\n") == (done.returncode, done.stderr)
