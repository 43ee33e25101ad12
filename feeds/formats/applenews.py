"""Apple News Format: the article.json of one article (https://developer.apple.com/documentation/applenewsformat).

Apple's API gives an article an id and a revision of its own: an update must name the last `revision` beside this
document, and a takedown is a DELETE. Neither is said here; whoever speaks to the API says them. For a takedown that can
only update, the document of a kill or a withdrawal has a line for readers in place of the text.

The format has no word for an embargo, so nothing may be sent in it before its moment.
"""

from __future__ import annotations

import json
from hashlib import sha256
from html import escape
from typing import Any

import nh3
from lxml import etree

from feeds.article import Article, Image
from feeds.direction import direction
from feeds.entry import tag_uri
from feeds.formats.body import tree
from feeds.formats.changes import pubstatus, readers_note
from feeds.formats.interface import ArticleFormat, Provider
from feeds.formats.moments import rfc3339
from feeds.text import text_of

# The oldest version that has all that is used here runs on every device that still gets Apple News.
VERSION = "1.9"
IDENTIFIER_MOST = 64
"""Longest `identifier`, in characters."""

# What text components take as HTML ("Using HTML with Apple News Format"); of other elements the words stay.
_TAGS = set("p strong b em i a ul ol li br sub sup del s pre code samp blockquote footer aside".split())  # noqa: SIM905 (quoted words are harder to read)
_HEADINGS = {f"h{level}": f"heading{level}" for level in range(1, 7)}


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return article.json. Raises ValueError for a change that is none of the four."""
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


def _identifier(uri: str) -> str:
    """A permanent id within Apple's 64 characters: the URI itself, or what stands for a longer one."""
    return uri if len(uri) <= IDENTIFIER_MOST else sha256(uri.encode()).hexdigest()


def _metadata(article: Article, provider: Provider, *, usable: bool) -> dict[str, Any]:
    said: dict[str, Any] = {
        "datePublished": rfc3339(article.published),
        "dateModified": rfc3339(article.updated),
        "canonicalURL": article.url,
        "generatorName": "Dateline",
        "campaignData": {"provider": [provider.name], "version": [str(article.version)]},
    }
    if usable:
        said |= {
            "authors": list(article.authors),
            "excerpt": article.summary,
            "keywords": list(dict.fromkeys(filter(None, (article.section, *article.subjects))))[:50],
            "thumbnailURL": article.images[0].url if article.images else "",
        }
    return {name: value for name, value in said.items() if value}


def _components(article: Article) -> list[dict[str, Any]]:
    components = [_text("title", article.headline)]
    if article.summary:
        components.append(_text("intro", article.summary))
    if article.authors:
        components.append(_text("byline", ", ".join(article.authors)))
    for image in article.images:
        components += _picture(image)
    components += _body(article)
    if article.rights:
        components.append(_text("caption", article.rights))
    return components


def _picture(image: Image) -> list[dict[str, Any]]:
    photo: dict[str, Any] = {"role": "photo", "URL": image.url}
    words = " ".join(filter(None, (image.caption, image.credit and f"({image.credit})")))
    if not words:
        return [photo]
    return [photo | {"caption": words}, _text("caption", words)]


def _body(article: Article) -> list[dict[str, Any]]:
    """The text: a component for each heading and picture, and for what stands between two of them."""
    components: list[dict[str, Any]] = []
    between: list[str] = []

    def finish() -> None:
        markup = nh3.clean("".join(between), tags=_TAGS, attributes={"a": {"href"}}, link_rel=None).strip()
        if text_of(markup):
            components.append({"role": "body", "format": "html", "text": markup})
        between.clear()

    root = tree(article)
    between.append(escape(root.text or ""))
    for element in root:
        picture = element if element.tag == "img" else element.find(".//img")
        if element.tag in _HEADINGS:
            finish()
            components += _said(_HEADINGS[element.tag], element)
        elif element.tag in {"img", "figure"} and picture is not None and picture.get("src"):
            finish()
            components.append({"role": "photo", "URL": picture.get("src", "")})
            components += _said("caption", element)
        else:
            between.append(etree.tostring(element, method="html", encoding="unicode", with_tail=False))
        between.append(escape(element.tail or ""))
    finish()
    return components


def _said(role: str, element: etree._Element) -> list[dict[str, Any]]:
    words = " ".join("".join(map(str, element.itertext())).split())
    return [_text(role, words)] if words else []


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "text": text}


FORMAT = ArticleFormat(name="applenews", media_type="application/json", render=render, marks_embargo=False)
