"""What programs may do with articles, in the words of each protocol and in the documents that have a place for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from feeds.article import Article
from feeds.definition import FeedDefinition
from feeds.entry import Channel, entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider
from feeds.machine_rights import PLUS, MachineRights
from feeds.validation.checks import check_article, check_feed
from worker.newsroom.publication import Publication

POLICY = "https://herald.example/terms"
RSL = "{https://rslstandard.org/rsl}"
NO_TRAINING = MachineRights(train=False, answer=True, policy=POLICY)
THEN = datetime(2026, 3, 1, tzinfo=UTC)
CHANNEL = Channel(
    "tag:h.example,2026:feed/a", "A", "", "en", "H", "https://h.example/a", "https://h.example/a.rss", "", THEN
)
ARTICLE = Article(id="a", version=1, headline="Ferries", url="https://h.example/1", published=THEN, updated=THEN)
SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "newsml-g2" / "NewsML-G2_2.35-spec-All-Power.xsd"


@pytest.mark.parametrize(
    ("rights", "headers"),
    [
        (MachineRights(), []),
        (MachineRights(policy=POLICY), []),
        (MachineRights(train=False), [("content-usage", "train-ai=n"), ("tdm-reservation", "1")]),
        (
            MachineRights(train=True, search=True, policy=POLICY),
            [("content-usage", "train-ai=y, search=y"), ("tdm-reservation", "0"), ("tdm-policy", POLICY)],
        ),
        (MachineRights(answer=False), [("tdm-reservation", "1")]),
        (NO_TRAINING, [("content-usage", "train-ai=n"), ("tdm-reservation", "1"), ("tdm-policy", POLICY)]),
    ],
)
def test_headers_say_what_they_have_words_for(rights: MachineRights, headers: list[tuple[str, str]]) -> None:
    assert headers == rights.headers


@pytest.mark.parametrize(
    ("rights", "term"),
    [
        (MachineRights(train=False, answer=False, search=False), "DMI-PROHIBITED"),
        (MachineRights(train=False, answer=False, search=True), "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"),
        (NO_TRAINING, "DMI-PROHIBITED-AIMLTRAINING"),
        (MachineRights(train=True), "DMI-ALLOWED"),
        (MachineRights(train=True, answer=False), "DMI-UNSPECIFIED"),
        (MachineRights(), "DMI-UNSPECIFIED"),
    ],
)
def test_the_term_of_the_plus_vocabulary_promises_nothing_that_is_forbidden(rights: MachineRights, term: str) -> None:
    assert PLUS + term == rights.data_mining


def test_rss_has_a_licence_in_the_channel_and_in_each_item() -> None:
    rss = FEED_FORMATS["rss"]
    channel, shown = (
        replace(CHANNEL, machines=NO_TRAINING),
        replace(entry(ARTICLE, "h.example,2026"), machines=NO_TRAINING),
    )
    document = rss.render(channel, [shown], [])
    assert document == rss.envelope(channel, []).around([rss.fragment(shown)])
    assert [] == check_feed("rss", document, ours=True)
    root = etree.fromstring(document)
    for path, url in ((f"channel/{RSL}content", CHANNEL.home_url), (f"channel/item/{RSL}content", ARTICLE.url)):
        (content,) = root.findall(path)
        assert url == content.get("url")
        assert "ai-input" == content.findtext(f"{RSL}license/{RSL}permits[@type='usage']")
        assert "ai-train" == content.findtext(f"{RSL}license/{RSL}prohibits[@type='usage']")
        assert POLICY == content.findtext(f"{RSL}terms")


def test_partners_profiles_have_nothing_that_their_partners_do_not_know() -> None:
    shown = replace(entry(ARTICLE, "h.example,2026"), machines=NO_TRAINING)
    for name, feed_format in FEED_FORMATS.items():
        said = b"rslstandard" in feed_format.render(replace(CHANNEL, machines=NO_TRAINING), [shown], [])
        assert said == (name == "rss"), name


def test_newsml_g2_has_it_in_its_rights() -> None:
    provider = Provider("h.example,2026", "Herald", machines=NO_TRAINING)
    article = ARTICLE.model_copy(update={"rights": "All rights reserved"})
    document = ARTICLE_FORMATS["newsmlg2"].render("article.published", article, "m", provider)
    assert b'<dataMining uri="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"/>' in document
    assert [] == check_article("newsmlg2", document, ours=True)
    assert b"dataMining" not in ARTICLE_FORMATS["newsmlg2"].render("article.killed", article, "m", provider)
    if SCHEMA.exists():
        etree.XMLSchema(file=str(SCHEMA)).assertValid(etree.fromstring(document))


def test_a_contract_goes_before_a_feed_and_a_feed_before_the_site() -> None:
    site, of_feed, contract = MachineRights(train=False), MachineRights(train=True), MachineRights(search=False)
    feeds = (FeedDefinition(name="a", title="A", machines=of_feed), FeedDefinition(name="b", title="B"))
    feeds += (FeedDefinition(name="author/*", title="By *", machines=of_feed),)
    publication = Publication("https://h.example", "H", "h.example,2026", "en", feeds, machines=site)
    assert [of_feed, site] == [publication.channel(feed, "rss", 0).machines for feed in feeds[:2]]
    assert contract == publication.channel(feeds[0], "rss", 0, contract).machines
    provider = publication.provider
    assert [of_feed, site, of_feed] == [provider.towards(name, None).machines for name in ("a", "b", "author/mira")]
    assert contract == provider.towards("a", contract).machines
    silent = Publication("https://h.example", "H", "h.example,2026", "en", feeds[1:2])
    assert (None, None) == (silent.provider.machines, silent.channel(feeds[1], "rss", 0).machines)


def test_releases_without_it_can_read_definitions_that_say_nothing() -> None:
    assert "machines" not in FeedDefinition(name="a", title="A").announced
    assert '"machines":{"train":false' in FeedDefinition(name="a", title="A", machines=NO_TRAINING).announced
