"""The summary of what happens says once of an article what many endpoints have taken; all else stands as it came."""

from __future__ import annotations

from web.desk.news import news_of
from worker.store.live import LiveEvent, summed_up


def test_what_many_endpoints_took_of_an_article_is_one() -> None:
    happenings = [
        ("carried_out", {"article": "ferry", "result": "published"}),
        ("delivered", {"article": "ferry", "action": "published", "endpoint": "portal", "feeds": ["en"]}),
        ("failed", {"article": "ferry", "endpoint": "radio", "error": "no answer in time"}),
        ("delivered", {"article": "quay", "action": "published", "endpoint": "portal", "feeds": ["en"]}),
        ("delivered", {"article": "ferry", "action": "published", "endpoint": "agency", "feeds": ["en"]}),
        ("delivered", {"article": "ferry", "action": "killed", "endpoint": "agency", "feeds": ["en"]}),
        ("kill_confirmed", {"article": "ferry", "endpoint": "agency", "feeds": ["en"], "by": "answer"}),
        ("failed", {"article": "ferry", "endpoint": "radio", "error": "no answer in time"}),
    ]
    assert summed_up(happenings) == [
        ("carried_out", {"article": "ferry", "result": "published"}),
        ("delivered", {"article": "ferry", "action": "published", "endpoints": ["portal", "agency"]}),
        ("failed", {"article": "ferry", "endpoint": "radio", "error": "no answer in time"}),
        ("delivered", {"article": "quay", "action": "published", "endpoints": ["portal"]}),
        ("delivered", {"article": "ferry", "action": "killed", "endpoints": ["agency"]}),
        ("kill_confirmed", {"article": "ferry", "action": None, "endpoints": ["agency"]}),
        ("failed", {"article": "ferry", "endpoint": "radio", "error": "no answer in time"}),
    ]


def test_there_is_news_of_each_endpoint_that_the_summary_names() -> None:
    fields = {"article": "ferry", "action": "published", "endpoints": ["portal", "agency"]}
    news = news_of([LiveEvent("5-0", "delivered", fields), LiveEvent("6-0", "failed", {"endpoint": "radio"})])
    assert news.endpoints == {"portal", "agency", "radio"}
    assert news.articles == {"ferry"}
    assert news.kinds == {"delivered", "failed"}
