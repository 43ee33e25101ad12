"""What the columns of the record hold beside numbers, the same on every database."""

from __future__ import annotations

import re
from threading import local
from typing import TYPE_CHECKING, Any

import zstandard
from sqlalchemy import BigInteger, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

# PostgreSQL keeps no NUL in a text, and no database half a surrogate pair; what partners answer may have both.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")

Counting = BigInteger().with_variant(Integer, "sqlite")
"""A primary key that the database counts up: SQLite counts up only what is called INTEGER there."""


def keepable(words: str) -> str:
    """Return a text as it comes back from the record."""
    return _UNKEEPABLE.sub("\ufffd", words)


def keepable_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the same with texts as they come back from the record."""
    texts = "".join([value for value in row if type(value) is str])
    if texts.isascii() and "\0" not in texts:
        return row
    return tuple(_UNKEEPABLE.sub("\ufffd", value) if type(value) is str else value for value in row)


def keepable_rows(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the same of many rows, which nearly always are kept as they are."""
    texts = "".join([value for row in rows for value in row if type(value) is str])
    return list(rows) if texts.isascii() and "\0" not in texts else [keepable_row(row) for row in rows]


class Words(TypeDecorator[str]):
    """A text; what no database keeps in one becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it is kept."""
        del dialect
        return None if value is None else keepable(value)


class _Compressor(local):
    """One for each thread: to make one costs more than to compress an article."""

    def __init__(self) -> None:
        self.zstd = zstandard.ZstdCompressor()


_compressor = _Compressor()


def compressed(document: str) -> bytes:
    """Return a document as it is kept."""
    return _compressor.zstd.compress(document.encode("utf-8", "surrogatepass"))


class Compressed(TypeDecorator[str]):
    """A document, kept compressed (zstd); every character comes back as it was."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Return the document as it is kept."""
        del dialect
        return None if value is None else compressed(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Return the document that was kept."""
        del dialect
        return None if value is None else zstandard.decompress(value).decode("utf-8", "surrogatepass")


# PostgreSQL counts no further, and counts so many places of one word (section 12.11).
_PLACES_MOST = 16_383
_OF_ONE_WORD_MOST = 255


class IndexedWords(TypeDecorator["Sequence[str]"]):
    """The words of an article in order: a tsvector of PostgreSQL's, made by us; compressed on SQLite.

    The words are those of `feeds.words`, which have no quotes and no spaces. They can be read back on SQLite only.
    """

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(LargeBinary())
        from sqlalchemy.dialects.postgresql import TSVECTOR  # noqa: PLC0415 (a record on SQLite does not wait for it)

        return dialect.type_descriptor(TSVECTOR())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        """Return the words as they are kept."""
        if value is None:
            return None
        if dialect.name != "postgresql":
            return zstandard.compress(" ".join(value).encode())
        places: dict[str, list[str]] = {}
        for place, word in enumerate(value, 1):
            of_word = places.setdefault(word, [])
            if len(of_word) < _OF_ONE_WORD_MOST:
                of_word.append(str(min(place, _PLACES_MOST)))
        return " ".join(f"'{word}':{','.join(of_word)}" for word, of_word in places.items())

    def process_result_value(self, value: Any, dialect: Dialect) -> list[str] | None:
        """Return the words that were kept."""
        if value is None or dialect.name == "postgresql":
            return None
        return zstandard.decompress(value).decode().split(" ")
