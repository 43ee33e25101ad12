"""Formats that people and old machines read: IPTC 7901, plain text, HTML, and NewsML 1.2 beside them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from feeds.adapters.interface import InputDefaults
from feeds.adapters.page import ADAPTER
from feeds.article import Article
from feeds.formats import ARTICLE_FORMATS
from feeds.formats.interface import Provider
from feeds.machine_rights import MachineRights
from feeds.safe_html import safe_html
from feeds.validation.checks import check_article

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
NAMES = ("newsml12", "iptc7901", "anpa1312", "html", "text")
CHANGES = ("article.published", "article.corrected", "article.withdrawn", "article.killed")
WORDS = st.text(max_size=300)


def article(**fields: Any) -> Article:
    said = {
        "id": "hh-1",
        "version": 2,
        "headline": "Ferries return",
        "summary": "At last.",
        "url": "https://e.example/a",
        "body_html": "<p>The first ferry left.</p>",
        "section": "World news",
        "published": NOON,
        "updated": NOON,
    }
    return Article.model_validate(said | fields, context={"literal": True})


def pushed(name: str, change: str = "article.published", provider: Provider = PROVIDER, **fields: Any) -> str:
    return ARTICLE_FORMATS[name].render(change, article(**fields), "m", provider).decode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES[2:])
def test_a_notice_has_nothing_of_the_text(name: str, change: str) -> None:
    document = pushed(name, change)
    assert "hh-1" in document
    assert not [word for word in ("Ferries", "At last", "first ferry", "World") if word in document]
    assert [] == check_article(name, document.encode(), ours=True)


@pytest.mark.parametrize("name", NAMES)
@given(
    change=st.sampled_from(CHANGES),
    headline=WORDS,
    text=WORDS,
    edition=st.sampled_from(["en", "ar", "zh-Hant", "ja"]),
    article_id=st.text(st.characters(blacklist_categories=["Z", "C"]), min_size=1, max_size=200),
    author=WORDS,
)
@settings(deadline=None, max_examples=60)
def test_any_article_passes_the_gate(
    name: str, change: str, headline: str, text: str, edition: str, article_id: str, author: str
) -> None:
    try:
        said = article(
            id=article_id,
            headline=f"- {headline}",
            body_html=safe_html(text, "https://e.example/"),
            edition=edition,
            authors=[f"A {author}"],
        )
    except ValueError:
        return  # no article has it
    document = ARTICLE_FORMATS[name].render(change, said, "m", PROVIDER)
    assert [] == check_article(name, document, ours=True)


class TestNewsML:
    def test_the_identifier_is_a_urn_whatever_the_id_is(self) -> None:
        root = etree.fromstring(
            pushed("newsml12", id="a:b/ش~", provider=Provider("News@Herald.example,2026", "H")).encode()
        )
        parts = [
            root.findtext(f".//{{*}}{name}") for name in ("ProviderId", "DateId", "NewsItemId", "PublicIdentifier")
        ]
        encoded = "a%3Ab%2F%D8%B4%7E"
        urn = f"urn:newsml:herald.example:20260304:{encoded}:2"
        assert ["herald.example", "20260304", encoded, urn] == parts

    def test_an_embargo_that_has_ended_leaves_the_article_usable(self) -> None:
        ahead, ended = (
            etree.fromstring(pushed("newsml12", embargoed=NOON + timedelta(hours=hours)).encode()) for hours in (1, -1)
        )
        status = "{*}NewsItem/{*}NewsManagement/{*}Status"
        assert ["Embargoed", "Usable"] == [root.find(status).get("FormalName") for root in (ahead, ended)]  # type: ignore[union-attr]
        assert ["20260304T130000Z", "20260304T110000Z"] == [root.findtext(".//{*}StartDate") for root in (ahead, ended)]
        assert ended.find(".//{*}StatusWillChange") is None

    def test_it_says_what_programs_may_do(self) -> None:
        provider = Provider("h.example,2026", "H", machines=MachineRights(train=False))
        root = etree.fromstring(pushed("newsml12", provider=provider).encode())
        [mining] = root.findall(".//{*}RightsMetadata/{*}Property")
        expected = ("DataMining", "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING")
        assert expected == (mining.get("FormalName"), mining.get("Value"))


class TestWire:
    def lines(self, **fields: Any) -> list[str]:
        return pushed("iptc7901", **fields).split("\r\n")

    def test_a_message(self) -> None:
        lines = self.lines(urgency=2, authors=["Zoë Größ"], subjects=["Sea"], dateline="PORT LISSE", source="Herald")
        assert [
            "World news/Sea",
            "\x02Ferries return=",
            "By Zoe Gross",
            "   PORT LISSE (Herald) - At last.",
            "   The first ferry left.",
            "\x03",
            "041200 MAR 26",
            "\x04",
        ] == lines[1:]
        assert re.fullmatch(r"\x01hh\d{4} 2 wor 15 hh-1 v2 en", lines[0])

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("10⁶ people", "10^6 people"),
            ("10<sup>6</sup> people", "10^6 people"),
            ("5×10⁻³", "5*10^-3"),
            ("2½ million", "2 1/2 million"),
            ("½ a million, 1⁄2", "1/2 a million, 1/2"),
            ("in 2026¹ and 2027<sup><a href='#n'>2</a></sup>", "in 2026^1 and 2027^2"),
            ("m² of CO<sub>2</sub>, the 2<sup>nd</sup>", "m2 of CO2, the 2nd"),
            ("log₂ 8 and 101₂", "log2 8 and 101_2"),
            ("3‰ of it", "3 per mille of it"),
        ],
    )
    def test_numbers_stay_what_they_are(self, words: str, expected: str) -> None:
        assert f"   {expected}" in self.lines(body_html=f"<p>{words}</p>")

    @pytest.mark.parametrize(("urgency", "priority"), [(None, "4"), (1, "1"), (6, "6"), (9, "6")])
    def test_priority(self, urgency: int | None, priority: str) -> None:
        assert priority == self.lines(urgency=urgency)[0].split()[1]

    @pytest.mark.parametrize(
        ("name", "source"), [("Tidewire", "tid"), ("The Daily Quay and Harbour Post", "tdqa"), ("新聞", "xin")]
    )
    def test_the_source_is_made_of_the_name(self, name: str, source: str) -> None:
        header = pushed("iptc7901", provider=Provider("h.example,2026", name))
        assert source == re.match(r"\x01([a-z]+)", header)[1]  # type: ignore[index]

    def test_other_scripts_are_transliterated(self) -> None:
        assert "\x02Dong JingnoGang=" in self.lines(edition="ja", headline="東 京の港")
        assert "\x02mrf=" in self.lines(edition="ar", headline="مرف")

    def test_long_lines_and_words_are_broken(self) -> None:
        lines = self.lines(body_html=f"<p>{'word ' * 100}{'x' * 200}</p>")
        assert 69 == max(map(len, lines[2:]))
        assert 200 == "".join(lines).count("x") - "".join(self.lines(body_html="<p></p>")).count("x")

    def test_what_must_be_known_stands_first(self) -> None:
        lines = self.lines(
            change="article.corrected",
            embargoed=NOON + timedelta(hours=1),
            expires=NOON + timedelta(days=1),
            ai_assisted=True,
        )
        assert "CORRECTION/EMBARGOED/World news" == lines[1]
        assert [
            "\x02CORRECTION: this version replaces all earlier ones.",
            "EMBARGOED: not to be published before 2026-03-04 13:00 UTC.",
            "EXPIRES: not to be used after 2026-03-05 12:00 UTC.",
            "Made by people with the help of a trained model.",
            "Ferries return=",
        ] == lines[2:7]


class TestAmericanWire:
    def lines(self, change: str = "article.published", **fields: Any) -> list[str]:
        return pushed("anpa1312", change, **fields).split("\r\n")

    def test_a_message(self) -> None:
        lines = self.lines(urgency=2, authors=["Zoë Größ"], subjects=["Sea & ports"], dateline="PORT LISSE")
        assert [
            "u i\x13\x11 BC-SEA-PORTS v2 hh-1 3-4 15",
            "\x02^BC-SEA-PORTS,15<",
            "^Ferries return<",
            "^By Zoe Gross=",
            "\t   PORT LISSE - At last.<",
            "\t   The first ferry left.<",
            "\x03HH-HH-03-04-26 1200GMT<",
            "",
            "",
            "\x04",
        ] == lines[1:]
        assert re.fullmatch(r"\x16\x16\x01a\d{4}\x1fhh---", lines[0])

    @pytest.mark.parametrize(
        ("change", "urgency", "priority"),
        [
            ("article.published", None, "r"),
            ("article.published", 1, "b"),
            ("article.published", 3, "u"),
            ("article.published", 5, "r"),
            ("article.published", 6, "d"),
            ("article.corrected", 6, "u"),
            ("article.killed", 6, "b"),
        ],
    )
    def test_priority(self, change: str, urgency: int | None, priority: str) -> None:
        assert priority == self.lines(change, urgency=urgency)[1][0]

    @pytest.mark.parametrize(
        ("section", "category", "level"),
        [("World news", "i", "a"), ("Sport", "s", "s"), ("Business", "f", "f"), ("الميناء", "a", "a")],
    )
    def test_category_and_service_level(self, section: str, category: str, level: str) -> None:
        lines = self.lines(section=section)
        assert (category, level) == (lines[1][2], lines[0][3])

    @pytest.mark.parametrize(
        ("section", "keyword"),
        [
            ("World news", "BC-WORLD-NEWS"),
            ("", "BC-NEWS"),
            ("الميناء", "BC-LMYN"),
            ("A " * 30, "BC-A-A-A-A-A-A-A-A-A-A-A"),
        ],
    )
    def test_the_keyword_is_in_capitals(self, section: str, keyword: str) -> None:
        assert keyword == self.lines(section=section)[1].split()[2]

    def test_what_begins_and_ends_lines_stands_nowhere_else(self) -> None:
        lines = self.lines(headline="2 < 3 ^ 4 > 1")
        assert "^2 ( 3 ' 4 ) 1<" in lines

    def test_a_power_has_no_sign_that_begins_a_line(self) -> None:
        assert "\t   10**6 of mc**2<" in self.lines(body_html="<p>10<sup>6</sup> of mc^2</p>")

    def test_long_lines_and_words_are_broken(self) -> None:
        lines = self.lines(body_html=f"<p>{'word ' * 100}{'x' * 200}</p>")
        assert 63 == max(map(len, lines[2:-4]))
        # A paragraph begins once and ends once.
        assert 2 == sum(line.startswith("\t   ") for line in lines)

    def test_what_must_be_known_stands_first(self) -> None:
        lines = self.lines("article.corrected", embargoed=NOON + timedelta(hours=1))
        assert [
            "^CORRECTION: this version replaces all earlier ones.<",
            "^EMBARGOED: not to be published before 2026-03-04 13:00 UTC.<",
            "^Ferries return<",
        ] == lines[3:6]

    def test_a_reader_of_the_format_reads_what_was_written(self) -> None:
        """As programs of others read it: what each of the header's fields is, byte by byte."""
        document = pushed("anpa1312", subjects=["Sea"], authors=["Mara Ellingsen"])
        first = re.match(r"\x16\x16\x01([a-z])([0-9]{4})\x1f([a-z-]+)", document)
        second = re.match(
            r"([a-z]) ([a-z])(\x13|\x14)(\x11|\x12) (am-|pm-|bc-|ap-)([a-z-.0-9]+)(.*) "
            r"([0-9]{1,2})-([0-9]{1,2}) ([0-9]{0,4})",
            document.split("\n")[1],
            re.IGNORECASE,
        )
        assert first is not None
        assert second is not None
        assert ("SEA", "v2 hh-1", "3", "4") == (second[6], second[7].strip(), second[8], second[9])
        sent = re.search(r"\x03([A-Z]+)-([A-Z]+)-([0-9]+-[0-9]+-[0-9]+ [0-9]{4})GMT", document.split("\n")[-4])
        assert sent is not None
        assert NOON == datetime.strptime(sent[3], "%m-%d-%y %H%M").replace(tzinfo=UTC)


class TestPage:
    def test_what_it_says_is_read_again(self) -> None:
        fields: dict[str, Any] = {"authors": ["Mara Ellingsen"], "subjects": ["sea"], "edition": "ar"}
        said = ADAPTER.read(pushed("html", **fields).encode(), InputDefaults()).event["article"]
        assert ("Ferries return", "https://e.example/a", ["Mara Ellingsen"]) == (
            said["headline"],
            said["url"],
            said["authors"],
        )
        assert "The first ferry left." in said["body_html"]
        root = html.document_fromstring(pushed("html", **fields))
        assert ("ar", "rtl", "Ferries return") == (root.get("lang"), root.get("dir"), root.findtext("head/title"))
        assert ["https://e.example/a"] == root.xpath("//link[@rel='canonical']/@href")
        assert [NOON.isoformat()] == root.xpath("//meta[@property='article:modified_time']/@content")

    def test_what_is_no_markup_is_escaped(self) -> None:
        page = pushed("html", headline='<script>"&', authors=['"><img src=x>'], section='"><b>', rights="<i>")
        root = html.document_fromstring(page)
        assert '<script>"&' == root.findtext("head/title") == root.findtext("body/h1")
        assert [] == [element.tag for element in root.iter("script", "img", "b", "i")]

    @pytest.mark.parametrize(
        ("edition", "note"), [("ar", "سحب الناشر هذا المقال."), ("en-GB", "withdrawn by the publisher")]
    )
    def test_a_kill_tells_readers_in_their_language(self, edition: str, note: str) -> None:
        page = pushed("html", "article.killed", edition=edition)
        assert note in (html.document_fromstring(page).findtext("body/h1") or "")
        assert '<meta name="robots" content="noindex">' in page


def test_a_text_has_one_line_for_each_paragraph() -> None:
    text = pushed("text", "article.corrected", images=[{"url": "https://e.example/a.jpg", "credit": "R. Photo"}])
    assert [
        "CORRECTION: this version replaces all earlier ones.",
        "Ferries return",
        "At last.",
        "The first ferry left.",
        "https://e.example/a",
        "Article: hh-1\nVersion: 2\nPage: https://e.example/a",
        (
            "Edition: en\nSection: World news\n"
            "Published: 2026-03-04T12:00:00+00:00\nUpdated: 2026-03-04T12:00:00+00:00\n"
            "Picture: https://e.example/a.jpg (R. Photo)\n"
        ),
    ] == text.split("\n\n")


def test_plain_text_raises_and_lowers_digits() -> None:
    body = "<p>10<sup>6</sup> t of CO<sub>2</sub> on the 2<sup>nd</sup> in 2026<sup><a href='/n'>1</a></sup>.</p>"
    assert "10⁶ t of CO₂ on the 2nd in 2026¹." in pushed("text", body_html=body)
