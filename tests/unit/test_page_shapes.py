"""Pages in the shapes that news sites have them: each says the same article, and it is read from every one of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults

URL = "https://www.tidewater.example/2026/locks"
TEXT = "".join(
    f"<p>The lock at mile {n} was shut on Monday, the keeper told this paper in a letter.</p>" for n in range(4)
)
LD = {"@type": "NewsArticle", "headline": "The lock is shut", "datePublished": "2026-05-04T06:00:00Z"}

WHEN = "2026-05-04T06:00:00Z"
PUBLISHED = "2026-05-04T06:00:00+00:00"
MARKUP = f"<h1>The lock is shut</h1>{TEXT}"


def script(value: Any) -> str:
    source = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{source}</script>'


def page(head: str, *, body: str = TEXT) -> bytes:
    link = f'<link rel="canonical" href="{URL}">'
    shown = f"<article><h1>The lock is shut</h1>{body}</article>"
    return f'<html lang="en"><head>{link}{head}</head><body>{shown}</body></html>'.encode()


def read(content: bytes) -> Adapted:
    return ADAPTERS["page"].read(content, InputDefaults(editions=frozenset({"en", "ar"})))


def article(head: str) -> dict[str, Any]:
    said: dict[str, Any] = read(page(head)).event["article"]
    return said


def shown(body: str, *, head: str = "", title: str = "") -> dict[str, Any]:
    """The article of a page with this body, and nothing of an article in its head but the address."""
    content = (
        f'<html lang="en"><head><title>{title}</title><link rel="canonical" href="{URL}">{head}</head><body>{body}'
    )
    said: dict[str, Any] = (
        ADAPTERS["page"].read(content.encode(), InputDefaults(editions=frozenset({"en", "ar"}))).event["article"]
    )
    return said


NAMES = [
    "article:published_time",
    "og:article:published_time",
    "rnews:datePublished",
    "article:publicationdate",
    "og:regDate",
    "og:release_date",
    "article:post_date",
    "bt:pubDate",
    "shareaholic:article_published_time",
    "og:pubdate",
    "OriginalPublicationDate",
    "article_date_original",
    "publication_date",
    "sailthru.date",
    "PublishDate",
    "publish_date",
    "publish-date",
    "DC.date.issued",
    "dcterms.issued",
    "dc.date.created",
    "DC.date",
    "dcterms.created",
    "citation_publication_date",
    "cXenseParse:recs:publishtime",
    "date_published",
    "published-date",
    "article.published",
    "article.created",
    "datePosted",
    "parsely-pub-date",
    "eomportal-pubdate",
    "iso-8601-publish-date",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("attribute", ["name", "property"])
def test_names_of_the_publication_in_meta(name: str, attribute: str) -> None:
    assert PUBLISHED == article(f'<meta {attribute}="{name}" content="{WHEN}">')["published"]


@pytest.mark.parametrize("name", ["unpublish_date", "video:release_date", "expires", "comment:published", "viewport"])
def test_names_of_other_moments(name: str) -> None:
    assert "published" not in article(f'<meta name="{name}" content="{WHEN}">')


@pytest.mark.parametrize(
    "name", ["article:modified_time", "og:updated_time", "dc.date.modified", "lastmod", "DateModified"]
)
def test_names_of_the_change_in_meta(name: str) -> None:
    said = article(script(LD) + f'<meta name="{name}" content="2026-05-05T06:00:00Z">')
    assert ("2026-05-05T06:00:00+00:00", PUBLISHED) == (said["updated"], said["published"])


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-04 08:00:00 +0200",
        "20260504T060000Z",
        "20260504T080000+0200",
        "2026-05-04T06:00:00Z[UTC]",
        "2026-05-04T08:00:00+02:00[Europe/Paris]",
        "Mon May 04 2026 06:00:00 GMT+0000 (Coordinated Universal Time)",
        "Mon, 4 May 2026 02:00:00 EDT",
        "Mon May 4 08:00:00 CEST 2026",
        "2026-05-04T02:00:00EDT",
        "2026-05-04T08:00:00GMT+02:00",
        "2026-05-04 06:00:00 UTC",
        "2026-05-04 06:00:00.0 UTC",
        "2026/05/04 06:00 UTC",
        "Montag, 4. Mai 2026, 08:00 Uhr CEST",
        "lundi 4 mai 2026 à 06h00 UTC",
        "lunes, 4 de mayo de 2026 06:00 UTC",
        "lunedì 4 maggio 2026 alle ore 06:00 UTC",
        "4 de maio de 2026 às 06:00 UTC",
        "maandag 4 mei 2026 om 06:00 UTC",
    ],
)
def test_moments_as_systems_write_them(value: str) -> None:
    assert PUBLISHED == article(script({**LD, "datePublished": value}))["published"]


@pytest.mark.parametrize(
    "value", ["2026-13-04 06:00 UTC", "04/05/2026 06:00 UTC", "4 May 2026 06:00 IST", "2026/05/04"]
)
def test_what_leaves_a_choice_is_no_moment(value: str) -> None:
    assert "published" not in article(script({**LD, "datePublished": value}))


@pytest.mark.parametrize(
    "element",
    [
        '<time itemprop="datePublished" content="{}">4 May</time>',
        '<time itemprop="datePublished dateModified" datetime="{}">4 May</time>',
        '<div itemprop="datepublished" content="{}">4 May</div>',
        '<abbr itemprop="datePublished" title="{}">4 May</abbr>',
        '<p itemprop="datePublished">{}</p>',
        '<abbr class="published" title="{}">4 May</abbr>',
        '<time pubdate datetime="{}">4 May</time>',
        '<time class="entry-date published" datetime="{}">4 May</time>',
        '<time datetime="{}">4 May</time>',
        '<div><span>By Ines Weir</span><time datetime="{}">4 May</time></div>',
        '<time class="updated" datetime="2026-05-05T06:00:00Z">5 May</time><time datetime="{}">4 May</time>',
        '<span property="schema:datePublished" content="{}">4 May</span>',
        '<div itemscope itemtype="https://schema.org/NewsArticle"><meta itemprop="datePublished" content="{}"></div>',
    ],
)
def test_times_that_the_page_shows(element: str) -> None:
    assert PUBLISHED == shown(f"<article><h1>The lock is shut</h1>{element.format(WHEN)}{TEXT}</article>")["published"]
    assert PUBLISHED == shown(f"<main><header><h1>It</h1>{element.format(WHEN)}</header>{TEXT}</main>")["published"]


@pytest.mark.parametrize(
    "element",
    [
        '<aside><time datetime="{}">4 May</time></aside>',
        '<ul><li>More news <time class="published" datetime="{}">4 May</time></li></ul>',
        '<div itemscope itemtype="https://schema.org/Comment"><meta itemprop="datePublished" content="{}"></div>',
        '<time datetime="2026-05-04">4 May</time>',
    ],
)
def test_times_of_something_else(element: str) -> None:
    assert "published" not in shown(f"<article><h1>The lock is shut</h1>{element.format(WHEN)}{TEXT}</article>")


WHOLE = json.dumps({**LD, "url": URL, "author": {"@type": "Person", "name": "Ines Weir"}}, indent=1)


@pytest.mark.parametrize(
    "source",
    [
        WHOLE.replace("\n}", ",\n}"),
        WHOLE.replace('Z",', 'Z"'),
        WHOLE.replace('Z",\n', 'Z" '),
        WHOLE.replace('"headline"', '"description": "The "old" lock", "headline"'),
        WHOLE.replace('"headline"', '"description": "It\\\'s shut", "headline"'),
        WHOLE.replace('"headline"', '"image": undefined, "headline"'),
        WHOLE.replace('"headline"', '/* of the article */ "headline"'),
        WHOLE.replace('"headline"', '// of the article\n"headline"'),
        WHOLE.replace('"', "&quot;"),
        '{"@type": "WebSite", "name": "Tidewater"}\n' + WHOLE,
        '{"@type": "WebSite", "name": "Tidewater"},\n' + WHOLE,
    ],
)
def test_json_ld_that_is_not_quite_json(source: str) -> None:
    said = article(script(source))
    assert (PUBLISHED, ["Ines Weir"]) == (said["published"], said["authors"])


@pytest.mark.parametrize("locked", ["false", '"False"', '"http://schema.org/False"'])
@pytest.mark.parametrize(
    "around", ['{{"@type": "NewsArticle" {} ', '{{"@type": "NewsArticle", "headline": "It" {}}}', "{{{{{}"]
)
def test_what_is_not_free_to_read_stays_so_in_data_that_are_broken(around: str, locked: str) -> None:
    adapted = read(page(script(around.format(f'"isAccessibleForFree": {locked}'))))
    assert "body_html" not in adapted.event["article"]


def test_data_that_can_not_be_read_are_said() -> None:
    assert any("no JSON" in str(note) for note in read(page(script('{"@type": "NewsArticle", "headline"}'))).missing)


@pytest.mark.parametrize("part", ['"a', "/* ", "{", '{"a":', '","', '\\"', '"a" "b" ', "<", "[1,"])
def test_mending_takes_no_time(part: str) -> None:
    begun = time.process_time()
    read(page(script("{" + part * (200_000 // len(part)))))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "kind", ["SocialMediaPosting", "TechArticle", "OpinionNewsArticle", "http://schema.org/Article"]
)
def test_kinds_of_articles(kind: str) -> None:
    assert PUBLISHED == article(script({**LD, "@type": kind}))["published"]


@pytest.mark.parametrize(
    "data",
    [
        {**LD, "datePublished": None, "dateCreated": WHEN},
        {"@type": "WebPage", "url": URL, "datePublished": WHEN},
        {"@graph": [{"@type": ["WebPage"], "@id": URL, "datePublished": WHEN}, {**LD, "datePublished": "2026-05-04"}]},
    ],
)
def test_dates_that_stand_elsewhere_in_the_data(data: dict[str, Any]) -> None:
    assert PUBLISHED == article(script(data))["published"]


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>Tidewater</h1><h1>The lock is shut</h1><div>{TEXT}</div>",
        f'<header><h1><img src="logo.png" alt="Tidewater"></h1></header><div>{MARKUP}</div>',
        f'<div><h1 class="entry-title">The lock is shut</h1>{TEXT}</div><aside><h1>Most read</h1></aside>',
        f'<div><h2 itemprop="headline">The lock is shut</h2>{TEXT}</div>',
        f'<div><h1 itemprop="name headline">The lock is shut</h1><h1>Other</h1>{TEXT}</div>',
        f"<div><h2>The lock is shut</h2>{TEXT}</div>",
        f"<article><h1>Herons</h1></article><article>{MARKUP}</article>",
        f"<h1></h1><div><h1>The lock is shut</h1>{TEXT}</div>",
        f"<div><h1><span>The lock</span> <span>is shut</span></h1>{TEXT}</div>",
    ],
)
def test_headings_of_which_one_is_the_headline(body: str) -> None:
    assert "The lock is shut" == shown(body, title="The lock is shut | Tidewater")["headline"]


def test_of_two_articles_without_a_title_the_headline_is_that_of_the_longer() -> None:
    assert "The lock is shut" == shown(f"<article><h1>Herons</h1></article><article>{MARKUP}</article>")["headline"]


@pytest.mark.parametrize("name", ["DC.title", "title", "parsely-title"])
def test_a_title_in_meta_is_better_than_none(name: str) -> None:
    assert "The lock is shut" == shown(TEXT, head=f'<meta name="{name}" content="The lock is shut">')["headline"]


def test_a_text_in_arabic_is_not_in_the_language_of_an_english_template() -> None:
    arabic = "<p>" + "عادت العبّارات إلى الرصيف صباح الاثنين. " * 10 + "</p>"
    head = '<meta property="og:locale" content="ar_SA">'
    assert "ar" == shown(f"<article><h1>عادت العبّارات</h1>{arabic}</article>", head=head)["edition"]
    assert "en" == shown(f"<article>{MARKUP}</article>", head=head)["edition"]


WORDS = " ".join(TEXT.replace("<p>", " ").replace("</p>", " ").split())


@pytest.mark.parametrize(
    "said", [WORDS[:200], WORDS[: len(WORDS) * 2 // 3], "Boats wait for days below a lock that is shut."]
)
def test_a_text_that_is_only_a_part_of_what_the_page_shows(said: str) -> None:
    adapted = read(page(script({**LD, "articleBody": said}), body=TEXT * 3))
    assert "mile 3" in adapted.event["article"]["body_html"]
    assert any("articleBody" in str(note) for note in adapted.missing)


@pytest.mark.parametrize(
    "element",
    [
        '<p itemprop="author" itemscope itemtype="https://schema.org/Person"><b itemprop="name">Ines Weir</b></p>',
        '<span itemprop="author">By Ines Weir</span>',
        '<p>By <a rel="author" href="/weir">Ines Weir</a></p>',
        '<p itemscope itemtype="Comment"><i itemprop="author">X</i></p><i itemprop="author">Ines Weir</i>',
    ],
)
def test_authors_whom_the_page_shows(element: str) -> None:
    assert ["Ines Weir"] == shown(f"<article><h1>The lock is shut</h1>{element}{TEXT}</article>")["authors"]


@pytest.mark.parametrize("name", ["DC.creator", "byl", "sailthru.author"])
def test_names_of_the_author_in_meta(name: str) -> None:
    assert ["Ines Weir"] == article(f'<meta name="{name}" content="By Ines Weir">')["authors"]


def test_section_and_keywords_in_meta() -> None:
    said = article('<meta name="section" content="Harbour"><meta name="news_keywords" content="locks, boats">')
    assert ("Harbour", ["locks", "boats"]) == (said["section"], said["subjects"])


@pytest.mark.parametrize(
    "mark", ['itemprop="articleBody"', 'itemprop="description articleBody"', 'property="schema:articleBody"']
)
def test_the_text_is_what_the_page_marks_as_the_text(mark: str) -> None:
    said = shown(
        '<article itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">The lock is shut</h1>'
        f'<span itemprop="author">Mira Okonjo</span><time>x</time><div {mark}>{TEXT}</div></article>'
    )
    assert said["body_html"] == TEXT


def test_a_teaser_is_not_the_text_because_the_page_marks_it() -> None:
    said = shown(f'<article><h1>The lock is shut</h1><p itemprop="articleBody">In short: shut.</p>{TEXT}</article>')
    assert "mile 3" in said["body_html"]


@pytest.mark.parametrize("name", ["@list", "@set"])
def test_a_list_may_be_named(name: str) -> None:
    authors = {name: [{"name": "Mira Okonjo"}, {"name": "Ana Bo"}]}
    said = article(script({**LD, "headline": {name: ["The lock is shut"]}, "author": authors}))
    assert (said["headline"], said["authors"]) == ("The lock is shut", ["Mira Okonjo", "Ana Bo"])
