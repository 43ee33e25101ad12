"""The steps at a server of files that look: after a kill, and for what was left there, which is removed."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from worker.destinations.file_places import ArticleFiles, Place, abandoned, names_in, size_in
from worker.destinations.file_visit import FileVisit
from worker.outbound.file_transfer import UNENDED, FileStep

if TYPE_CHECKING:
    from feeds.article import Article
    from worker.destinations.feed_documents import FeedDocument
    from worker.destinations.files import FileDestination
    from worker.destinations.interface import Delivery, OnAnswer
    from worker.outbound.transfer import Answer, Transfer

ABANDONED_MS = 15 * 60 * 1000
"""How old a temporary file is that nobody comes back for: no claim lasts so long."""


class _Look(FileVisit):
    """Steps that look."""

    def _read(self, place: Place, content_type: str) -> Transfer:
        """Answer with what lies there, to be looked through."""

        def take_content(answer: Answer) -> None:
            if answer.fault is None and answer.status != 200:
                # Servers of FTP say the same of what is not there and of what we may not read.
                self._see(place.folder, partial(take_list, answer))
            elif answer.message == UNENDED:
                sizing = self._there.commands(*self._there.sizing(place))
                self._take(place, sizing, partial(take_size, answer))
            else:
                give(answer)

        def take_size(content: Answer, answer: Answer) -> None:
            is_whole = size_in(answer) == len(content.body)
            give(replace(content, status=200, fault=None, message="") if is_whole else content)

        def take_list(refusal: Answer, answer: Answer, bases: frozenset[str] | None) -> None:
            if bases is None:
                self._end(answer)
            elif place.base in bases:
                self._done(403, f"our user may not read {place.folder}{place.base}: {refusal.message}")
            else:
                self._done(404, "it does not lie there")

        def give(answer: Answer) -> None:
            headers = {"content-type": content_type}
            self._on_answer(replace(answer, headers=headers, started=self._started, seconds=self._seconds))

        return self._take(place, FileStep(self._there.server, "download"), take_content)


class FileLook(_Look):
    """The steps that look whether anything of a killed article is left, beside its notice."""

    def __init__(self, there: FileDestination, article: Article, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._files = ArticleFiles(there.root.terms, article)
        self._names = names_in(delivery.remote)
        self._folders = self._files.folders(self._names)
        self._notice = self._files.name if there.root.terms.on_kill == "both" else ""
        self._may_be_text = ""

    def begin(self) -> Transfer:
        """Return the first step."""
        folder = self._folders[0]

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if bases is None:
                self._end(answer)
                return
            names = self._files.among(folder, bases, self._names)
            left = [name for name in names if name != self._notice]
            if self._notice in names and not self._there.root.terms.keeps_versions:
                # What has that name is the text until the notice takes its place.
                self._may_be_text = self._notice
            self._folders.pop(0)
            if left:
                self._done(200, f"{left[0]} lies there")
            elif self._folders:
                self.begin()
            elif self._may_be_text:
                self._read(Place.of(self._may_be_text), self._there.root.terms.content_type)
            else:
                self._done(404, "none of its files lies there")

        return self._see(folder, take_list)


class DocumentLook(_Look):
    """The step that reads the document of a feed."""

    def __init__(self, there: FileDestination, document: FeedDocument, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._document = document

    def begin(self) -> Transfer:
        """Return the step."""
        return self._read(Place.of(self._document.name), self._document.content_type)


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
