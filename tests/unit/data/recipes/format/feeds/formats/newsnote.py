"""Newsnote: one news item as a flat piece of XML. It is a format for tests of CONTRIBUTING.md alone."""

from __future__ import annotations

from lxml import etree

from feeds.article import Article
from feeds.entry import tag_uri
from feeds.formats.change_statuses import pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import rfc3339
from feeds.text import text_of

NAMESPACE = "https://newsnote.example/1"
_N = f"{{{NAMESPACE}}}"


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the note. Raises ValueError for an unknown change."""
    del message_id
    status = pubstatus(change, article)
    note = etree.Element(f"{_N}note", id=tag_uri(provider.authority, "article", article.id), status=status)
    note.set("version", str(article.version))
    if status == "usable":
        if article.embargoed:
            note.set("embargoed", rfc3339(article.embargoed))
        for name, text in (
            ("headline", article.headline),
            ("summary", article.summary),
            ("text", text_of(article.body_html)),
        ):
            etree.SubElement(note, f"{_N}{name}").text = text
    document: bytes = etree.tostring(note, xml_declaration=True, encoding="UTF-8")
    return document


def recognizes(outline: Outline) -> bool:
    """Whether a document is a note."""
    return outline.root == f"{_N}note"


FORMAT = ArticleFormat(name="newsnote", media_type="application/newsnote+xml", render=render, recognizes=recognizes)
