"""The rules of NewsML-G2 2.35 and NITF 3.6: what must be there, and what each status of an article asks for."""

from __future__ import annotations

from feeds.formats import newsmlg2 as g2
from feeds.formats import nitf as nitf_format
from feeds.validation import values
from feeds.validation.finding import Findings
from feeds.validation.xml import Element, address, at, chronological, moment, read_root, required, text

_G, _N = f"{{{g2.NAMESPACE}}}", f"{{{nitf_format.NAMESPACE}}}"
_STATUSES = {"stat:usable", "stat:withheld", "stat:canceled"}
# The order of itemMeta's children (schema, ItemManagementGroup), as far as it is checked.
_ITEM_META = (
    *("itemClass", "provider", "versionCreated", "firstCreated", "embargoed", "pubStatus", "role", "fileName"),
    *("generator", "profile", "service", "title", "edNote", "memberOf", "instanceOf", "signal", "altRep"),
    *("deliverableOf", "hash", "expires", "origRep", "incomingFeedId", "metadataCreator", "link"),
)
MANAGEMENT = {"usable", "embargoed", "withheld", "canceled"}


def newsmlg2(document: bytes) -> Findings:
    """Check one newsItem."""
    root = yield from read_root(document, "newsmlg2", "must be a newsItem", f"{_G}newsItem")
    if root is None:
        return
    for attribute in ("guid", "version", "standard", "standardversion", "conformance"):
        if not root.get(attribute):
            yield at(root, f"newsmlg2.{attribute}", f"newsItem must have {attribute}")
    if not values.uri(root.get("guid") or ""):
        yield at(root, "newsmlg2.guid", "guid must be a URI")
    if not values.positive_integer(root.get("version") or ""):
        yield at(root, "newsmlg2.version", "version must be a whole number from 1")
    if root.find(f"{_G}catalogRef") is None and root.find(f"{_G}catalog") is None:
        yield at(root, "newsmlg2.catalog", "newsItem must have catalogRef or catalog")
    meta = root.find(f"{_G}itemMeta")
    if meta is None:
        yield at(root, "newsmlg2.itemMeta", "newsItem must have itemMeta")
        return
    yield from _item_meta(root, meta)
    yield from _links(meta)


def _links(meta: Element) -> Findings:
    """Every link must have an address or an id, and its languages must be language tags."""
    for link in meta.iterfind(f"{_G}link"):
        if link.get("href"):
            yield from address(link, link.get("href"), "newsmlg2.link")
        elif not link.get("residref"):
            yield at(link, "newsmlg2.link", "link must have href or residref")
        for language in link.iterfind(f"{_G}language"):
            if not values.language(language.get("tag") or ""):
                yield at(language, "newsmlg2.link.language", f"tag {language.get('tag') or ''!r} is no language tag")


def _item_meta(root: Element, meta: Element) -> Findings:
    for child in ("itemClass", "provider", "versionCreated", "pubStatus"):
        if meta.find(f"{_G}{child}") is None:
            yield at(meta, f"newsmlg2.{child}", f"itemMeta must have {child}")
    places = [_ITEM_META.index(name) for child in meta if (name := str(child.tag).removeprefix(_G)) in _ITEM_META]
    if places != sorted(places):
        yield at(meta, "newsmlg2.order", "the children of itemMeta must stand in the order of the schema")
    created, embargoed = (moment(meta, f"{_G}{name}", f"newsmlg2.{name}") for name in ("versionCreated", "embargoed"))
    yield from chronological(
        meta, "newsmlg2.dates", moment(meta, f"{_G}firstCreated", "newsmlg2.firstCreated"), created
    )
    yield from chronological(meta, "newsmlg2.dates", embargoed, moment(meta, f"{_G}expires", "newsmlg2.expires"))
    pub_status = meta.find(f"{_G}pubStatus")
    status = "stat:usable" if pub_status is None else pub_status.get("qcode")
    if status not in _STATUSES:
        yield at(meta, "newsmlg2.pubStatus", f"pubStatus {status!r} must be one of {', '.join(sorted(_STATUSES))}")
    elif status == "stat:usable":
        yield from required(root, "newsmlg2", f"{_G}contentMeta/{_G}headline")
        if root.find(f"{_G}contentSet/*") is None:
            yield at(root, "newsmlg2.contentSet", "a usable newsItem must have its content")
    elif root.find(f"{_G}contentMeta") is not None or root.find(f"{_G}contentSet") is not None:
        yield at(root, "newsmlg2.notice", "a notice must not have contentMeta or contentSet")


def nitf(document: bytes) -> Findings:
    """Check one NITF document."""
    reason = "must be nitf with docdata and a body"
    root = yield from read_root(document, "nitf", reason, f"{_N}nitf")
    if root is None:
        return
    body, docdata = root.find(f"{_N}body"), root.find(f"{_N}head/{_N}docdata")
    if body is None or docdata is None:
        yield at(root, "nitf.root", reason)
        return
    identifier = docdata.find(f"{_N}doc-id")
    if identifier is None or not values.uri(identifier.get("id-string") or ""):
        yield at(docdata, "nitf.doc-id", "docdata must have a doc-id with a URI")
    key = docdata.find(f"{_N}du-key")
    if key is None or not values.positive_integer(key.get("version") or ""):
        yield at(docdata, "nitf.du-key", "docdata must have a du-key with the number of the version")
    for element in docdata.iterchildren(f"{_N}date.issue", f"{_N}date.release", f"{_N}date.expire"):
        if not values.iso8601_basic(element.get("norm") or ""):
            yield at(
                element, "nitf.date", f"norm {element.get('norm')!r} is no valid time of the form 20260304T110000Z"
            )
    for element in body.iter(f"{_N}media-reference"):
        yield from address(element, element.get("source"), "nitf.media-reference")
    yield from _status(docdata, body)


def _status(docdata: Element, body: Element) -> Findings:
    status = docdata.get("management-status")
    headline = text(body, f"{_N}body.head/{_N}hedline/{_N}hl1")
    if status not in MANAGEMENT:
        yield at(docdata, "nitf.management-status", f"{status!r} must be one of {', '.join(sorted(MANAGEMENT))}")
    elif status in {"withheld", "canceled"}:
        if "".join(map(str, body.itertext())).strip() or body.find(f".//{_N}media") is not None:
            yield at(body, "nitf.notice", "a notice must have nothing of the text")
    elif not headline:
        yield at(body, "nitf.hl1", "body must have a headline (hl1)")
    if status == "embargoed" and docdata.find(f"{_N}date.release") is None:
        yield at(docdata, "nitf.date.release", "what is embargoed must have date.release")
