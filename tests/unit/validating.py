"""Documents of ours to judge, and the rules as they are for ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from feeds.article import Alternate, Article, Image
from feeds.entry import Channel, Tombstone, entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.validation import checks
from feeds.validation.finding import Finding

# All that is in these tests is ours.
check_feed = partial(checks.check_feed, ours=True)
check_article = partial(checks.check_article, ours=True)
NOW = datetime(2026, 3, 10, 7, tzinfo=UTC)
PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
CHANNEL = Channel(
    id="tag:harbour-herald.example,2026:feed/latest",
    title="Latest",
    description="What is new",
    language="en",
    publisher="Harbour Herald",
    home_url="https://e.example/",
    self_url="https://e.example/feeds/latest.rss",
    hub_url="https://e.example/hub",
    updated=NOW,
    logo_url="https://e.example/logo.png",
)
FEATURE = Article(
    id="hh-1",
    version=2,
    headline="The last rope maker teaches a robot to splice",
    summary="Slowly. " * 40,
    url="https://e.example/ropes?a=1&b=2",
    body_html='<h2>How</h2><p>Slowly, <b>by hand</b>.</p><p><img src="https://e.example/b.jpg" alt="B"></p>',
    section="harbour",
    subjects=("crafts",),
    authors=("Jon Beckwith",),
    images=(Image(url="https://e.example/a.jpg", width=800, height=600, caption="C", credit="R"),),
    alternates=(
        Alternate(edition="ar", url="https://e.example/ar/ropes", id="hh-2"),
        Alternate(edition="tr", url="https://e.example/tr/ropes"),
    ),
    published=NOW - timedelta(hours=2),
    updated=NOW - timedelta(hours=1),
    expires=NOW + timedelta(days=700),
    embargoed=NOW + timedelta(days=1),
    urgency=4,
    source="Harbour Herald",
    dateline="PORT LISSE",
    rights="All",
)


def feed(format_name: str, said: Article = FEATURE, *stones: Tombstone) -> bytes:
    return FEED_FORMATS[format_name].render(CHANNEL, [entry(said, PROVIDER.authority, PROVIDER.name)], stones)


def push(format_name: str, said: Article = FEATURE, change: str = "article.published") -> bytes:
    return ARTICLE_FORMATS[format_name].render(change, said, "msg-1", PROVIDER)


def changed(document: bytes, old: str, new: str) -> bytes:
    assert old.encode() in document
    return document.replace(old.encode(), new.encode())


def rules(findings: list[Finding]) -> set[str]:
    assert all(finding.reason for finding in findings)
    return {finding.rule for finding in findings}
