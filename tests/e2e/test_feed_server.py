"""The feed server: held documents that follow the news, codings, archives, deltas, pages; feeds that moved or ended."""

from __future__ import annotations

import gzip
import os
import signal
import time
from collections.abc import Iterator

import brotli
import feedparser
import pytest
import requests
import zstandard
from lxml import etree
from newsroom import Newsroom, start
from receiver import Receiver

from worker.store import keys

ATOM = "{http://www.w3.org/2005/Atom}"
ARCHIVED = """
[[feeds]]
name = "small"
title = "Small feed"
description = "Two entries at a time"
select = [{ section = ["small"] }]
limit = 2
max_age = 900
stale_while_revalidate = 120
stale_if_error = 3600
renamed_from = ["tiny", "desk/mini"]

[[feeds]]
name = "months"
title = "By month"
select = [{ section = ["months"] }]
archive = "month"
limit = 1

[[feeds]]
name = "ar"
title = "أخبار الميناء"
edition = "ar"
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, ARCHIVED) as newsroom:
        yield newsroom


def get(url: str, **headers: str) -> requests.Response:
    sent = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(url, headers=sent, timeout=60, allow_redirects=False)


def until_shown(newsroom: Newsroom, url: str, *texts: str) -> requests.Response:
    """The answer once the document has all of these texts."""
    newsroom.receiver.until(lambda: all(text in get(url).text for text in texts), 20, f"{texts} in {url}")
    return get(url)


def ids(document: bytes) -> list[str]:
    return [entry.id.rpartition("/")[2] for entry in feedparser.parse(document).entries]


def links(document: bytes) -> dict[str, str]:
    root = etree.fromstring(document)
    within = root if root.tag == f"{ATOM}feed" else root[0]
    return {link.get("rel", ""): link.get("href", "") for link in within.iterfind(f"{ATOM}link")}


def test_every_coding_has_a_tag_of_its_own_and_the_same_document(newsroom: Newsroom, section: str) -> None:
    newsroom.publish("coded-1", section)
    plain = until_shown(newsroom, newsroom.topic(section), "coded-1")
    read = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.ZstdDecompressor().decompress}
    tags = {plain.headers["etag"]}
    for coding, decode in read.items():
        answer = requests.get(newsroom.topic(section), headers={"Accept-Encoding": coding}, timeout=60, stream=True)
        assert (200, coding) == (answer.status_code, answer.headers["content-encoding"])
        assert plain.content == decode(answer.raw.read(decode_content=False))
        again = get(newsroom.topic(section), Accept_Encoding=coding, If_None_Match=answer.headers["etag"])
        assert (304, answer.headers["etag"], b"") == (again.status_code, again.headers["etag"], again.content)
        tags.add(answer.headers["etag"])
    assert len(tags) == 4


def test_all_documents_of_a_feed_follow_a_change_within_moments(newsroom: Newsroom, section: str) -> None:
    urls = [newsroom.topic(section, fmt) for fmt in ("atom", "rss", "json", "sitemap")]
    urls.append(f"{newsroom.base_url}/feeds/{section}")
    newsroom.publish("follow-1", section)
    for url in urls:
        until_shown(newsroom, url, "follow-1")
    newsroom.publish("follow-2", section)
    for url in urls:
        until_shown(newsroom, url, "follow-2")
    newsroom.kill("follow-1")
    newsroom.receiver.until(lambda: all("This is the text of follow-1" not in get(url).text for url in urls), 20, "it")


def test_caching_is_as_the_settings_say(newsroom: Newsroom) -> None:
    usual = get(newsroom.topic("s0")).headers["cache-control"]
    assert usual == "public, max-age=300, s-maxage=30, stale-while-revalidate=60, stale-if-error=86400"
    own = get(newsroom.topic("small")).headers["cache-control"]
    assert own == "public, max-age=900, s-maxage=30, stale-while-revalidate=120, stale-if-error=3600"


def test_a_head_has_the_headers_of_a_get(newsroom: Newsroom) -> None:
    for path in ("/feeds/s0.rss", "/feeds/s0", "/feeds", "/feeds.opml", "/robots.txt", "/favicon.ico"):
        got = get(newsroom.base_url + path)
        head = requests.head(newsroom.base_url + path, headers={"Accept-Encoding": "identity"}, timeout=60)
        assert (200, b"") == (head.status_code, head.content)
        headers = [{**answer.headers, "date": ""} for answer in (got, head)]
        assert headers[0] == headers[1]
        assert str(len(got.content)) == head.headers["content-length"]


def test_only_what_the_hub_offers_links_to_it(newsroom: Newsroom) -> None:
    for fmt, offered in (("json", True), ("flipboard", True), ("msn", False), ("sitemap", False)):
        answer = get(newsroom.topic("s0", fmt))
        assert offered is ('rel="hub"' in answer.headers["link"])
        assert f'<{newsroom.topic("s0", fmt)}>; rel="self"' in answer.headers["link"]
        assert offered is (f"{newsroom.base_url}/hub" in answer.text)
        answer = newsroom.ask_hub(
            mode="subscribe", topic=newsroom.topic("s0", fmt), callback=f"{newsroom.receiver.url}/{fmt}"
        )
        assert (202 if offered else 400) == answer.status_code


def test_archives_lead_from_the_feed_to_its_first_article(newsroom: Newsroom) -> None:
    days = {"arch-1": "2026-01-30", "arch-2": "2026-02-01", "arch-3": "2026-02-01", "arch-4": "2026-02-03"}
    for hour, (name, day) in enumerate([*days.items(), ("arch-5", "2026-02-04"), ("arch-6", "2026-02-05")]):
        newsroom.publish(name, "small", published=f"{day}T{hour:02}:00:00Z", updated=f"{day}T{hour:02}:00:00Z")
    topic = newsroom.topic("small")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("small") == 6, 20, "the articles")
    document = until_shown(newsroom, topic, "arch-6", "arch-5").content
    assert ["arch-6", "arch-5"] == ids(document)
    assert b"archive xmlns" not in document

    shown, newer = [], ""
    url = links(document)["prev-archive"]
    assert f"{topic}?archive=2026-02-03" == url
    while url:
        archive = get(url)
        archive_links = links(archive.content)
        assert b'<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>' in archive.content
        assert (url, topic, newer) == (
            archive_links["self"],
            archive_links["current"],
            archive_links.get("next-archive", ""),
        )
        assert "hub" not in archive_links
        assert "last-modified" not in archive.headers
        assert get(url, If_None_Match=archive.headers["etag"]).status_code == 304
        shown += ids(archive.content)
        newer, url = url, archive_links.get("prev-archive", "")
    assert ["arch-4", "arch-3", "arch-2", "arch-1"] == shown

    rss = links(get(newsroom.topic("small", "rss")).content)
    assert f"{newsroom.topic('small', 'rss')}?archive=2026-02-03" == rss["prev-archive"]
    assert (
        f"{newsroom.topic('small', 'json')}?archive=2026-02-03"
        == get(newsroom.topic("small", "json")).json()["next_url"]
    )

    # What is killed leaves its archive, and its archive alone changes.
    unchanged, changed = f"{topic}?archive=2026-02-03", f"{topic}?archive=2026-02-01"
    before = [get(url).headers["etag"] for url in (unchanged, changed)]
    newsroom.kill("arch-2")
    newsroom.receiver.until(lambda: "arch-2" not in get(changed).text, 20, "the killed article to be gone")
    assert ["arch-3"] == ids(get(changed).content)
    assert [True, False] == [
        tag == get(url).headers["etag"] for tag, url in zip(before, (unchanged, changed), strict=True)
    ]


def test_archives_may_be_months(newsroom: Newsroom) -> None:
    for name, day in (("month-1", "2026-01-30"), ("month-2", "2026-01-02"), ("month-3", "2026-02-03")):
        newsroom.publish(name, "months", published=f"{day}T00:00:00Z", updated=f"{day}T00:00:00Z")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("months") == 3, 20, "the articles")
    url = links(until_shown(newsroom, newsroom.topic("months"), "month-3").content)["prev-archive"]
    assert url.endswith("?archive=2026-01")
    assert ["month-1", "month-2"] == ids(get(url).content)


@pytest.mark.parametrize(
    "address", ["small.atom?archive=2020-01-01", "small.atom?archive=x", "small.msn?archive=2026-02-01"]
)
def test_an_archive_that_is_not_there_is_404(newsroom: Newsroom, address: str) -> None:
    answer = get(f"{newsroom.base_url}/feeds/{address}")
    assert answer.status_code == 404
    assert "no such archive" in answer.text


def test_a_reader_that_wants_it_gets_what_changed_since_what_it_has(newsroom: Newsroom, section: str) -> None:
    topic = newsroom.topic(section)
    for number in (1, 2):
        newsroom.publish(f"delta-{number}", section)
    first = until_shown(newsroom, topic, "delta-1", "delta-2")
    tag = first.headers["etag"]
    assert get(topic, A_IM="feed", If_None_Match=tag).status_code == 304
    newsroom.publish("delta-3", section)
    newsroom.kill("delta-1")
    newest = until_shown(newsroom, topic, "delta-3", "deleted-entry")

    coded = tag.removesuffix('"') + '-gzip"'
    for named_tags in (tag, f"W/{tag}", coded, f'"unknown", {tag}'):
        delta = get(topic, A_IM="feed, gzip;q=0.5", If_None_Match=named_tags)
        assert (226, "feed") == (delta.status_code, delta.headers["im"])
        assert newest.headers["etag"] == delta.headers["etag"]
        assert "no-store, im" == delta.headers["cache-control"]
        assert newest.headers["link"] == delta.headers["link"]
        assert newest.headers["vary"] == delta.headers["vary"]
        assert delta.headers["delta-base"] in named_tags
        # What is killed is a notice in its place.
        assert ["delta-3", "delta-1"] == ids(delta.content)
        assert b'deleted-entry ref="tag:herald.example,2026:article/delta-1"' in delta.content
    assert get(topic, A_IM="feed", If_None_Match=newest.headers["etag"]).status_code == 304
    for headers in (
        {"If_None_Match": tag},
        {"A_IM": "feed"},
        {"A_IM": "feed;q=0", "If_None_Match": tag},
        {"A_IM": "vcdiff", "If_None_Match": tag},
        {"A_IM": "feed", "If_None_Match": '"unknown"'},
        {"A_IM": "feed", "If_None_Match": f'"{"0" * 32}"'},
    ):
        whole = get(topic, **headers)
        assert (200, newest.content) == (whole.status_code, whole.content), headers


def test_a_page_for_people(newsroom: Newsroom) -> None:
    newsroom.publish("page-1", "none", edition="ar", headline="الميناء & <السفن>", summary="موجز الخبر")
    url = f"{newsroom.base_url}/feeds/ar"
    page = until_shown(newsroom, url, "موجز الخبر")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    root = etree.HTML(page.content)
    assert ("ar", "rtl") == (root.get("lang"), root.get("dir"))
    assert ["أخبار الميناء"] == root.xpath("//title/text()") == root.xpath("//h1/text()")
    [entry] = root.xpath("//article")
    assert ("ar", "rtl") == (entry.get("lang"), entry.get("dir"))
    [link] = entry.xpath(".//h2/a")
    assert ("الميناء & <السفن>", "https://herald.example/page-1") == (link.text, link.get("href"))
    feed_links = root.xpath("//head/link[@rel='alternate']/@href")
    assert [newsroom.topic("ar", fmt) for fmt in ("rss", "atom", "json")] == feed_links
    assert get(url, Accept="application/atom+xml").headers["content-type"] == "text/html; charset=utf-8"
    assert get(url, If_None_Match=page.headers["etag"]).status_code == 304
    # The feed's documents name it.
    assert f'<{url}>; rel="alternate"' in get(newsroom.topic("ar")).headers["link"]
    assert url == links(get(newsroom.topic("ar")).content)["alternate"]


def test_the_directory_lists_what_readers_read(newsroom: Newsroom) -> None:
    root = etree.HTML(get(f"{newsroom.base_url}/feeds").content)
    types = {link.get("type") for link in root.xpath("//link[@rel='alternate']")}
    assert {"application/rss+xml", "application/atom+xml", "application/feed+json"} == types
    assert f"{newsroom.base_url}/feeds/ar" in root.xpath("//td/a/@href")


def test_what_browsers_and_crawlers_ask_for(newsroom: Newsroom) -> None:
    icon = get(f"{newsroom.base_url}/favicon.ico")
    assert "image/svg+xml" == icon.headers["content-type"]
    assert "{http://www.w3.org/2000/svg}svg" == etree.fromstring(icon.content).tag
    robots = get(f"{newsroom.base_url}/robots.txt")
    assert "text/plain; charset=utf-8" == robots.headers["content-type"]
    assert "Disallow: /feeds" not in robots.text
    assert "Disallow: /api/" in robots.text


def test_a_renamed_feed_leads_to_its_new_name(newsroom: Newsroom) -> None:
    for old, new in (
        ("tiny.rss", "small.rss"),
        ("desk/mini.atom", "small.atom"),
        ("tiny", "small"),
        ("tiny.atom?archive=2026-02-01", "small.atom?archive=2026-02-01"),
    ):
        answer = get(f"{newsroom.base_url}/feeds/{old}")
        assert (301, f"{newsroom.base_url}/feeds/{new}") == (answer.status_code, answer.headers["location"])


def test_an_address_with_a_slash_at_its_end_leads_on_at_our_own_host(newsroom: Newsroom) -> None:
    feeds = f"{newsroom.base_url}/feeds"
    for path, target in (("/", ""), ("/s0/", "/s0"), ("/s0.atom/?a=b%20c&d", "/s0.atom?a=b%20c&d"), ("//", "")):
        answer = get(feeds + path, Host="elsewhere.example", X_Forwarded_Host="elsewhere.example")
        assert (301, feeds + target) == (answer.status_code, answer.headers["location"])
    assert get(f"{feeds}/a%20b%3f/").headers["location"] == f"{feeds}/a%20b%3F"
    assert get(f"{feeds}/a%0d%0aX-A:%20b/").status_code == 404
    assert requests.get(f"{feeds}/s0/", timeout=60).status_code == 200


def test_an_unknown_feed_is_404_with_the_names_that_are_like_it(newsroom: Newsroom) -> None:
    answer = get(f"{newsroom.base_url}/feeds/mnths.rss")
    assert answer.status_code == 404
    assert "Did you mean months?" in answer.text
    assert f"{newsroom.base_url}/feeds" in answer.text


def test_a_feed_that_was_removed_is_410_with_a_last_entry(newsroom: Newsroom) -> None:
    assert get(newsroom.topic("old/desk")).status_code == 404
    newsroom.store.client.hset(keys.FORMER, "old/desk", 1_767_225_600_000)
    for fmt in ("atom", "rss"):
        answer = get(newsroom.topic("old/desk", fmt))
        assert (410, get(newsroom.topic("s0", fmt)).headers["content-type"]) == (
            answer.status_code,
            answer.headers["content-type"],
        )
        [entry] = feedparser.parse(answer.content).entries
        assert ("This feed has ended.", f"{newsroom.base_url}/feeds") == (entry.title, entry.link)
        assert entry.id == "tag:herald.example,2026:feed/old/desk/ended"
    assert get(newsroom.topic("old/desk", "json")).json()["items"][0]["title"] == "This feed has ended."
    for path in ("old/desk.sitemap", "old/desk"):
        answer = get(f"{newsroom.base_url}/feeds/{path}")
        assert (410, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    newsroom.store.client.hdel(keys.FORMER, "old/desk")
    assert get(newsroom.topic("old/desk")).status_code == 404


def test_a_feed_of_a_pattern_that_was_removed_is_410(newsroom: Newsroom) -> None:
    newsroom.store.patterns.create("old/author/*", {"mira": "Mira"}, 10)
    newsroom.store.client.hset(keys.FORMER, "old/author/*", 1_767_225_600_000)
    statuses = [get(newsroom.topic(f"old/author/{name}")).status_code for name in ("mira", "nobody")]
    assert [410, 404] == statuses


def test_while_redis_is_away_feeds_are_served_as_they_were(newsroom: Newsroom) -> None:
    """The last one here: it ends Redis."""
    newsroom.publish("away-1", "s38")
    topic = newsroom.topic("s38")
    before = until_shown(newsroom, topic, "away-1")
    pid = int(newsroom.store.client.info("server")["process_id"])
    time.sleep(1.5)  # the append-only file is written once a second
    os.kill(pid, signal.SIGKILL)

    newsroom.receiver.until(lambda: get(f"{newsroom.base_url}/readyz").status_code == 503, 20, "/readyz to say so")
    health = get(f"{newsroom.base_url}/readyz").json()
    assert "feeds are served as they were" in health["detail"]
    assert health["redis_silent_seconds"] >= 0
    assert (200, "ok\n") == ((alive := get(f"{newsroom.base_url}/healthz")).status_code, alive.text)
    assert before.content == get(topic).content
    assert 304 == get(topic, If_None_Match=before.headers["etag"]).status_code
    assert 503 == get(newsroom.topic("s39")).status_code

    redis = newsroom.stack._redis
    assert redis is not None
    redis.start()
    newsroom.receiver.until(lambda: get(f"{newsroom.base_url}/readyz").status_code == 200, 40, "it to be back")
    newsroom.publish("away-2", "s38")
    assert ["away-2", "away-1"] == ids(until_shown(newsroom, topic, "away-2").content)
