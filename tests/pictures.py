"""Pictures for tests, and what a destination is given of them."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image

from feeds.companions import picture_name
from worker.pictures.pictures import PictureFile


def picture(width: int = 64, height: int = 48, kind: str = "PNG", colour: str = "teal", **saved: object) -> bytes:
    """A picture of one colour."""
    content = BytesIO()
    Image.new("RGB", (width, height), colour).save(content, kind, **saved)
    return content.getvalue()


def picture_file(folder: Path, article_id: str, content: bytes) -> PictureFile:
    """A picture as a destination is given it."""
    digest = sha256(content).hexdigest()
    path = folder / digest
    path.write_bytes(content)
    return PictureFile(picture_name(article_id, digest, "png"), "image/png", path)
