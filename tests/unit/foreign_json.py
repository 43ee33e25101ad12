"""JSON Feed of others, good and bad: what the standard allows, and what it does not; one thing in each feed."""

from __future__ import annotations

import json
from typing import Any


def feed(item: dict[str, Any] | None = None, version: str = "1.1", **members: Any) -> str:
    said = {"version": f"https://jsonfeed.org/version/{version}", "title": "Quay"}
    return json.dumps(said | {"items": [{"id": "1", "content_text": "x"} | (item or {})]} | members)


GOOD_JSON = [
    feed(),
    feed(version="1", author={"name": "Lea"}),
    feed({"author": {"url": "https://quay.example/lea"}}, "1"),
    feed(title="", expired=False, _ours={"a": 1}, language="en"),
    feed(home_page_url="https://quay.example/ü", favicon="data:image/png;base64,AA=="),
    feed(hubs=[{"type": "WebSub", "url": "https://quay.example/hub"}], authors=[]),
    feed(feed_url="https://quay.example/1", next_url="https://quay.example/2", language="x-harbour"),
    feed({"content_text": "", "tags": ["a"], "date_published": "2026-01-01T00:00:00.5-05:00", "_more": {}}),
    feed({"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 3}]}),
]
BAD_JSON = [
    "[]",
    "{",
    feed(version="2"),
    json.dumps({"title": "Quay", "items": []}),
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": []}),
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Quay"}),
    feed(items={}),
    feed(items=["1"]),
    feed(items=[{"content_text": "x"}]),
    feed(items=[{"id": "1"}]),
    feed(items=[{"id": "1", "content_text": "x"}, {"id": "1", "content_text": "y"}]),
    feed(title=7),
    feed(title=None),
    feed(_ours="x"),
    feed(_ours={"a.b": 1}),
    feed({"_ours.more": {}}),
    feed(feed_url="https://quay.example/1", next_url="https://quay.example/1"),
    feed(description=None),
    feed(items=None),
    feed(author=None),
    feed(items=[None]),
    feed(expired="no"),
    feed(language="English"),
    feed(icon="icon.png"),
    feed(feed_url=7),
    feed(home="https://quay.example/"),
    feed(hubs=[{"type": "WebSub"}]),
    feed(author="Lea"),
    feed(authors={"name": "Lea"}),
    feed(authors=[{}]),
    *(
        feed(item)
        for item in (
            {"id": 1},
            {"content_text": None},
            {"content_html": ["x"]},
            {"url": "/1"},
            {"image": "a b"},
            {"date_published": "2026-01-01"},
            {"date_modified": "Wed, 02 Oct 2024 08:00:00 GMT"},
            {"tags": "a,b"},
            {"tags": [1]},
            {"authors": [{"name": 7}]},
            {"attachments": {"url": "https://quay.example/a.mp3"}},
            {"attachments": [{"url": "https://quay.example/a.mp3"}]},
            {"attachments": [{"mime_type": "audio/mpeg"}]},
            {"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "audio"}]},
            {"attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "a/b", "duration_in_seconds": "3"}]},
        )
    ),
]
