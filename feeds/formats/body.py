"""An article's HTML as a tree, for formats that say it in elements of their own."""

from __future__ import annotations

from lxml import etree, html

from feeds.article import Article
from feeds.text import text_of

# Deeper than any text a person wrote. What is deeper is said as one paragraph of its words: no reader or program of a
# partner's should have to follow it.
DEPTH_MOST = 100


def tree(article: Article) -> html.HtmlElement:
    """Return a `div` around the article's text; without one, around its summary.

    The article's own pictures are left out: these formats say them apart, with their credit. Nothing is fetched.
    """
    if not article.body_html:
        return _paragraph(article.summary)
    markup = article.body_html
    root = fragment(markup)
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MOST:
            return _paragraph(text_of(markup))
    own = {image.url for image in article.images}
    for picture in [image for image in root.iter("img") if image.get("src") in own]:
        figure = next(picture.iterancestors("figure"), picture)
        if root in figure.iterancestors():
            figure.drop_tree()
    return root


def fragment(markup: str) -> html.HtmlElement:
    """Return a `div` around the markup. Nothing is fetched."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    root: html.HtmlElement = html.fragment_fromstring(markup.encode(), create_parent="div", parser=parser)
    return root


def _paragraph(text: str) -> html.HtmlElement:
    root: html.HtmlElement = html.Element("div")
    etree.SubElement(root, "p").text = text
    return root
