"""IPTC NewsML-G2 2.35 (https://iptc.org/standards/newsml-g2/): one newsItem, its text as XHTML.

`pubStatus` says usable, withheld or canceled; a correction is the next `version` with `sig:correction` and a note to
editors. `embargoed` stands in every version of an article that has an embargo. A notice has no contentMeta and no
contentSet, so nothing of the text.

The same story in another edition is a link with `irel:seeAlso`, its page, its language as a hint, and its guid if the
newsroom gave its id. The link does not call it a translation: the newsroom does not say which edition came first.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from feeds.article import AI_ASSISTED, SOURCE_TYPES, Alternate, Article
from feeds.direction import direction
from feeds.entry import tag_uri
from feeds.formats.change_statuses import editors_note, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import rfc3339
from feeds.formats.xhtml import xhtml_page
from feeds.machine_rights import MachineRights

NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"
# Resolves the schemes of the codes used here: ninat, stat, sig, irel (NewsML-G2 Guidelines, "Catalogs").
CATALOG = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_32.xml"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_N = f"{{{NAMESPACE}}}"
# The stubs know no default namespace.
_NSMAP: Any = {None: NAMESPACE}


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the newsItem. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    status = pubstatus(change, article)
    usable = status == "usable"
    root = etree.Element(
        f"{_N}newsItem",
        nsmap=_NSMAP,
        guid=tag_uri(provider.authority, "article", article.id),
        version=str(article.version),
        standard="NewsML-G2",
        standardversion="2.35",
        conformance="power",
    )
    root.set(_XML_LANG, article.edition)
    root.set("dir", direction(article.edition))
    _add(root, "catalogRef", href=CATALOG)
    if usable and (article.rights or provider.machines):
        rights = _add(root, "rightsInfo")
        if article.rights:
            _add(rights, "usageTerms", article.rights)
        if provider.machines:
            _data_mining(rights, provider.machines)
    meta = _add(root, "itemMeta")
    _add(meta, "itemClass", qcode="ninat:text")
    _add(_add(meta, "provider", literal=provider.authority), "name", provider.name)
    _add(meta, "versionCreated", rfc3339(article.updated))
    _add(meta, "firstCreated", rfc3339(article.published))
    if usable and article.embargoed:
        _add(meta, "embargoed", rfc3339(article.embargoed))
    _add(meta, "pubStatus", qcode=f"stat:{status}")
    if note := editors_note(change, article):
        _add(meta, "edNote", note)
    if change == "article.corrected":
        _add(meta, "signal", qcode="sig:correction")
    if usable and article.expires:
        _add(meta, "expires", rfc3339(article.expires))
    if usable:
        for alternate in article.alternates:
            _link(meta, alternate, provider)
        _content(root, article)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def recognizes(outline: Outline) -> bool:
    """Whether a document is a newsItem."""
    return outline.root == f"{_N}newsItem"


def _data_mining(rights: etree._Element, machines: MachineRights) -> None:
    """Say what programs may do with it (NewsML-G2 2.34), after a link to the terms."""
    if machines.policy:
        _add(rights, "link", href=machines.policy)
    _add(rights, "dataMining", uri=machines.data_mining)


def _link(meta: etree._Element, alternate: Alternate, provider: Provider) -> None:
    link = _add(meta, "link", rel="irel:seeAlso", href=alternate.url, contenttype="text/html")
    if alternate.id:
        link.set("residref", tag_uri(provider.authority, "article", alternate.id))
    _add(link, "language", tag=alternate.edition)


def _origin(meta: etree._Element, article: Article) -> None:
    """Say when the article was made, and what made it."""
    _add(meta, "contentCreated", rfc3339(article.published))
    _add(meta, "contentModified", rfc3339(article.updated))
    if article.ai_assisted:
        _add(meta, "digitalSourceType", uri=f"{SOURCE_TYPES}{AI_ASSISTED}")


def _content(root: etree._Element, article: Article) -> None:
    meta = _add(root, "contentMeta")
    if article.urgency is not None:
        _add(meta, "urgency", str(article.urgency))
    _origin(meta, article)
    for name, values in (("located", (article.dateline,)), ("infoSource", (article.source,))):
        for value in filter(None, values):
            _add(_add(meta, name, literal=value), "name", value)
    for author in article.authors:
        _add(_add(meta, "creator", literal=author), "name", author)
    if article.url:
        _add(meta, "altId", article.url)
    _add(meta, "language", tag=article.edition)
    for subject in dict.fromkeys(filter(None, (article.section, *article.subjects))):
        _add(_add(meta, "subject", literal=subject), "name", subject)
    _add(meta, "headline", article.headline)
    if article.dateline:
        _add(meta, "dateline", article.dateline)
    if article.authors:
        _add(meta, "by", ", ".join(article.authors))
    if article.summary:
        _add(meta, "description", article.summary, role="drol:summary")
    inline = _add(_add(root, "contentSet"), "inlineXML", contenttype="application/xhtml+xml")
    inline.append(xhtml_page(article, article.images))


def _add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, _N + name, attributes)
    child.text = text
    return child


FORMAT = ArticleFormat(
    name="newsmlg2", media_type="application/vnd.iptc.g2.newsitem+xml", render=render, recognizes=recognizes
)
