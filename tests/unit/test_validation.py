"""The gate: what each format's rules let through, and what they say of a document that breaks one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.validating import CHANNEL, FEATURE, NOW, PROVIDER, changed, check_article, check_feed, feed, push, rules

from feeds.article import ORDERING, Alternate, Article, Image
from feeds.entry import Tombstone, entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.validation import native, values
from feeds.validation.checks import ARTICLE_CHECKS, FEED_CHECKS, check_channel, check_entry


def test_every_format_has_its_rules() -> None:
    assert list(FEED_CHECKS) == list(FEED_FORMATS)
    assert list(ARTICLE_CHECKS) == list(ARTICLE_FORMATS)


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(ValueError, match="there is no feed format 'nitf'; known: rss, atom"):
        check_feed("nitf", b"")
    with pytest.raises(ValueError, match="there is no article format 'rss'; known: json"):
        check_article("rss", b"")


@pytest.mark.parametrize("format_name", FEED_FORMATS)
def test_a_good_feed_passes(format_name: str) -> None:
    stone = Tombstone("tag:harbour-herald.example,2026:article/gone", NOW, "https://e.example/gone")
    assert check_feed(format_name, feed(format_name, FEATURE, stone)) == []


@pytest.mark.parametrize("format_name", ARTICLE_FORMATS)
@pytest.mark.parametrize("change", ["published", "corrected", "killed", "withdrawn"])
def test_a_good_article_passes(format_name: str, change: str) -> None:
    assert check_article(format_name, push(format_name, change=f"article.{change}")) == []


def test_findings_tell_the_line() -> None:
    document = feed("rss").replace(b"><", b">\n<")
    broken = changed(document, "Tue, 10 Mar 2026 05:00:00 GMT", "yesterday")
    line = broken[: broken.index(b"yesterday")].count(b"\n") + 1
    assert [str(finding) for finding in check_feed("rss", broken)] == [
        f"line {line}: pubDate 'yesterday' is no valid time (rss.item.pubDate)"
    ]
    assert check_article("ninjs31", b'{\n "uri": }')[0].line == 2
    assert check_article("ninjs31", b'{\n "uri": "\xff"}')[0].line == 2


@pytest.mark.parametrize("format_name", [*FEED_CHECKS])
def test_ids_are_unique(format_name: str) -> None:
    feed_format = FEED_FORMATS[format_name]
    fragment = feed_format.fragment(entry(FEATURE, PROVIDER.authority, PROVIDER.name))
    found = rules(check_feed(format_name, feed_format.envelope(CHANNEL, ()).around([fragment, fragment])))
    assert any(rule.endswith(".unique") for rule in found)


def test_limits_of_number_and_age_are_checked_and_kept() -> None:
    said = entry(FEATURE, PROVIDER.authority, PROVIDER.name)
    many = [replace(said, id=f"{said.id}{number}", url=f"{said.url}{number}") for number in range(1100)]
    old = replace(many[0], published=NOW - timedelta(days=3))
    for format_name, most in (("msn", 20), ("flipboard", 30), ("news-sitemap", 1000)):
        feed_format = FEED_FORMATS[format_name]
        assert feed_format.select is not None
        assert len(feed_format.select(CHANNEL, many)) == most
        unbounded = feed_format.envelope(CHANNEL, ()).around(map(feed_format.fragment, many))
        assert rules(check_feed(format_name, unbounded)) >= {
            {"msn": "msn.items", "flipboard": "flipboard.items", "news-sitemap": "sitemap.urls"}[format_name]
        }
    news = FEED_FORMATS["news-sitemap"]
    assert news.select is not None
    assert news.select(CHANNEL, [old, many[1]]) == [many[1]]
    unbounded = news.envelope(CHANNEL, ()).around(map(news.fragment, [old, many[1]]))
    assert rules(check_feed("news-sitemap", unbounded)) == {"news-sitemap.age"}


def test_takedowns_are_told_for_a_week() -> None:
    stones = [Tombstone(f"tag:gone{days}", NOW - timedelta(days=days), "https://e.example/x") for days in (7, 8)]
    for format_name, sign in (("smartnews", b'<media:status state="deleted"/>'), ("msn", b"<dcterms:valid>end=2026")):
        document = FEED_FORMATS[format_name].render(CHANNEL, [], stones)
        assert b"tag:gone7<" in document
        assert b"tag:gone8<" not in document
        assert sign in document


def test_entities_are_not_read() -> None:
    bomb = b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss version="2.0"><channel>&b;</channel></rss>'
    external = b'<!DOCTYPE rss SYSTEM "file:///etc/hostname"><rss version="2.0"/>'
    for document in (bomb, external):
        assert "xml.doctype" in rules(check_feed("rss", document))
        assert not any("ha" in finding.reason.split() for finding in check_feed("rss", document))
        assert rules(check_feed("sitemap", document)) == {"xml.doctype"}


def test_what_makes_a_document_too_large_for_a_partner_gives_way_at_its_end() -> None:
    smartnews = FEED_FORMATS["smartnews"]
    assert smartnews.bytes_most is not None
    long = FEATURE.model_copy(update={"body_html": f"<p>{'long ' * 60_000}</p>"})
    fragments = [
        smartnews.fragment(entry(long.model_copy(update={"id": f"hh-{n}"}), PROVIDER.authority)) for n in range(5)
    ]
    envelope = smartnews.envelope(CHANNEL, [Tombstone("tag:e.example,2026:article/x", NOW, "https://e.example/x")])
    assert "smartnews.size" in rules(check_feed("smartnews", envelope.around(fragments)))
    room = envelope.count_that_fit(fragments, smartnews.bytes_most)
    assert room == 3
    assert check_feed("smartnews", envelope.around(fragments[:room])) == []


def test_what_is_wrong_with_a_channel_is_no_fault_of_its_articles() -> None:
    feed_format = FEED_FORMATS["smartnews"]
    without_logo = replace(CHANNEL, logo_url="")
    assert rules(check_channel(feed_format, without_logo)) == {"smartnews.channel.logo"}
    assert check_entry(feed_format, without_logo, feed_format.fragment(entry(FEATURE, PROVIDER.authority))) == []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://e.example/", True),
        ("http://[2001:db8::1]:8420/a%20b", True),
        ("HTTPS://e.example", True),
        ("https://e.example/a b", False),
        ("https://e.example/%zz", False),
        ("https:///a", False),
        ("https://[e.example/", False),
        ("//e.example/", False),
        ("mailto:a@e.example", False),
        ("", False),
    ],
)
def test_addresses(text: str, good: bool) -> None:
    assert values.url(text) is good


def test_the_native_rules_know_every_field_of_an_article() -> None:
    assert native._Usable.model_fields.keys() == Article.model_fields.keys() - set(ORDERING)
    assert native._Image.model_fields.keys() == Image.model_fields.keys()
    assert native._Alternate.model_fields.keys() == Alternate.model_fields.keys()
