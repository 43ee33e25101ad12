"""Pictures as files on this machine's disk: among `KEPT_BYTES`, those that were used last. Its workers share them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import NamedTemporaryFile

KEPT_BYTES = 512 * 1024 * 1024
"""How many bytes of pictures are kept. What is in use is among those that were used last."""
_LOOKS = 16
"""How often it is looked whether there are too many, while so many bytes are written."""
_UNFINISHED = ".part"
_UNFINISHED_SECONDS = 600.0
"""How old a file is that nobody goes on writing."""


class PictureFiles:
    """The files in one folder, which is made when it is needed. `most`: how many bytes are kept."""

    def __init__(self, folder: Path, most: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._most = most
        self._written = most

    def path(self, name: str) -> Path:
        """Return where a file lies, or would."""
        return self._folder / name

    def use(self, name: str) -> bool:
        """Return whether there is such a file; from now on it counts as used last."""
        try:
            os.utime(self.path(name))
        except FileNotFoundError:
            return False
        return True

    def keep(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._folder, suffix=_UNFINISHED, delete=False) as file:
            part = Path(file.name)
            try:
                file.write(content)
                file.flush()
                part.replace(self.path(name))
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        self._written += len(content)
        if self._written >= self._most // _LOOKS:
            self._written = 0
            self._tidy()

    def _tidy(self) -> None:
        """Remove what was used longest ago beyond `most` bytes, and what a process that died was writing."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                # Another worker tidies too.
                continue
            if path.suffix == _UNFINISHED:
                if status.st_mtime < time.time() - _UNFINISHED_SECONDS:
                    path.unlink(missing_ok=True)
            else:
                files.append((status.st_mtime, status.st_size, path))
        total = 0
        for _, size, path in sorted(files, reverse=True):
            total += size
            if total > self._most:
                path.unlink(missing_ok=True)
