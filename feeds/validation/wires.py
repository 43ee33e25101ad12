"""The rules of the formats of wires, by their specifications: headers, lines, characters, ends."""

from __future__ import annotations

import re
from datetime import datetime

from feeds.formats import anpa1312 as anpa
from feeds.formats import iptc7901 as iptc
from feeds.formats.wires import EOT, ETX, SOH, STX
from feeds.validation.finding import Finding, Findings

_HEADER = re.compile(r"[A-Za-z]{2,4}\d{4} [1-6] [a-z]{1,3} (\d+)( [\x21-\x7e][\x20-\x7e]*)?")
_TIME = re.compile(rf"(\d{{2}})(\d{{2}})(\d{{2}}) ({'|'.join(iptc.MONTHS)}) (\d{{2}})", re.ASCII)
_ANPA_FIRST = re.compile(r"\x16\x16\x01[A-Za-z]?\d{4}[^\x1f]{0,15}\x1f[A-Za-z-]{1,5}")
_ANPA_SECOND = re.compile(
    r"([A-Za-z]) ([A-Za-z])[\x13\x14][\x11\x12] ([A-Za-z0-9-]{1,24}) (\S*) (\S*) (\d{1,2})-(\d{1,2}) (\d{1,4})"
)
_ANPA_TIME = re.compile(r"\x03[A-Z]+-[A-Z]+-(\d{2})-(\d{2})-(\d{2}) (\d{2})(\d{2})GMT<")


def iptc7901(document: bytes) -> Findings:
    """Check a message of a wire: its header, its lines, its characters and its end."""
    if not document.isascii():
        yield Finding(None, "iptc7901.characters", "must be in the characters of ISO 646")
        return
    lines = document.decode("ascii").split("\r\n")
    header = _HEADER.fullmatch(lines[0].removeprefix(SOH))
    if not lines[0].startswith(SOH) or not header:
        yield Finding(1, "iptc7901.header", "must begin with SOH, source, number, priority, category and words")
        return
    bounds = _bounds(lines)
    if bounds is None:
        yield Finding(None, "iptc7901.text", "must have one text between STX and ETX")
        return
    start, end = bounds
    if start != 2 or not lines[1].strip():
        yield Finding(2, "iptc7901.keywords", "must have one line of keywords before the text")
    text = [lines[start].removeprefix(STX), *lines[start + 1 : end]]
    if not any(line.strip() for line in text):
        yield Finding(3, "iptc7901.text", "must have a text")
    for number, line in enumerate(text, start + 1):
        if len(line) > iptc.LINE_MOST:
            yield Finding(number, "iptc7901.line", f"a line must have at most {iptc.LINE_MOST} characters")
        if not line.isprintable():
            yield Finding(number, "iptc7901.characters", "a line must have no control characters")
    if int(header[1]) != sum(len(line.split()) for line in text):
        yield Finding(1, "iptc7901.words", "the number of words must be that of the text")
    yield from _sent(lines[end + 1 :], end + 2)


def _sent(lines: list[str], number: int) -> Findings:
    time = _TIME.fullmatch(lines[0]) if lines else None
    try:
        if time:
            day, hour, minute = (int(time[part]) for part in (1, 2, 3))
            datetime(2000 + int(time[5]), iptc.MONTHS.index(time[4]) + 1, day, hour, minute)  # noqa: DTZ001 (asked whether it exists)
    except ValueError:
        time = None
    if not time:
        yield Finding(number, "iptc7901.time", "the text must be followed by its time, such as 041100 MAR 26")
    if lines[-1:] != ["\x04"]:
        yield Finding(number, "iptc7901.end", "must end with EOT")


def anpa1312(document: bytes) -> Findings:
    """Check a message of an American wire: its two header lines, its lines, its characters and its end."""
    if not document.isascii():
        yield Finding(None, "anpa1312.characters", "must be in the characters of ASCII")
        return
    lines = document.decode("ascii").split("\r\n")
    if not _ANPA_FIRST.fullmatch(lines[0]):
        yield Finding(1, "anpa1312.header", "must begin with SYN SYN SOH, service level, number, US and selector")
        return
    header = _ANPA_SECOND.fullmatch(lines[1]) if len(lines) > 1 else None
    if header is None or header[1].lower() not in anpa.PRIORITIES:
        yield Finding(2, "anpa1312.header", "must go on with priority, category, format, keyword, version, date, words")
        return
    bounds = _bounds(lines)
    if bounds is None:
        yield Finding(None, "anpa1312.text", "must have one text between STX and ETX")
        return
    start, end = bounds
    yield from _anpa_text([lines[start].removeprefix(STX), *lines[start + 1 : end]], header, start + 1)
    time = _ANPA_TIME.fullmatch(lines[end])
    if not time or not _exists(2000 + int(time[3]), *(int(time[part]) for part in (1, 2, 4, 5))):
        yield Finding(end + 1, "anpa1312.time", "ETX must be followed by the time, such as HH-HH-03-04-26 1100GMT<")
    if lines[-1] != EOT:
        yield Finding(len(lines), "anpa1312.end", "must end with EOT")


def _anpa_text(text: list[str], header: re.Match[str], first: int) -> Findings:
    """Check the lines of a text, and what the header says of it; `first`: the number of its first line."""
    if header[3] != header[3].upper():
        yield Finding(2, "anpa1312.keyword", "the keyword must be in capitals")
    if not _exists(2000, int(header[6]), int(header[7])):
        yield Finding(2, "anpa1312.date", "the date must be month-day")
    if int(header[8]) != min(sum(len(line.split()) for line in text), anpa.WORDS_MOST):
        yield Finding(2, "anpa1312.words", "the number of words must be that of the text")
    if not text[0].startswith(f"^{header[3]},") or len(text) < 2:
        yield Finding(first, "anpa1312.text", "must have the keyword and then a text")
    for number, line in enumerate(text, first):
        if len(line) > anpa.LINE_MOST:
            yield Finding(number, "anpa1312.line", f"a line must have at most {anpa.LINE_MOST} characters")
        if not line.removeprefix("\t").isprintable() or "^" in line[1:] or "<" in line[:-1]:
            yield Finding(number, "anpa1312.characters", "^ begins a line, < ends one, and nothing controls it within")


def _bounds(lines: list[str]) -> tuple[int, int] | None:
    """Return the places of the lines that STX and ETX begin; None: there is not one of each in their order."""
    starts = [number for number, line in enumerate(lines) if line.startswith(STX)]
    ends = [number for number, line in enumerate(lines) if line.startswith(ETX)]
    return (starts[0], ends[0]) if len(starts) == len(ends) == 1 and starts[0] < ends[0] else None


def _exists(*moment: int) -> bool:
    try:
        datetime(*moment)  # type: ignore[arg-type]  # noqa: DTZ001 (asked whether it exists)
    except ValueError:
        return False
    return True
