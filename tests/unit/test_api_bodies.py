"""Bodies of the API: texts that no database and no answer can have are refused before any route sees them."""

from __future__ import annotations

import json

import pytest

from web.api.body_text import see_that_it_is_text
from web.api.problems import RequestProblem


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"settings": {"template": "x\\ud800"}}', "settings.template"),
        (b'{"settings": {"template": "x\\uDFFF"}}', "settings.template"),
        (b'{"settings": {"mapping": {"\\ud800": "article.id"}}}', "settings.mapping"),
        (b'{"bounds": {"feeds": ["en", "a\\u0000"]}}', "bounds.feeds.1"),
        (b'"\\ud83d"', ""),
        (b'{"name": "\xed\xa0\x80"}', ""),
        (b'{"name": "\xff"}', ""),
        ('{"name": "x"}'.encode("utf-16"), ""),
        ('{"name": "x"}'.encode("utf-16-le"), ""),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(body: bytes, field: str) -> None:
    with pytest.raises(RequestProblem) as problem:
        see_that_it_is_text(body)
    assert problem.value.status == 422
    assert [error.field for error in problem.value.errors] == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        json.dumps({"title": "مرفأ \U0001f6a2"}).encode(),
        json.dumps({"title": "مرفأ \U0001f6a2"}, ensure_ascii=False).encode(),
        b"\xef\xbb\xbf" + json.dumps({"title": "\U0001f6a2"}).encode(),
        b'{"title": "a\\\\ud800b"}',
    ],
)
def test_whatever_else_it_is_passes(body: bytes) -> None:
    see_that_it_is_text(body)
