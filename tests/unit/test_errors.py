"""A message of an error is one line that can be read, however long or many the values are that it is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import SettingsError, load
from feeds.errors import FieldError, InvalidInput, brief, listed
from web.api.problems import RequestProblem
from web.problem_details import problem
from worker.cli.failures import failure_of

LONG = "x" * 100_000


def test_names_are_listed_as_far_as_they_can_be_read() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a, b"
    assert listed([f"f{number}" for number in range(1_100)], 3) == "f0, f1, f2 and 1,097 more"
    assert len(listed([LONG, "b"])) < 200


@given(st.text(max_size=200) | st.text(min_size=601, max_size=3_000))
def test_a_message_is_one_line_of_bounded_length(text: str) -> None:
    line = brief(text)
    assert len(line) <= 610
    assert len(line.splitlines()) <= 1
    if len(text) <= 600 and text.isprintable():
        assert line == text


def test_of_a_long_one_both_ends_are_left() -> None:
    assert brief(f"there is no {LONG}; known: rss, atom").endswith("xx; known: rss, atom")


def test_a_thousand_mistakes_in_settings_are_twenty_one_lines(tmp_path: Path) -> None:
    file = tmp_path / "dateline.toml"
    feeds = "".join(f'[[feeds]]\nname = "f{number}"\ntitle = "F"\n' for number in range(1_100))
    table = '[[endpoints]]\nname = "e{0}"\nfeed = "nowhere-{0}"\nurl = "https://p.example/{0}"\nformat = "json"\n'
    file.write_text(feeds + "".join(map(table.format, range(1_100))))
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert len(refused.value.errors) == 1_100
    failure = failure_of(refused.value)
    assert failure is not None
    assert len(failure.lines) == 21
    assert failure.lines[0].startswith("endpoints.e0.feed: there is no feed nowhere-0; known: f0, f1, ")
    assert failure.lines[0].endswith(" and 1,080 more")
    assert failure.lines[-1] == "and 1,080 more are wrong"
    assert max(map(len, failure.lines)) < 250
    assert len(str(refused.value)) < 6_000


@pytest.mark.parametrize("key", ["format", "mode", "kind", "timezone", LONG])
def test_a_value_without_end_is_not_repeated_whole(tmp_path: Path, key: str) -> None:
    file = tmp_path / "dateline.toml"
    endpoint = '[[endpoints]]\nname = "e"\nfeed = "f"\nurl = "https://p.example/"\nformat = "json"\n'
    text = f'[site]\ntimezone = "{LONG}"\n' if key == "timezone" else ""
    values = {"format": "json", key: LONG} if key != "timezone" else {"format": "json"}
    endpoint = endpoint.replace('format = "json"\n', "".join(f'{name} = "{value}"\n' for name, value in values.items()))
    file.write_text(f'{text}[[feeds]]\nname = "f"\ntitle = "F"\n{endpoint}')
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    assert all(len(line) < 900 for line in refused.value.lines)


def test_the_api_and_the_web_server_answer_as_briefly() -> None:
    of_the_api = RequestProblem(404, f"There is no article {LONG}.", [(LONG, f"there is no {LONG}")]).response()
    of_the_server = problem(400, LONG, [FieldError(LONG, LONG)])
    for response in (of_the_api, of_the_server):
        assert len(response.body) < 2_500
        assert json.loads(response.body)["errors"]
    assert len(str(InvalidInput([FieldError("a", LONG)]))) < 700
