"""What an error of the record's database means, in one place.

    away      it does not answer, or is starting or stopping: nothing is lost, the same call works later
    full      it answers and takes no writes: its disk or its memory is full. It works when somebody has made room
    refused   it does not let us in, or not do this, or its file is none of ours: settings or rights are to be changed
    locked    somebody else has held it for too long: the same call works later
    bug       everything else: we asked for nonsense, or what it holds is not what we wrote

Only a bug is worth a traceback, and only a bug is the fault of what was being worked on. No sentence has more of the
database's message than its first line: the next ones may have the text of an article.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

Kind = Literal["away", "full", "refused", "locked", "bug"]

_SQLITE: dict[int, Kind] = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "full",
    sqlite3.SQLITE_NOMEM: "full",
    sqlite3.SQLITE_READONLY: "refused",
    sqlite3.SQLITE_PERM: "refused",
    sqlite3.SQLITE_AUTH: "refused",
    sqlite3.SQLITE_CANTOPEN: "refused",
    sqlite3.SQLITE_CORRUPT: "refused",
    sqlite3.SQLITE_NOTADB: "refused",
}
"""By the primary result code, the lowest byte of an extended one (sqlite.org/rescode.html)."""
_NOT_OURS = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# PostgreSQL, appendix A: by the code, or its class, the first two characters.
_SQLSTATES: dict[str, Kind] = {
    "08": "away",
    "57": "away",
    "58": "full",
    "53": "full",
    "53300": "away",
    "28": "refused",
    "3D": "refused",
    "42501": "refused",
    "25006": "refused",
    "40": "locked",
    "55P03": "locked",
}
READ_ONLY = "25006"
_STARTING = (
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "too many clients",
    "slots are reserved",
)
# What libpq finds out by itself, before the server says anything.
_OF_OUR_SETTINGS = (
    *("no password supplied", "invalid connection option", "invalid port number", "invalid integer value"),
    *("does not support SSL", "certificate", "private key", "invalid sslmode value", "invalid channel_binding value"),
)


def _postgresql_kind(error: BaseException) -> Kind:
    import psycopg  # noqa: PLC0415 (who has a record on SQLite has no use for it, and it takes a while)

    if not isinstance(error, psycopg.Error):
        return "bug"
    code = error.sqlstate or ""
    if word := _SQLSTATES.get(code) or _SQLSTATES.get(code[:2]):
        return word
    if any(words in str(error) for words in _OF_OUR_SETTINGS):
        return "refused"
    if code or not isinstance(error, psycopg.OperationalError):
        return "bug"
    # libpq gives no code for a connection that does not come about; FATAL is what a server says that answers.
    message = str(error)
    return "refused" if "FATAL" in message and not any(words in message for words in _STARTING) else "away"


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _original(error: BaseException) -> BaseException:
    """What the driver raised."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def kind(error: BaseException) -> Kind:
    """Return what an error means."""
    if isinstance(error, NoFreeConnection):
        return "away"
    original = _original(error)
    if isinstance(original, sqlite3.Error):
        return _SQLITE.get(_sqlite_code(original), "bug")
    return _postgresql_kind(original)


def sentence(error: SQLAlchemyError | sqlite3.Error) -> str:
    """Say in one line, to people, what is the matter and what to do."""
    original = _original(error)
    reason = _first_line(original)
    meaning = kind(error)
    if isinstance(original, sqlite3.Error):
        if _sqlite_code(original) in _NOT_OURS:
            return (
                f"the record's file is damaged, or no SQLite database ({reason}): see record_url, or move it away and "
                "`dateline record restore` a backup"
            )
        return {
            "full": f"there is no space for the record ({reason}): make room on its disk",
            "refused": f"the record can't be written or opened ({reason}): see the rights of its file and folder",
            "locked": f"the record is locked by another process ({reason}): try again when that has ended",
        }.get(meaning, _bug(reason))
    return {
        "away": f"the record does not answer ({reason}): is PostgreSQL running, and is record_url right?",
        "full": f"the record takes no writes ({reason}): make room for PostgreSQL, see its log",
        "refused": f"the record refuses us ({reason}): see record_url (name, password, database), and our rights there",
        "locked": f"the record is locked by another session ({reason}): try again when that has ended",
    }.get(meaning, _bug(reason))


def _bug(reason: str) -> str:
    return f"the record could not do it ({reason}): a bug of ours, or its tables were changed by somebody else"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
