"""What a picture is by its contents, and the same picture smaller. Pillow decodes nothing larger than `PIXELS_MOST`."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

PIXELS_MOST = 60_000_000
"""The largest picture, in pixels: a few kilobytes may stand for gigabytes of them."""
_KINDS = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}
"""The kinds that are delivered: what Pillow calls them, their media type, and how names of files end."""
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
"""Values of Exif's Orientation with which width and height change places (Exif 2.32, section 4.6.4)."""
_QUALITY = 85
_APP13 = "APP13"
"""The segment of a JPEG that has IPTC's fields: who made it, and whose it is."""

# Pillow would only warn of pictures that are larger; here they are refused before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


class PictureRefused(Exception):
    """It is not a picture that is delivered; the message says why."""


class PictureKind(NamedTuple):
    """A picture's media type, the ending of its file's name, and its size in pixels as people see it."""

    media_type: str
    ext: str
    width: int
    height: int


def kind_of(content: bytes) -> PictureKind:
    """Return what a picture is. Raises PictureRefused."""
    image = _opened(content)
    media_type, ext = _KINDS[image.format or ""]
    try:
        image.verify()
    except Exception as error:  # noqa: BLE001 (its decoders raise whatever they meet)
        raise PictureRefused(f"it is broken: {error}") from None
    width, height = _seen_size(_opened(content))
    return PictureKind(media_type, ext, width, height)


def narrowed(content: bytes, width: int) -> tuple[bytes, int, int] | None:
    """Return a picture at most `width` pixels wide, with its size; None: it is no wider, or it moves.

    It keeps its kind, its colours and what it says of its author. Raises PictureRefused.
    """
    image = _opened(content)
    seen_width, _ = _seen_size(image)
    if seen_width <= width or getattr(image, "n_frames", 1) > 1 or image.format == "GIF":
        return None
    extra = b"".join(_segment(data) for name, data in getattr(image, "applist", ()) if name == _APP13)
    kind, profile, xmp = image.format, image.info.get("icc_profile"), image.info.get("xmp")
    try:
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        image.thumbnail((image.width, width) if turned else (width, image.height), Image.Resampling.LANCZOS)
        small = ImageOps.exif_transpose(_with_all_colours(image))
    except Exception as error:  # noqa: BLE001 (its decoders raise whatever they meet)
        raise PictureRefused(f"it is broken: {error}") from None
    saved = BytesIO()
    of_kind: dict[str, Any] = {}
    if kind == "JPEG":
        of_kind = {"quality": _QUALITY, "progressive": True, "extra": extra}
    elif kind == "WEBP":
        of_kind = {"quality": _QUALITY}
    if xmp and kind in {"JPEG", "WEBP"}:
        of_kind["xmp"] = xmp
    small.save(saved, kind, icc_profile=profile, exif=small.getexif(), **of_kind)
    return saved.getvalue(), small.width, small.height


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(content), formats=tuple(_KINDS))
    except UnidentifiedImageError:
        raise PictureRefused("by its contents it is no JPEG, PNG, GIF or WebP") from None
    except Exception as error:  # noqa: BLE001 (its decoders raise whatever they meet)
        raise PictureRefused(f"it is broken: {error}") from None
    if image.width * image.height > PIXELS_MOST:
        raise PictureRefused(f"it has {image.width * image.height:,} pixels, more than {PIXELS_MOST:,}")
    return image


def _seen_size(image: Image.Image) -> tuple[int, int]:
    """Width and height as people see it: a camera may say that it was held upright."""
    try:
        turned = image.getexif().get(_ORIENTATION) in _TURNED
    except Exception:  # noqa: BLE001 (its decoders raise whatever they meet)
        # What it says of the camera can't be read; it is a picture all the same.
        turned = False
    return (image.height, image.width) if turned else image.size


def _with_all_colours(image: Image.Image) -> Image.Image:
    """The image, not with a palette: between the colours of one there are none."""
    return image.convert({"P": "RGBA", "1": "L"}[image.mode]) if image.mode in {"P", "1"} else image


def _segment(data: bytes) -> bytes:
    return b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data
