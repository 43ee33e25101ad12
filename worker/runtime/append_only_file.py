"""The append-only file of the embedded Redis after a loss of power: mends what is safe, reports the rest.

A file system may leave zeros where the last writes should be. No complete file ends in zeros, so those are cut off;
what stood before them is whole, or its last command is cut, which Redis mends by itself (`aof-load-truncated`). A file
that is damaged elsewhere is left alone: to cut it there would lose what was written since, and a person is to decide.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_COPY_BYTES = 1_000_000
"""How much of the end is kept as it was."""
_BLOCK_BYTES = 65_536
_PREAMBLE = b"REDIS"
_CHECKSUM_BYTES = 8
"""A file that is a snapshot alone ends in a checksum, which may be zeros when there is none."""
_SIGNS = ("Bad file format reading the append only file", "Unrecoverable error reading the append only file")
"""What Redis says of a file that it can't read."""
_TOOL = "redis-check-aof"


class Repair(NamedTuple):
    """What was done to a file."""

    path: Path
    removed: int
    """How many zeros were cut off."""
    copy: Path
    """Where its end is kept as it was."""


def repair(folder: Path) -> Repair | None:
    """Cut off the zeros at the end of the append-only file in `folder`, None if there are none. No server may run."""
    path = _file(folder)
    if path is None:
        return None
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole_bytes = _without_zeros(file.fileno(), size)
        file.seek(0)
        spare = _CHECKSUM_BYTES if file.read(len(_PREAMBLE)) == _PREAMBLE else 0
        if size - whole_bytes <= spare:
            return None
        copy = folder / f"end-before-repair-{int(time.time())}"
        file.seek(max(0, whole_bytes - _COPY_BYTES))
        with copy.open("wb") as other:
            other.write(file.read(2 * _COPY_BYTES))
            os.fsync(other.fileno())
        file.truncate(whole_bytes)
        os.fsync(file.fileno())
    return Repair(path, size - whole_bytes, copy)


def unreadable(output: str) -> bool:
    """Whether the output of a server that ended shows that it could not read its append-only file."""
    return any(sign in output for sign in _SIGNS)


def advice(folder: Path, executable: str) -> str:
    """Say what to do about a file that is damaged elsewhere; the tool for it is put beside the file."""
    tool = folder / _TOOL
    # The server is that tool as well, under its name.
    with suppress(FileExistsError):
        tool.symlink_to(executable)
    manifest = folder / "appendonlydir" / "appendonly.aof.manifest"
    path = manifest if manifest.exists() else _file(folder)
    return (
        f"Redis can't read its append-only file, which is damaged in the middle. Copy {folder} to a safe place, then "
        f"run {tool} --fix {path} which cuts the file where the damage begins: what was written after that is lost"
    )


def _file(folder: Path) -> Path | None:
    """The file that was written last: Redis 7 has several."""
    files = [folder / "appendonly.aof", *(folder / "appendonlydir").glob("*.incr.aof")]
    there = [path for path in files if path.is_file()]
    return max(there, key=lambda path: path.stat().st_mtime_ns, default=None)


def _without_zeros(descriptor: int, size: int) -> int:
    """How many bytes there are before the zeros at the end."""
    while size:
        start = max(0, size - _BLOCK_BYTES)
        block = os.pread(descriptor, size - start, start)
        if left := block.rstrip(b"\0"):
            return start + len(left)
        size = start
    return 0
