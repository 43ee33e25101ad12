"""Dateline as it was before it had a record: the program of that commit, with the libraries of this one."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.peers.running import ROOT

_COMMIT = "fa4c2bc"
_PROGRAM = ("config", "feeds", "web", "worker", "dateline.py")


@contextmanager
def before_the_record() -> Iterator[str]:
    """Yield the interpreter that runs it. Raises CalledProcessError where the repository has no such commit."""
    with TemporaryDirectory(prefix="dateline-bench-") as name:
        folder = Path(name)
        archive = subprocess.run(
            ["git", "archive", "--format=tar", _COMMIT, *_PROGRAM], cwd=ROOT, check=True, capture_output=True
        )
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder / "program", filter="data")
        venv.create(folder / "venv", symlinks=True)
        minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
        # Folders that a .pth file names are looked into as they are, so what links to this program is not followed.
        paths = (folder / "program", sysconfig.get_path("purelib"))
        (folder / "venv" / "lib" / minor / "site-packages" / "before.pth").write_text("\n".join(map(str, paths)))
        yield str(folder / "venv" / "bin" / "python")
