"""A visit to a server of files: one step after another, among them lists of its folders, and then one answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import structlog

from worker.destinations.file_places import Place, names_in_status, names_listed
from worker.destinations.interface import followed_by
from worker.outbound.errors import Fault
from worker.outbound.file_transfer import UNENDED
from worker.outbound.transfer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.destinations.files import FileDestination
    from worker.destinations.interface import Delivery, OnAnswer
    from worker.outbound.file_transfer import FileStep
    from worker.outbound.transfer import Phases, Transfer

    Step = Callable[[Answer], None]
    TakeNames = Callable[[Answer, frozenset[str] | None], object]

log = structlog.get_logger()

_MORE_LOGINS = 2
"""How often it is tried again to be let in, before that counts as refused."""
_NOBODY: frozenset[str] = frozenset()
_visits = count(1)


class FileVisit:
    """One step after another at a server, and then one answer."""

    def __init__(self, there: FileDestination, delivery: Delivery, on_answer: OnAnswer) -> None:
        self._there = there
        self._delivery = delivery
        self._on_answer = on_answer
        self._first: Transfer | None = None
        self._started = False
        self._seconds = 0.0
        self._phases: Phases | None = None
        self._logins = _MORE_LOGINS
        self._remote = ""
        self._visit = next(_visits)

    def _take(self, place: Place, step: FileStep, then: Step, body: bytes = b"") -> Transfer:
        """Take a step: return it if it is the first, which whoever asked submits, and submit any other."""

        def on_answer(answer: Answer) -> None:
            self._started |= answer.started
            self._seconds += answer.seconds
            self._phases = answer.phases or self._phases
            try:
                if answer.fault is Fault.DENIED and self._logins:
                    # libssh2 says the same of a connection that breaks while it is let in.
                    self._logins -= 1
                    self._take(place, step, then, body)
                else:
                    then(answer)
            except Exception as error:
                # Whoever waits for the answer must have one.
                log.exception("push_step_failed", work=step.work)
                reason = f"it failed: {type(error).__name__}"
                self._end(Answer(0, {}, b"", Fault.INTERNAL, reason, 0.0, started=True))

        if self._first is None:
            self._first = self._there.step(place, step, self._visit, self._delivery, on_answer, body)
            return self._first
        url = self._there.url(place, step, self._visit)
        following = followed_by(self._first, url=url, file=step, body=body, on_answer=on_answer)
        self._there.root.engine.submit([following])
        return following

    def _list(self, folder: str, then: TakeNames, *before: str) -> Transfer:
        """List a folder, after some commands; `then` gets its names, None: they are not known.

        Where a server does not know how to list all names, as it does it; where it cuts its list off, as a status.
        """
        place, step = Place(folder, ""), self._there.listing(*before)

        def take_list(answer: Answer) -> None:
            if answer.message == UNENDED:
                self._take(place, self._there.status(), take_status)
            elif step.all_names and answer.fault is None and not names_listed(answer):
                self._take(place, replace(step, before=(), all_names=False), take_last_list)
            else:
                then(answer, names_listed(answer))

        def take_last_list(answer: Answer) -> None:
            if answer.message == UNENDED:
                self._take(place, self._there.status(), take_status)
            else:
                then(answer, names_listed(answer))

        def take_status(answer: Answer) -> None:
            names = names_in_status(answer)
            unknown = Answer(0, {}, b"", Fault.RESET, UNENDED, 0.0, started=True)
            then(unknown if names is None else answer, names)

        return self._take(place, step, take_list)

    def _see(self, folder: str, then: TakeNames, *before: str) -> Transfer:
        """List a folder for sure: a refusal is no empty folder, and one that is not there lacks in that above it.

        `then` gets the names; or None and why they are not known: a fault, or a refusal (403).
        """

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if bases is None or answer.status == 200:
                then(answer, bases)
            elif self._there.stands_in_folders:
                # Some servers of FTP refuse to list an empty folder.
                self._take(Place(folder, ""), self._there.status(), take_status)
            else:
                self._see_above(folder, answer, then)

        def take_status(answer: Answer) -> None:
            names = names_in_status(answer)
            if names is not None or answer.fault is not None:
                then(answer, names)
            else:
                self._see_above(folder, answer, then)

        return self._list(folder, take_list, *before)

    def _see_above(self, folder: str, refusal: Answer, then: TakeNames) -> None:
        """See whether a folder that can't be listed is there at all."""
        name = f"in {folder}" if folder else "in the folder of the endpoint"
        reason = f"nobody knows what lies {name}: our user may not list it, or it is not there: {refusal.message}"
        unknown = replace(refusal, status=403, message=reason)
        above, base = Place.of(folder.rstrip("/"))

        def take_list(answer: Answer, bases: frozenset[str] | None) -> None:
            if bases is None:
                then(answer, None)
            elif base in bases:
                then(unknown, None)
            else:
                then(answer, _NOBODY)

        if folder:
            self._see(above, take_list)
        else:
            then(unknown, None)

    def _end(self, answer: Answer) -> None:
        self._on_answer(
            Answer(
                answer.status,
                {},
                b"",
                answer.fault,
                answer.message,
                self._seconds,
                self._started,
                remote=self._remote if self._started else "",
                phases=self._phases,
            )
        )

    def _done(self, status: int = 200, message: str = "") -> None:
        self._end(Answer(status, {}, b"", None, message, 0.0, started=True))
