"""The pages for readers: the front door by edition, dates in the language of the edition, nothing from another host."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import load
from feeds.definition import FeedDefinition, Selector
from web.localized_dates import written
from web.page_words import LANGUAGES, words
from web.pages import Pages
from worker.newsroom.publication import Publication

FEEDS = (
    FeedDefinition(name="all", title="Everything", edition="en"),
    FeedDefinition(name="ar", title="أخبار", edition="ar", select=(Selector(section=("عالم",)),)),
    FeedDefinition(name="mixed", title="Mixed", list="Editor Picks"),
    FeedDefinition(name="hidden", title="SECRET", private=True),
)


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "logo.svg").write_text("<svg/>", "utf-8")
    config = tmp_path / "dateline.toml"
    config.write_text(
        '[desk]\nlogo = "logo.svg"\naccent = "#0a7b55"\n[[feeds]]\nname = "all"\ntitle = "All"\n', "utf-8"
    )
    publication = Publication("https://news.example", "Harbour & Herald", "news.example,2026", "en", FEEDS)
    return Pages(publication, load(config, {}))


def test_the_front_door_has_the_feeds_by_edition_and_no_private_one(pages: Pages) -> None:
    page = pages.directory().decode()
    headings = re.findall(r"<h2>([^<]+)</h2>", page)
    assert headings == ["How to follow", "English", "العربية", "All languages"]
    assert '<section class="card" lang="ar" dir="rtl">' in page
    assert "عالم" in page
    assert "Chosen by the editors" in page
    assert "/feeds.opml" in page
    assert "SECRET" not in page
    assert "hidden" not in pages.opml().decode()
    assert "Harbour &amp; Herald" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_sentences_are_in_the_language_of_the_newsroom(tmp_path: Path, language: str) -> None:
    config = tmp_path / "dateline.toml"
    config.write_text('[[feeds]]\nname = "all"\ntitle = "All"\n', "utf-8")
    patterns = [FeedDefinition(name=f"{by}/*", title="*") for by in ("author", "subject", "section", "edition")]
    feeds = (FeedDefinition(name="all", title="X", edition=language), *patterns)
    publication = Publication("https://news.example", "Herald", "news.example,2026", language, feeds)
    page = Pages(publication, load(config, {})).directory().decode()
    for by in ("author", "subject", "section", "edition"):
        assert f"https://news.example/feeds/{by}/<i>…</i>.rss" in page
        assert words(language, by)[1] == language
    # What is in another language than the page is marked so: nothing is.
    assert not re.search(r'<(p|span|li)[^>]* lang="', page)
    assert words(language, "There is also a feed for each")[0] in page


def test_it_has_the_logo_and_the_colour_and_asks_no_other_host(pages: Pages) -> None:
    page = pages.directory().decode()
    assert "--brand: #0a7b55" in page
    assert '<img src="https://news.example/logo" alt="">' in page
    assert "<script" not in page
    assert set(re.findall(r'(?:src|href)="https?://([^/"]+)', page)) == {"news.example"}
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "March 1, 2026, 3:05 PM"),
        ("ar-EG", "١ مارس ٢٠٢٦"),
        ("fa", "۱ مارس ۲۰۲۶"),
        ("tr", "1 Mart 2026"),
        ("zxx", "2026-03-01 15:05"),
        ("en-x-anything", "March 1, 2026"),
    ],
)
def test_a_day_is_written_as_its_readers_write_it(language: str, text: str) -> None:
    moment = datetime(2026, 3, 1, 15, 5, tzinfo=UTC)
    assert text in written(moment, language).replace("\u202f", " ")
