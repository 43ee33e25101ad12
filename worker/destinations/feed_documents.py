"""A whole feed under one name, as a file or an object: how it is called, and in which format.

In mode "feed" such an endpoint gets the document of the feed as readers see it, each time anew; a kill is the document
without the article. It is proven by reading the document, as a page is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.destinations.file_places import Place, attempted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.endpoint_settings import EndpointSettings
    from config.feed_document_settings import FeedDocumentSettings
    from feeds.formats.interface import ArticleFormat, FeedFormat


def format_of(settings: EndpointSettings) -> ArticleFormat | FeedFormat:
    """Return the format of what an endpoint gets."""
    return FEED_FORMATS[settings.format] if settings.mode == "feed" else ARTICLE_FORMATS[settings.format]


def searched_as(of_format: ArticleFormat | FeedFormat) -> str:
    """Return the content type as which something in a format is looked through for a text.

    All text counts, also what is escaped in its elements.
    """
    return "application/json" if "json" in of_format.media_type else "text/plain; charset=utf-8"


class FeedDocument(NamedTuple):
    """The document of a feed. `feed`: which one; `content_type`: as what it can be looked through for a text."""

    name: str
    feed: str
    content_type: str

    @classmethod
    def of(cls, settings: EndpointSettings, own: FeedDocumentSettings) -> FeedDocument | None:
        """Return the document that the settings describe; None: the endpoint gets articles."""
        if settings.mode != "feed":
            return None
        feed_format = FEED_FORMATS[settings.format]
        name = own.document or f"{settings.feed}.{feed_format.extension}"
        return cls(name, settings.feed, searched_as(feed_format))

    def name_for(self, *, test: bool) -> str:
        """Return its name; that of a test is another one, beside it."""
        if not test:
            return self.name
        folder, slash, base = self.name.rpartition("/")
        return f"{folder}{slash}dateline-test-{base}"


class DocumentFile:
    """The one file of a document, as `ArticleFiles` are those of an article."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_picture(self, name: str) -> bool:
        """No picture goes with it."""
        del name
        return False

    def is_text(self, name: str) -> bool:
        """Whether a name is that of the document."""
        return name == self.name

    def folders(self, names: Iterable[str]) -> list[str]:
        """Return the folder in which it lies."""
        del names
        return [Place.of(self.name).folder]

    def among(self, folder: str, bases: Iterable[str], names: Iterable[str]) -> list[str]:
        """Return those of the files in a folder that are the document, or were to be."""
        del names
        return [folder + base for base in bases if folder + (attempted(base) or base) == self.name]
