"""What the columns of the record hold beside numbers, the same on every database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import zstandard
from sqlalchemy import BigInteger, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

# PostgreSQL keeps no NUL in a text, and no database half a surrogate pair; what partners answer may have both.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")

Counting = BigInteger().with_variant(Integer, "sqlite")
"""A primary key that the database counts up: SQLite counts up only what is called INTEGER there."""


def keepable(words: str) -> str:
    """Return a text as it comes back from the record."""
    return _UNKEEPABLE.sub("\ufffd", words)


class Words(TypeDecorator[str]):
    """A text; what no database keeps in one becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it is kept."""
        del dialect
        return None if value is None else keepable(value)


class Compressed(TypeDecorator[str]):
    """A document, kept compressed (zstd); every character comes back as it was."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Return the document as it is kept."""
        del dialect
        return None if value is None else zstandard.compress(value.encode("utf-8", "surrogatepass"))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Return the document that was kept."""
        del dialect
        return None if value is None else zstandard.decompress(value).decode("utf-8", "surrogatepass")
