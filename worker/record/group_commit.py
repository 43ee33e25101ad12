"""Events that several threads accept at the same time share a commit: one thread of the process makes them all.

While one commit is on its way to the disk, the next lot gathers. So a commit costs the same for one as for many, and
nobody waits for the next round of anything.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from worker.record.availability import RecordAway
from worker.record.events import AcceptedEvent, SentEvent, accept, accept_new, may_be_new, note_appended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from worker.record import Record

log = structlog.get_logger()

WAIT_SECONDS = 2.0
"""How long whoever accepts events waits for their commit."""
_MOST_EVENTS = 500
"""How many events share a commit at most, unless they came together."""
_MOST_WAITING = 5_000
"""How many events may wait for their commit."""
_LATER_SECONDS = 0.3
"""How long it is left that Redis has an event, so that it is noted with others."""
_STUCK_SECONDS = 10.0
"""A thread that has waited for the record for so long is left to itself, and another takes its place."""
_STOP_SECONDS = 5.0


class _Request(NamedTuple):
    """The events that one caller waits for."""

    sent: Sequence[SentEvent]
    future: Future[list[AcceptedEvent]]


class _ThreadConnection:
    """The connection of one thread, which is held from one commit to the next."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.connection: Connection | None = None

    def connect(self) -> Connection:
        """Return it. Raises UnfitRecord, and errors of the database."""
        if self.connection is None:
            self.connection = self._record.lasting_connection()
        return self.connection

    def disconnect(self) -> None:
        """Close it: the next one is new."""
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()


class GroupCommit:
    """Accepts events in the record. Its thread begins with the first. Threads may share it, processes may not."""

    def __init__(self, record: Record, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._record = record
        self._wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._requests: deque[_Request] = deque()
        self._waiting = 0
        self._appended: dict[int, str] = {}
        self._appended_since = 0.0
        self._last_commit = 0.0
        self._sleeps = False
        """Whether the thread waits without an end."""
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._thread_connection: _ThreadConnection | None = None
        self._busy_since: float | None = None
        self.commits = 0
        """How many commits there were with events in them."""

    def accept(self, sent: Sequence[SentEvent]) -> list[AcceptedEvent]:
        """Commit events to the record; return how each was accepted. Raises RecordAway, and errors that are bugs.

        When it is away, or answers too late, the events may be there nevertheless.
        """
        if absence := self._record.availability.absence:
            raise RecordAway(absence.reason)
        request = _Request(sent, Future())
        begun = time.monotonic()
        with self._changed:
            if self._stopped or self._waiting + len(sent) > max(_MOST_WAITING, len(sent)):
                raise RecordAway("too many events wait for it, or this process stops")
            self._requests.append(request)
            self._waiting += len(sent)
            self._begin()
            self._changed.notify()
        try:
            return request.future.result(self._wait_seconds)
        except FutureTimeoutError:
            request.future.cancel()
            reason = f"the record did not answer within {self._wait_seconds:g} s"
            self._replace_a_stuck_thread()
            if self._last_commit < begun:
                self._record.availability.note_away(reason)
            raise RecordAway(reason) from None

    def note_appended(self, entries: dict[int, str]) -> None:
        """Note soon that Redis has events, by their numbers, and where."""
        with self._changed:
            if not self._appended:
                self._appended_since = time.monotonic()
            self._appended |= entries
            self._begin()
            if self._sleeps:
                self._changed.notify()

    def stop(self) -> None:
        """Commit what is left, and end the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _begin(self) -> None:
        if self._thread is None and not self._stopped:
            self._thread_connection = _ThreadConnection(self._record)
            self._thread = threading.Thread(
                target=self._run, args=(self._thread_connection,), name="record-accept", daemon=True
            )
            self._thread.start()

    def _replace_a_stuck_thread(self) -> None:
        """Leave a thread to itself that has waited for a server too long: another server may have taken its place."""
        with self._changed:
            if self._busy_since is not None and time.monotonic() - self._busy_since > _STUCK_SECONDS:
                self._thread, self._busy_since = None, None

    def _run(self, thread_connection: _ThreadConnection) -> None:
        while thread_connection is self._thread_connection:
            requests, appended = self._next()
            if requests:
                self._commit_all(requests, thread_connection)
            if appended:
                # By itself, after that: nobody waits for it, and who waits for a commit does not wait for it either.
                self._note_appended(appended)
            elif not requests and self._stopped:
                break
            if thread_connection is self._thread_connection:
                self._busy_since = None
        thread_connection.disconnect()

    def _next(self) -> tuple[list[_Request], dict[int, str]]:
        """Wait for what is to be committed, and return it; nothing when it is time to end."""
        with self._changed:
            # What was committed just now is appended soon. Who notes that does not wake this thread: it would take the
            # interpreter while the sender is answered.
            while not self._requests and not self._stopped:
                since = self._appended_since if self._appended else self._last_commit
                left = since + _LATER_SECONDS - time.monotonic()
                if self._appended and left <= 0:
                    break
                self._sleeps = left <= 0
                self._changed.wait(None if self._sleeps else left)
            self._sleeps = False
            requests: list[_Request] = []
            events = 0
            while self._requests and (not requests or events + len(self._requests[0].sent) <= _MOST_EVENTS):
                request = self._requests.popleft()
                self._waiting -= len(request.sent)
                if request.future.set_running_or_notify_cancel():
                    requests.append(request)
                    events += len(request.sent)
            appended: dict[int, str] = {}
            if self._appended and (self._stopped or time.monotonic() > self._appended_since + _LATER_SECONDS):
                appended, self._appended = self._appended, {}
            self._busy_since = time.monotonic()
            return requests, appended

    def _commit_all(self, requests: list[_Request], thread_connection: _ThreadConnection) -> None:
        try:
            self._commit(requests, thread_connection)
        except Exception as error:  # noqa: BLE001 (whoever waits for the commit gets it)
            if self._record.availability.absence is not None or len(requests) == 1:
                self._fail(requests, error)
                return
            # One of them may be at fault, or two processes have locked each other out.
            for request in requests:
                try:
                    self._commit([request], thread_connection)
                except Exception as own_error:  # noqa: BLE001 (as above)
                    self._fail([request], own_error)

    def _commit(self, requests: list[_Request], thread_connection: _ThreadConnection) -> None:
        """Commit, then answer; who waits is answered when it is on the disk."""
        sent = [event for request in requests for event in request.sent]
        accepted: list[AcceptedEvent | None] = [None] * len(sent)
        if may_be_new(sent):
            accepted = self._accept_new(sent, thread_connection)
        left = [event for event, answer in zip(sent, accepted, strict=True) if answer is None]
        if left:
            with self._record.availability.write() as connection:
                answers = iter(accept(connection, left))
            accepted = [answer or next(answers, None) for answer in accepted]
        self._last_commit = time.monotonic()
        self.commits += 1
        complete = iter(answer for answer in accepted if answer is not None)
        for request in requests:
            request.future.set_result([next(complete) for _ in request.sent])

    def _accept_new(self, sent: list[SentEvent], thread_connection: _ThreadConnection) -> list[AcceptedEvent | None]:
        """Accept what is new on a connection that is held, so that it costs one statement."""
        former = thread_connection.connection
        try:
            with self._record.availability.writing_on(thread_connection.connect) as connection:
                try:
                    return accept_new(connection, sent)
                except DBAPIError as error:
                    if former is None or not error.connection_invalidated:
                        raise
                    # It was cut since the last commit, as when the server was restarted.
                    thread_connection.disconnect()
                    return accept_new(thread_connection.connect(), sent)
        except BaseException:
            thread_connection.disconnect()
            raise

    @staticmethod
    def _fail(requests: list[_Request], error: Exception) -> None:
        for request in requests:
            request.future.set_exception(error)

    def _note_appended(self, appended: dict[int, str]) -> None:
        """Note it now, or leave it: whoever appends what is not noted is answered by Redis that it is there."""
        try:
            with suppress(RecordAway), self._record.availability.write("never") as connection:
                note_appended(connection, appended)
        except Exception:
            log.exception("appended_not_noted", events=len(appended), next_step="a worker notes it")
