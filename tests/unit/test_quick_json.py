"""JSON that we keep in Redis is read as Python's own reader reads it, whatever a partner has answered."""

from __future__ import annotations

import json

import pytest

from worker.store.quick_json import read_json


@pytest.mark.parametrize(
    "value",
    ["half a pair \ud800", "\udc00", "\0 and \x1f", "قطار", {"at": 1764260000123, "n": [None, True, 1.5, 2**70]}, ""],
)
def test_what_was_kept_comes_back(value: object) -> None:
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", '{"a":}', "nothing", "[1,2"])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (of whatever reader it is)
        read_json(text)
