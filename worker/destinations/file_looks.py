"""The steps at a server of files that look: after a kill, and for what was left there, which is removed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.destinations.file_places import ArticleFiles, Place, abandoned, names_in
from worker.destinations.file_visit import FileVisit
from worker.outbound.file_transfer import FileStep

if TYPE_CHECKING:
    from feeds.article import Article
    from worker.destinations.feed_documents import FeedDocument
    from worker.destinations.files import FileDestination
    from worker.destinations.interface import Delivery, OnAnswer
    from worker.outbound.transfer import Answer, Transfer

ABANDONED_MS = 15 * 60 * 1000
"""How old a temporary file is that nobody comes back for: no claim lasts so long."""


class FileLook(FileVisit):
    """The steps that look whether anything of a killed article is left, beside its notice."""

    def __init__(self, there: FileDestination, article: Article, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._files = ArticleFiles(there.root.terms, article)
        self._names = names_in(delivery.remote)
        self._folders = self._files.folders(self._names)

    def begin(self) -> Transfer:
        """Return the first step."""
        folder = self._folders[0]

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if bases is None:
                self._end(answer)
                return
            notice = self._files.name if self._there.root.terms.on_kill == "both" else ""
            left = [name for name in self._files.among(folder, bases, self._names) if name != notice]
            self._folders.pop(0)
            if left:
                self._done(200, f"{left[0]} lies there")
            elif self._folders:
                self.begin()
            else:
                self._done(404, "none of its files lies there")

        return self._see(folder, take_list)


class DocumentLook(FileVisit):
    """The step that reads the document of a feed."""

    def __init__(self, there: FileDestination, document: FeedDocument, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._document = document

    def begin(self) -> Transfer:
        """Return the step."""

        def take_document(answer: Answer) -> None:
            headers = {"content-type": self._document.content_type}
            self._on_answer(replace(answer, headers=headers, started=self._started, seconds=self._seconds))

        place = Place.of(self._document.name)
        return self._take(place, FileStep(self._there.server, "download"), take_document)


class FileTidying(FileVisit):
    """The steps that remove temporary files which nobody comes back for."""

    def __init__(self, there: FileDestination, folder: str, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._folder = Place(folder, "")

    def begin(self) -> Transfer:
        """Return the first step."""

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            left = abandoned(bases or (), int(time.time() * 1000) - ABANDONED_MS)
            if not left:
                self._end(answer)
                return
            removals = (self._there.removal(self._folder._replace(base=base)) for base in left)
            self._take(self._folder, self._there.commands(*removals), lambda _: self._done(200, str(len(left))))

        return self._list(self._folder.folder, take_list)
