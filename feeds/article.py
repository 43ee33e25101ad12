"""An article as the newsroom sends it (`Submission`) and as it stands after a decision (`Article`).

Both have the same text, which is checked and cleaned once, here. A submission may leave out what the life cycle fills
in: version, published, updated. Names and values follow IPTC where IPTC has them (pubstatus, urgency, embargoed,
expires).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, from_json

from feeds import text
from feeds.article_values import (
    URL_MOST,
    Edition,
    Id,
    Line,
    Moment,
    Name,
    Paragraph,
    Pixels,
    Urgency,
    Url,
    Version,
    within,
)
from feeds.safe_html import safe_html
from feeds.standings import PubStatus, Standing, standing

BODY_MOST = 2_000_000
"""The longest body of an article, as HTML, in characters."""
ALTERNATES_MOST = 50
"""Most other editions that one article may name."""

PICTURE_TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "heic": "image/heic",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "jpe": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}
"""Media types of pictures, by the ending of the file's name."""

AI_ASSISTED = "compositeWithTrainedAlgorithmicMedia"
"""The code of what people have made with the help of a trained model (IPTC NewsCodes, Digital Source Type)."""
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""The vocabulary of IPTC that has it."""

# Built when one is first checked.
_STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Image(BaseModel):
    """A picture of an article. Width and height are in pixels; `credit` is the name that must be shown beside it.

    Without a `type` it has the media type of its name's ending, or none.
    """

    model_config = _STRICT

    url: Url
    type: str = Field(default="", pattern=r"^(?:image/[a-z0-9.+-]{1,60})?$", validate_default=True)
    width: Pixels | None = None
    height: Pixels | None = None
    caption: Paragraph = ""
    credit: Line = ""

    @field_validator("type")
    @classmethod
    def _type(cls, value: str, info: ValidationInfo) -> str:
        # From the name alone, without a guess: receivers believe a type, right or wrong.
        path = urlsplit(info.data.get("url", "")).path
        return value or PICTURE_TYPES.get(path.rpartition(".")[2].lower(), "")


class Alternate(BaseModel):
    """The same story in another edition: its page there and, if the newsroom sends us that article too, its `id`."""

    model_config = _STRICT

    edition: Edition
    url: Url
    id: Id | None = None


class _Text(BaseModel):
    """The contents of an article: the fields that both a submission and an article have."""

    model_config = _STRICT

    id: Id
    edition: Edition = "en"
    # Before `headline` and `url`: it decides whether these are required.
    pubstatus: PubStatus = "usable"
    headline: Line = Field(default="", validate_default=True)
    summary: Paragraph = ""
    url: str = Field(default="", validate_default=True)
    body_html: str = ""
    # After `edition` and `url`, with which it is compared.
    alternates: tuple[Alternate, ...] = Field(default=(), max_length=ALTERNATES_MOST)
    section: Line = ""
    subjects: tuple[Name, ...] = Field(default=(), max_length=100)
    authors: tuple[Name, ...] = Field(default=(), max_length=100)
    images: tuple[Image, ...] = Field(default=(), max_length=100)
    embargoed: Moment | None = None
    expires: Moment | None = None
    urgency: Urgency | None = None
    dateline: Line = ""
    source: Line = ""
    rights: Paragraph = ""
    # Strict, because "no" is a mistake and not true.
    ai_assisted: bool = Field(default=False, strict=True)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            return within(text.absolute_url(value), URL_MOST) if value else value
        except ValueError as error:
            raise PydanticCustomError("text", "{problem}", {"problem": str(error)}) from None

    @field_validator("headline", "url")
    @classmethod
    def _required(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("pubstatus") != "canceled":
            raise PydanticCustomError("text", "is missing")
        return value

    @field_validator("body_html")
    @classmethod
    def _body(cls, value: str, info: ValidationInfo) -> str:
        # Relative addresses in the body are relative to the article's page; `url` was checked before.
        return within(safe_html(value, info.data.get("url") or ""), BODY_MOST)

    @field_validator("alternates")
    @classmethod
    def _alternates(cls, value: tuple[Alternate, ...], info: ValidationInfo) -> tuple[Alternate, ...]:
        """One page for each other edition. The article's own page, which lists on web pages include, is taken out."""
        own, url = info.data.get("edition", "").lower(), info.data.get("url")
        by_edition: dict[str, Alternate] = {}
        for alternate in value:
            edition = alternate.edition.lower()  # upper or lower case makes no difference (RFC 5646, section 2.1.1)
            if edition == own:
                if url and alternate.url != url:
                    raise _alternate_error("has another page of the article's own edition, {edition}", alternate)
            elif edition in by_edition:
                raise _alternate_error("has two pages of the edition {edition}", alternate)
            else:
                by_edition[edition] = alternate
        return tuple(by_edition.values())


def _alternate_error(problem: LiteralString, alternate: Alternate) -> PydanticCustomError:
    return PydanticCustomError("alternates", problem, {"edition": alternate.edition})


class Submission(_Text):
    """An article as an event brings it. Without a `version` the life cycle takes the next number."""

    version: Version | None = None
    published: Moment | None = None
    updated: Moment | None = None
    evolved_from: Id | None = None
    """The article that this is an update of, and that it replaces (IPTC ninjs, `evolvedFrom`)."""


ORDERING = ("revised", "arrived", "sent_as", "sent_version", "merged_into")
"""The fields of an article by which revisions are ordered, and which are never shown."""


class Article(_Text):
    """An article as it stands: one revision, complete.

    `version` rises with every accepted change. `published` is the time of the first publication, `updated` that of the
    last change of the text, both as readers see them. A canceled article keeps its identity and none of its text.

    Revisions to which the sender gave no version are ordered by `revised`: the sender's time of writing or, failing
    that, the time of the event. Revisions of the same moment are ordered by `arrived`, when the event was accepted.
    Neither is ever shown. None: not known.

    `sent_as` and `sent_version`: the id and version under which this revision was sent, if it came as an update with an
    id of its own. `merged_into`: this article turned out to be an update of that one, which replaces it from then on.
    """

    version: int = Field(ge=1)
    published: Moment
    updated: Moment
    revised: Moment | None = None
    arrived: Moment | None = None
    sent_as: str | None = None
    sent_version: int | None = None
    merged_into: str | None = None

    @classmethod
    def stored(cls, text: str) -> Article:
        """Return the article from its `model_dump_json`. It was checked before it was stored and is not checked again.

        Missing fields have their defaults. Raises ValueError for any other text.
        """
        fields = from_json(text)
        for name in ("published", "updated", "embargoed", "expires", "revised", "arrived"):
            if fields.get(name) is not None:
                fields[name] = datetime.fromisoformat(fields[name])
        for name in ("subjects", "authors"):
            fields[name] = tuple(fields.get(name, ()))
        fields["images"] = tuple(Image.model_construct(**image) for image in fields.get("images", ()))
        alternates = fields.get("alternates", ())
        fields["alternates"] = tuple(Alternate.model_construct(**alternate) for alternate in alternates)
        return cls.model_construct(**fields)

    def visible(self, now: datetime) -> bool:
        """Whether the article may be seen by readers at `now`: usable, not embargoed, not expired."""
        # A feed document asks it of each of its articles.
        return (
            self.pubstatus == "usable"
            and (self.expires is None or self.expires > now)
            and (self.embargoed is None or self.embargoed <= now)
        )

    def standing(self, now: datetime) -> Standing:
        """Return what the article is to readers at `now`."""
        return standing(self.pubstatus, self.embargoed, self.expires, now)

    def waits(self, now: datetime) -> bool:
        """Whether only the embargo keeps readers from seeing the article at `now`."""
        usable = self.pubstatus == "usable" and (self.expires is None or self.expires > now)
        return usable and not self.visible(now)

    def due(self, now: datetime) -> datetime | None:
        """Return the next moment after `now` at which `visible` changes by itself, or None."""
        if self.pubstatus != "usable":
            return None
        return min((moment for moment in (self.embargoed, self.expires) if moment and moment > now), default=None)

    def notice(self) -> dict[str, Any]:
        """Return what may still be sent of a killed or withdrawn article: its identity, and none of its text."""
        return self.model_dump(
            mode="json", include={"id", "version", "edition", "url", "published", "updated", "pubstatus"}
        )
