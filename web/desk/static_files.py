"""Style sheets, scripts and pictures, each at an address with a digest of its content: browsers keep them for good."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

DESK_FOLDER = Path(__file__).with_name("static")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_GOOD = "public, max-age=31536000, immutable"


class StaticFile(NamedTuple):
    """A file as it is served, and the same compressed."""

    content: bytes
    compressed: bytes
    media_type: str


class StaticFiles:
    """The files of a folder, below `prefix`. `accent`: the newsroom's colour; `logo`: its picture, or None.

    Raises OSError when the picture can't be read.
    """

    def __init__(self, prefix: str, accent: str, logo: Path | None, folder: Path = DESK_FOLDER) -> None:
        self._prefix = prefix
        self._addresses: dict[str, str] = {}
        self._files: dict[str, StaticFile] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in _TYPES:
                self._add(str(path.relative_to(folder)), path.read_bytes(), path.suffix)
        self._add("theme.css", f":root {{ --brand: {accent}; }}\n".encode(), ".css")
        self.logo = ""
        if logo is not None:
            self._add(f"logo{logo.suffix.lower()}", logo.read_bytes(), logo.suffix.lower())
            self.logo = self.address(f"logo{logo.suffix.lower()}")

    def address(self, name: str) -> str:
        """Return where a file is."""
        return self._addresses[name]

    async def get(self, request: Request) -> Response:
        """GET PREFIX/static/DIGEST/NAME."""
        file = self._files.get(request.url.path)
        if file is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
        content = file.content
        if "gzip" in request.headers.get("accept-encoding", "") and len(file.compressed) < len(content):
            content = file.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=file.media_type)

    def _add(self, name: str, content: bytes, suffix: str) -> None:
        address = f"{self._prefix}/static/{sha256(content).hexdigest()[:16]}/{name}"
        self._addresses[name] = address
        self._files[address] = StaticFile(content, gzip.compress(content, mtime=0), _TYPES[suffix])
