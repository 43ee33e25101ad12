"""Articles as a partner may have them by its rights. Kills and withdrawals are never cut."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from lxml import etree, html

from feeds.article import Article
from feeds.formats.body import parse_html
from feeds.rights import EVERYTHING, Rights
from feeds.safe_html import safe_html
from feeds.text import fold, legal

_RUN = re.compile(r"\S+")
_LETTER = re.compile(r"\w")
_ELLIPSIS = " …"


def granted(article: Article, rights: Rights) -> Article:
    """Return the article with only what these rights grant."""
    if rights == EVERYTHING or article.pubstatus == "canceled":
        return article
    pictures = article.images
    body, summary = article.body_html, article.summary
    if rights.credits is not None:
        licensed = {fold(credit) for credit in rights.credits}
        pictures = tuple(image for image in article.images if fold(image.credit) in licensed)
        # Nobody knows whose the other pictures in the text are.
        body = without_pictures(body, {image.url for image in pictures})
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


def without_pictures(markup: str, addresses: Collection[str]) -> str:
    """Return the text with those pictures only that have one of these addresses; other figures go with theirs."""
    if "<img" not in markup:
        return markup
    root = parse_html(markup)
    for picture in list(root.iter("img")):
        if picture.get("src") not in addresses and root in picture.iterancestors():
            figure = next((above for above in picture.iterancestors() if above.tag == "figure"), picture)
            figure.drop_tree()
    return _markup(root)


def _cut(markup: str, words: int) -> str:
    """The first words of the text, with its elements closed, and an ellipsis where it was cut."""
    if not markup:
        return markup
    root = parse_html(markup)
    left, cut = words, False
    beyond = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if cut and event == "start":
            beyond.append(element)
        if event == "end" and element is root:
            break
        name = "text" if event == "start" else "tail"
        text = getattr(element, name) or ""
        text_words = _words(text)
        if cut:
            setattr(element, name, None)
        elif len(text_words) > left:
            setattr(element, name, _beginning(text, text_words[left]))
            cut = True
        left -= min(left, len(text_words))
    for element in reversed(beyond):
        element.drop_tree()
    return _markup(root)


def _markup(root: html.HtmlElement) -> str:
    """The HTML in the fragment, cleaned again so that it is written like all our HTML: libxml2 omits some end tags."""
    inside = [etree.tostring(child, method="html", encoding="unicode") for child in root]
    return safe_html(escape(root.text or "", quote=False) + "".join(inside), "")


def _cut_text(text: str, words: int) -> str:
    text_words = _words(text)
    return text if len(text_words) <= words else _beginning(text, text_words[words])


def _words(text: str) -> list[re.Match[str]]:
    """The words of a text: a lone dash or comma is not a word, and letters with a joiner between them are one."""
    return [run for run in _RUN.finditer(text) if _LETTER.search(run[0])]


def _beginning(text: str, word: re.Match[str]) -> str:
    """The text before `word`, with its isolates closed so that the ellipsis is outside of them, and an ellipsis."""
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
