"""Writing rows that may be there already: noting something again changes nothing, and no old state replaces a new one.

Rows are written in the order of their keys, so that two transactions never wait for each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import true
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection, Table


def upsert(
    connection: Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    replaces: Callable[[Any, Any], ColumnElement[bool]] | None = None,
) -> None:
    """Write rows, each with all its columns; one whose key is there already replaces it where `replaces` says so.

    `replaces` is called with the columns of the row that is there and of the one that is written; None: the first row
    stays. A row may have values for parameters of `replaces` beside its columns.
    """
    key = [column.name for column in table.primary_key]
    ordered = sorted(rows, key=lambda row: [row[name] for name in key])
    if ordered:
        connection.execute(_statement(connection.dialect.name, table, replaces), ordered)


def always(there: Any, new: Any) -> ColumnElement[bool]:
    """Whatever is there is replaced, for `upsert`."""
    del there, new
    return true()


def insert(connection: Connection, table: Table) -> Any:
    """Return an insert that has `on_conflict_do_update`, for rows of which not all columns are replaced alike."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table, replaces: Callable[[Any, Any], ColumnElement[bool]] | None) -> Any:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    if replaces is None:
        return statement.on_conflict_do_nothing()
    key = {column.name for column in table.primary_key}
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column.name: statement.excluded[column.name] for column in table.c if column.name not in key},
        where=replaces(table.c, statement.excluded),
    )
