"""Names of files made of a template and an article."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.article import Article
from feeds.file_names import check_template, file_name, names_of_versions

MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)


def article(**more: Any) -> Article:
    values: dict[str, Any] = {"id": "hh-1", "version": 2, "headline": "H", "url": "https://herald.example/1"}
    return Article.model_construct(**values | {"edition": "en", "published": MARCH} | more)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{date}/{id}-v{version}.{ext}", "2026-03-01/hh-1-v2.json"),
        ("news/{edition}/{id}.{ext}", "news/en/hh-1.json"),
        ("{id}", "hh-1"),
        ("{id}-{digest}.{ext}", "hh-1-59d5cc78f937.json"),
    ],
)
def test_names(template: str, name: str) -> None:
    assert file_name(check_template(template), article(), "json") == name


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{date}.{ext}", "must have {id}"),
        ("{id}/{nothing}", "has {nothing}; known: {id}, {version}"),
        ("../{id}", "no part of it may be empty or begin with"),
        ("a/./{id}", "no part of it may be empty or begin with"),
        ("/etc/{id}", "no part of it may be empty or begin with"),
        ("{id}/", "no part of it may be empty or begin with"),
        ("-{id}", "no part of it may be empty or begin with"),
        ("{id} {version}", "may have letters, digits"),
        ("{id", "may have letters, digits"),
        ("{id}\\x", "may have letters, digits"),
        ("x" * 200 + "{id}", "at most 200 characters"),
        ("{id}{version}", "something between two fields"),
        ("{id}-1{version}", "no digit beside {version}"),
        ("{version}0-{id}", "no digit beside {version}"),
        ("{edition}-{id}", "{id} and {edition} apart"),
        ("x" * 130 + "{id}", "longer than 200 characters"),
    ],
)
def test_templates_that_make_no_safe_name(template: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_template(template)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=200))
def test_no_id_leaves_its_folder(article_id: str) -> None:
    name = file_name("news/{id}.{ext}", article(id=article_id), "json")

    folder, _, rest = name.partition("/")
    assert (folder, "/" in rest, rest[0] in ".-", rest.isascii(), len(rest) <= 90) == ("news", False, False, True, True)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_two_ids_have_two_names(one: str, other: str) -> None:
    names = {file_name("{id}", article(id=article_id), "json") for article_id in (one, other)}

    assert len(names) == len({one, other})


@pytest.mark.parametrize("article_id", ["con", "CON", "nul.x", "Lpt1", "aux.", "a.", "a.."])
def test_names_that_windows_has_no_files_for(article_id: str) -> None:
    name = file_name("{id}", article(id=article_id), "json")

    assert re.fullmatch(r"[A-Za-z0-9.]+-[0-9a-f]{12}", name)
    assert file_name("{id}", article(id="console.x"), "json") == "console.x"


def test_ids_that_differ_in_their_case_alone_have_two_names_where_case_makes_no_difference() -> None:
    template = check_template("{date}/{id}-{digest}-v{version}.{ext}")
    names = {file_name(template, article(id=article_id), "json").lower() for article_id in ("hh-1a", "hh-1A", "HH-1a")}

    assert len(names) == 3


def test_all_versions_of_an_article_and_of_no_other() -> None:
    prefix, pattern = names_of_versions("{date}/{id}-v{version}.{ext}", article(id="a.b"), "json")

    assert prefix == "2026-03-01/a.b-v"
    assert pattern.fullmatch("2026-03-01/a.b-v17.json")
    assert not pattern.fullmatch("2026-03-01/aXb-v17.json")
    assert not pattern.fullmatch("2026-03-01/a.b-v1.json.tmp")


def test_a_name_without_a_version_is_that_of_all_versions() -> None:
    prefix, pattern = names_of_versions("{id}.{ext}", article(), "xml")

    assert (prefix, bool(pattern.fullmatch("hh-1.xml"))) == ("hh-1.xml", True)


def test_an_ending_of_a_newsrooms_own_may_have_a_dot() -> None:
    said = article()
    prefix, pattern = names_of_versions("{id}-v{version}.{ext}", said, "tw.xml")
    name = file_name("{id}-v{version}.{ext}", said, "tw.xml")
    assert name.endswith(".tw.xml")
    assert name.startswith(prefix)
    assert pattern.fullmatch(name)
    assert not pattern.fullmatch(name.replace(".tw.xml", "-tw.xml"))


@settings(deadline=None)
@given(st.text("ab-v1.", min_size=1, max_size=8), st.integers(1, 99), st.text("ab-v1.", min_size=1, max_size=8))
def test_no_version_of_one_article_has_the_name_of_another(one: str, version: int, other: str) -> None:
    template = check_template("{id}-v{version}.{ext}")
    names = {
        (article_id, number): file_name(template, article(id=article_id, version=number), "json")
        for article_id in (one, other)
        for number in (1, 11, version)
    }
    assert len(set(names.values())) == len(names)
