"""Writing rows that may be there already: noting something again changes nothing, and no old state replaces a new one.

Rows are written in the order of their keys, so that two transactions never wait for each other.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import text, true
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


def upsert_many(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    changes: Callable[[Any, Any], Mapping[str, ColumnElement[Any]]] | None = None,
) -> None:
    """Write thousands of rows of these columns, at a fraction of what `upsert` takes for each.

    `changes` is called as `replaces` is there, and says what becomes of a row that is there, without parameters; None:
    it stays as it is. With `changes` no two rows may have one key. Texts are to be `keepable`, and the columns plain
    texts and numbers.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        # One parameter instead of one for each value: the server takes them apart four times as fast as we put them in.
        recordset = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        connection.execute(_insert_recordset(table, tuple(columns), changes), {"rows": recordset})
    else:
        connection.exec_driver_sql(_insert_values(table, tuple(columns), changes), list(rows))


@lru_cache(maxsize=64)
def _insert_recordset(
    table: Table, columns: tuple[str, ...], changes: Callable[[Any, Any], Mapping[str, ColumnElement[Any]]] | None
) -> Any:
    names = ", ".join(columns)
    recordset = text(f"SELECT {names} FROM json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))")  # noqa: S608 (names of ours)
    source = recordset.columns(*(table.c[name] for name in columns))
    return _with_changes(postgresql.insert(table).from_select(list(columns), source), table, changes)


@lru_cache(maxsize=64)
def _insert_values(
    table: Table, columns: tuple[str, ...], changes: Callable[[Any, Any], Mapping[str, ColumnElement[Any]]] | None
) -> str:
    statement = _with_changes(sqlite.insert(table), table, changes)
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
    assert compiled.positiontup == list(columns)
    return str(compiled)


def _with_changes(
    statement: Any, table: Table, changes: Callable[[Any, Any], Mapping[str, ColumnElement[Any]]] | None
) -> Any:
    if changes is None:
        return statement.on_conflict_do_nothing()
    values = dict(changes(table.c, statement.excluded))
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


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
