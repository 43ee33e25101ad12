"""An article's HTML as a tree, for formats that write it in their own elements or allow only some of HTML's."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree, html

from feeds.article import Article
from feeds.text import text_of

# Elements within each other: more than any text that a person wrote. Of a deeper text only one paragraph of its words
# is sent, so that no reader and no partner's program fails on it.
DEPTH_MOST = 100


def body_tree(article: Article) -> html.HtmlElement:
    """Return a `div` around the article's text; without one, around its summary.

    The pictures that the article lists are left out: these formats have them apart, with their credit. Nothing is
    fetched.
    """
    if not article.body_html:
        return _paragraph(article.summary)
    markup = article.body_html
    root = parse_html(markup)
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


BLOCKS = frozenset(
    """aside audio blockquote caption dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre section table
    tbody td tfoot th thead tr ul video""".split()  # noqa: SIM905 (quoted words are harder to read)
)
"""Elements that begin a new line."""
_HOLDERS = frozenset({"aside", "blockquote", "dd", "div", "figure", "li", "section", "td", "th"})
"""Elements in which a picture can stand by itself."""


def has_blocks(element: html.HtmlElement) -> bool:
    """Whether an element holds another that begins a new line."""
    return any(inner.tag in BLOCKS or inner.tag == "img" for inner in element.iterdescendants())


def one_line(element: html.HtmlElement) -> str:
    """Return the text of an element, on one line."""
    return text_of(etree.tostring(element, method="html", encoding="unicode", with_tail=False))


def lift_pictures(root: html.HtmlElement) -> None:
    """Move pictures out of paragraphs, headings, links and the like, which end before a picture and go on after it.

    For formats in which a picture stands by itself.
    """
    # From the last to the first, so that what follows a picture is moved only once.
    for picture in reversed(list(root.iter("img"))):
        while (parent := picture.getparent()) is not None and parent is not root and parent.tag not in _HOLDERS:
            _split_around(picture, parent)


def _split_around(picture: html.HtmlElement, parent: html.HtmlElement) -> None:
    rest = parent.makeelement(parent.tag, dict(parent.attrib))
    rest.text, picture.tail = picture.tail, None
    rest.extend(list(picture.itersiblings()))
    rest.tail, parent.tail = parent.tail, None
    parent.addnext(picture)
    picture.addnext(rest)
    for half in (parent, rest):
        if not len(half) and not (half.text or "").strip():
            half.drop_tree()


def rewrite_blocks(root: html.HtmlElement, allowed: Collection[str], block: str) -> None:
    """Turn every element that begins a new line, and is not in `allowed`, into a `block`, an element that is allowed.

    An element that holds such elements itself is replaced by what it holds, unless a `block` (a `div`) can hold them
    too. So no words run together when forbidden elements are removed, the lines of a `pre` end where they did, and a
    `q` keeps its quotation marks.
    """
    for element in reversed(list(root.iterdescendants(etree.Element))):
        if element.tag in allowed:
            continue
        if element.tag == "pre":
            _break_lines(element)
        if element.tag == "q":
            _quote(element)
        elif element.tag == "hr":
            element.tag = "br" if "br" in allowed else block
        elif element.tag in BLOCKS:
            if block != "div" and has_blocks(element):
                element.text = f" {element.text or ''}"
                element.tail = f" {element.tail or ''}"
                element.drop_tag()
            else:
                element.tag = block


def _quote(element: html.HtmlElement) -> None:
    """Write the marks that browsers put around a `q`."""
    element.text = f"\N{LEFT DOUBLE QUOTATION MARK}{element.text or ''}"
    if len(element):
        element[-1].tail = f"{element[-1].tail or ''}\N{RIGHT DOUBLE QUOTATION MARK}"
    else:
        element.text += "\N{RIGHT DOUBLE QUOTATION MARK}"


def _break_lines(element: html.HtmlElement) -> None:
    """Write the line ends of a text as `br`."""
    for part in (element, *element.iterdescendants(etree.Element)):
        lines = (part.text or "").split("\n")
        part.text = lines[0]
        for place, line in enumerate(lines[1:]):
            part.insert(place, _line_break(line))
        if part is not element and "\n" in (part.tail or ""):
            first, *more = (part.tail or "").split("\n")
            part.tail = first
            for line in reversed(more):
                part.addnext(_line_break(line))


def _line_break(tail: str) -> html.HtmlElement:
    element: html.HtmlElement = html.Element("br")
    element.tail = tail
    return element


def parse_html(markup: str) -> html.HtmlElement:
    """Return a `div` around the markup. Nothing is fetched."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    root: html.HtmlElement = html.fragment_fromstring(markup.encode(), create_parent="div", parser=parser)
    return root


def _paragraph(text: str) -> html.HtmlElement:
    root: html.HtmlElement = html.Element("div")
    etree.SubElement(root, "p").text = text
    return root
