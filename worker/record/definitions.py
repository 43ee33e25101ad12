"""The sets of feed definitions that there were, each an epoch: which came first is known for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select

from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


class Epochs(NamedTuple):
    """The epoch of one set of definitions, 0 when the record does not have it; and the greatest that there is."""

    epoch: int
    greatest: int


def epochs(connection: Connection, digest: str) -> Epochs:
    """Return the epoch of the set with this digest."""
    sets = tables.definition_epochs
    epoch = connection.scalar(select(func.max(sets.c.epoch)).where(sets.c.digest == digest))
    greatest = connection.scalar(select(func.max(sets.c.epoch)))
    return Epochs(epoch or 0, greatest or 0)


def note(connection: Connection, digest: str, number: int, began: int, definitions: Mapping[str, str]) -> Epochs:
    """Note a set (feed -> definition as JSON) unless it is there, under `number` or the next free one after all others.

    `began` in ms. Needs a transaction that writes; raises IntegrityError when somebody else was faster.
    """
    sets = tables.definition_epochs
    epoch, greatest = epochs(connection, digest)
    if epoch:
        return Epochs(epoch, greatest)
    is_taken = connection.scalar(select(func.count()).select_from(sets).where(sets.c.epoch == number))
    epoch = greatest + 1 if is_taken else number
    connection.execute(insert(sets).values(epoch=epoch, digest=digest, began=began))
    if definitions:
        rows = [{"epoch": epoch, "feed": feed, "definition": text} for feed, text in definitions.items()]
        connection.execute(insert(tables.definitions), rows)
    return Epochs(epoch, max(epoch, greatest))


def of_epoch(connection: Connection, epoch: int) -> dict[str, str]:
    """Return the definitions of a set: feed -> definition as JSON."""
    rows = tables.definitions
    query = select(rows.c.feed, rows.c.definition).where(rows.c.epoch == epoch).order_by(rows.c.feed)
    return {row.feed: row.definition for row in connection.execute(query)}
