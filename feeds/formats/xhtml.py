"""An article as a complete XHTML document, for formats in XML that hold one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from feeds.article import Article, Image
from feeds.direction import direction
from feeds.formats.body import body_tree

XHTML = "http://www.w3.org/1999/xhtml"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_X = f"{{{XHTML}}}"
_XHTML_NSMAP: Any = {None: XHTML}  # the stubs know no default namespace


def xhtml_page(article: Article, images: Iterable[Image] = ()) -> etree._Element:
    """Return the text as a complete XHTML document, with `images` before it."""
    page = etree.Element(f"{_X}html", nsmap=_XHTML_NSMAP, lang=article.edition, dir=direction(article.edition))
    page.set(_XML_LANG, article.edition)
    etree.SubElement(etree.SubElement(page, f"{_X}head"), f"{_X}title").text = article.headline
    body = etree.SubElement(page, f"{_X}body")
    for image in images:
        _figure(body, image)
    _copy(body, body_tree(article))
    return page


def _figure(body: etree._Element, image: Image) -> None:
    figure = etree.SubElement(body, f"{_X}figure")
    picture = etree.SubElement(figure, f"{_X}img", src=image.url, alt=image.caption)
    for name, pixels in (("width", image.width), ("height", image.height)):
        if pixels is not None:
            picture.set(name, str(pixels))
    if words := " ".join(filter(None, (image.caption, image.credit and f"({image.credit})"))):
        etree.SubElement(figure, f"{_X}figcaption").text = words


def _copy(parent: etree._Element, element: etree._Element) -> None:
    """Append `element` of HTML to `parent` as XHTML."""
    attributes = {str(name): str(value) for name, value in element.items()}
    copy = etree.SubElement(parent, f"{_X}{element.tag}", attributes)
    copy.text, copy.tail = element.text, element.tail
    for child in element:
        _copy(copy, child)
