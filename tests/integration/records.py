"""A record that nobody has made: for what does without one."""

from pathlib import Path

from worker.documents.archive_pages import ArchivePages
from worker.record import Record
from worker.record.availability import Absence
from worker.retention.recorded import RecordedArticles
from worker.retention.warm import HotArticles
from worker.store import Store


def no_record() -> Record:
    """A record that is away."""
    record = Record.embedded(Path("/nonexistent"))
    record.availability.absence = Absence(0, "there is none")
    return record


def hot_articles(store: Store) -> HotArticles:
    """The articles where nothing is cold."""
    return HotArticles(store, RecordedArticles(no_record()))


def archives(store: Store) -> ArchivePages:
    """The archives where nothing is cold."""
    return ArchivePages(store, RecordedArticles(no_record()))
