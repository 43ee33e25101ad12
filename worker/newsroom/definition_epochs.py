"""Keeps the sets of feed definitions in the record, so that their order is known even to a Redis that was emptied.

Redis alone gives a set its number while the record is away; as soon as it is back the set is noted there. What the
record says then holds: a set gets the number that it has there, if that is greater.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from worker import clock
from worker.record import definitions
from worker.record.database_errors import kind, sentence
from worker.record.definitions import Epochs
from worker.record.schema import UnfitRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.record import Record

log = structlog.get_logger()

EPOCH_SECONDS = 1.0
"""How often it is tried to note a set."""


class DefinitionEpochs:
    """What the record says of one worker's set (feed -> definition as JSON). Asked and noted by one thread at a time.

    `epochs` is what was read last; nobody waits for it.
    """

    def __init__(self, record: Record, digest: str, definitions_by_feed: Mapping[str, str]) -> None:
        self._record = record
        self._digest = digest
        self._definitions = definitions_by_feed
        self._noted = 0
        self._is_away = False
        self.epochs = Epochs(0, 0)

    def read(self) -> None:
        """Read what the record says; a record that is away says nothing."""
        try:
            with self._record.read() as connection:
                self.epochs = definitions.epochs(connection, self._digest)
        except (SQLAlchemyError, UnfitRecord) as error:
            self._tell(error)

    def note(self, number: int) -> None:
        """Note the set under its number in Redis, unless that is done; if the record is away, with the next call."""
        if not number or number == self._noted:
            return
        now = clock.ms(clock.agreed())
        try:
            with self._record.write() as connection:
                self.epochs = definitions.note(connection, self._digest, number, now, self._definitions)
        except IntegrityError:
            # Another worker has just noted it, or another set under the number.
            return
        except (SQLAlchemyError, UnfitRecord) as error:
            self._tell(error)
            return
        self._is_away = False
        # One with a greater number in Redis than in the record keeps it; one with a smaller number gets the greater.
        self._noted = max(number, self.epochs.epoch)

    def _tell(self, error: SQLAlchemyError | UnfitRecord) -> None:
        """Log that the record can't be had, once."""
        reason = str(error) if isinstance(error, UnfitRecord) else sentence(error)
        if not isinstance(error, UnfitRecord) and kind(error) == "bug":
            log.error("definitions_not_noted", reason=reason, exc_info=error)
        elif not self._is_away:
            log.warning("definitions_not_noted", reason=reason, next_step="noted when the record is there")
        self._is_away = True
