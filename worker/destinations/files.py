"""Files in a folder of a partner's server, whatever protocol carries them: an article is a file, under a safe name.

A file is uploaded under a temporary name in its folder and then renamed, so whoever reads the folder finds it whole or
not at all. What is done when something went wrong before, or goes wrong now:

- After a try of which nobody knows how far it came, the folder is listed first. A file that lies there with the very
  bytes that are due is left alone. Temporary files of the article are removed before the new one is sent: then nothing
  that is still on its way can be renamed any more, and nothing older ever comes to lie on top of something newer.
- Afterwards it is looked whether the file is there.
- Where a server renames onto no existing name (OpenSSH by SFTP, IIS), that file is removed just before.
- What can't be listed is not known to be empty, so it proves no kill. The files of a killed article are removed before
  its notice is put there, for which a full disk then has room; what is not gone by then is removed once more.
- Temporary files that nobody has come back for are removed by a duty (worker/receivers/file_sweep.py); their names say
  whose they are, and since when.

A whole feed is one file, which is replaced in the same way (feed_documents.py).

The names under which an article lies are in the ledger, so a kill finds all of its versions; those of the folder that
its name leads to are found by their pattern too, whatever the ledger has. A removal ends with a list of the folder.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

from worker.destinations.feed_documents import FeedDocument, format_of, searched_as
from worker.destinations.file_looks import DocumentLook, FileLook, FileTidying
from worker.destinations.file_places import FileTerms, Place
from worker.destinations.file_steps import FilePush
from worker.destinations.http import tls_of
from worker.destinations.interface import Delivery
from worker.outbound.file_transfer import FileStep
from worker.outbound.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.endpoint_settings import EndpointSettings
    from config.file_destinations import FileSettings
    from feeds.article import Article
    from worker.destinations.interface import Look, Message, OnAnswer
    from worker.destinations.sender import Sender
    from worker.outbound.engine import Engine
    from worker.outbound.file_transfer import FileServer
    from worker.outbound.transfer import Tls

MOST_LISTED = 4_000_000
"""How many bytes of a list of names, or of a file that is compared, are read."""
_SPELLINGS = 97
"""In how many ways the name of a folder is written, one after the other."""


class RemoteFolder(NamedTuple):
    """An endpoint's folder. `address`: scheme, host and port; `path`: as in a URL, without / at its end.

    `engine` takes the steps after the first; `note` is called with each folder below that is written to, before that.
    `document`: the whole feed that lies there, in place of articles.
    """

    address: str
    path: str
    terms: FileTerms
    tls: Tls
    engine: Engine
    note: Callable[[str], None]
    document: FeedDocument | None = None

    @classmethod
    def of(
        cls, settings: EndpointSettings, own: FileSettings, sender: Sender, scheme: str, usual_port: int
    ) -> RemoteFolder:
        """Return the folder that the settings describe; `scheme`, as libcurl calls the protocol."""
        parts = urlsplit(settings.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        of_format = format_of(settings)
        terms = FileTerms(own.name, of_format.extension, own.on_kill, searched_as(of_format))
        return cls(
            f"{scheme}://{host}:{parts.port or usual_port}",
            parts.path.rstrip("/"),
            terms,
            tls_of(settings.tls),
            sender.engine,
            partial(sender.folders.note, settings.name),
            FeedDocument.of(settings, own),
        )


@dataclass(frozen=True)
class FileDestination(ABC):
    """A folder of a server."""

    server: FileServer
    root: RemoteFolder
    gzip: ClassVar[bool] = False
    renames_onto_names: ClassVar[bool] = False
    """Whether most servers of this kind rename onto a name that there is."""

    stands_in_folders: ClassVar[bool] = False
    """Whether a connection stands in the folder of what it did last; that may have been moved away or replaced."""

    @abstractmethod
    def removal(self, place: Place) -> str:
        """Return the command that removes a file, whether or not it is there; it runs in the file's folder."""

    @abstractmethod
    def renaming(self, place: Place, base: str) -> tuple[str, ...]:
        """Return the commands that give a file another name in its folder; they run in that folder."""

    def sizing(self, place: Place) -> tuple[str, ...]:
        """Return the commands that say how large a file is that was uploaded; nothing: the protocol sees to that."""
        del place
        return ()

    def room(self, place: Place) -> tuple[str, ...]:
        """Return the commands that say how much room there is where a file lies; nothing: uploads say when it lacks."""
        del place
        return ()

    def replacing(self, place: Place, base: str) -> tuple[str, ...]:
        """Return the same where a file of that name may be in the way: it is removed before."""
        return (self.removal(place._replace(base=base)), *self.renaming(place, base))

    @property
    def folder(self) -> str:
        """The path of the folder, as the server knows it."""
        return unquote(self.root.path)

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the first step that brings a message; see the top of this file."""
        return FilePush(self, message, delivery, on_answer).begin()

    @property
    def look(self) -> Look | None:
        """As in `Destination`: where files are removed it can be seen that they are gone; a document is read."""
        if self.root.document is not None:
            return self._read
        return None if self.root.terms.on_kill == "notice" else self._look

    def _look(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        return FileLook(self, article, delivery, on_answer).begin()

    def _read(self, article: Article, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        del article
        assert self.root.document is not None
        return DocumentLook(self, self.root.document, delivery, on_answer).begin()

    def tidied(self, folder: str, timeout: float, on_answer: OnAnswer) -> Transfer:
        """Return the first step that removes the temporary files in a folder that nobody comes back for.

        `on_answer` gets what came of it; the message says how many were removed.
        """
        delivery = Delivery(timeout, time.monotonic() + 3 * timeout)
        return FileTidying(self, folder, delivery, on_answer).begin()

    def step(
        self, place: Place, step: FileStep, visit: int, delivery: Delivery, on_answer: OnAnswer, body: bytes = b""
    ) -> Transfer:
        """Return the transfer that takes a step in the folder of a place, or with its file; `visit`: as of `url`."""
        return Transfer(
            self.url(place, step, visit),
            body,
            [],
            delivery.timeout,
            delivery.deadline,
            on_answer,
            keep_bytes=MOST_LISTED,
            tls=self.root.tls,
            file=step,
            receiver=f"{self.root.address}{self.root.path}",
        )

    def url(self, place: Place, step: FileStep, visit: int) -> str:
        """Return the URL of a place; where a step is about its folder, of that. `visit`: a number of this push or look.

        libcurl leaves a connection in the folder in which it stands while the URL names it in the same way. It skips
        empty parts of a path: with another number of them it goes there by name, to what has that name now.
        """
        base = place.base if step.work in {"upload", "download"} else ""
        path = f"{self.root.path}/{place.folder}"
        # In front of all others an empty part would mean the root of the server.
        again = "/" * (visit % _SPELLINGS) if self.stands_in_folders and path != "/" else ""
        return f"{self.root.address}{path}{again}{base}"

    def listing(self, *before: str) -> FileStep:
        """Return the step that lists a folder, after some commands."""
        return FileStep(self.server, "list", before=before, all_names=self.server.scheme == "ftp")

    def status(self) -> FileStep:
        """Return the step that has an FTP server list a folder where it takes commands, without a second connection."""
        return FileStep(self.server, "commands", after=("STAT .",), replies=True)

    def commands(self, *after: str) -> FileStep:
        """Return the step that only carries out commands in a folder."""
        return FileStep(self.server, "commands", after=after, replies=self.server.scheme == "ftp")
