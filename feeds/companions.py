"""Pictures that are delivered beside an article: which these are, how their files are called, how documents name them.

A document names a picture by the path from its own file, and as both lie in one folder, that is the picture's file
name. Each format writes the addresses that an article has, so an article whose pictures have paths for addresses is
rendered like any other. A picture's file is called by its contents, so it never changes:

    hh-2026-0301-3f0c9a5be1d27c44.jpg          {id}-{digest}.{ext}
    hh-2026-0301-3f0c9a5be1d27c44-w1600.jpg    the same picture, at most 1600 pixels wide
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING, NamedTuple

from feeds.article import Image
from feeds.file_names import safe_value
from feeds.granting import without_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feeds.article import Article

PICTURES_MOST = 100
"""How many pictures of one article are delivered beside it."""
_DIGEST_LENGTH = 16
_END_OF_NAME = re.compile(rf"[0-9a-f]{{{_DIGEST_LENGTH}}}(?:-w[0-9]{{1,5}})?\.(?:jpg|png|gif|webp)")
# An image as `feeds.safe_html` writes it, and its address.
_IMAGE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_SOURCE = re.compile(r' src="([^"]*)"')


class PicturePlace(NamedTuple):
    """Where a picture lies, seen from the document, and what it is. Width and height in pixels."""

    path: str
    media_type: str
    width: int
    height: int


def picture_addresses(article: Article) -> list[str]:
    """Return the addresses of an article's pictures, each once: those that it lists, then those in its text."""
    sources = (_SOURCE.search(image[0]) for image in _IMAGE.finditer(article.body_html))
    in_text = (unescape(source[1]) for source in sources if source)
    return list(dict.fromkeys([*(image.url for image in article.images), *in_text]))


def picture_name(article_id: str, digest: str, ext: str, width: int = 0) -> str:
    """Return the name of a picture's file. `digest`: of the picture as it was fetched; `width`: 0, as it is."""
    size = f"-w{width}" if width else ""
    return f"{safe_value(article_id)}-{digest[:_DIGEST_LENGTH]}{size}.{ext}"


def is_picture_of(article_id: str, name: str) -> bool:
    """Return whether a picture of an article may have this name; no other article's has it."""
    start = f"{safe_value(article_id)}-"
    return name.startswith(start) and _END_OF_NAME.fullmatch(name, len(start)) is not None


def relocated(article: Article, places: Mapping[str, PicturePlace]) -> Article:
    """Return the article with its pictures where they lie, by address; those that lie nowhere are left out."""
    images = [_moved(image, places[image.url]) for image in article.images if image.url in places]
    body = article.body_html
    if any(address not in places for address in picture_addresses(article)):
        body = without_pictures(body, places.keys())
    body = _IMAGE.sub(lambda image: _at_its_place(image, places), body)
    return article.model_copy(update={"images": tuple(images), "body_html": body})


def _moved(image: Image, place: PicturePlace) -> Image:
    return image.model_copy(
        update={"url": place.path, "type": place.media_type, "width": place.width, "height": place.height}
    )


def _at_its_place(image: re.Match[str], places: Mapping[str, PicturePlace]) -> str:
    source = _SOURCE.search(image[0])
    place = places.get(unescape(source[1])) if source else None
    return _SOURCE.sub(f' src="{escape(place.path)}"', image[0]) if place else image[0]
