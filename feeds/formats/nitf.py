"""IPTC NITF 3.6 (https://iptc.org/standards/nitf/): one news document in XML.

`management-status` says what may be done with the document: usable, withheld, canceled, or embargoed, which goes with
the moment in `date.release`. A revision that was made before its release is embargoed in every copy, whenever the copy
is made; a later revision is usable. A correction carries `correction`, and every version the number in `du-key`.
"""

from __future__ import annotations

from typing import Any

from lxml import etree, html

from feeds.article import AI_ASSISTED, SOURCE_TYPES, Article, Image
from feeds.entry import tag_uri
from feeds.formats.body import BLOCKS, body_tree, has_blocks, lift_pictures, one_line
from feeds.formats.change_statuses import editors_note, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import basic

NAMESPACE = "http://iptc.org/std/NITF/2006-10-18/"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_N = f"{{{NAMESPACE}}}"
_NSMAP: Any = {None: NAMESPACE}  # the stubs know no default namespace

_EMPHASIS = {"b", "cite", "dfn", "em", "i", "mark", "strong", "u", "var"}
_BLOCKS = BLOCKS | {"img"}


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the document. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    status: str = pubstatus(change, article)
    usable = status == "usable"
    uri = tag_uri(provider.authority, "article", article.id)
    root = etree.Element(f"{_N}nitf", nsmap=_NSMAP, uno=uri, baselang=article.edition)
    head = _add(root, "head")
    if usable:
        _add(head, "title", article.headline)
        if article.embargoed and article.embargoed > article.updated:
            status = "embargoed"
    docdata = _add(head, "docdata", **{"management-status": status})
    _add(docdata, "doc-id", regsrc=provider.name, **{"id-string": uri})
    _add(docdata, "du-key", key=article.id, version=str(article.version))
    _add(docdata, "date.issue", norm=basic(article.updated))
    if change == "article.corrected":
        _add(docdata, "correction", info=editors_note(change, article), **{"id-string": uri})
    if usable:
        _metadata(docdata, article)
        _add(head, "pubdata", type="web", name=provider.name, **_publication(article))
        _body(root, article)
    else:
        _add(docdata, "ed-msg", info=editors_note(change, article))
        _add(_add(root, "body"), "body.content")
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def recognizes(outline: Outline) -> bool:
    """Whether a document is nitf in the namespace of NITF."""
    return outline.root == f"{_N}nitf"


def _metadata(docdata: etree._Element, article: Article) -> None:
    if article.urgency is not None:
        _add(docdata, "urgency", **{"ed-urg": str(article.urgency)})
    if article.embargoed:
        _add(docdata, "date.release", norm=basic(article.embargoed))
    if article.expires:
        _add(docdata, "date.expire", norm=basic(article.expires))
    if article.ai_assisted:
        _add(_add(docdata, "identified-content"), "classifier", type=SOURCE_TYPES, value=AI_ASSISTED)
    if keywords := dict.fromkeys(filter(None, (article.section, *article.subjects))):
        keys = _add(docdata, "key-list")
        for keyword in keywords:
            _add(keys, "keyword", key=keyword)


def _publication(article: Article) -> dict[str, str]:
    publication = {
        "date.publication": basic(article.published),
        "position.section": article.section,
        "ex-ref": article.url,
    }
    return {name: value for name, value in publication.items() if value}


def _body(root: etree._Element, article: Article) -> None:
    body = _add(root, "body")
    body.set(_XML_LANG, article.edition)
    head = _add(body, "body.head")
    _add(_add(head, "hedline"), "hl1", article.headline)
    if article.rights:
        _add(head, "rights", article.rights)
    if article.authors:
        byline = _add(head, "byline")
        for author in article.authors:
            _add(byline, "person", author)
    if article.source:
        _add(_add(head, "distributor"), "org", article.source)
    if article.dateline:
        _add(_add(head, "dateline"), "location", article.dateline)
    if article.summary:
        _add(_add(head, "abstract"), "p", article.summary)
    content = _add(body, "body.content")
    for image in article.images:
        _media(content, image)
    text = body_tree(article)
    lift_pictures(text)
    _flow(content, text)


def _media(parent: etree._Element, image: Image) -> None:
    media = _add(parent, "media", **{"media-type": "image"})
    reference = _add(media, "media-reference", source=image.url, **({"mime-type": image.type} if image.type else {}))
    for name, pixels in (("width", image.width), ("height", image.height)):
        if pixels is not None:
            reference.set(name, str(pixels))
    if image.caption:
        _add(media, "media-caption", image.caption)
    if image.credit:
        _add(media, "media-producer", image.credit)


def _flow(parent: etree._Element, element: html.HtmlElement) -> None:
    """Append what HTML's `element` holds to `parent`, which takes blocks: text between blocks becomes paragraphs.

    Elements that NITF does not have leave their text.
    """
    line: etree._Element | None = None
    for part in _parts(element):
        if not isinstance(part, str) and (part.tag in _BLOCKS or has_blocks(part)):
            line = None
            _block(parent, part)
            continue
        if line is None:
            if isinstance(part, str) and not part.strip():
                continue
            line = _add(parent, "p")
        _inline(line, part)


def _block(parent: etree._Element, element: html.HtmlElement) -> None:
    match element.tag:
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            _inlines(_add(parent, "hl2"), element)
        case "p" if not any(child.tag in _BLOCKS for child in element.iterdescendants()):
            _inlines(_add(parent, "p"), element)
        case "pre":
            _add(parent, "pre", _preformatted(element))
        case "hr":
            _add(parent, "hr")
        case "blockquote":
            _flow(_add(_add(parent, "bq"), "block"), element)
        case "ul" | "ol" if items := element.findall("li"):
            items_parent = _add(parent, str(element.tag))
            for item in items:
                _flow(_add(items_parent, "li"), item)
        case "table" if rows := [
            # Not the rows of a table within this one.
            row
            for row in element.xpath("tr | thead/tr | tbody/tr | tfoot/tr")
            if row.find("td") is not None or row.find("th") is not None
        ]:
            _table(parent, element, rows)
        case "img":
            _picture(parent, element)
        case _:
            _flow(parent, element)


def _preformatted(element: html.HtmlElement) -> str:
    for line_end in element.iter("br"):
        line_end.tail = f"\n{line_end.tail or ''}"
    return "".join(element.itertext())


def _table(parent: etree._Element, element: html.HtmlElement, rows: list[html.HtmlElement]) -> None:
    table = _add(parent, "table")
    caption = element.find("caption")
    if caption is not None and (caption_text := one_line(caption)):
        _add(table, "caption", caption_text)
    for row in rows:
        line = _add(table, "tr")
        for cell in row.iterchildren("td", "th"):
            _flow(_add(line, str(cell.tag)), cell)


def _picture(parent: etree._Element, element: html.HtmlElement) -> None:
    source = element.get("src")
    if not source:
        return
    media = _add(parent, "media", **{"media-type": "image"})
    _add(media, "media-reference", source=source, **{"alternate-text": element.get("alt") or ""})


def _inlines(parent: etree._Element, element: html.HtmlElement) -> None:
    for part in _parts(element):
        _inline(parent, part)


def _inline(parent: etree._Element, part: html.HtmlElement | str) -> None:
    if isinstance(part, str):
        _text(parent, part)
    elif part.tag == "br":
        _add(parent, "br")
    elif part.tag == "a" and part.get("href"):
        _inlines(_add(parent, "a", href=part.get("href", "")), part)
    elif part.tag == "q":
        _inlines(_add(parent, "q"), part)
    elif part.tag in _EMPHASIS:
        _inlines(_add(parent, "em"), part)
    else:
        _inlines(parent, part)


def _parts(element: html.HtmlElement) -> list[html.HtmlElement | str]:
    """Return what an element holds, text and elements, in order."""
    parts: list[html.HtmlElement | str] = [element.text] if element.text else []
    for child in element:
        parts.append(child)
        if child.tail:
            parts.append(child.tail)
    return parts


def _text(parent: etree._Element, text: str) -> None:
    # lxml counts the children of an element each time that it is asked how many there are.
    last = next(parent.iterchildren(reversed=True), None)
    if last is None:
        parent.text = (parent.text or "") + text
    else:
        last.tail = (last.tail or "") + text


def _add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, _N + name, attributes)
    child.text = text
    return child


FORMAT = ArticleFormat(name="nitf", media_type="application/nitf+xml", render=render, recognizes=recognizes)
