"""`dateline render` prints what is served and what is pushed, byte for byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from command_line import dateline_bytes
from newsroom import Newsroom, start
from receiver import Receiver

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.receivers.ledger import LedgerEntry

ENDPOINTS = "".join(
    f'\n[[endpoints]]\nname = "as-{name}"\nfeed = "s20"\nformat = "{name}"\nurl = "{{url}}/as-{name}"\n'
    for name in ARTICLE_FORMATS
)
SHORT = """
[[endpoints]]
name = "short"
feed = "s20"
format = "ninjs31"
url = "{url}/short"
gzip = true
rights = {{ text = "summary", tracking = {{ utm_source = "short" }} }}
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    """One whose section s20 goes to an endpoint for each format of articles."""
    more = (ENDPOINTS + SHORT).format(url=shared_receiver.url)
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        yield newsroom


def render(newsroom: Newsroom, *words: str, status: int = 0) -> tuple[bytes, str]:
    """What the command prints, and what it says aside."""
    done = dateline_bytes("render", *words, "--config", str(newsroom.config))
    assert status == done.returncode, done.stderr
    return done.stdout, done.stderr.decode()


def test_a_feed_is_what_the_server_serves(newsroom: Newsroom) -> None:
    for number in (1, 2):
        newsroom.publish(f"شعر-{number}", "s21", edition="ar")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s21") == 2, 20, "both")
    newsroom.kill("شعر-2")
    newsroom.receiver.until(lambda: newsroom.store.changes.head("s21").seq == 3, 20, "the kill")
    for name in FEED_FORMATS:
        if name == "smartnews":
            # This newsroom has no logo, which SmartNews wants: the gate keeps the feed back.
            document, aside = render(newsroom, "s21", "--format", name, status=1)
            assert b"" == document
            assert "channel must have logo (smartnews.channel.logo); that is why it is not served" in aside
            continue
        served = requests.get(newsroom.topic("s21", name), timeout=60).content
        assert (served, "") == render(newsroom, "s21", "--format", name)


def held(newsroom: Newsroom, endpoint: str, article: str) -> str:
    """What an endpoint has been told of an article, by its ledger."""
    ledger = newsroom.store.ledgers.read("s20", {endpoint: [article]})[endpoint]
    return LedgerEntry.parse(ledger[article]).label if article in ledger else ""


@pytest.mark.parametrize("name", ARTICLE_FORMATS)
def test_an_article_is_what_a_partner_got(newsroom: Newsroom, name: str) -> None:
    article, endpoint = f"pushed-{name}", f"as-{name}"

    def got(status: str) -> bytes:
        newsroom.receiver.until(lambda: held(newsroom, endpoint, article) == status, 20, f"{article} to be {status}")
        return [push.body for push in newsroom.receiver.at(f"/{endpoint}") if article.encode() in push.body][-1]

    newsroom.publish(article, "s20", summary="قصير", dateline="PORT LISSE")
    published = got("published")
    # An endpoint that is new is told the same: it goes by the one feed that the article is in.
    assert (published, "") == render(newsroom, article, "--format", name)
    newsroom.publish(article, "s20", 2)
    corrected = got("corrected")
    assert (corrected, "") == render(newsroom, article, "--endpoint", endpoint)
    newsroom.kill(article)
    killed = got("killed")
    assert (killed, "") == render(newsroom, article, "--endpoint", endpoint)
    assert 3 == len({published, corrected, killed})


def test_an_endpoint_is_shown_what_its_rights_allow(newsroom: Newsroom) -> None:
    newsroom.publish("cut-1", "s20", summary="In short.")
    newsroom.receiver.until(lambda: held(newsroom, "short", "cut-1") == "published", 20, "the article")
    (said,) = [said for push in newsroom.receiver.at("/short") if b"cut-1" in (said := gzip.decompress(push.body))]
    document, aside = render(newsroom, "cut-1", "--endpoint", "short")
    assert said == document
    assert "dateline: short is sent this compressed by gzip\n" == aside
    assert b"utm_source=short" in document
    assert b"This is the text" not in document


def test_what_is_embargoed_is_shown_as_it_will_be_sent(newsroom: Newsroom) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=999_999)
    newsroom.publish("held-1", "s20", embargoed=until.isoformat())
    newsroom.receiver.until(lambda: newsroom.store.articles.get("held-1") is not None, 20, "the article")
    for words in (["--format", "json"], ["--endpoint", "as-json"]):
        document, aside = render(newsroom, "held-1", *words)
        assert "article.published" == json.loads(document)["type"]
        assert f"dateline: held-1 is embargoed until {until:%Y-%m-%d %H:%M:%S} UTC and is not sent before\n" == aside


def test_an_article_that_is_sent_to_nobody_says_so(newsroom: Newsroom) -> None:
    newsroom.publish("lost-1", "none")
    newsroom.publish("other-1", "s22")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s22") == 1, 20, "the article")
    newsroom.receiver.until(lambda: newsroom.store.articles.get("lost-1") is not None, 20, "the other article")
    document, aside = render(newsroom, "lost-1", "--format", "nitf")
    assert b"lost-1, version 1" in document
    assert "dateline: lost-1 is in no feed, and so is not sent\n" == aside
    _, aside = render(newsroom, "other-1", "--endpoint", "as-json")
    assert "dateline: other-1 is not in s20, the feed of as-json, and so is not sent\n" == aside


def test_a_name_of_both_is_the_feeds(newsroom: Newsroom) -> None:
    newsroom.publish("s23", "s24")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s24") == 1, 20, "the article")
    feed, aside = render(newsroom, "s23", "--format", "json")
    assert "dateline: s23 is a feed and an article: this is the feed; --article shows the other\n" == aside
    assert (feed, "") == render(newsroom, "s23", "--format", "json", "--feed")
    article, aside = render(newsroom, "s23", "--format", "json", "--article")
    assert ("s23", "") == (json.loads(article)["article"]["id"], aside)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nobody", "--format", "rss"], "there is no feed and no article nobody; the feeds are picks, s0,"),
        (["nobody", "--format", "rss", "--feed"], "there is no feed nobody; the feeds are picks, s0,"),
        (["s0", "--format", "json", "--article"], "there is no article s0; the feeds are picks, s0,"),
        (["s0", "--format", "nitf"], "--format: feeds are served in rss, atom, json, smartnews"),
        (["known-1", "--format", "rss"], "--format: articles are sent in json, ninjs31"),
        (["known-1", "--endpoint", "nobody"], "--endpoint: the endpoints are p0, p1"),
        (["known-1", "--endpoint", "p1"], "--endpoint: p1 is sent feeds, not articles; its feed is s1"),
        (["s0"], "say one of --format and --endpoint"),
        (["s0", "--format", "rss", "--endpoint", "p0"], "say one of --format and --endpoint"),
        (["s0", "--format", "rss", "--feed", "--article"], "--feed goes neither with --article nor with --endpoint"),
    ],
)
def test_what_can_not_be_shown_is_one_clear_line(newsroom: Newsroom, words: list[str], message: str) -> None:
    newsroom.publish("known-1", "none")
    newsroom.receiver.until(lambda: newsroom.store.articles.get("known-1") is not None, 20, "the article")
    document, aside = render(newsroom, *words, status=2)
    assert b"" == document
    assert aside.startswith(f"dateline: {message}")
    assert 1 == aside.count("\n")
