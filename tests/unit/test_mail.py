"""Mails of articles and of feeds, read back as mail programs read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.article import Article
from feeds.entry import Channel, Tombstone, entry
from feeds.formats import jsonfeed
from feeds.mail import Attachment, Envelope, article_mail, digest_mail
from feeds.mail_subject import check_subject

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ENVELOPE = Envelope(
    "Harbour Herald <news@herald.example>",
    ("desk@partner.example", "Night <night@partner.example>"),
    "m1@h.example",
    NOON,
)


def article(**more: Any) -> Article:
    values: dict[str, Any] = {
        "id": "hh-1",
        "version": 2,
        "headline": "Ferries <return> & stay",
        "summary": "At last.",
        "url": "https://herald.example/a",
        "body_html": "<p>The first ferry left.</p><ul><li>Six</li><li>Ten past six</li></ul>",
        "section": "world",
        "authors": ["Mara Ellingsen"],
        "dateline": "PORT LISSE",
        "images": [{"url": "https://herald.example/a.jpg", "caption": "The <quay>", "credit": "R. Photo"}],
        "published": NOON,
        "updated": NOON,
    }
    return Article.model_validate(values | more, context={"literal": True})


def read(mail: EmailMessage) -> EmailMessage:
    """The mail as its reader gets it."""
    octets = mail.as_bytes()
    assert octets.isascii()
    assert all(len(line) <= 998 for line in octets.split(b"\r\n"))
    return message_from_bytes(octets, policy=policy.default)  # type: ignore[return-value]  # what this policy makes


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_an_article_is_text_and_html() -> None:
    mail = read(article_mail(ENVELOPE, article(), "published"))

    assert mail.get_content_type() == "multipart/alternative"
    assert mail["Subject"] == "Ferries <return> & stay"
    assert mail["From"] == "Harbour Herald <news@herald.example>"
    assert mail["To"] == "desk@partner.example, Night <night@partner.example>"
    assert (mail["Message-ID"], mail["References"], mail["Auto-Submitted"]) == (
        "<m1@h.example>",
        None,
        "auto-generated",
    )
    assert part(mail, "plain").split("\n\n") == [
        "Ferries <return> & stay",
        "At last.",
        "PORT LISSE | Mara Ellingsen",
        "The first ferry left.",
        "- Six",
        "- Ten past six",
        "https://herald.example/a\n",
    ]
    page = part(mail, "html")
    assert '<html lang="en" dir="ltr">' in page
    assert "<h1>Ferries &lt;return&gt; &amp; stay</h1>" in page
    assert '<img src="https://herald.example/a.jpg"' in page
    assert "<figcaption>The &lt;quay&gt; (R. Photo)</figcaption>" in page
    assert "<li>Ten past six</li>" in page


def test_a_correction_says_so_first_and_refers_to_the_original() -> None:
    envelope = Envelope("n@h.example", ("d@p.example",), "m2@h.example", NOON, original="m1@h.example")

    mail = read(article_mail(envelope, article(), "corrected", "[{section}] {headline}"))

    assert mail["Subject"] == "CORRECTION: [world] Ferries <return> & stay"
    assert (mail["In-Reply-To"], mail["References"]) == ("<m1@h.example>", "<m1@h.example>")
    assert part(mail, "plain").startswith("CORRECTION: this version replaces all earlier ones.\n\nFerries")


@pytest.mark.parametrize(("status", "word"), [("killed", "KILL"), ("withdrawn", "WITHDRAWN")])
def test_a_notice_says_so_first_and_has_nothing_of_the_text(status: str, word: str) -> None:
    mail = read(article_mail(ENVELOPE, article(), status, "[{section}] {headline}"))

    assert mail["Subject"] == f"{word}: hh-1"
    assert part(mail, "plain").startswith(f"{word}: take this article down")
    whole = "".join(part(mail, kind) for kind in ("plain", "html"))
    assert not [word for word in ("Ferries", "At last", "ferry", "Mara", "quay", "world") if word in whole]
    assert "https://herald.example/a" in whole


def test_an_embargo_stands_first() -> None:
    moment = NOON + timedelta(hours=6)

    mail = read(article_mail(ENVELOPE, article(embargoed=moment), "published"))

    assert mail["Subject"] == "EMBARGOED until 2026-03-04 18:00 UTC: Ferries <return> & stay"
    assert part(mail, "plain").startswith("EMBARGOED: not to be published before 2026-03-04 18:00 UTC.\n\n")


def test_right_to_left() -> None:
    mail = read(article_mail(ENVELOPE, article(edition="ar", headline="عاد العبّارات"), "corrected"))

    assert mail["Subject"] == "CORRECTION: عاد العبّارات"
    assert '<html lang="ar" dir="rtl">' in part(mail, "html")


def test_a_document_is_attached() -> None:
    document = Attachment("hh-1.xml", "application/nitf+xml", b"<nitf/>")

    mail = read(article_mail(ENVELOPE, article(), "published", attachment=document))

    [file] = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (
        "hh-1.xml",
        "application/nitf+xml",
        b"<nitf/>",
    )
    assert part(mail, "plain").startswith("Ferries")


def test_an_article_without_a_text_says_its_summary_once() -> None:
    mail = read(article_mail(ENVELOPE, article(body_html="", authors=[], dateline=""), "published"))

    assert part(mail, "html").count("At last.") == 1


@settings(deadline=None)
@given(
    headline=st.text(min_size=1, max_size=300),
    article_id=st.text(st.characters(blacklist_categories=["Z", "C"]), min_size=1, max_size=200),
)
def test_whatever_an_article_is_called_its_mail_can_be_read(headline: str, article_id: str) -> None:
    try:
        called = article(headline=headline, id=article_id)
    except ValueError:
        return

    mails = [article_mail(ENVELOPE, called, status) for status in ("published", "killed")]

    assert mails[0].as_bytes() == article_mail(ENVELOPE, called, "published").as_bytes()
    first, kill = map(read, mails)
    shown = called.headline if len(called.headline) <= 200 else called.headline[:199].rstrip() + "…"
    assert "".join(str(first["Subject"]).split()) == "".join(shown.split())
    assert str(kill["Subject"]).startswith("KILL: ")


def test_long_ids_are_not_broken() -> None:
    long = "msg_" + "a" * 32 + "@" + ".".join(["news-of-the-harbour"] * 6)
    envelope = Envelope("n@h.example", ("d@p.example",), long, NOON, original=long)

    octets = article_mail(envelope, article(), "corrected").as_bytes()

    assert octets.count(f"<{long}>".encode()) == 3


@pytest.mark.parametrize(
    ("template", "problem"),
    [("{nothing}", "known: {headline}"), ("", "one line"), ("a\nb", "one line"), ("x" * 201, "at most 200")],
)
def test_subjects_that_are_none(template: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_subject(template)


def digest(*articles: Article, gone: tuple[Tombstone, ...] = ()) -> EmailMessage:
    channel = Channel(*("https://h.example/",) * 2, "World", *("https://h.example/",) * 5, updated=NOON)
    document = jsonfeed.render(channel, [entry(one, "h.example,2026") for one in articles], gone)
    return read(digest_mail(ENVELOPE, document))


def test_a_digest_has_all_that_has_changed() -> None:
    mail = digest(article(), article(id="hh-2", version=1, headline="Trams", url="https://herald.example/b"))

    assert mail["Subject"].startswith("2 articles: ")
    text = part(mail, "plain")
    assert (
        text.index("Ferries <return> & stay")
        < text.index("version 2")
        < text.index("The first ferry")
        < text.index("Trams")
    )
    assert part(mail, "html").count("<h2>") == 2


def test_a_digest_tells_of_kills_first() -> None:
    notice = entry(article(id="hh-3", headline="This article has been withdrawn."), "h.example,2026")
    killed = Tombstone(notice.id, NOON, "", killed=True, notice=notice)
    left = Tombstone("tag:h.example,2026:article/hh-4", NOON, "")

    mail = digest(article(), gone=(killed, left))

    assert mail["Subject"].startswith("1 KILL, 1 withdrawn, 1 article: ")
    text = part(mail, "plain")
    assert text.startswith(
        "KILL: take this article down and do not use it again. A kill is mandatory.\ntag:h.example,2026:article/hh-3\n"
    )
    assert "WITHDRAWN: take this article down until it is sent again.\ntag:h.example,2026:article/hh-4\n" in text


def test_the_same_digest_is_the_same_bytes() -> None:
    assert digest(article()).as_bytes() == digest(article()).as_bytes()
