"""A format of its own as a newsroom writes it, in the settings or over the API; every mistake is named by its key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from feeds import format_names

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(?:; ?[a-z]+=[A-Za-z0-9_-]+)?")
_EXTENSION = re.compile(r"[a-z0-9]{1,10}(?:\.[a-z0-9]{1,10})?")
_HALF = re.compile("[\ud800-\udfff]")
RULES_MOST = 2_000_000
"""The longest schema, in characters."""

Look = str | dict[str, str]
"""How a document looks: a template, or a mapping of the members of a JSON object to JMESPath expressions."""


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("must be lower-case words with - between them")
    if value in format_names.FORMATS:
        raise ValueError(f"{value} is a format of Dateline's: take another name")
    return value


class FormatDefinition(BaseModel):
    """One format."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    name: Annotated[str, Field(max_length=50), AfterValidator(_name)]
    """Its name, as endpoints and addresses of feeds have it."""
    of: Literal["article", "feed"] = "article"
    """What it is a format of: single articles, or feeds."""
    media_type: str = Field(max_length=200)
    """The Content-Type, verbatim. One that ends in xml or html is escaped, one that ends in json is read as JSON."""
    extension: str = Field(default="", validate_default=True)
    """The ending of the names of files. Default: after the media type."""
    embargo: bool = False
    """Whether its documents say that an article is embargoed: then it may be sent early (rights.early)."""
    template: str | None = Field(default=None, repr=False)
    """A Jinja2 template of the document, or of one article of a feed."""
    mapping: dict[str, str] | None = Field(default=None, repr=False, validate_default=True)
    """Instead of a template: members of a JSON object, each with a JMESPath expression."""
    correction: Look | None = Field(default=None, repr=False)
    """How a correction looks. Default: as a first version."""
    withdrawal: Look | None = Field(default=None, repr=False)
    """How a withdrawal looks, after which the article may come back. Default: a short notice."""
    kill: Look | None = Field(default=None, repr=False)
    """How a kill looks. Default: a short notice."""
    envelope: str | None = Field(default=None, repr=False, validate_default=True)
    """What stands around the articles of a feed: a template with {{ entries }}. JSON has a default."""
    separator: str = ""
    """What stands between the articles of a feed. Default: nothing, in JSON a comma."""
    rules: str = Field(default="", max_length=RULES_MOST, repr=False)
    """An XML Schema, RELAX NG or JSON Schema by which the quality gate judges the documents."""

    @property
    def kind(self) -> str:
        """How its documents are written: "json", "xml", "html" or "text"."""
        return kind_of(self.media_type)

    @property
    def digest(self) -> str:
        """What is another one when anything about the definition is."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @field_validator("media_type")
    @classmethod
    def _media_type(cls, value: str) -> str:
        if not _MEDIA_TYPE.fullmatch(value):
            raise ValueError('must be a media type such as "application/xml" or "text/plain; charset=utf-8"')
        return value

    @field_validator("extension")
    @classmethod
    def _extension(cls, value: str, info: ValidationInfo) -> str:
        kind = kind_of(info.data.get("media_type", ""))
        value = value or {"text": "txt"}.get(kind, kind)
        if not _EXTENSION.fullmatch(value):
            raise ValueError('must be the ending of a file such as "xml", without the dot')
        return value

    @field_validator("mapping")
    @classmethod
    def _one_way(cls, value: dict[str, str] | None, info: ValidationInfo) -> dict[str, str] | None:
        if "template" not in info.data:  # refused itself
            return value
        if (value is None) == (info.data["template"] is None):
            raise ValueError("or template: a format has one of the two")
        return value

    @field_validator("withdrawal", "kill", "correction")
    @classmethod
    def _of_articles(cls, value: Look | None, info: ValidationInfo) -> Look | None:
        if value is not None and info.data.get("of") == "feed":
            raise ValueError("is for formats of articles; in a feed envelope shows what was removed")
        return value

    @field_validator("envelope")
    @classmethod
    def _of_feeds(cls, value: str | None, info: ValidationInfo) -> str | None:
        of, media_type = info.data.get("of"), info.data.get("media_type")
        if value is not None and of == "article":
            raise ValueError('is for formats with of = "feed"')
        if value is None and of == "feed" and media_type and kind_of(media_type) != "json":
            raise PydanticCustomError("missing", "is missing")
        return value

    @field_validator("template", "mapping", "correction", "withdrawal", "kill", "envelope", "separator", "rules")
    @classmethod
    def _of_characters(cls, value: Any) -> Any:
        texts = value.items() if isinstance(value, dict) else [("", value or "")]
        if any(_HALF.search(name + text) for name, text in texts):
            raise ValueError("has half of a character (a lone surrogate)")
        return value

    # After those above: what is tried here has one meaning.
    @field_validator("template", "mapping", "correction", "withdrawal", "kill", "envelope", "rules")
    @classmethod
    def _works(cls, value: Any, info: ValidationInfo) -> Any:
        # Few newsrooms need what these bring along.
        from feeds.formats.interface import FormatFault  # noqa: PLC0415
        from feeds.formats.own.trial import try_out  # noqa: PLC0415

        media_type, of = info.data.get("media_type"), info.data.get("of")
        if value and media_type and of:
            try:
                try_out(info.field_name or "", value, of, media_type)
            except FormatFault as fault:
                raise PydanticCustomError("format", "{problem}", {"problem": str(fault)}) from None
        return value


def kind_of(media_type: str) -> str:
    """Return how documents of a media type are written: "json", "xml", "html" or "text"."""
    kind = media_type.partition(";")[0].strip()
    return next((ending for ending in ("json", "xml", "html") if kind.endswith(ending)), "text")


def texts_of(look: Look) -> Mapping[str, str]:
    """Return the templates or expressions in a look, by member."""
    return {"": look} if isinstance(look, str) else look
