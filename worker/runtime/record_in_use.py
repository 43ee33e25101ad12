"""Which record the settings name, and that it fits before anything runs on it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from worker.record import Record
from worker.record.database_errors import kind, sentence

if TYPE_CHECKING:
    from config.settings import Settings

log = structlog.get_logger()


def record_of(settings: Settings) -> Record:
    """Return the record that the settings name, else the one in the data directory. Connects when first used."""
    synchronous = settings.record.synchronous
    if settings.record_url is None:
        return Record.embedded(settings.data_dir, synchronous=synchronous)
    url = make_url(settings.record_url)
    if settings.record_password is not None:
        url = url.set(password=settings.record_password.get_secret_value())
    return Record.connect(url.render_as_string(hide_password=False), synchronous=synchronous)


def make_embedded(settings: Settings) -> None:
    """Make the record in the data directory, or bring it to our schema, when the settings name none.

    Raises UnfitRecord when it is of a later release, and errors of the database.
    """
    if settings.record_url is None:
        with closing(record_of(settings)) as record:
            record.upgrade()


def see_that_the_record_fits(settings: Settings) -> None:
    """Raise UnfitRecord when the record has another schema than ours, and errors of the database that last.

    One that is only away, full or locked just now is logged. A record in the data directory that nobody has made yet
    is in nobody's way.
    """
    with closing(record_of(settings)) as record:
        if settings.record_url is None and record.schema() is None:
            return
        try:
            record.see_that_it_fits()
        except SQLAlchemyError as error:
            if kind(error) in {"refused", "bug"}:
                raise
            log.warning("record_unchecked", reason=sentence(error))
