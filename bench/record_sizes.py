"""What the rows of the record take on the disk, indexes included."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from bench.decade import fill
from worker.record import Record, search, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = datetime(2026, 3, 1, tzinfo=UTC)
_ARTICLES, _INDEXED = 30_000, 3_000
_SQLITE = """
SELECT coalesce(schema.tbl_name, stat.name), SUM(stat.pgsize)
FROM dbstat AS stat LEFT JOIN sqlite_schema AS schema ON schema.name = stat.name GROUP BY 1"""
_POSTGRESQL = "SELECT relname, pg_total_relation_size(relid) FROM pg_statio_user_tables"
_INDEX_OF_WORDS = "article_index"


def bytes_per_row(url: str) -> dict[str, float]:
    """Make a record at `url`, where there is none, and return what one row of each table takes."""
    with closing(Record.connect(url, synchronous="normal")) as record:
        record.upgrade()
        made = fill(record, _ARTICLES, _END)
        with record.write() as connection:
            ids = list(connection.scalars(select(tables.articles.c.article_id).limit(_INDEXED)))
            search.index_text(connection, ids)
        while search.index_waiting(record):
            pass
        with record.read() as connection:
            sizes = _sizes(connection.execute(text(_SQLITE if record.file else _POSTGRESQL)).all())
    each = {name: sizes[name] / rows for name, rows in made.rows.items()}
    each["article_words"] = sizes["article_words"] / _INDEXED
    return each


def _sizes(rows: Sequence[Any]) -> dict[str, int]:
    """Bytes by table; those of SQLite's index of words go to its words."""
    sizes: dict[str, int] = defaultdict(int)
    for name, size in rows:
        sizes["article_words" if name.startswith(_INDEX_OF_WORDS) else name] += int(size)
    return sizes
