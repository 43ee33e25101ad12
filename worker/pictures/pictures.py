"""The pictures of articles as this worker has them: it says which are there, and has the others fetched."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import structlog
from cachetools import LRUCache

from feeds.companions import PICTURES_MOST, PicturePlace, picture_addresses, picture_name
from worker.pictures.picture_fetch import PictureFetch, Unfetched
from worker.pictures.picture_files import PictureFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feeds.article import Article
    from worker.outbound.engine import Engine

log = structlog.get_logger()

FETCHES_AT_ONCE = 8
"""Each may take `BYTES_MOST` of memory."""
_THREADS = 2
"""How many pictures are looked into at once: Pillow computes beside the interpreter."""
_REMEMBERED = 10_000
_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
"""Seconds before the second try, and before the later ones at the most; each pause is twice the one before."""
_FORGOTTEN_SECONDS = 600.0
"""After how long a failure counts no more."""


class PictureTerms(NamedTuple):
    """What an endpoint wants of pictures. `widths`: of its copies in pixels; none: each as it is.

    `max_bytes`: of each as it is fetched. `tries`: how often one is tried before the text goes without it; 0: the text
    waits for it.
    """

    max_bytes: int = 10_000_000
    widths: tuple[int, ...] = ()
    tries: int = 3


class PictureFile(NamedTuple):
    """A picture to be delivered, under its name; its bytes are read when its turn comes."""

    name: str
    media_type: str
    path: Path


class Companions(NamedTuple):
    """What goes beside an article: the places of its pictures by address, all files, and in a line what is missing."""

    places: dict[str, PicturePlace]
    files: tuple[PictureFile, ...]
    lacking: str


class _Picture(NamedTuple):
    """A picture of one revision of an article: fetched once, and again for the next one."""

    url: str
    article_id: str
    version: int


@dataclass(slots=True)
class _FetchedPicture:
    """A picture that was fetched. `copies`: width and height of those that were made, by the width asked for."""

    digest: str
    media_type: str
    ext: str
    size: int
    copies: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Failure:
    """Why a picture can't be had. `at` and `due` in monotonic seconds."""

    reason: str
    final: bool
    tries: int
    at: float
    due: float


class _Task(NamedTuple):
    picture: _Picture
    widths: tuple[int, ...]


class PicturesAwaited(Exception):
    """Some pictures of an article are not here yet. `due`: when they may be tried (monotonic seconds)."""

    def __init__(self, tasks: list[_Task], due: float, reason: str) -> None:
        super().__init__(reason)
        self.tasks = tasks
        self.due = due


@dataclass(slots=True, eq=False)
class _Wait:
    """Somebody who waits for some tasks."""

    tasks: set[_Task]
    on_end: Callable[[], None]


class Pictures:
    """Pictures in a folder of this machine's. `timeout` of one request in seconds. Any thread may ask."""

    def __init__(self, engine: Engine, folder: Path, timeout: float) -> None:
        self._engine = engine
        self._files = PictureFiles(folder)
        self._timeout = timeout
        self._lock = Lock()
        self._outcomes: LRUCache[_Picture, _FetchedPicture | _Failure] = LRUCache(_REMEMBERED)
        self._under_way: dict[_Task, float] = {}
        self._busy: set[_Picture] = set()
        self._waits: set[_Wait] = set()
        self._queue: deque[_Task] = deque()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
        self._stopped = False

    def stop(self) -> None:
        """Fetch nothing any more: whoever waits goes on at once, and what still arrives is let go.

        Returns at once. What is here can still be delivered.
        """
        with self._lock:
            self._stopped = True
            self._queue.clear()
            waits, self._waits = self._waits, set()
        for wait in waits:
            wait.on_end()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def beside(self, article: Article, terms: PictureTerms) -> Companions:
        """Return what goes beside an article of which this is all that its receiver may have.

        Raises PicturesAwaited.
        """
        places: dict[str, PicturePlace] = {}
        files: list[PictureFile] = []
        lacking: list[str] = []
        awaited: dict[_Task, float] = {}
        reasons: list[str] = []
        addresses = picture_addresses(article)
        for address in addresses[:PICTURES_MOST]:
            picture = _Picture(address, article.id, article.version)
            latest = self._latest(picture)
            if isinstance(latest, _FetchedPicture) and latest.size > terms.max_bytes:
                lacking.append(f"{address}: it has {latest.size:,} bytes, more than max_bytes")
            elif isinstance(latest, _FetchedPicture) and (copies := self._copies(article, latest, terms)):
                places[address] = copies[0][1]
                files += (file for file, _ in copies)
            elif isinstance(latest, _Failure) and terms.tries and (latest.final or latest.tries >= terms.tries):
                lacking.append(f"{address}: {latest.reason}")
            else:
                awaited[_Task(picture, terms.widths)] = latest.due if isinstance(latest, _Failure) else 0.0
                if isinstance(latest, _Failure):
                    reasons.append(f"{address}: {latest.reason}")
        if awaited:
            first = min(awaited.values())
            due = max(first, time.monotonic())
            tasks = [task for task, moment in awaited.items() if moment <= due]
            raise PicturesAwaited(tasks, first, f"waits for pictures: {'; '.join(reasons) or 'they are fetched'}")
        lacking += [f"{address}: beyond {PICTURES_MOST} pictures" for address in addresses[PICTURES_MOST:]]
        return Companions(places, tuple(dict.fromkeys(files)), "; ".join(lacking))

    def fetch(self, awaited: PicturesAwaited, until: float, on_end: Callable[[], None]) -> bool:
        """Fetch what is awaited by `until` (monotonic seconds); `on_end` is called once, in a thread of ours.

        False: it can't be had by then, and `on_end` is not called.
        """
        tasks = set(awaited.tasks)
        with self._lock:
            if self._stopped or any(self._under_way.get(task, 0.0) > until for task in tasks):
                return False
            self._waits.add(_Wait(set(tasks), on_end))
            new = [task for task in awaited.tasks if task not in self._under_way]
            self._under_way.update(dict.fromkeys(new, until))
            self._queue.extend(new)
        self._begin_next()
        return True

    def _latest(self, picture: _Picture) -> _FetchedPicture | _Failure | None:
        """What has last come of a picture, unless that was a failure long ago."""
        with self._lock:
            latest = self._outcomes.get(picture)
        if isinstance(latest, _Failure) and time.monotonic() > latest.at + _FORGOTTEN_SECONDS:
            return None
        return latest

    def _copies(
        self, article: Article, fetched: _FetchedPicture, terms: PictureTerms
    ) -> list[tuple[PictureFile, PicturePlace]]:
        """The files of a picture with their places; nothing, while one of them is not here."""
        copies = []
        for width in terms.widths or (0,):
            name = _file_name(fetched, width)
            if width not in fetched.copies or not self._files.use(name):
                return []
            file_name = picture_name(article.id, fetched.digest, fetched.ext, width)
            file = PictureFile(file_name, fetched.media_type, self._files.path(name))
            copies.append((file, PicturePlace(file_name, fetched.media_type, *fetched.copies[width])))
        return copies

    def _begin_next(self) -> None:
        """Begin with as many pictures as may be under way."""
        tasks: dict[_Task, float] = {}
        with self._lock:
            for task in tuple(self._queue):
                # Other copies of the same picture are made of what was fetched for these.
                if len(self._busy) < FETCHES_AT_ONCE and task.picture not in self._busy:
                    self._queue.remove(task)
                    self._busy.add(task.picture)
                    tasks[task] = self._under_way[task]
        for task, until in tasks.items():
            latest = self._latest(task.picture)
            if isinstance(latest, _FetchedPicture) and self._files.use(_file_name(latest, 0)):
                self._take(task, self._files.path(_file_name(latest, 0)))
            else:
                on_end = partial(self._take, task)
                PictureFetch(self._engine, task.picture.url, self._timeout, until, on_end).begin()

    def _take(self, task: _Task, source: bytes | Path | Unfetched) -> None:
        with self._lock:
            if not self._stopped:
                self._threads.submit(self._work, task, source)

    def _work(self, task: _Task, source: bytes | Path | Unfetched) -> None:
        """Keep a picture that was fetched, and make its copies; in a thread of ours."""
        try:
            self._note(task.picture, self._prepared(task, source))
        except Exception as error:
            log.exception("picture_failed", url=task.picture.url, next_step="it is tried again")
            self._note(task.picture, Unfetched(f"it failed: {type(error).__name__}"))
        with self._lock:
            self._busy.discard(task.picture)
            del self._under_way[task]
            for wait in self._waits:
                wait.tasks.discard(task)
            ended = {wait for wait in self._waits if not wait.tasks}
            self._waits -= ended
        for wait in ended:
            wait.on_end()
        self._begin_next()

    def _prepared(self, task: _Task, source: bytes | Path | Unfetched) -> _FetchedPicture | Unfetched:
        from worker.pictures.picture_contents import PictureRefused, kind_of, narrowed

        if isinstance(source, Unfetched):
            return source
        try:
            content = source if isinstance(source, bytes) else source.read_bytes()
            kind = kind_of(content)
            fetched = _FetchedPicture(sha256(content).hexdigest(), kind.media_type, kind.ext, len(content))
            fetched.copies[0] = kind.width, kind.height
            if isinstance(source, bytes):
                self._files.keep(_file_name(fetched, 0), content)
            for width in task.widths:
                copy = narrowed(content, width) or (content, kind.width, kind.height)
                self._files.keep(_file_name(fetched, width), copy[0])
                fetched.copies[width] = copy[1:]
        except PictureRefused as refusal:
            return Unfetched(str(refusal), final=True)
        except OSError as error:
            return Unfetched(f"it can't be kept: {error.strerror or error}")
        return fetched

    def _note(self, picture: _Picture, outcome: _FetchedPicture | Unfetched) -> None:
        now = time.monotonic()
        with self._lock:
            before = self._outcomes.get(picture)
            if isinstance(before, _Failure) and now > before.at + _FORGOTTEN_SECONDS:
                before = None
            if isinstance(outcome, _FetchedPicture):
                if isinstance(before, _FetchedPicture) and before.digest == outcome.digest:
                    outcome.copies = before.copies | outcome.copies
                self._outcomes[picture] = outcome
            elif outcome.counts:
                tries = 1 + (before.tries if isinstance(before, _Failure) else 0)
                pause = _LONGEST_PAUSE if outcome.final else min(_PAUSE * 2 ** (tries - 1), _LONGEST_PAUSE)
                self._outcomes[picture] = _Failure(outcome.reason, outcome.final, tries, now, now + pause)
                log.info("picture_not_had", url=picture.url, article_id=picture.article_id, reason=outcome.reason)


def _file_name(fetched: _FetchedPicture, width: int) -> str:
    """The name of a picture's file on our disk."""
    return f"{fetched.digest}-w{width}"
