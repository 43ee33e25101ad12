"""Cursors of the API's lists: what no database takes is no cursor of ours."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from web.api.paging import cursor, read_cursor
from web.api.problems import RequestProblem


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["\ud800"], [str]),
        (["en", "a\0b"], [str, str]),
        ([10**30], [int]),
        ([2**63], [int]),
        ([-(2**63) - 1], [int]),
        ([True], [int]),
        (["1"], [int]),
        ([1, "a"], [int]),
    ],
)
def test_what_a_database_does_not_take_is_no_cursor(values: list[Any], kinds: list[type]) -> None:
    written = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
    with pytest.raises(RequestProblem) as problem:
        read_cursor(written, *kinds)
    assert (422, "after") == (problem.value.status, problem.value.errors[0].field)


def test_a_cursor_of_ours_is_read_as_it_was_written() -> None:
    values = ("مرفأ \U0001f6a2", 2**63 - 1, -(2**63), "")
    assert values == read_cursor(cursor(*values), str, int, int, str)
