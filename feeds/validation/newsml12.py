"""The rules of NewsML 1.2: what must be there, in which order, identifiers that agree, what a status asks for."""

from __future__ import annotations

from feeds.formats import newsml12 as format_newsml12
from feeds.validation import values
from feeds.validation.finding import Findings
from feeds.validation.xml import Element, address, at, chronological, local_name, read_root, text

_N = f"{{{format_newsml12.NAMESPACE}}}"
# The children of each element in the order of the schema (NewsML_1.2.xsd); "!" marks those that must be there.
_CHILDREN = {
    "NewsML": "Catalog TopicSet NewsEnvelope! NewsItem!",
    "NewsEnvelope": "TransmissionId SentFrom SentTo DateAndTime! NewsService NewsProduct Priority",
    "NewsItem": "Comment Catalog Identification! NewsManagement! NewsComponent Update TopicSet",
    "Identification": "NewsIdentifier! NameLabel DateLabel Label",
    "NewsIdentifier": "ProviderId! DateId! NewsItemId! RevisionId! PublicIdentifier!",
    "NewsManagement": (
        "NewsItemType! FirstCreated! ThisRevisionCreated! Status! StatusWillChange Urgency RevisionHistory DerivedFrom "
        "AssociatedWith Instruction Property"
    ),
    "StatusWillChange": "FutureStatus! DateAndTime!",
    "NewsComponent": (
        "Comment Catalog TopicSet Role BasisForChoice NewsLines AdministrativeMetadata RightsMetadata "
        "DescriptiveMetadata Metadata NewsItem NewsItemRef NewsComponent ContentItem"
    ),
    "NewsLine": "NewsLineType! NewsLineText!",
    "AdministrativeMetadata": "Catalog FileName SystemIdentifier Provider Creator Source Contributor Property",
    "RightsMetadata": "Catalog Copyright UsageRights Property",
    "UsageRights": "UsageType Geography RightsHolder Limitations StartDate EndDate",
    "DescriptiveMetadata": (
        "Catalog Language Genre SubjectCode OfInterestTo DateLineDate Location TopicOccurrence Property"
    ),
    "Metadata": "Catalog MetadataType! Property!",
    "ContentItem": "Comment Catalog MediaType Format MimeType Notation Characteristics Encoding DataContent",
}
_FORMAL_NAMES = (
    *("NewsItemType", "Status", "FutureStatus", "Urgency", "Instruction", "Role", "Party", "Language"),
    *("MediaType", "Format", "MimeType", "NewsLineType", "MetadataType", "Property"),
)
STATUSES = {"Usable", "Embargoed", "Withheld", "Canceled"}


def newsml12(document: bytes) -> Findings:
    """Check one document."""
    root = yield from read_root(document, "newsml12", "must be NewsML in the namespace of 1.2", f"{_N}NewsML")
    if root is None:
        return
    yield from _structure(root)
    for item in root.iterfind(f"{_N}NewsItem"):
        yield from _identifier(item)
        yield from _dates(item)
        yield from _status(item)
        for content in item.iter(f"{_N}ContentItem"):
            if content.get("Href") is not None:
                yield from address(content, content.get("Href"), "newsml12.Href")


def _structure(root: Element) -> Findings:
    for element in root.iter(f"{_N}*"):
        name = local_name(element)
        if name in _FORMAL_NAMES and not element.get("FormalName"):
            yield at(element, "newsml12.FormalName", f"{name} must have a FormalName")
        if name not in _CHILDREN:
            continue
        order = _CHILDREN[name].replace("!", "").split()
        children = [local_name(child) for child in element.iterchildren(f"{_N}*")]
        for required in (word[:-1] for word in _CHILDREN[name].split() if word.endswith("!")):
            if required not in children:
                yield at(element, f"newsml12.{required}", f"{name} must have {required}")
        for unknown in sorted(set(children) - set(order)):
            yield at(element, "newsml12.unknown", f"{name} has no {unknown}")
        places = [order.index(child) for child in children if child in order]
        if places != sorted(places):
            yield at(element, "newsml12.order", f"the children of {name} must stand in the order of the schema")


def _identifier(item: Element) -> Findings:
    """The public identifier is made of the other parts (RFC 3085)."""
    identifier = item.find(f"{_N}Identification/{_N}NewsIdentifier")
    if identifier is None:
        return
    names = ("ProviderId", "DateId", "NewsItemId", "RevisionId")
    provider, date, item_id, revision = (text(identifier, f"{_N}{name}") for name in names)
    element = identifier.find(f"{_N}RevisionId")
    if element is not None:
        if not values.positive_integer(revision):
            yield at(element, "newsml12.RevisionId", "RevisionId must be a whole number from 1")
        elif not (element.get("PreviousRevision") or "").isascii() or not (
            (element.get("PreviousRevision") or "").isdigit()
            and int(element.get("PreviousRevision") or 0) < int(revision)
        ):
            yield at(element, "newsml12.PreviousRevision", "PreviousRevision must be a lower number, or 0")
        if element.get("Update") not in {"N", "U", "A"}:
            yield at(element, "newsml12.Update", "Update must be N, U or A")
        elif element.get("Update") != "N":
            revision += element.get("Update") or ""
    if not values.iso8601_basic(f"{date[:8]}T000000Z") or len(date) not in {8, 15, 16, 20}:
        yield at(identifier, "newsml12.DateId", f"DateId {date!r} is no date of the form 20260304")
    expected = f"urn:newsml:{provider}:{date}:{item_id}:{revision}"
    if text(identifier, f"{_N}PublicIdentifier") != expected:
        yield at(identifier, "newsml12.PublicIdentifier", f"PublicIdentifier must be {expected}")


def _dates(item: Element) -> Findings:
    for name in ("FirstCreated", "ThisRevisionCreated", "DateAndTime", "StartDate", "EndDate"):
        for element in item.iter(f"{_N}{name}"):
            if not values.iso8601_basic(element.text or ""):
                yield at(
                    element, f"newsml12.{name}", f"{name} {element.text or ''!r} is no time such as 20260304T110000Z"
                )
    management = item.find(f"{_N}NewsManagement")
    if management is not None:
        first, last = (
            values.iso8601_basic(text(management, f"{_N}{name}")) for name in ("FirstCreated", "ThisRevisionCreated")
        )
        yield from chronological(management, "newsml12.dates", first, last)


def _status(item: Element) -> Findings:
    management = item.find(f"{_N}NewsManagement")
    status_element = None if management is None else management.find(f"{_N}Status")
    if management is None or status_element is None:
        return
    status, component = status_element.get("FormalName"), item.find(f"{_N}NewsComponent")
    if status not in STATUSES:
        yield at(status_element, "newsml12.Status", f"Status {status!r} must be one of {', '.join(sorted(STATUSES))}")
    elif status in {"Withheld", "Canceled"}:
        if component is not None:
            yield at(component, "newsml12.notice", "a notice must not have a NewsComponent")
    elif component is None or not text(component, f"{_N}NewsLines/{_N}HeadLine"):
        yield at(item, "newsml12.HeadLine", "what is usable must have a NewsComponent with a HeadLine")
    elif component.find(f".//{_N}DataContent") is None:
        yield at(component, "newsml12.DataContent", "what is usable must have its text in a DataContent")
    if status == "Embargoed":
        futures = management.iterfind(f"{_N}StatusWillChange/{_N}FutureStatus")
        if "Usable" not in {future.get("FormalName") for future in futures}:
            yield at(status_element, "newsml12.StatusWillChange", "what is embargoed must say when it will be usable")
