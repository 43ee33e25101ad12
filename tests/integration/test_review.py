"""Cases that once went wrong: what is kept can always be read again, and one bad thing does not stop the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from feeds import event as events
from feeds.article_values import URL_MOST
from feeds.errors import InvalidEvent
from feeds.lifecycle import Accept, decide
from worker.store import Store, keys
from worker.store.articles import NEW
from worker.store.events import IncomingEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(**article: Any) -> events.Event:
    whole = {"id": "a", "headline": "h", "url": "https://x.example/", **article}
    return events.read({"id": "e", "type": "article.published", "article": whole}, NOW)


@pytest.mark.parametrize(
    "article",
    [
        {"authors": [" "]},
        {"headline": "\u2067" + "x" * 499},
        {"url": "https://x.example/" + "ب" * 350},
        {"body_html": "&" * 450_000},
    ],
)
def test_what_is_accepted_can_be_read_again_by_another_process(store: Store, article: dict[str, Any]) -> None:
    try:
        event = read(**article)
    except InvalidEvent:
        return  # refused, with the field named: as good
    assert isinstance(event, events.ArticleEvent)
    decision = decide(None, event, NOW)
    assert isinstance(decision, Accept)
    saved = store.articles.save(decision.article, NEW, (), 0)
    other = Store.connect(f"unix://{store.client.connection_pool.connection_kwargs['path']}")
    assert saved == other.articles.get("a")
    other.close()


def test_limits_hold_after_cleaning() -> None:
    for article in ({"authors": [" "]}, {"headline": "\u2067" + "x" * 500}, {"url": "https://x.example/" + "ب" * 350}):
        with pytest.raises(InvalidEvent) as refused:
            read(**article)
        assert len(refused.value.errors) == 1
    assert len("https://x.example/" + "%D8%A8" * 350) > URL_MOST


def test_a_byte_that_is_no_utf8_in_the_stream_holds_up_nothing(store: Store) -> None:
    store.events.create_group()
    store.client.execute_command("XADD", keys.EVENTS, "*", "event", b'{"id": "caf\xe9"}')
    store.events.accept([IncomingEvent("1", "{}")])
    assert [entry.body for entry in store.events.read("w", 10)] == ['{"id": "caf\ufffd"}', "{}"]


def test_a_repeated_decision_raises_its_moment(store: Store) -> None:
    store.changes.record("a", 1, 100, {"f": ("in", 1)})
    store.changes.record("a", 1, 200, {"f": ("in", 1)})
    assert store.changes.record("a", 1, 150, {"f": ("out", 0)})["f"] == 0
    assert store.changes.members("f") == ["a"]
