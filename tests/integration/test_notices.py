"""What readers find in the place of an article that they had: in documents and pushes, for a week, by why it left."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import fastfeedparser
import feedparser
import pytest
from news_desk import Desk, article, kill

from feeds.definition import FeedDefinition
from feeds.formats import FEED_FORMATS
from feeds.validation.checks import check_feed
from worker import clock
from worker.documents.feed_payloads import CHANGES_PER_PAYLOAD, PayloadRequest
from worker.store import Store

KILLED = "This article has been withdrawn by the publisher."
WITHHELD = "This article is not available at the moment."
EXPIRED = "This article is no longer available."


def carry_out(desk: Desk, *events: dict[str, Any]) -> None:
    desk.accept(*events)
    desk.consumer().consume()


def feed_of(desk: Desk, name: str) -> FeedDefinition:
    definition = desk.site.feed(name)
    assert definition is not None
    return definition


def document(desk: Desk, name: str = "world", fmt: str = "atom") -> bytes:
    return desk.documents().current(feed_of(desk, name), FEED_FORMATS[fmt]).body


def push(desk: Desk, cursor: int, fmt: str = "atom") -> bytes:
    head = desk.store.changes.head("world").seq
    payload = desk.payload("world", fmt, PayloadRequest(cursor, head))
    assert payload is not None
    return payload.body


def titles(body: bytes) -> dict[str, str]:
    """What a reader shows: article -> headline."""
    return {entry.id.rpartition("/")[2]: entry.title for entry in feedparser.parse(body).entries}


@pytest.mark.parametrize("fmt", ["rss", "atom", "json"])
def test_a_killed_article_is_a_notice_in_every_reader(desk: Desk, fmt: str) -> None:
    carry_out(desk, article("a", body_html="<p>Told in confidence.</p>"), article("b"))
    before = fastfeedparser.parse(document(desk, fmt=fmt)).entries
    carry_out(desk, kill("a"))
    for body in (document(desk, fmt=fmt), push(desk, 2, fmt)):
        entries = {entry.id: entry for entry in fastfeedparser.parse(body).entries}
        [was] = [entry for entry in before if entry.id.endswith("/a")]
        now = entries[was.id]
        assert KILLED == now.title
        assert KILLED in now.content[0]["value"]
        assert now.updated > was.updated
        assert "https://herald.example/feeds/world" == now.link
        assert check_feed(fmt, body, ours=True) == []
        for word in (b"in confidence", b"a v1", b"herald.example/a<", b'herald.example/a"'):
            assert word not in body
    assert b"herald.example,2026:article/a" in document(desk, fmt=fmt)


def test_why_it_left_decides_what_is_said(desk: Desk) -> None:
    now = clock.now()
    ids = ("killed", "withheld", "expired", "again", "moved")
    carry_out(desk, *(article(name) for name in ids))
    carry_out(
        desk,
        kill("killed"),
        article("withheld", 2, pubstatus="withheld"),
        article("expired", 2, expires=now.isoformat()),
        article("again", 2, embargoed=(now + timedelta(hours=1)).isoformat()),
        article("moved", 2, section="sport"),
    )
    expected = {"killed": KILLED, "withheld": WITHHELD, "expired": EXPIRED, "again": WITHHELD}
    # One that is in other feeds may be kept by whoever has it: a tombstone, and no notice.
    assert expected == titles(document(desk)) == titles(push(desk, len(ids)))
    assert b"article/moved" in document(desk)
    said = json.loads(document(desk, fmt="json"))
    assert {name.rpartition("/")[2] for name in (stone["id"] for stone in said["_dateline"]["deleted"])} == set(ids)
    marks = {item["id"].rpartition("/")[2]: item["_dateline"] for item in said["items"]}
    assert marks.pop("killed") == {"canceled": True}
    assert marks == {name: {"withdrawn": True} for name in ("withheld", "expired", "again")}


def test_a_notice_is_in_the_language_of_its_article(desk: Desk) -> None:
    carry_out(desk, article("a", edition="ar"), article("f", edition="fr-CA"), article("x", edition="haw"))
    carry_out(desk, kill("a"), kill("f"), kill("x"))
    said = titles(document(desk))
    assert said == {"a": "سحب الناشر هذا المقال.", "f": "Cet article a été retiré par son éditeur.", "x": KILLED}
    assert b'&lt;div dir="rtl" lang="ar"&gt;' in document(desk)


def test_nobody_learns_of_what_readers_never_had(desk: Desk) -> None:
    soon = (clock.now() + timedelta(hours=1)).isoformat()
    carry_out(desk, article("a", embargoed=soon), article("b", pubstatus="withheld"))
    carry_out(desk, kill("a"), kill("b"), kill("c"))
    assert titles(document(desk)) == {}


def test_what_comes_back_is_as_new_as_its_notice_to_the_second(desk: Desk) -> None:
    carry_out(desk, article("a"), article("b"))
    carry_out(desk, kill("a"), article("b", 2, pubstatus="withheld"))
    gone = {entry.id: entry.updated_parsed for entry in feedparser.parse(document(desk)).entries}
    old = "2026-03-01T09:00:00Z"
    carry_out(desk, article("a", 9, updated=old) | {"type": "article.reinstated"}, article("b", 3, updated=old))
    back = {entry.id: entry.updated_parsed for entry in feedparser.parse(document(desk)).entries}
    assert titles(document(desk)) == {"a": "a v9", "b": "b v3"}
    assert all(back[name] >= gone[name] for name in gone)


def test_a_notice_stands_beside_the_window_and_goes_after_a_week(desk: Desk, store: Store) -> None:
    desk.site.feed("world")
    carry_out(desk, article("a"), article("b"))
    carry_out(desk, kill("a"))
    carry_out(desk, *(article(f"n{number}") for number in range(60)))
    shown = titles(document(desk))
    limit = feed_of(desk, "world").limit
    assert len(shown) == min(61, limit) + 1
    assert shown["a"] == KILLED
    later_on = clock.now() + timedelta(days=7, seconds=5)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(clock, "agreed", lambda: later_on)
        later.setattr(clock, "now", lambda: later_on)
        carry_out(desk, article("z"))
        assert "a" not in titles(document(desk))
    # Whoever has been away for longer is told of it nevertheless.
    assert titles(push(desk, 2))["a"] == KILLED
    assert CHANGES_PER_PAYLOAD > 62


def test_no_archive_and_no_page_has_anything_of_it(desk: Desk) -> None:
    carry_out(desk, article("a"), article("b"))
    carry_out(desk, kill("a"))
    entries, _ = desk.documents().latest(feed_of(desk, "world"), 10)
    assert ["b"] == [entry.article_id for entry in entries]


def test_lists_and_feeds_of_patterns_have_notices_too(desk: Desk) -> None:
    carry_out(
        desk,
        article("a"),
        {"id": "evt-list", "type": "list.updated", "list": {"name": "picks", "articles": ["a"]}},
    )
    carry_out(desk, kill("a"))
    assert titles(document(desk, "picks")) == {"a": KILLED}


@pytest.mark.parametrize("fmt", ["rss", "atom", "json"])
def test_a_whole_push_is_the_topic_to_the_byte(desk: Desk, fmt: str) -> None:
    days = [f"2026-03-{day:02}T08:00:00Z" for day in range(1, 29)]
    carry_out(desk, *(article(f"n{n}", published=day) for n, day in enumerate(days * 8)))
    carry_out(desk, kill("n200"))
    head = desk.store.changes.head("world").seq
    payload = desk.payload("world", fmt, PayloadRequest(3, head, "document"))
    assert payload is not None
    assert document(desk, fmt=fmt) == payload.body
    assert b"archive=" in payload.body
