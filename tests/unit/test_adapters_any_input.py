"""Whatever adapters are given ends in a refusal that says why, or in feeds that a feed reader reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from unit.adapting import GHOST, NINJS, NOW, PAGE, POST, read, refused, rendered

from feeds import event as events
from feeds.adapters import ADAPTERS
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import InputDefaults
from feeds.errors import InvalidEvent
from feeds.lifecycle import Accept, decide

JSON_ADAPTERS = [name for name, adapter in ADAPTERS.items() if adapter.recognizes]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    """
@graph @id @type alternateName articleBody associations author authors bodies body_html byline caption content current
dateModified datePublished description embargoed excerpt feature_image guid headline headlines height href html id
image inLanguage keywords lang language link locale mainEntityOfPage modified_gmt name people post previous pubstatus
published_at rel rendered renditions service slug source_url status subject tags title translationOfWork translations
type updated_at uri url urgency value version versioncreated visibility width workTranslation wp:featuredmedia wp:term
wpml_translations _embedded""".split()  # noqa: SIM905 (80 quoted words are harder to read)
)
WORDS = st.sampled_from(
    [
        "NewsArticle",
        "usable",
        "canceled",
        "publish",
        "published",
        "trash",
        "text",
        "picture",
        PAGE,
        "//x",
        "<b>&amp;</b>",
    ]
)
MARKUP = """
<p>|</p>|<div>|</div>|<table><tr><td>|</table>|<ul><li>|</ul>|<a href=/x>|</a>|<img src=/i.jpg>|<h1>|</h2>|<br>|<script>
</script>|<!--|-->|<svg>|<math>|<template>|<blockquote>|<pre>|<iframe src=//x>|&#0;|&amp;|<b
The ferries came back to the harbour on Wednesday after a winter in dock, and the quay was full.""".split("|")  # noqa: SIM905 (thirty quoted tags are harder to read)
LIKELY = st.recursive(
    JSON | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=20,
)


def taken(adapter: str, content: bytes) -> None:
    """What every input must end in: a refusal that says why, or feeds that a feed reader reads."""
    try:
        adapted = read(adapter, content)
        read_event = events.read(adapted.event, NOW)
    except InvalidEvent:
        return
    assert isinstance(read_event, events.ArticleEvent | events.KillEvent)
    decision = decide(None, read_event, NOW)
    if isinstance(decision, Accept) and decision.article.visible(NOW):
        rendered(decision.article)


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(deadline=None)
@given(content=st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")))
@example(content=b"")
@example(content=b"\xff\xfe")
@example(content=b"<")
@example(content=b"[]")
def test_any_bytes(adapter: str, content: bytes) -> None:
    taken(adapter, content)


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(value=st.dictionaries(NAMES, LIKELY, max_size=12), seed=st.sampled_from([NINJS, POST, {}]))
def test_any_json(adapter: str, value: dict[str, Any], seed: dict[str, Any]) -> None:
    body = {**seed, **value}
    taken(adapter, json.dumps(body).encode())
    taken(adapter, json.dumps({"post": {"current": {**GHOST, **value}}}).encode())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(value=st.dictionaries(NAMES, LIKELY, max_size=10), text=st.text(max_size=200))
def test_any_page(value: dict[str, Any], text: str) -> None:
    block = json.dumps({"@type": "NewsArticle", "headline": "Ferries return", **value}).replace("</", "<\\/")
    page = f'<html lang=en><script type="application/ld+json">{block}</script><body><p>{text}</p></body></html>'
    taken("page", page.encode("utf-8", "replace"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(parts=st.lists(st.sampled_from(MARKUP) | st.text(max_size=30), max_size=40))
def test_any_markup(parts: list[str]) -> None:
    head = '<html lang=en><meta property="og:title" content="Ferries return"><body><article>'
    taken("page", (head + "".join(parts)).encode("utf-8", "replace"))


@settings(deadline=None)
@given(
    lines=st.lists(st.text(max_size=80), max_size=12), date=st.sampled_from(["4 March 2026 11:00", "٤ مارس ٢٠٢٦", ""])
)
def test_any_text(lines: list[str], date: str) -> None:
    taken("text", "\n".join(["The Herald", "Ferries return", date, *lines]).encode("utf-8", "replace"))


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON: Expecting value at line 1, column 1 (it ends too early)"),
        (b'{"uri": "tag:x", "headline": "Ferr', "is no JSON: Unterminated string"),
        (b'{"uri": "x",', "(it ends too early)"),
        (json.dumps(NINJS).encode("utf-16-le"), "is no JSON"),
        ('{"headline": "Café"}'.encode("latin-1"), "is no text in utf-8: invalid continuation byte at byte 18"),
        (b"[" * 100_000, "is JSON that is nested too deep"),
        (b'{"a": ' * 100_000, "is JSON that is nested too deep"),
        (b'{"version": ' + b"9" * 5000 + b"}", "is no JSON that can be read: Exceeds the limit"),
        (b" " * (MOST_BYTES + 1), "has 5,000,001 bytes; at most 5,000,000 are taken"),
        (b"[1]", "must be a JSON object"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json_that_is_none(adapter: str, content: bytes, said: str) -> None:
    assert said in refused(adapter, content)


@pytest.mark.parametrize("adapter", JSON_ADAPTERS)
@pytest.mark.parametrize("ends", [("[", "]"), ('{"post":', "}"), ('{"deleted": true, "previous": ', "}")])
def test_json_that_is_nested_a_thousand_deep(adapter: str, ends: tuple[str, str]) -> None:
    # How deep Python reads is its version's to say; what it reads has no article in it.
    content = (ends[0] * 1000 + "1" + ends[1] * 1000).encode()
    assert any(
        word in refused(adapter, content, InputDefaults()) for word in ("nested too deep", "must be", "is missing")
    )


@pytest.mark.parametrize("adapter", ["page", "text"])
def test_what_is_too_long_is_refused_before_it_is_read(adapter: str) -> None:
    assert "has 10,000,000 bytes" in refused(adapter, b"<p>" + b"a" * 9_999_997)
