"""The rules of our native article format, most of them as a pydantic model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.json import moments, read_object, required

_CHANGES = {
    "article.published": ("usable",),
    "article.corrected": ("usable",),
    "article.killed": ("canceled",),
    "article.withdrawn": ("withheld", "canceled"),
}
_NOTICE = {"id", "version", "edition", "url", "published", "updated", "pubstatus"}


def _address(value: str) -> str:
    if not values.url(value):
        raise ValueError("is no absolute, percent-encoded URL")
    return value


def _language(value: str) -> str:
    if not values.language(value):
        raise ValueError("is no language tag")
    return value


_Address = Annotated[str, AfterValidator(_address)]
_Language = Annotated[str, AfterValidator(_language)]
_Text = Annotated[str, Field(min_length=1)]
_PositiveInteger = Annotated[int, Field(ge=1)]


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Image(_StrictModel):
    url: _Address
    type: Annotated[str, Field(pattern=r"^(?:image/.+)?$")]
    width: _PositiveInteger | None
    height: _PositiveInteger | None
    caption: str
    credit: str


class _Alternate(_StrictModel):
    edition: _Language
    url: _Address
    id: _Text | None


class _Usable(_StrictModel):
    """An article that may be used. Its text was cleaned when the article was accepted, and is not parsed again."""

    id: _Text
    version: _PositiveInteger
    edition: _Language
    pubstatus: Literal["usable"]
    headline: _Text
    summary: str
    url: _Address
    body_html: str
    alternates: list[_Alternate]
    section: str
    subjects: list[_Text]
    authors: list[_Text]
    images: list[_Image]
    embargoed: AwareDatetime | None
    expires: AwareDatetime | None
    urgency: Annotated[int, Field(ge=1, le=9)] | None
    dateline: str
    source: str
    rights: str
    ai_assisted: bool = False
    published: AwareDatetime
    updated: AwareDatetime


class _Event(BaseModel):
    """What is around it is judged by itself."""

    article: _Usable


def native(document: bytes) -> Findings:
    """Check one event."""
    event = yield from read_object(document, legible_by="standard")
    if event is None:
        return
    yield from required(event, "native", "id", "type", "time")
    yield from moments(event, "native", "time")
    change, article = str(event.get("type")), event.get("article")
    if change not in _CHANGES or not isinstance(article, dict):
        yield Finding(None, "native.type", f"must have an article and a type, one of {', '.join(_CHANGES)}")
        return
    yield from _article(change, article, document)


def _article(change: str, article: dict[str, Any], document: bytes) -> Findings:
    status = article.get("pubstatus")
    if status not in _CHANGES[change]:
        yield Finding(None, "native.pubstatus", f"pubstatus {status!r} is none that goes with {change}")
    yield from moments(article, "native.article", "published", "updated")
    if status == "usable":
        try:
            _Event.model_validate_json(document, strict=True)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                path = ".".join(map(str, problem["loc"][1:]))
                yield Finding(None, "native.article", f"{path}: {problem['msg']}")
    else:
        for name in article.keys() - _NOTICE:
            yield Finding(None, "native.notice", f"a notice must not have {name}")
        yield from required(article, "native.article", "id")
