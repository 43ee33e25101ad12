"""The names of an article's files at a partner's: final and temporary ones, listed there and noted in the ledger."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from feeds.companions import is_picture_of
from feeds.file_names import file_name, names_of_versions
from worker.outbound.transfer import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.article import Article

_TEMPORARY = re.compile(r"\.(?P<base>.+)\.(?P<time>[0-9a-f]{11})-[0-9a-f]{8}\.part")
_STATUS_BEGINS, _STATUS_ENDS = re.compile("21[123]-"), re.compile("21[123] ")
_ROOM = re.compile(rb"^f_(bavail|frsize|files|favail|flag): (\d+)\r?$", re.MULTILINE)
_READ_ONLY = 1
_NOBODY: frozenset[str] = frozenset()


class FileTerms(NamedTuple):
    """How files are called (`template`, as in feeds/file_names.py), their ending, and what a kill does.

    `content_type`: as what a file can be looked through for a text.
    """

    template: str
    extension: str
    on_kill: Literal["notice", "remove", "both"]
    content_type: str

    @property
    def keeps_versions(self) -> bool:
        """Whether the versions of an article lie beside each other."""
        return "{version}" in self.template


class Place(NamedTuple):
    """Where a file lies below the endpoint's folder: in which folder ("" or ending with /), and its name there."""

    folder: str
    base: str

    @classmethod
    def of(cls, name: str) -> Place:
        """Return the place of a name with `/` between its folders."""
        folder, slash, base = name.rpartition("/")
        return cls(folder + slash, base)


class ArticleFiles:
    """The names that an article's files have, or may have; its pictures lie beside its text, in the same folder."""

    def __init__(self, terms: FileTerms, article: Article) -> None:
        self.name = file_name(terms.template, article, terms.extension)
        self._terms = terms
        self._article = article

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Most pushes never look at a folder, and to compile a pattern costs more than all else that is done for them.
        return names_of_versions(self._terms.template, self._article, self._terms.extension)[1]

    def is_picture(self, name: str) -> bool:
        """Whether a name is that of a picture of the article."""
        return is_picture_of(self._article.id, Place.of(name).base)

    def is_text(self, name: str) -> bool:
        """Whether a name is that of the article's text, in any version."""
        return self._pattern.fullmatch(name) is not None

    def folders(self, names: Iterable[str]) -> list[str]:
        """Return the folders in which they may lie; `names`: those that are known."""
        return list(dict.fromkeys(Place.of(name).folder for name in (*names, self.name)))

    def among(self, folder: str, bases: Iterable[str], names: Iterable[str]) -> list[str]:
        """Return those of the files in a folder that are the article's, temporary ones too."""
        known_names = frozenset(names)
        theirs: list[str] = []
        for base in bases:
            final = folder + (attempted(base) or base)
            if final in known_names or self.is_text(final) or self.is_picture(final):
                theirs.append(folder + base)
        return theirs


def temporary(place: Place, now_ms: int, token: str) -> Place:
    """Return where a file lies until it is whole; the name says since when."""
    return place._replace(base=f".{place.base}.{now_ms:011x}-{token}.part")


def attempted(base: str) -> str:
    """Return the name that a temporary file was to have in the end; "" for any other file."""
    match = _TEMPORARY.fullmatch(base)
    return match["base"] if match else ""


def abandoned(bases: Iterable[str], before_ms: int) -> list[str]:
    """Return those of the names that are of temporary files of ours which were begun before a time."""
    matches = (match for base in bases if (match := _TEMPORARY.fullmatch(base)))
    return [match[0] for match in matches if int(match["time"], 16) < before_ms]


def names_listed(answer: Answer) -> frozenset[str] | None:
    """Return the names in a folder; None: they are not known. A folder that is not there has none."""
    if answer.fault is None and answer.status in {403, 404}:
        return _NOBODY
    if answer.fault is not None or answer.status != 200 or answer.truncated:
        return None
    # Some servers of FTP begin each with the folder.
    lines = answer.body.decode("utf-8", "replace").splitlines()
    return frozenset(line.rpartition("/")[2] for line in lines) - {"", ".", ".."}


def names_in_status(answer: Answer) -> frozenset[str] | None:
    """Return the names in a folder as an FTP server's reply to STAT has them (RFC 959, section 4.1.3); None: unknown.

    A reply ends with its code, so it is whole. Names of ours have no spaces: they are the last words of their lines.
    """
    if answer.fault is not None or answer.status != 200 or answer.truncated:
        return None
    replies = answer.body.decode("utf-8", "replace").splitlines()
    begins = [place for place, line in enumerate(replies) if _STATUS_BEGINS.match(line)]
    if not begins or not _STATUS_ENDS.match(replies[-1]):
        return None
    words = [line.split() for line in replies[begins[-1] + 1 : -1]]
    return frozenset(line[-1] for line in words if line) - {".", ".."}


def size_in(answer: Answer) -> int | None:
    """Return the size of a file as an FTP server's reply to SIZE has it (RFC 3659, section 4); None: it has none."""
    sizes: list[bytes] = re.findall(rb"^213 (\d+)\r?$", answer.body, re.MULTILINE)
    return int(sizes[-1]) if sizes else None


def refusal_for_room(answer: Answer, size: int) -> Answer | None:
    """Return why a file of `size` bytes finds no room, from what a server of SFTP says of its disk; None: nobody knows.

    Source: statvfs@openssh.com, in OpenSSH's PROTOCOL, section 4.4.
    """
    numbers = {name: int(number) for name, number in _ROOM.findall(answer.body)}
    if answer.fault is not None or not numbers:
        return None
    if numbers[b"flag"] & _READ_ONLY:
        return Answer(403, {}, b"", None, "the server's disk is read-only: it takes no files", 0.0, started=True)
    if numbers[b"bavail"] * numbers[b"frsize"] < size:
        return Answer(507, {}, b"", None, "the server's disk is full: it has no room for the file", 0.0, started=True)
    if numbers[b"files"] and not numbers[b"favail"]:
        return Answer(507, {}, b"", None, "the server's disk takes no more files: it is full", 0.0, started=True)
    return None


def names_in(remote: str) -> list[str]:
    """Return the names in what the ledger has of an article."""
    try:
        names = json.loads(remote) if remote else []
    except ValueError:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def as_remote(names: list[str]) -> str:
    """Return names as the ledger has them."""
    return json.dumps(names, separators=(",", ":"))
