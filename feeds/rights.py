"""What a partner may have of an article by its contract: how much of the text, which pictures, which link.

`granted` makes of an article the one that the partner is told of. A notice (a kill, a withdrawal) is nobody's to cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from lxml import etree, html

from feeds.article import Article
from feeds.formats.body import fragment
from feeds.text import fold, legal, safe_html

_RUN = re.compile(r"\S+")
_LETTER = re.compile(r"\w")
_ELLIPSIS = " …"


@dataclass(frozen=True, slots=True)
class Rights:
    """A contract. Without any limit it is what every endpoint has that names none.

    text: all of it, the summary, or the headline alone. credits: whose pictures are licensed; None: everybody's. words:
    where the text is cut. canonical: the text ends with a link to the article's page. tracking: (name, value) pairs
    added to the address of that page, and to that alone: pages in other editions are told as the newsroom names them.
    """

    text: Literal["full", "summary", "headline"] = "full"
    credits: tuple[str, ...] | None = None
    words: int | None = None
    canonical: bool = False
    tracking: tuple[tuple[str, str], ...] = ()


EVERYTHING = Rights()


def granted(article: Article, rights: Rights) -> Article:
    """Return the article as these rights allow it to be told."""
    if rights == EVERYTHING or article.pubstatus == "canceled":
        return article
    pictures = article.images
    body, summary = article.body_html, article.summary
    if rights.credits is not None:
        licensed = {fold(credit) for credit in rights.credits}
        pictures = tuple(image for image in article.images if fold(image.credit) in licensed)
        body = _without_pictures(body, {image.url for image in pictures})
    if rights.text != "full":
        body = ""
    if rights.text == "headline":
        summary = ""
    if rights.words is not None:
        body = _cut(body, rights.words)
        if not body:
            summary = _cut_text(summary, rights.words)
    if rights.canonical and article.url:
        body = f"{body}{_link(article)}"
    return article.model_copy(
        update={
            "images": pictures,
            "body_html": body,
            "summary": summary,
            "url": _tracked(article.url, rights.tracking),
        }
    )


def _without_pictures(markup: str, licensed: set[str]) -> str:
    """The text without pictures other than the licensed ones, of which nobody knows whose they are."""
    if "<img" not in markup:
        return markup
    root = fragment(markup)
    for picture in list(root.iter("img")):
        if picture.get("src") not in licensed and root in picture.iterancestors():
            figure = next((above for above in picture.iterancestors() if above.tag == "figure"), picture)
            figure.drop_tree()
    return _markup(root)


def _cut(markup: str, words: int) -> str:
    """The text's first words, its elements closed, with an ellipsis where it was cut."""
    if not markup:
        return markup
    root = fragment(markup)
    left, cut = words, False
    beyond = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if cut and event == "start":
            beyond.append(element)
        if event == "end" and element is root:
            break
        name = "text" if event == "start" else "tail"
        said = getattr(element, name) or ""
        found = _words(said)
        if cut:
            setattr(element, name, None)
        elif len(found) > left:
            setattr(element, name, _beginning(said, found[left]))
            cut = True
        left -= min(left, len(found))
    for element in reversed(beyond):
        element.drop_tree()
    return _markup(root)


def _markup(root: html.HtmlElement) -> str:
    """What is in the fragment, in the spelling of all our HTML: libxml2 leaves end tags out where it may."""
    inside = [etree.tostring(child, method="html", encoding="unicode") for child in root]
    return safe_html(escape(root.text or "", quote=False) + "".join(inside), "")


def _cut_text(text: str, words: int) -> str:
    found = _words(text)
    return text if len(found) <= words else _beginning(text, found[words])


def _words(text: str) -> list[re.Match[str]]:
    """The words: a dash or a comma that stands alone is none, and what a joiner joins is one."""
    return [run for run in _RUN.finditer(text) if _LETTER.search(run[0])]


def _beginning(text: str, word: re.Match[str]) -> str:
    """What stands before `word`, with its isolates closed, so that the ellipsis is outside of them."""
    return legal(text[: word.start()].rstrip()) + _ELLIPSIS


def _link(article: Article) -> str:
    paragraph = html.Element("p")
    link = etree.SubElement(paragraph, "a", rel="canonical", href=article.url)
    link.text = article.headline
    return str(html.tostring(paragraph, encoding="unicode"))


def _tracked(url: str, tracking: tuple[tuple[str, str], ...]) -> str:
    if not tracking or not url:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(tracking))))
    return urlunsplit(parts._replace(query=query))
