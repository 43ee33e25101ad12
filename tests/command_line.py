"""The command line for tests: each run is a process of its own, forked from one that has done the imports already.

So a run takes what the command takes, not the second that the imports of all commands take before it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from forked import begin, context, finish, run_command_line

_SECONDS = 180
"""Much longer than any takes on a machine that does much else."""


def dateline(
    *words: str,
    stdin: str = "",
    stdout: Path | None = None,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, far from any settings of ours. `stdout`: the file that gets its output."""
    done = dateline_bytes(*words, stdin=stdin, stdout=stdout, cwd=cwd, variables=variables)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def dateline_bytes(
    *words: str,
    stdin: str = "",
    stdout: Path | None = None,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """The same, with what it prints as it is."""
    environ = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", **(variables or {})}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_text(stdin, "utf-8")
        (folder / "stdout").symlink_to(stdout or folder / "output")
        process = context.Process(target=_run, args=(words, folder, cwd, environ))
        begin(process)
        status = finish(process, _SECONDS)
        if status is None:
            process.kill()
            finish(process, None)
            raise subprocess.TimeoutExpired(words, _SECONDS)
        outputs = (b"" if stdout else (folder / "output").read_bytes(), (folder / "stderr").read_bytes())
        return subprocess.CompletedProcess(words, status, *outputs)


def _run(words: tuple[str, ...], folder: Path, cwd: Path | None, environ: dict[str, str]) -> None:
    streams = [
        os.open(folder / name, flags, 0o600)
        for name, flags in (
            ("stdin", os.O_RDONLY),
            ("stdout", os.O_WRONLY | os.O_CREAT),
            ("stderr", os.O_WRONLY | os.O_CREAT),
        )
    ]
    run_command_line(words, environ, cwd, streams)
