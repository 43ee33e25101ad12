"""What destinations have in common that hold a whole feed under one name: files, objects."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator

from config.destination_settings import DestinationSettings
from feeds.file_names import check_document_name


def _document_name(name: str | None) -> str | None:
    return None if name is None else check_document_name(name)


class FeedDocumentSettings(DestinationSettings):
    """In mode "article" each article has a name of its own, in mode "feed" the feed's document has one.

    `of_articles`: the settings that mean something in mode "article" alone.
    """

    holds_documents: ClassVar[bool] = True
    carries_companions: ClassVar[bool] = True
    of_articles: ClassVar[tuple[str, ...]] = ("name", "on_kill")

    document: Annotated[str | None, AfterValidator(_document_name)] = None
    """In mode "feed" the name of the feed's document; default: the feed's name with the ending of its format."""

    def of_other_mode(self, mode: str) -> str | None:
        """Return the name of a setting that means nothing in a mode; None: there is none."""
        names = self.of_articles if mode == "feed" else ("document",)
        fields = type(self).model_fields
        return next((name for name in names if getattr(self, name) != fields[name].default), None)
