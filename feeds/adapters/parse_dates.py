"""Reads dates with times in the forms that systems and sites use, and refuses ambiguous ones.

03/04/2020 may be in March or in April, so it is refused. Read are RFC 3339 and the other forms of ISO 8601 that name a
day and a time, RFC 2822 with its names of zones, seconds and milliseconds since 1970, days with the year first, and
days with the month in words (English, Arabic, Urdu, Turkish, German, French, Spanish, Italian, Portuguese, Dutch), in
the digits of any script. Dates of the Persian and the Islamic calendar are recognized and refused: the one needs
conversion rules, the other a sighting of the moon.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from feeds.moments import DATE, HOUR_MINUTE, OFFSET
from feeds.text import fold

_MONTHS = (
    "january jan يناير كانون_الثاني جنوری ocak جانفي januar jänner janvier enero gennaio janeiro januari",
    "february feb فبراير شباط فروری şubat فيفري februar février febrero febbraio fevereiro februari",
    "march mar مارس آذار مارچ mart märz mars marzo março maart",
    "april apr أبريل إبريل نيسان اپریل nisan أفريل avril abril aprile",
    "may مايو أيار مئی mayıs ماي mai mayo maggio maio mei",
    "june jun يونيو حزيران جون haziran جوان juni juin junio giugno junho",
    "july jul يوليو تموز جولائی temmuz جويلية juli juillet julio luglio julho",
    "august aug أغسطس آب اگست ağustos أوت août agosto augustus",
    "september sep sept سبتمبر أيلول ستمبر eylül septembre septiembre settembre setembro",
    "october oct أكتوبر تشرين_الأول اکتوبر ekim oktober octobre octubre ottobre outubro",
    "november nov نوفمبر تشرين_الثاني نومبر kasım novembre noviembre novembro",
    "december dec ديسمبر كانون_الأول دسمبر aralık dezember décembre diciembre dicembre dezembro",
)
_WEEKDAYS = (
    "monday mon الاثنين الإثنين پیر pazartesi montag lundi lunes lunedì maandag",
    "tuesday tue الثلاثاء منگل salı dienstag mardi martes martedì dinsdag",
    "wednesday wed الأربعاء بدھ çarşamba mittwoch mercredi miércoles mercoledì woensdag",
    "thursday thu الخميس جمعرات perşembe donnerstag jeudi jueves giovedì donderdag",
    "friday fri الجمعة جمعہ cuma freitag vendredi viernes venerdì vrijdag",
    "saturday sat السبت ہفتہ cumartesi samstag samedi sábado sabato zaterdag",
    "sunday sun الأحد اتوار pazar sonntag dimanche domingo domenica zondag",
)
_OTHER_CALENDARS = {
    "Persian": "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند",
    "Islamic": "محرم صفر ربيع جمادى رجب شعبان رمضان شوال القعدة الحجة muharram safar rajab shaban ramadan shawwal",
}
# "12 a.m." is midnight: an hour of 12 counts as 0, then these hours are added.
_HALVES = {"am": 0, "a.m.": 0, "pm": 12, "p.m.": 12, "ص": 0, "صباحا": 0, "م": 12, "مساء": 12}
_FILLERS = frozenset({"at", "on", "of", "the", "في", "الساعة", "saat", "updated", "published"}) | frozenset(
    ["um", "uhr", "le", "à", "el", "de", "del", "las", "il", "alle", "ore", "às", "om"]
)


def _numbered(rows: tuple[str, ...], first: int) -> dict[str, int]:
    return {fold(word.replace("_", " ")): number for number, row in enumerate(rows, first) for word in row.split()}


_MONTH_OF, _DAY_OF = _numbered(_MONTHS, 1), _numbered(_WEEKDAYS, 0)
_CALENDAR_OF = {fold(word): name for name, words in _OTHER_CALENDARS.items() for word in words.split()}
# Names that stand for one zone only: those of RFC 2822 (section 4.3) and of Europe. IST, BST and others are ambiguous.
_ZONES = dict.fromkeys(("utc", "gmt", "ut", "z", "wet"), "+00:00") | {
    name: f"{hours:+03}:00"
    for name, hours in {
        "est": -5,
        "edt": -4,
        "cst": -6,
        "cdt": -5,
        "mst": -7,
        "mdt": -6,
        "pst": -8,
        "pdt": -7,
        "west": 1,
        "cet": 1,
        "cest": 2,
        "eet": 2,
        "eest": 3,
    }.items()
}
_HALF_OF = {fold(word): hours for word, hours in _HALVES.items()}
_MEANING_OF: dict[str, dict[str, Any]] = {
    "month": _MONTH_OF,
    "weekday": _DAY_OF,
    "half": _HALF_OF,
    "offset": _ZONES,
}
_FOLDED_FILLERS = frozenset(map(fold, _FILLERS))

# The whole of ISO 8601's extended form, of which RFC 3339 is the strictest part (feeds.moments has the differences).
_ISO = re.compile(rf"({DATE})(?:[T ]({HOUR_MINUTE}(?::\d\d(?:[.,]\d+)?)?) ?(Z|{OFFSET}|[+-]\d\d(?:\d\d)?)?)?", re.ASCII)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
# Java and JavaScript write the zone's name in brackets after the time; it adds nothing.
_ASIDE = re.compile(r"(?<=[\dZ])\s*(?:\[[\w/+-]{1,40}\]|\([^()]{1,60}\))$")
_EPOCH = re.compile(r"\d{10}|\d{13}", re.ASCII)
_SLASHED = re.compile(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d\d)(?::(\d\d)(?:[.,]\d+)?)?", re.ASCII)
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d\d):?(\d\d)", re.ASCII)
_NUMBER = re.compile(r"(\d{1,4})(?:st|nd|rd|th)?", re.ASCII)
# Dashes stand between parts, except before an offset, where a digit follows at once.
_BETWEEN = re.compile(r"[\s,،|]+|[-\u2013\u2014](?!\d)")
_LONGEST = 100


class UnsettledError(ValueError):
    """The value is a date, but does not name one moment."""


def moment(value: Any, zone: tzinfo | None = None) -> datetime:
    """Return the moment that `value` names, in UTC; `zone` is its time zone if it has no offset.

    Raises ValueError when it is not a date, and UnsettledError when it is a date that does not name one moment. Their
    texts can follow a field's name.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is no date")  # noqa: TRY004 (to the caller it is a value that is no date, like others)
    text = _ASIDE.sub("", _ascii_digits(str(value)[: 2 * _LONGEST]).strip())
    shown = repr(str(value)[:60])
    if not text or len(text) > _LONGEST:
        raise ValueError("is no date")
    try:
        named = _iso(text) or _epoch(text) or _mail(text) or _worded(text)
        if named.tzinfo is None:
            if zone is None:
                raise UnsettledError("has no offset from UTC, and no time zone is given")  # noqa: TRY301 (one way out)
            named = named.replace(tzinfo=zone)
        if not 1900 < named.year < 9000:
            raise ValueError("must lie between the years 1900 and 9000")  # noqa: TRY301 (one way out)
        return named.astimezone(UTC)
    except UnsettledError as error:
        raise UnsettledError(f"is {shown}: {error}") from None
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is {shown}: {error}") from None


def _ascii_digits(text: str) -> str:
    text = "".join(str(digit) if (digit := unicodedata.decimal(char, None)) is not None else char for char in text)
    # Arabic text often has direction marks beside numbers; they are not part of the date.
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)


def _iso(text: str) -> datetime | None:
    if basic := _BASIC.fullmatch(text.upper()):
        year, month, of_month, hour, minute, second, offset = basic.groups()
        return datetime.fromisoformat(f"{year}-{month}-{of_month}T{hour}:{minute}:{second}{offset or ''}")
    extended = _ISO.fullmatch(text.upper())
    if not extended:
        return None
    day, clock, offset = extended.groups()
    if not clock:
        raise UnsettledError("has no time of day")
    return datetime.fromisoformat(f"{day}T{clock.replace(',', '.')}{offset or ''}")


def _epoch(text: str) -> datetime | None:
    # From 2001 to 2286 ten digits are seconds and thirteen are milliseconds; no other kind of date has so many digits.
    if not _EPOCH.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)


def _mail(text: str) -> datetime | None:
    # The standard library reads far more than RFC 2822; it gets only what has the form of RFC 2822 with a zone.
    if not re.fullmatch(r"(?:[A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT|UT)", text):
        return None
    return parsedate_to_datetime(text)


def _worded(text: str) -> datetime:
    parts: dict[str, Any] = {}
    # ISO 8601 writes day, time and zone without spaces; separate them, also with an hour of one digit or a zone's name.
    text = re.sub(r"(?<=\d)[Tt](?=\d)|(?<=\d)(?=[A-Za-z]{3,4}(?:[+-]|$))", " ", text)
    for kind, part in _parts(text):
        name = kind
        if kind == "number":
            name = "day" if part <= 31 and "day" not in parts else "year"
        if name in parts or (name == "year" and part < 1000):
            raise ValueError("is no date that can be read")
        parts[name] = part
    if not {"day", "month", "year"} <= parts.keys():
        raise ValueError("has no day, month and year that can be read")
    day = date(parts["year"], parts["month"], parts["day"])
    if "weekday" in parts and parts["weekday"] != day.weekday():
        raise UnsettledError("is another day of the week")
    if "clock" not in parts:
        raise UnsettledError("has no time of day")
    hour, minute, second = parts["clock"]
    if "half" in parts:
        if not 1 <= hour <= 12:
            raise UnsettledError("has an hour that is none on a clock of twelve")
        hour = hour % 12 + parts["half"]
    return datetime.fromisoformat(f"{day}T{hour:02}:{minute:02}:{second:02}{parts.get('offset', '')}")


def _parts(text: str) -> Iterator[tuple[str, Any]]:
    words = [word for word in _BETWEEN.split(text) if word]
    while words:
        # Two months have names of two words in the Levant.
        if fold(" ".join(words[:2])) in _MONTH_OF:
            words[:2] = [" ".join(words[:2])]
        word = words.pop(0)
        folded = fold(word)
        if day := _YEAR_FIRST.fullmatch(folded):
            yield from (("year", int(day[1])), ("month", int(day[3])), ("day", int(day[4])))
        elif folded not in _FOLDED_FILLERS:
            yield _part(word, folded if folded in _HALF_OF else folded.rstrip("."))


def _part(word: str, folded: str) -> tuple[str, Any]:
    for kind, meaning_of in _MEANING_OF.items():
        if folded in meaning_of:
            return kind, meaning_of[folded]
    if number := _NUMBER.fullmatch(folded):
        return "number", int(number[1])
    if clock := _CLOCK.fullmatch(folded):
        return "clock", (int(clock[1]), int(clock[2]), int(clock[3] or 0))
    if offset := _OFFSET.fullmatch(folded):
        return "offset", f"{offset[1]}{offset[2]}:{offset[3]}"
    if _SLASHED.fullmatch(folded):
        raise UnsettledError("has its month as a number, where day and month can be mistaken for each other")
    if folded in _CALENDAR_OF:
        raise UnsettledError(f"is a date of the {_CALENDAR_OF[folded]} calendar, which is not converted")
    raise ValueError(f"has {word[:30]!r}, which is no part of a date that can be read")
