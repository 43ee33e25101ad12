"""The days and months that archives cover."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feeds.archive import Period, period_named, period_of


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("length", "moment", "period"),
    [
        ("day", ms(2026, 3, 4, 23, 59, 59) + 999, Period("2026-03-04", ms(2026, 3, 4), ms(2026, 3, 5))),
        ("day", ms(2026, 3, 5), Period("2026-03-05", ms(2026, 3, 5), ms(2026, 3, 6))),
        ("day", ms(2024, 2, 29, 1), Period("2024-02-29", ms(2024, 2, 29), ms(2024, 3, 1))),
        ("month", ms(2026, 12, 31, 23), Period("2026-12", ms(2026, 12, 1), ms(2027, 1, 1))),
        ("month", ms(2026, 2, 1), Period("2026-02", ms(2026, 2, 1), ms(2026, 3, 1))),
        ("month", ms(1969, 12, 31, 23, 59), Period("1969-12", ms(1969, 12, 1), ms(1970, 1, 1))),
    ],
)
def test_a_moment_lies_in_the_period_of_its_name(length: str, moment: int, period: Period) -> None:
    assert period == period_of(length, moment)  # type: ignore[arg-type]
    assert period == period_named(length, period.name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("length", "name"),
    [
        ("day", "2026-03"),
        ("month", "2026-03-04"),
        ("day", "2026-02-29"),
        ("day", "0000-01-01"),
        ("day", "9999-12-31"),
        ("month", "2026-13"),
        ("month", "٢٠٢٦-٠٣"),
        ("day", ""),
    ],
)
def test_what_is_no_name_is_none(length: str, name: str) -> None:
    assert period_named(length, name) is None  # type: ignore[arg-type]
