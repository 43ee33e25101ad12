"""The names of the golden files: each format has one in every folder of tests/golden."""

from __future__ import annotations

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import ArticleFormat

FEED_FILES = {name: f"expected.{name}" for name in FEED_FORMATS}


def article_file(article_format: ArticleFormat) -> str:
    """The name of the file, by the format's name and media type."""
    # Feeds have a format of the same name as our own format of articles.
    stem = "native" if article_format.name in FEED_FILES else article_format.name
    return f"expected.{stem}.{article_format.extension}"


ARTICLE_FILES = {name: article_file(article_format) for name, article_format in ARTICLE_FORMATS.items()}
