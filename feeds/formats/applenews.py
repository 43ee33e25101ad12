"""Apple News Format: the article.json of one article (https://developer.apple.com/documentation/applenewsformat).

Apple's API gives every article an id and a revision. An update must name the last `revision` beside this document, and
a takedown is a DELETE: both are up to the program that calls the API. For programs that can only update, the document
of a kill or a withdrawal has a line for readers in place of the text.

The format cannot mark an embargo, so no article may be sent in it before its embargo ends.
"""

from __future__ import annotations

import json
from hashlib import sha256
from html import escape
from typing import Any

import nh3
from lxml import etree, html

from feeds.article import Article, Image
from feeds.direction import direction
from feeds.entry import tag_uri
from feeds.formats.body import BLOCKS, body_tree, has_blocks, lift_pictures, one_line, rewrite_blocks
from feeds.formats.change_statuses import pubstatus, readers_note
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import rfc3339
from feeds.text import text_of

# The oldest version that has all that is used here runs on every device that still gets Apple News.
VERSION = "1.9"
IDENTIFIER_MOST = 64
"""Longest `identifier`, in characters."""

# HTML that text components may have ("Using HTML with Apple News Format"); other elements leave their text.
_TAGS = set("p strong b em i a ul ol li br sub sup del s pre code samp blockquote footer aside".split())  # noqa: SIM905 (quoted words are harder to read)
_TABLE = {"table", "thead", "tbody", "tfoot", "tr", "th", "td"}
_TABLE_ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_HEADINGS = {f"h{level}": f"heading{level}" for level in range(1, 7)}


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return article.json. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    usable = pubstatus(change, article) == "usable"
    alignment = "right" if direction(article.edition) == "rtl" else "left"
    document = {
        "version": VERSION,
        "identifier": _identifier(tag_uri(provider.authority, "article", article.id)),
        "language": article.edition,
        "title": article.headline if usable else readers_note(article.edition),
        # Measures in points; Apple scales a page of this width to every screen.
        "layout": {"columns": 7, "width": 1024, "margin": 60, "gutter": 20},
        "components": _components(article) if usable else [_text("body", readers_note(article.edition))],
        "componentTextStyles": {"default": {"textAlignment": alignment}},
        "metadata": _metadata(article, provider, usable=usable),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def recognizes(outline: Outline) -> bool:
    """Whether a document is an article of Apple News."""
    return outline.names >= {"identifier", "components"}


def _identifier(uri: str) -> str:
    """Return a permanent id within Apple's 64 characters: the URI itself, or the hash of a longer one."""
    return uri if len(uri) <= IDENTIFIER_MOST else sha256(uri.encode()).hexdigest()


def _metadata(article: Article, provider: Provider, *, usable: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "datePublished": rfc3339(article.published),
        "dateModified": rfc3339(article.updated),
        "canonicalURL": article.url,
        "generatorName": "Dateline",
        "campaignData": {"provider": [provider.name], "version": [str(article.version)]},
    }
    if usable:
        metadata |= {
            "authors": list(article.authors),
            "excerpt": article.summary,
            "keywords": list(dict.fromkeys(filter(None, (article.section, *article.subjects))))[:50],
            "thumbnailURL": article.images[0].url if article.images else "",
        }
    return {name: value for name, value in metadata.items() if value}


def _components(article: Article) -> list[dict[str, Any]]:
    components = [_text("title", article.headline)]
    if article.summary:
        components.append(_text("intro", article.summary))
    if article.authors:
        components.append(_text("byline", ", ".join(article.authors)))
    for image in article.images:
        components += _picture(image)
    components += _Body(article).components
    if article.rights:
        components.append(_text("caption", article.rights))
    return components


def _picture(image: Image) -> list[dict[str, Any]]:
    photo: dict[str, Any] = {"role": "photo", "URL": image.url}
    words = " ".join(filter(None, (image.caption, image.credit and f"({image.credit})")))
    if not words:
        return [photo]
    return [photo | {"caption": words}, _text("caption", words)]


class _Body:
    """The components of an article's text: headings, pictures, captions, tables, and `body` for what stands between.

    Blocks that hold others, such as a `div`, are replaced by their content. Text outside all blocks becomes paragraphs.
    """

    def __init__(self, article: Article) -> None:
        self.components: list[dict[str, Any]] = []
        self._blocks: list[str] = []
        self._line: list[str] = []
        root = body_tree(article)
        lift_pictures(root)
        self._walk(root)
        self._end_body()

    def _walk(self, element: html.HtmlElement) -> None:
        self._line.append(escape(element.text or ""))
        for child in element.iterchildren(etree.Element):
            self._add(child)
            self._line.append(escape(child.tail or ""))
        self._end_line()

    def _add(self, element: html.HtmlElement) -> None:
        tag = str(element.tag)
        if tag not in BLOCKS and tag != "img" and not has_blocks(element):
            self._line.append(_markup(element))
            return
        self._end_line()
        if tag in _HEADINGS:
            self._add_text(_HEADINGS[tag], element)
        elif tag == "img":
            self._add_pictures(element)
        elif tag in {"figcaption", "caption"}:
            self._add_text("caption", element)
        elif tag == "table" and len(list(element.iter("td", "th"))) > 1:
            self._add_table(element)
        elif tag in _TAGS and tag != "li" and next(element.iter("img", "table", *_HEADINGS), None) is None:
            self._block(element)
        else:
            self._walk(element)

    def _block(self, element: html.HtmlElement) -> None:
        rewrite_blocks(element, _TAGS, "p")
        self._blocks.append(_markup(element))

    def _add_text(self, role: str, element: html.HtmlElement) -> None:
        self._end_body()
        if text := one_line(element):
            self.components.append(_text(role, text))

    def _add_pictures(self, *pictures: html.HtmlElement) -> None:
        for picture in pictures:
            if source := picture.get("src"):
                self._end_body()
                self.components.append({"role": "photo", "URL": source})

    def _add_table(self, table: html.HtmlElement) -> None:
        for caption in table.findall("caption"):
            self._add_text("caption", caption)
            caption.drop_tree()
        self._end_body()
        pictures = list(table.iter("img"))
        rewrite_blocks(table, _TAGS | _TABLE, "p")
        if one_line(table):
            markup = nh3.clean(_markup(table), tags=_TAGS | _TABLE, attributes=_TABLE_ATTRIBUTES, link_rel=None)
            self.components.append({"role": "htmltable", "html": markup})
        self._add_pictures(*pictures)

    def _end_line(self) -> None:
        line = "".join(self._line).strip()
        self._line.clear()
        if text_of(line):
            self._blocks.append(f"<p>{line}</p>")

    def _end_body(self) -> None:
        self._end_line()
        markup = nh3.clean("".join(self._blocks), tags=_TAGS, attributes={"a": {"href"}}, link_rel=None).strip()
        self._blocks.clear()
        if text_of(markup):
            self.components.append({"role": "body", "format": "html", "text": markup})


def _markup(element: html.HtmlElement) -> str:
    return etree.tostring(element, method="html", encoding="unicode", with_tail=False)


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "text": text}


FORMAT = ArticleFormat(
    name="applenews", media_type="application/json", render=render, recognizes=recognizes, marks_embargo=False
)
