"""The steps at a server of files: what a push consists of; looks are in file_looks.py.

Which order they have and why is in files.py.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from feeds.counted import counted
from worker.destinations.feed_documents import DocumentFile
from worker.destinations.file_places import (
    ArticleFiles,
    Place,
    as_remote,
    attempted,
    names_in,
    refusal_for_room,
    size_in,
    temporary,
)
from worker.destinations.file_visit import FileVisit
from worker.outbound.errors import Fault
from worker.outbound.file_transfer import UNCLEAR, UNENDED, FileStep
from worker.outbound.transfer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from worker.destinations.files import FileDestination
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.outbound.transfer import Transfer

NOTICES = frozenset({"killed", "withdrawn"})
"""Messages that say that a text must go."""
_GONE = Answer(0, {}, b"", Fault.RESET, "the file is gone again, just after it was put there", 0.0, started=True)
_ROUNDS = 3
"""How often a removal or a rename is tried again, before that counts as refused."""
_NO_RENAMING = (
    "the server takes files from us, but does not let us rename them, or remove the one that has the name; "
    "our user needs the right to do both"
)


class FilePush(FileVisit):
    """The steps that bring one message."""

    def __init__(self, there: FileDestination, message: Message, delivery: Delivery, on_answer: OnAnswer) -> None:
        super().__init__(there, delivery, on_answer)
        self._message = message
        self._names = names_in(delivery.remote)
        self._files: ArticleFiles | DocumentFile
        if message.article is None:
            assert there.root.document is not None
            self._files = DocumentFile(there.root.document.name_for(test=delivery.test))
        else:
            self._files = ArticleFiles(there.root.terms, message.article)
        self._place = Place.of(self._files.name)
        self._pictures = list(message.pictures)
        self._put_text: Callable[[], Transfer] = self._upload_text
        self._before: tuple[str, ...] = ()
        self._strays: list[str] = []
        self._unremovable: list[str] = []
        self._remark = ""
        self._left: list[str] = []
        is_notice, on_kill = message.status in NOTICES, there.root.terms.on_kill
        self._removes = is_notice and on_kill != "notice"
        # A test leaves nothing.
        self._puts_notice = is_notice and on_kill == "both" and not delivery.test
        # Until the notice is there, what has its name may be the text.
        self._notice_name = self._files.name if self._puts_notice and there.root.terms.keeps_versions else ""
        self._unremoved: Answer | None = None
        self._made_room = False

    def begin(self) -> Transfer:
        """Return the first step."""
        return self._remove_all() if self._removes else self._begin_putting()

    def _begin_putting(self) -> Transfer:
        self._there.root.note(self._place.folder)
        if self._delivery.doubtful or (self._pictures and self._delivery.replay_id):
            return self._list(self._place.folder, self._take_list)
        self._pictures = [picture for picture in self._pictures if self._beside(picture.name) not in self._names]
        return self._put_next()

    def _beside(self, base: str) -> str:
        """The name of a file in the folder of the text."""
        return self._place.folder + base

    def _put_next(self) -> Transfer:
        """Put the next file there: pictures first, so no text is there without them; then go on with the text."""
        if not self._pictures:
            return self._put_text()
        picture = self._pictures.pop(0)
        place = self._place._replace(base=picture.name)
        # A picture's name is its contents': one that is there is the same.
        return self._put(place, picture.path.read_bytes(), self._put_next, replaces=False)

    def _upload_text(self) -> Transfer:
        # The document of a feed is nearly always there.
        replaces = self._message.article is None or self._files.name in self._names
        return self._put(self._place, self._message.payload, self._is_there, replaces=replaces)

    def _remove_all(self) -> Transfer:
        """Remove all files of the article but its notice."""
        self._left = self._files.folders(self._names)
        self._unremoved = None
        return self._remove(self._names, _ROUNDS)

    def _remove(self, names: Iterable[str], rounds: int) -> Transfer:
        """Remove files from the next folder, and look what is left there."""
        folder, notice_name = self._left[0], self._notice_name
        places = [place for name in names if name != notice_name and (place := Place.of(name)).folder == folder]
        removals = (self._there.removal(place) for place in dict.fromkeys(places))

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if answer.fault is not None:
                self._end(answer)
                return
            left = [name for name in self._files.among(folder, bases or (), self._names) if name != notice_name]
            if left and rounds:
                self._remove(left, rounds - 1)
                return
            if left:
                reason = f"the server does not remove {left[0]}; our user needs the right to"
                self._unremoved = Answer(403, {}, b"", None, reason, 0.0, started=True)
            elif bases is None:
                reason = f'{answer.message}; let it list the folder, or set on_kill = "notice"'
                self._unremoved = replace(answer, message=reason)
            self._left.pop(0)
            if self._left:
                self._remove(self._names, _ROUNDS)
            else:
                self._removed()

        return self._see(folder, take_list, *removals)

    def _removed(self) -> None:
        """Go on after the removal: with the notice, whatever became of the rest. A full disk has room for it now."""
        if self._unremoved is None:
            self._names = [name for name in self._names if name == self._notice_name]
            self._remote = as_remote(self._names)
        if self._puts_notice:
            self._puts_notice = False
            self._begin_putting()
        elif self._unremoved is not None:
            self._end(self._unremoved)
        else:
            self._done()

    def _take_list(self, answer: Answer, bases: frozenset[str] | None) -> None:
        """Go on with what lies in the folder, after a try of which nobody knows how far it came."""
        if bases is None:
            self._end(answer)
            return
        place, mine = self._place, self._files.among(self._place.folder, bases, self._names)
        stale = [
            Place.of(name)
            for name in mine
            if (final := attempted(Place.of(name).base)) and (final == place.base or self._files.is_picture(final))
        ]
        self._before = tuple(self._there.removal(each) for each in stale)
        self._pictures = [picture for picture in self._pictures if picture.name not in bases]
        if all(name in self._names or name == self._files.name for name in mine if self._files.is_text(name)):
            # No text is there of which we know nothing: a picture that nobody has noted belongs to none.
            self._strays = [name for name in mine if self._files.is_picture(name) and name not in self._names]
        if place.base in bases:
            self._put_text = self._compare
        self._put_next()

    def _compare(self) -> Transfer:
        """Leave a text alone that lies there with the very bytes that are due."""

        def compare(answer: Answer) -> None:
            if answer.body == self._message.payload:
                self._note(self._files.name)
                before, self._before = self._before, ()
                self._see(self._place.folder, self._take_last_list, *before)
            elif answer.fault is not None and answer.message != UNENDED:
                self._end(answer)
            else:
                self._put(self._place, self._message.payload, self._is_there, replaces=True)

        return self._take(self._place, FileStep(self._there.server, "download"), compare)

    def _put(self, place: Place, body: bytes, then: Callable[[], object], *, replaces: bool) -> Transfer:
        """Upload a file under a temporary name and rename it."""
        there, part = self._there, temporary(place, int(time.time() * 1000), secrets.token_hex(4))
        rename = (there.replacing if replaces and not there.renames_onto_names else there.renaming)(part, place.base)
        before, self._before = self._before, ()
        size = there.sizing(part)
        step = FileStep(there.server, "upload", before, size or rename, replies=bool(size))
        # From now on it may be there, whatever the answer.
        self._note(self._beside(place.base))

        def take_upload(answer: Answer) -> None:
            if answer.status == 409:
                self._see_what_was_renamed(part, place, answer, then, _ROUNDS)
            elif answer.message.startswith(UNCLEAR):
                self._see_room(part, answer, len(body))
            elif answer.fault is not None:
                self._end(answer)
            elif answer.status != 200:
                self._refuse(part, answer)
            elif not size:
                then()
            elif (there_are := size_in(answer)) not in {None, len(body)}:
                all_bytes = counted(len(body), "byte", "bytes")
                reason = f"the connection for the data was cut after {there_are} of {all_bytes}"
                self._refuse(part, Answer(0, {}, b"", Fault.RESET, reason, 0.0, started=True))
            else:
                self._take(part, there.commands(*rename), take_rename)

        def take_rename(answer: Answer) -> None:
            take_upload(answer) if answer.status != 200 or answer.fault is not None else then()

        return self._take(part, step, take_upload, body)

    def _see_what_was_renamed(
        self, part: Place, place: Place, failure: Answer, then: Callable[[], object], rounds: int
    ) -> None:
        """Go on after a rename that has failed: there is such a name, or the answer was lost with the connection."""

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if answer.fault is not None:
                self._end(answer)
            elif bases is not None and part.base not in bases:
                then() if place.base in bases else self._end(_GONE)
            elif not rounds:
                self._see_room(part, failure, 0)
            else:
                may_be_there = bases is None or place.base in bases
                rename = self._there.replacing if may_be_there else self._there.renaming
                self._take(part, self._there.commands(*rename(part, place.base)), take_rename)

        def take_rename(answer: Answer) -> None:
            if answer.fault is not None:
                self._end(answer)
            elif answer.status != 200:
                self._see_what_was_renamed(part, place, answer, then, rounds - 1)
            else:
                then()

        self._see(place.folder, take_list)

    def _see_room(self, part: Place, failure: Answer, size: int) -> None:
        """End after a failure of which nobody knows the reason: see whether the disk has no room for so many bytes.

        To rename a file may take room, too.
        """

        def take_room(answer: Answer) -> None:
            if answer.fault is not None:
                # The connection had broken.
                self._end(failure)
            else:
                self._refuse(part, refusal_for_room(answer, size) or failure)

        if commands := self._there.room(part):
            self._take(part, FileStep(self._there.server, "commands", after=commands, replies=True), take_room)
        else:
            self._refuse(part, failure)

    def _refuse(self, part: Place, answer: Answer) -> None:
        """End with a refusal: what the server has of the file goes.

        The document of a feed that has no room goes itself, if it has what was killed: then there is room for the new.
        """
        removal = self._there.removal(part)
        lacks_room = answer.status == 507 or answer.message.startswith(UNCLEAR)
        if self._message.kills and lacks_room and not self._made_room:
            self._made_room = True
            removals = self._there.commands(removal, self._there.removal(self._place))

            def take_removals(_: Answer) -> None:
                self._upload_text()

            self._take(part, removals, take_removals)
            return
        refused = answer
        if answer.status == 409:
            refused = replace(answer, status=403, message=f"{_NO_RENAMING}: {answer.message}")
        self._take(part, self._there.commands(removal), lambda _: self._end(refused))

    def _is_there(self) -> None:
        if self._delivery.doubtful:
            self._see(self._place.folder, self._take_last_list)
        else:
            self._uploaded()

    def _uploaded(self) -> None:
        """Go on after the file is there: of a kill, with what is not gone, or may have come back, beside its notice."""
        doomed = self._unneeded()
        if self._removes and (self._unremoved is not None or self._delivery.doubtful):
            self._notice_name = self._files.name
            self._remove_all()
        elif self._removes:
            self._done()
        elif doomed:
            self._remove_unneeded(doomed)
        elif self._delivery.test and (self._message.article is None or self._message.status in NOTICES):
            self._clear_test()
        else:
            self._done(200, self._remark)

    def _take_last_list(self, answer: Answer, bases: frozenset[str] | None) -> None:
        if answer.fault is not None:
            self._end(answer)
        elif bases is None or self._place.base in bases:
            # Where we may list nothing, the answer to the rename must do.
            self._uploaded()
        else:
            # What an earlier try had asked for came to pass only now; or the partner was quick.
            self._end(_GONE)

    def _unneeded(self) -> list[str]:
        """What is not to stay beside the text: pictures that none names any more, and the text under an earlier name.

        A correction may change the date and the edition, of which names are made. Where versions stay beside each
        other, their pictures do too.
        """
        pictures = (self._beside(picture.name) for picture in self._message.pictures)
        current = {self._files.name, *self._unremovable, *pictures}
        if self._there.root.terms.keeps_versions:
            return [name for name in self._strays if self._files.is_picture(name) and name not in current]
        return [name for name in dict.fromkeys((*self._names, *self._strays)) if name not in current]

    def _remove_unneeded(self, doomed: list[str]) -> None:
        folder = Place.of(doomed[0]).folder
        names = [name for name in doomed if Place.of(name).folder == folder]

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if answer.fault is not None:
                self._end(answer)
                return
            left = [name for name in names if bases is None or Place.of(name).base in bases]
            # Of what may still lie there the ledger goes on to know, for a kill; it is not tried again now.
            self._unremovable += left
            if left and bases is not None:
                self._remark = f"the server does not remove {left[0]}; our user needs the right to"
            gone = {*names} - {*left}
            self._names = [name for name in self._names if name not in gone]
            self._strays = [name for name in self._strays if name not in gone]
            self._remote = as_remote(self._names)
            self._uploaded()

        self._see(folder, take_list, *(self._there.removal(Place.of(name)) for name in names))

    def _clear_test(self) -> None:
        """Remove what a test has brought; a server that lets us remove nothing has taken it nevertheless."""
        places = dict.fromkeys(map(Place.of, self._names))
        folder = self._place.folder
        removals = (self._there.removal(place) for place in places if place.folder == folder)
        self._take(self._place, self._there.commands(*removals), lambda _: self._done())

    def _note(self, name: str) -> None:
        self._names = list(dict.fromkeys([*self._names, name]))
        self._remote = as_remote(self._names)
