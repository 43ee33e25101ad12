"""Reading events: what is taken, and how what is wrong is named."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import event
from feeds.article import Submission
from feeds.errors import FieldError, InvalidEvent

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ARTICLE = {"id": "hh-1", "headline": "Ferries return", "url": "https://e.example/a"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def published(**fields: Any) -> dict[str, Any]:
    return {"id": "evt-1", "type": "article.published", "article": ARTICLE | fields}


def errors(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidEvent) as caught:
        event.read(value, NOW)
    return [tuple(error) for error in caught.value.errors]  # type: ignore[misc]


def test_an_article_event() -> None:
    read = event.read(published(version=2) | {"time": "2026-03-04T14:00:00.5+03:00"}, NOW)
    assert isinstance(read, event.ArticleEvent)
    assert read.time == datetime(2026, 3, 4, 11, 0, 0, 500_000, tzinfo=UTC)
    assert read.article.version == 2


def test_an_event_without_time_happened_now() -> None:
    assert event.read(published(), NOW).time == NOW


def test_a_list_event() -> None:
    value = {"id": "evt-1", "type": "list.updated", "list": {"name": "Editor Picks", "articles": ["hh-2", "hh-1"]}}
    read = event.read(value, NOW)
    assert isinstance(read, event.ListEvent)
    assert read.list.name == "Editor Picks"
    assert read.list.articles == ("hh-2", "hh-1")


@pytest.mark.parametrize("version", ["seven", 0, -1, 1.5, True, None, 2**60])
def test_a_kill_needs_nothing_but_whom_it_kills(version: Any) -> None:
    told = {"id": "hh-1", "version": version, "headline": "<b>", "url": 5, "unheard": "of"}
    read = event.read({"id": "evt-1", "type": "article.killed", "article": told, "reason": "legal"}, NOW)
    assert isinstance(read, event.KillEvent)
    assert read.article.id == "hh-1"
    assert read.article.version is None


def test_a_kill_with_a_version() -> None:
    read = event.read({"id": "evt-1", "type": "article.killed", "article": {"id": "hh-1", "version": 7}}, NOW)
    assert isinstance(read, event.KillEvent)
    assert read.article.version == 7


@pytest.mark.parametrize("value", [None, [], "event", 5, [published()]])
def test_an_event_is_an_object(value: Any) -> None:
    assert errors(value) == [("", "an event must be a JSON object")]


@pytest.mark.parametrize(
    ("value", "said"),
    [({}, "is missing"), ({"type": "article.deleted"}, "is 'article.deleted'"), ({"type": ["x"]}, "is \"['x']\"")],
)
def test_an_unknown_type_lists_the_known(value: Any, said: str) -> None:
    known = (
        "known types: article.published, article.corrected, article.reinstated, article.repeated, article.killed, "
        "list.updated"
    )
    assert errors(value) == [("type", f"{said}; {known}")]


@pytest.mark.parametrize("missing", ["id", "headline", "url"])
def test_a_missing_field_is_named(missing: str) -> None:
    said = {name: value for name, value in ARTICLE.items() if name != missing}
    assert errors(published() | {"article": said}) == [(f"article.{missing}", "is missing")]


def test_missing_parts_are_named() -> None:
    assert errors({"type": "article.published"}) == [("id", "is missing"), ("article", "is missing")]
    assert errors({"type": "list.updated", "id": "e"}) == [("list", "is missing")]


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"id": "a b"}, "article.id", "must not have white space or control characters"),
        ({"id": "a\x00"}, "article.id", "must not have white space or control characters"),
        ({"id": 7}, "article.id", "must be a string"),
        ({"headline": 7}, "article.headline", "must be a string"),
        ({"headline": "a\x07b"}, "article.headline", "has a control character (U+0007) at position 2"),
        ({"headline": "a <b>b</b>"}, "article.headline", "has markup (<b>) at position 3; send plain text"),
        ({"headline": "x" * 501}, "article.headline", "must have at most 500 characters"),
        ({"summary": "a &amp; b"}, "article.summary", "has markup (&amp;) at position 3; send plain text"),
        ({"url": "/a"}, "article.url", "must be an absolute URL that begins with http:// or https://"),
        ({"edition": "English"}, "article.edition", 'must be a language tag such as "ar" or "zh-Hant"'),
        ({"edition": "en\n"}, "article.edition", 'must be a language tag such as "ar" or "zh-Hant"'),
        ({"pubstatus": "killed"}, "article.pubstatus", "input should be 'usable', 'withheld' or 'canceled'"),
        ({"subjects": "sea"}, "article.subjects", "must be an array"),
        ({"subjects": ["sea", ""]}, "article.subjects.1", "must not be empty"),
        ({"authors": ["A", "<b>B</b>"]}, "article.authors.1", "has markup (<b>) at position 1; send plain text"),
        ({"version": "two"}, "article.version", "must be a whole number"),
        ({"version": True}, "article.version", "must be a whole number"),
        ({"version": 0}, "article.version", "input should be greater than or equal to 1"),
        ({"urgency": 10}, "article.urgency", "input should be less than or equal to 9"),
        (
            {"images": [{"url": "x.jpg"}]},
            "article.images.0.url",
            "must be an absolute URL that begins with http:// or https://",
        ),
        ({"images": [{}]}, "article.images.0.url", "is missing"),
        ({"images": ["x.jpg"]}, "article.images.0", "must be an object"),
        ({"body_html": ["<p>"]}, "article.body_html", "must be a string"),
        ({"title": "x"}, "article.title", "is not a known field"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str, problem: str) -> None:
    assert errors(published(**fields)) == [(field, problem)]


def test_an_unknown_field_of_the_event_is_named() -> None:
    assert errors(published() | {"source": "cms"}) == [("source", "is not a known field")]


@pytest.mark.parametrize("field", ["published", "updated", "embargoed", "expires"])
@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        ("٢٠٢٦-٠٣-٠٤T11:00:00Z", "must be a time such as"),
        ("2026-03-04T11:00:00", "must be a time such as"),
        ("2026-03-04", "must be a time such as"),
        ("yesterday", "must be a time such as"),
        ("2026-03-04T11:00:00Z\n", "must be a time such as"),
        (1772622000, "must be a time such as"),
        ("2026-02-30T11:00:00Z", "is no time that exists"),
        ("2026-03-04T25:00:00Z", "is no time that exists"),
        ("2026-03-04T11:00:00+25:00", "is no time that exists"),
        ("0001-01-01T00:00:00+14:00", "is no time that exists"),
        ("0033-04-03T15:00:00Z", "must lie between the years 1900 and 9000"),
    ],
)
def test_a_wrong_time_is_named(field: str, moment: Any, problem: str) -> None:
    [(name, said)] = errors(published(**{field: moment}))
    assert name == f"article.{field}"
    assert said.startswith(problem)


@pytest.mark.parametrize(
    "moment",
    ["2026-03-04T11:00:00Z", "2026-03-04 11:00:00z", "2026-03-04T14:00+03:00", "2026-03-04T06:00:00.000000000-0500"],
)
def test_times_are_read_in_utc(moment: str) -> None:
    assert event.read(published() | {"time": moment}, NOW).time == datetime(2026, 3, 4, 11, tzinfo=UTC)


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = {"id": "hh-1", "headline": "", "published": "soon", "images": [{"url": "x"}], "extra": 1}
    named = [name for name, _ in errors(published() | {"article": wrong})]
    expected = ["article.headline", "article.url", "article.images.0.url", "article.published", "article.extra"]
    assert sorted(named) == sorted(expected)


def test_the_error_carries_the_event_id_and_reads_as_one_line() -> None:
    with pytest.raises(InvalidEvent) as caught:
        event.read(published(headline="<b>", urgency=0), NOW)
    assert caught.value.event_id == "evt-1"
    said = "article.headline: has markup (<b>) at position 1; send plain text"
    assert str(caught.value) == f"{said}; article.urgency: input should be greater than or equal to 1"
    assert str(FieldError("", "must be an object")) == "must be an object"


@given(
    JSON
    | st.builds(
        lambda kind, rest: rest | {"type": kind}, st.sampled_from(event.TYPES), st.dictionaries(st.text(), JSON)
    )
    | st.builds(lambda rest: published(**rest), st.dictionaries(st.sampled_from(sorted(Submission.model_fields)), JSON))
)
def test_nothing_but_an_event_or_its_errors_comes_out(value: Any) -> None:
    try:
        read = event.read(value, NOW)
    except InvalidEvent as error:
        assert error.errors  # noqa: PT017 (an event is as good an outcome)
    else:
        assert read.id == value["id"]


def test_a_process_that_serves_has_built_what_checks_events_before_the_first() -> None:
    program = (
        "from feeds import event\n"
        "from feeds.article import Article\n"
        "built = lambda: (event._EVENT.pydantic_complete, Article.__pydantic_complete__)\n"
        "before = built()\n"
        "event.prepare()\n"
        "print(before, built())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "(False, False) (True, True)\n"
