"""Writing rows that may be there already: noting something again changes nothing, and no old state replaces a new one.

Rows are written in the order of their keys, so that two transactions never wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, text, true

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Table


Changes = Callable[[Any, Any], Mapping[str, ColumnElement[Any]]]
Replaces = Callable[[Any, Any], ColumnElement[bool]]


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


def dialect_of(database: str) -> Any:
    """Return what SQLAlchemy has for one database, by name: to import that of another takes commands a tenth more."""
    return import_module(f"sqlalchemy.dialects.{database}")


def always(there: Any, new: Any) -> ColumnElement[bool]:
    """Whatever is there is replaced, for `upsert`."""
    del there, new
    return true()


def insert(connection: Connection, table: Table) -> Any:
    """Return an insert that has `on_conflict_do_update`, for rows of which not all columns are replaced alike."""
    return dialect_of(connection.dialect.name).insert(table)


def upsert_many(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    changes: Changes | None = None,
    replaces: Replaces | None = None,
    **parameters: int,
) -> None:
    """Write many rows of these columns, which are in the table's order, at a fraction of what `upsert` takes for each.

    `changes` is called as `replaces` is there, and says what becomes of a row that is there; None: it stays as it is.
    `replaces`, of which `parameters` are, says where that happens; None: everywhere. With `changes` no two rows may
    have one key. Texts are to be `keepable` and documents `compressed`; otherwise the columns are plain numbers.
    """
    if not rows:
        return
    names = tuple(columns)
    if connection.dialect.name == "postgresql":
        # One parameter instead of one for each value: the server takes them apart four times as fast as we put them in.
        recordset = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_hexadecimal)
        statement = _insert_recordset(table, names, changes, replaces)
        connection.execute(statement, {"rows": recordset, **parameters})
    else:
        sql, order = _insert_values(table, names, changes, replaces)
        more = tuple(parameters[name] for name in order)
        connection.exec_driver_sql(sql, [(*row, *more) for row in rows] if more else list(rows))


def replaced(table: Table, columns: Sequence[str]) -> Changes:
    """Return the `changes` that replace a row by the one that is written."""
    key = {column.name for column in table.primary_key}

    def changes(there: Any, new: Any) -> dict[str, ColumnElement[Any]]:
        del there
        return {name: new[name] for name in columns if name not in key}

    return changes


def _hexadecimal(value: bytes) -> str:
    """Bytes as PostgreSQL reads them in a text (section 8.4.1)."""
    return f"\\x{value.hex()}"


@lru_cache(maxsize=64)
def _insert_recordset(
    table: Table, columns: tuple[str, ...], changes: Changes | None, replaces: Replaces | None
) -> Any:
    names = ", ".join(columns)
    recordset = text(f"SELECT {names} FROM json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))")  # noqa: S608 (names of ours)
    source = recordset.columns(*(table.c[name] for name in columns))
    return _with_changes(
        dialect_of("postgresql").insert(table).from_select(list(columns), source), table, changes, replaces
    )


@lru_cache(maxsize=64)
def _insert_values(
    table: Table, columns: tuple[str, ...], changes: Changes | None, replaces: Replaces | None
) -> tuple[str, tuple[str, ...]]:
    """The statement, and the names of the parameters that follow the values."""
    sqlite = dialect_of("sqlite")
    statement = _with_changes(sqlite.insert(table), table, changes, replaces)
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
    order = tuple(compiled.positiontup or ())
    assert order[: len(columns)] == columns
    return str(compiled), order[len(columns) :]


def _with_changes(statement: Any, table: Table, changes: Changes | None, replaces: Replaces | None) -> Any:
    if changes is None:
        return statement.on_conflict_do_nothing()
    values = dict(changes(table.c, statement.excluded))
    where = replaces(table.c, statement.excluded) if replaces else None
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values, where=where)


@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table, replaces: Callable[[Any, Any], ColumnElement[bool]] | None) -> Any:
    statement: Any = dialect_of(dialect).insert(table)
    if replaces is None:
        return statement.on_conflict_do_nothing()
    key = {column.name for column in table.primary_key}
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column.name: statement.excluded[column.name] for column in table.c if column.name not in key},
        where=replaces(table.c, statement.excluded),
    )
