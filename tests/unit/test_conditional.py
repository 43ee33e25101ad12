"""Conditional requests, row by row of RFC 9110, section 13.2.2."""

from __future__ import annotations

from datetime import timedelta

import pytest

from web.conditional import evaluate, format_http_date, last_modified
from worker import clock

SECOND = 1_767_225_600_000  # a whole second, in ms
TAG, CODED = '"abc"', '"abc-gzip"'
TAGS = {TAG, CODED}
OTHER = '"other"'
BEFORE, AT, AFTER = (format_http_date(clock.moment(SECOND + seconds * 1000)) for seconds in (-1, 0, 1))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        # 1. If-Match: by strong comparison, of any coding.
        ({"if-match": "*"}, 200),
        ({"if-match": TAG}, 200),
        ({"if-match": f"{OTHER}, {CODED}"}, 200),
        ({"if-match": OTHER}, 412),
        ({"if-match": f"W/{TAG}"}, 412),
        ({"if-match": ""}, 412),
        # 2. If-Unmodified-Since: only without If-Match; a date that is none counts for nothing.
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": AT}, 200),
        ({"if-unmodified-since": AFTER}, 200),
        ({"if-unmodified-since": "yesterday"}, 200),
        ({"if-match": TAG, "if-unmodified-since": BEFORE}, 200),
        ({"if-match": OTHER, "if-unmodified-since": AFTER}, 412),
        # 3. If-None-Match: by weak comparison.
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": TAG}, 304),
        ({"if-none-match": CODED}, 304),
        ({"if-none-match": f"W/{TAG}"}, 304),
        ({"if-none-match": f"{OTHER} , W/{CODED}"}, 304),
        ({"if-none-match": '"a,b", ' + TAG}, 304),
        ({"if-none-match": OTHER}, 200),
        ({"if-none-match": "abc"}, 200),
        ({"if-none-match": ""}, 200),
        # after 1 and 2, which go on when they are true and end it when they are false
        ({"if-match": TAG, "if-none-match": TAG}, 304),
        ({"if-match": OTHER, "if-none-match": TAG}, 412),
        ({"if-unmodified-since": AT, "if-none-match": TAG}, 304),
        ({"if-unmodified-since": BEFORE, "if-none-match": TAG}, 412),
        # 4. If-Modified-Since: only without If-None-Match.
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": AT}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Thu, 01 Jan 2026 00:00:00"}, 200),
        ({"if-none-match": OTHER, "if-modified-since": AFTER}, 200),
        ({"if-none-match": TAG, "if-modified-since": BEFORE}, 304),
        # 5. Range is not served, so If-Range decides nothing (section 14.2: it may be ignored).
        ({"if-range": TAG, "range": "bytes=0-1"}, 200),
    ],
)
def test_preconditions(headers: dict[str, str], status: int) -> None:
    assert status == evaluate(headers, TAGS, SECOND)[0]


def test_what_has_no_time_has_no_conditions_on_it() -> None:
    assert (200, "") == evaluate({"if-modified-since": AFTER}, TAGS, None)
    assert (200, "") == evaluate({"if-unmodified-since": BEFORE}, TAGS, None)


def test_a_304_names_the_tag_that_the_client_has() -> None:
    assert (304, CODED) == evaluate({"if-none-match": f"{OTHER}, W/{CODED}"}, TAGS, SECOND)
    assert (304, "") == evaluate({"if-none-match": "*"}, TAGS, SECOND)
    assert (304, "") == evaluate({"if-modified-since": AT}, TAGS, SECOND)


def test_a_change_in_the_second_after_the_last_one_is_not_hidden() -> None:
    date = format_http_date(last_modified(SECOND - 1, SECOND + 4999))

    assert date == format_http_date(last_modified(SECOND + 358, SECOND + 359))
    assert evaluate({"if-modified-since": date}, TAGS, SECOND + 358)[0] == 200
    assert evaluate({"if-unmodified-since": date}, TAGS, SECOND + 358)[0] == 412


def test_a_date_from_the_second_of_the_change_is_asked_for_again() -> None:
    changed = SECOND + 358
    dates = [format_http_date(last_modified(changed, SECOND + later)) for later in (359, 999, 1000, 90_000)]

    assert dates[0] == dates[1] != dates[2] == dates[3]
    assert [evaluate({"if-modified-since": at}, TAGS, changed)[0] for at in (dates[0], dates[2])] == [200, 304]


def test_http_dates_are_in_gmt() -> None:
    assert format_http_date(clock.moment(SECOND) + timedelta(hours=5)) == "Thu, 01 Jan 2026 05:00:00 GMT"
