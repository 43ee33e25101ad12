"""IPTC NewsML 1.2 (https://iptc.org/std/NewsML/1.2/): one NewsItem, for agencies and archives that began with it.

`Status` is Usable, Embargoed, Withheld or Canceled; a revision that was made before its embargo ends is Embargoed, and
`StatusWillChange` says when it will be Usable. The public identifier is the URN of RFC 3085: provider, day of the first
publication, id and revision. A correction is the next revision, with an Instruction and a comment for editors. A notice
has no NewsComponent, so nothing of the text.

The text is an XHTML document in the DataContent of a component of its own, and each picture is another one, by its
address. The order of elements is that of the specification's schema.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any
from urllib.parse import quote

from lxml import etree

from feeds.article import AI_ASSISTED, SOURCE_TYPES, Article, Image
from feeds.formats.change_statuses import editors_note, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.timestamps import basic
from feeds.formats.xhtml import xhtml_page

NAMESPACE = "http://iptc.org/std/NewsML/2003-10-10/"
# Resolves the formal names that IPTC has: statuses, media types, urgencies.
CATALOG = "http://www.iptc.org/std/catalog/catalog.IptcMasterCatalog.xml"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_N = f"{{{NAMESPACE}}}"
_NSMAP: Any = {None: NAMESPACE}  # the stubs know no default namespace


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the document. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    root = etree.Element(f"{_N}NewsML", nsmap=_NSMAP, Version="1.2")
    _add(root, "Catalog", Href=CATALOG)
    _add(_add(root, "NewsEnvelope"), "DateAndTime", basic(article.updated))
    item = _add(root, "NewsItem")
    if note := editors_note(change, article):
        _add(item, "Comment", note)
    _identification(item, article, provider)
    _management(item, change, article)
    if pubstatus(change, article) == "usable":
        _story(item, article, provider)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def recognizes(outline: Outline) -> bool:
    """Whether a document is NewsML in the namespace of 1.2."""
    return outline.root == f"{_N}NewsML"


def _identification(item: etree._Element, article: Article, provider: Provider) -> None:
    domain = provider.authority.partition(",")[0].rpartition("@")[2].lower()  # RFC 4151 allows an e-mail address
    # A URN has a colon between its parts, and no letter beyond ASCII.
    parts = (domain, f"{article.published.astimezone(UTC):%Y%m%d}", quote(article.id, safe="").replace("~", "%7E"))
    identifier = _add(_add(item, "Identification"), "NewsIdentifier")
    for name, value in zip(("ProviderId", "DateId", "NewsItemId"), parts, strict=True):
        _add(identifier, name, value)
    previous = str(article.version - 1)
    _add(identifier, "RevisionId", str(article.version), PreviousRevision=previous, Update="N")
    _add(identifier, "PublicIdentifier", ":".join(("urn:newsml", *parts, str(article.version))))


def _management(item: etree._Element, change: str, article: Article) -> None:
    status = pubstatus(change, article)
    usable = status == "usable"
    coming = []
    if usable and article.embargoed and article.embargoed > article.updated:
        status_name = "Embargoed"
        coming.append(("Usable", article.embargoed))
    else:
        status_name = status.capitalize()
    if usable and article.expires:
        coming.append(("Withheld", article.expires))
    management = _add(item, "NewsManagement")
    _named(management, "NewsItemType", "News")
    _add(management, "FirstCreated", basic(article.published))
    _add(management, "ThisRevisionCreated", basic(article.updated))
    _named(management, "Status", status_name)
    for future, moment in coming:
        change_to_come = _add(management, "StatusWillChange")
        _named(change_to_come, "FutureStatus", future)
        _add(change_to_come, "DateAndTime", basic(moment))
    if usable and article.urgency is not None:
        _named(management, "Urgency", str(article.urgency))
    if change == "article.corrected":
        _named(management, "Instruction", "Correction")


def _story(item: etree._Element, article: Article, provider: Provider) -> None:
    story = _add(item, "NewsComponent")
    story.set(_XML_LANG, article.edition)
    _named(story, "Role", "Main")
    _lines(story, article)
    administration = _add(story, "AdministrativeMetadata")
    _named(_add(administration, "Provider"), "Party", provider.name)
    # One creator at most, by the schema.
    first, further = article.authors[:1], article.authors[1:]
    for name, parties in (("Creator", first), ("Source", (article.source,)), ("Contributor", further)):
        for party in filter(None, parties):
            _named(_add(administration, name), "Party", party)
    _rights(story, article, provider)
    _description(story, article)
    pages = _add(story, "Metadata")
    _named(pages, "MetadataType", "Pages")
    for edition, url in ((article.edition, article.url), *((other.edition, other.url) for other in article.alternates)):
        _property(pages, edition, url)
    if article.summary and article.body_html:
        content = _component(story, "Summary")
        _named(content, "MediaType", "Text")
        _named(content, "MimeType", "text/plain")
        _add(content, "DataContent", article.summary)
    content = _component(story, "Text")
    _named(content, "MediaType", "Text")
    _named(content, "MimeType", "application/xhtml+xml")
    _add(content, "DataContent").append(xhtml_page(article))
    for image in article.images:
        _picture(story, image)


def _lines(story: etree._Element, article: Article) -> None:
    lines = _add(story, "NewsLines")
    _add(lines, "HeadLine", article.headline)
    if article.authors:
        _add(lines, "ByLine", ", ".join(article.authors))
    named = (("DateLine", article.dateline), ("CreditLine", article.source), ("RightsLine", article.rights))
    for name, value in (*named, *(("KeywordLine", subject) for subject in article.subjects)):
        if value:
            _add(lines, name, value)


def _rights(story: etree._Element, article: Article, provider: Provider) -> None:
    """Say from when to when it may be used, and what programs may do with it (PLUS, Data Mining)."""
    if not (article.embargoed or article.expires or provider.machines):
        return
    rights = _add(story, "RightsMetadata")
    if article.embargoed or article.expires:
        usage = _add(rights, "UsageRights")
        for name, moment in (("StartDate", article.embargoed), ("EndDate", article.expires)):
            if moment:
                _add(usage, name, basic(moment))
    if provider.machines:
        _property(rights, "DataMining", provider.machines.data_mining)


def _description(story: etree._Element, article: Article) -> None:
    description = _add(story, "DescriptiveMetadata")
    _named(description, "Language", article.edition)
    if article.section:
        _property(description, "Section", article.section)
    for subject in article.subjects:
        _property(description, "Subject", subject)
    if article.ai_assisted:
        _property(description, "DigitalSourceType", f"{SOURCE_TYPES}{AI_ASSISTED}")


def _picture(story: etree._Element, image: Image) -> None:
    component = _add(story, "NewsComponent")
    _named(component, "Role", "Picture")
    if image.caption or image.credit:
        lines = _add(component, "NewsLines")
        if image.credit:
            _add(lines, "CreditLine", image.credit)
        if image.caption:
            line = _add(lines, "NewsLine")
            _named(line, "NewsLineType", "Caption")
            _add(line, "NewsLineText", image.caption)
    content = _add(component, "ContentItem", Href=image.url)
    _named(content, "MediaType", "Photo")
    if image.type:
        _named(content, "MimeType", image.type)
    if image.width or image.height:
        characteristics = _add(content, "Characteristics")
        for name, pixels in (("Width", image.width), ("Height", image.height)):
            if pixels:
                _property(characteristics, name, str(pixels))


def _component(story: etree._Element, role: str) -> etree._Element:
    """Append a component with a role, and return its ContentItem."""
    component = _add(story, "NewsComponent")
    _named(component, "Role", role)
    return _add(component, "ContentItem")


def _named(parent: etree._Element, element: str, name: str) -> None:
    _add(parent, element, FormalName=name)


def _property(parent: etree._Element, name: str, value: str) -> None:
    _add(parent, "Property", FormalName=name, Value=value)


def _add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, _N + name, attributes)
    child.text = text
    return child


FORMAT = ArticleFormat(
    name="newsml12", media_type="text/vnd.iptc.newsml; charset=utf-8", render=render, recognizes=recognizes
)
