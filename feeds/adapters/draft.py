"""The event while an adapter puts it together: fields that the input has are set, the others are noted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from feeds import text
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.adapters.members_only import for_all
from feeds.adapters.parse_dates import moment
from feeds.article import ALTERNATES_MOST, Alternate, Image
from feeds.article_values import Id
from feeds.errors import FieldError, InvalidEvent
from feeds.event import ARTICLE_KILLED, ARTICLE_PUBLISHED
from feeds.field_errors import field_errors
from feeds.safe_html import safe_html

BYLINE = re.compile(r"^\s*(?:by|von|par|por|di|بقلم|کتبه)\s*:?\s+(?=\S)", re.IGNORECASE)
"""What stands before the names of authors."""
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_ARTICLE_ID: TypeAdapter[str] = TypeAdapter(Id)
# Names of languages on pages: the tag of BCP 47, then the codes of ISO 639-2, the English and the native name.
_TAG_OF_NAME = {
    text.fold(name): names[0]
    for names in map(
        str.split,
        (
            "en eng english",
            "ar ara arabic العربية عربي عربى",
            "tr tur turkish türkçe",
            "ur urd urdu اردو",
            "fa fas per persian farsi فارسی",
            "he heb hebrew עברית",
            "fr fra fre french français",
            "de deu ger german deutsch",
            "es spa spanish español",
            "pt por portuguese português",
            "it ita italian italiano",
            "nl nld dut dutch nederlands",
            "pl pol polish polski",
            "ru rus russian русский",
            "uk ukr ukrainian українська",
            "el ell gre greek ελληνικά",
            "zh zho chi chinese 中文",
            "ja jpn japanese 日本語",
            "ko kor korean 한국어",
            "hi hin hindi हिन्दी",
            "bn ben bengali বাংলা",
            "id ind indonesian",
            "vi vie vietnamese",
            "th tha thai ไทย",
            "sv swe swedish svenska",
            "da dan danish dansk",
            "no nor norwegian norsk",
            "fi fin finnish suomi",
        ),
    )
    for name in names[1:]
}
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
# Readers expect these fields of an article, so an editor wants to know when one is missing.
_EXPECTED = ("headline", "url", "body_html", "published", "section", "authors")


class Draft:
    """An article in the making. The event's id is made of `system` and `content`, so the same input has the same id."""

    def __init__(self, system: str, content: bytes, article_id: str) -> None:
        """Begin. Raises InvalidEvent if `article_id` is empty: such an article could never be corrected or killed."""
        self._event_id = f"{system}-{hashlib.sha256(content).hexdigest()[:40]}"
        self.article: dict[str, Any] = {"id": article_id}
        self._missing: list[FieldError] = []
        if not article_id:
            raise InvalidEvent([FieldError("article.id", "is missing")], self._event_id)

    def note(self, field: str, problem: str) -> None:
        """Note a problem with `field` of the article; "" is the article as a whole."""
        self._missing.append(FieldError(f"article.{field}".rstrip("."), problem))

    def origin(self, value: Any) -> None:
        """Set the document that this one updates. A value that is not an id, or is the article's own, is noted."""
        origin_id = identity(value)
        if not origin_id:
            return
        try:
            _ARTICLE_ID.validate_python(origin_id)
        except ValidationError as error:
            self.note("evolved_from", field_errors(error, skip=0)[0].problem)
            return
        if origin_id == self.article["id"]:
            self.note("evolved_from", "is the document itself")
        else:
            self.article["evolved_from"] = origin_id

    def line(self, field: str, value: Any) -> None:
        """Set a field of plain text, if `value` has any; markup in it is read as HTML."""
        try:
            if line := plain(value):
                self.article.setdefault(field, line)
        except ValueError as error:
            self.note(field, str(error))

    def lines(self, field: str, values: Iterable[Any]) -> None:
        """Set a field of several plain texts, in their order, without repetitions."""
        lines: dict[str, None] = {}
        for value in values:
            try:
                lines[plain(value)] = None
            except ValueError as error:
                self.note(field, str(error))
        lines.pop("", None)
        if lines:
            self.article.setdefault(field, list(lines))

    def body(self, value: Any) -> None:
        """Set the text, if `value` is HTML. Parts for some readers only are left out and noted."""
        if not isinstance(value, str):
            return
        value, gated_parts = for_all(_unwrapped(value))
        if gated_parts:
            self.note("body_html", f"has a part for members ({gated_parts} in all), which is left out")
        if value.strip():
            self.article.setdefault("body_html", value)

    def time(self, field: str, value: Any, defaults: InputDefaults, *alternatives: Any) -> None:
        """Set a time: the first of `value` and `alternatives` that can be read. If none can, the first is noted."""
        if field in self.article:
            return
        problem = ""
        for candidate in _flat((value, *alternatives)):
            if candidate is None or candidate == "":
                continue
            try:
                self.article[field] = moment(candidate, defaults.zone).isoformat()
            except ValueError as error:
                problem = problem or str(error)
            else:
                return
        if problem:
            self.note(field, problem)

    def url(self, value: Any, defaults: InputDefaults, slug: Any = "") -> None:
        """Set the address of the article's page: `value`, else the newsroom's pattern with id and `slug` filled in."""
        if isinstance(value, str) and value.strip():
            self.article.setdefault("url", value.strip())
        elif defaults.url and ("{slug}" not in defaults.url or (isinstance(slug, str) and slug)):
            # JSON can contain half a character. Such an id is refused later, and must not raise here.
            filled = defaults.url.replace("{id}", quote(self.article["id"], safe="", errors="replace"))
            self.article.setdefault("url", filled.replace("{slug}", quote(str(slug), safe="", errors="replace")))
        elif defaults.url and "url" not in self.article:
            self.note(
                "url", "is missing, and so is the slug that the settings make it of; a pattern with {id} needs none"
            )

    def edition(self, value: Any, defaults: InputDefaults) -> None:
        """Set the language: the first of `value` that is a BCP 47 tag or a locale such as `ar_SA`, else the default."""
        labels = [label.strip() for label in _flat((value,)) if isinstance(label, str) and label.strip()]
        language = next((tag for label in labels if (tag := _tag(label))), "")
        if labels and _tag(labels[0]) != language:
            choice = f'"{language}" is taken' if language else f'"{defaults.edition}" is taken, as given'
            self.note("edition", f"is {labels[0][:40]!r}, which is no language tag; {choice}")
        elif not labels:
            self.note("edition", f'is missing; "{defaults.edition}" is taken, as given')
        self.article["edition"] = _edition_of(language, defaults.editions) if language else defaults.edition

    def image(self, **fields: Any) -> None:
        """Add a picture. One with a wrong field is left out, and the fault is noted."""
        picture: dict[str, Any] = {}
        for name, value in fields.items():
            if name in {"caption", "credit"}:
                try:
                    value = plain(value)  # noqa: PLW2901 (the same value, cleaned)
                except ValueError as error:
                    self.note(f"images.{name}", str(error))
                    continue
            if value is not None and value != "":
                picture[name] = value
        try:
            Image.model_validate(picture, context={"literal": True})
        except ValueError as error:
            self._refuse_image(error)
            return
        images = self.article.setdefault("images", [])
        if all(image["url"] != picture["url"] for image in images):
            images.append(picture)
            if "credit" not in picture:
                self.note("images.credit", f"is missing for {picture['url'][:200]}")

    def _refuse_image(self, error: ValueError) -> None:
        for fault in field_errors(error):  # type: ignore[arg-type]
            self.note(f"images.{fault.field}", f"{fault.problem}; the picture is left out")

    def alternate(self, language: Any, url: Any, defaults: InputDefaults, article_id: str = "") -> None:
        """Add the story's page in another edition. Call `edition` and `url` first.

        A wrong one is noted and left out. The article's own page is ignored: lists of all editions have it too.
        """
        if not isinstance(language, str) or not language.strip() or not isinstance(url, str):
            self.note("alternates", "has one whose language or page is missing; it is left out")
            return
        own = self.article.get("url", "")
        try:
            page, edition = text.absolute_url(url, own), _edition_of(language.strip(), defaults.editions)
            alternate = {"edition": edition, "url": page} | ({"id": article_id} if article_id else {})
            Alternate.model_validate(alternate)
        except ValueError as error:
            shown = f"{language[:35]!r}: {url[:100]!r}"
            problems = (
                [str(fault) for fault in field_errors(error)] if isinstance(error, ValidationError) else [str(error)]
            )
            self.note("alternates", f"has {shown}, which {', '.join(problems)}; it is left out")
            return
        alternates = self.article.get("alternates", [])
        page_of = {each["edition"].lower(): each["url"] for each in alternates} | {self.article["edition"].lower(): ""}
        if page in {_absolute(own), page_of.get(edition.lower())}:
            return
        if edition.lower() in page_of:
            self.note("alternates", f"has more than one page of the edition {edition}; {page[:200]} is left out")
        elif len(alternates) == ALTERNATES_MOST:
            self.note("alternates", f"has more than {ALTERNATES_MOST} editions; {edition} is left out")
        else:
            self.article["alternates"] = [*alternates, alternate]

    def published(self) -> Adapted:
        """Return the event that publishes the article with the fields that are set."""
        for field in _EXPECTED:
            if not self.article.get(field) and not any(note.field == f"article.{field}" for note in self._missing):
                self.note(field, "is missing")
        event: dict[str, Any] = {"id": self._event_id, "type": ARTICLE_PUBLISHED, "article": self.article}
        if _looks_marked_up(self.article):
            event["literal"] = True
        # The event's time is the time of the change in the system. The first publication is not used for it: a later
        # text of the article was written at another time.
        if "updated" in self.article:
            event["time"] = self.article["updated"]
        return Adapted(event, tuple(self._missing))

    def killed(self) -> Adapted:
        """Return the event that kills the article. It has only the fields that a kill needs, so none can be wrong."""
        event: dict[str, Any] = {"id": self._event_id, "type": ARTICLE_KILLED, "article": {"id": self.article["id"]}}
        for name in ("version", "evolved_from"):
            if name in self.article:
                event["article"][name] = self.article[name]
        if "updated" in self.article:
            event["time"] = self.article["updated"]
        return Adapted(event)


def _tag(label: str) -> str:
    """The language tag for a label: the first of a list; for a name or a code of three letters the shortest tag."""
    first = re.split(r"[,;|\s]", label, maxsplit=1)[0]
    tag_of_name = _TAG_OF_NAME.get(text.fold(label)) or _TAG_OF_NAME.get(text.fold(first))
    language, mark, rest = first.replace("_", "-").partition("-")
    if mark and (shortest := _TAG_OF_NAME.get(language.lower())):
        return f"{shortest}-{rest}"
    return tag_of_name or (first if _LANGUAGE_TAG.fullmatch(first) else "")


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """The values one by one, also those in lists and in value objects of JSON-LD; lists within lists stay whole."""
    for value in values:
        for item in value if isinstance(value, list) and value else [value]:
            yield item.get("@value", item) if isinstance(item, dict) else item


def _unwrapped(markup: str) -> str:
    """The HTML without the CDATA section that some systems wrap it in."""
    wrapped = _CDATA.fullmatch(markup)
    return wrapped[1] if wrapped else markup


def plain(value: Any) -> str:
    """Return `value` as one line of plain text; markup is read as HTML. Raises ValueError if it is not text."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("is no text")  # noqa: TRY004 (to the caller it is a value that is no text, like others)
    try:
        return text.plain(value)
    except ValueError:
        line = text.text_of(safe_html(value, ""))
    # Some systems escape twice. What then looks like a tag is literal text.
    for _ in range(2):
        line = unescape(line)
    return text.plain(line, literal=True)


def _looks_marked_up(article: dict[str, Any]) -> bool:
    """Whether a line of plain text has characters that would be read as markup elsewhere."""
    pictures = article.get("images", ())
    lines = [article.get(name, "") for name in ("headline", "summary", "section", "dateline", "source", "rights")]
    lines += [image.get(name, "") for image in pictures for name in ("caption", "credit")]
    for line in (*lines, *article.get("subjects", ()), *article.get("authors", ())):
        try:
            text.plain(line)
        except ValueError:
            return True
    return False


def paragraphs(value: str) -> str:
    """Return plain text as HTML, a paragraph for each line that is not empty."""
    return "".join(f"<p>{escaped(line)}</p>" for line in value.splitlines() if line.strip())


def escaped(line: str) -> str:
    """Return a line of plain text as HTML."""
    return line.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the JSON objects in `value`: in an array, or it alone."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def pixels(value: Any) -> int | None:
    """Return a width or height as a whole number, also from "1200" and "1200 px"; None if it is not a number."""
    if isinstance(value, str):
        digits = value.strip().lower().removesuffix("px").strip()
        value = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= 100_000 else None


def identity(value: Any) -> str:
    """Return a system's id of an article as text: systems write numbers and strings. Empty if it is neither."""
    if isinstance(value, bool):
        return ""
    return str(value).strip() if isinstance(value, str | int) else ""


def _absolute(url: str) -> str:
    try:
        return text.absolute_url(url)
    except ValueError:
        return ""


def _edition_of(language: str, editions: Collection[str]) -> str:
    """The edition of a language, looked up by ever shorter tags (RFC 4647, section 3.4); the language's tag if none."""
    subtags = language.replace("_", "-").split("-")
    tag = "-".join([subtags[0].lower(), *subtags[1:]])
    edition_of = {edition.lower(): edition for edition in editions}
    shorter = ("-".join(subtags[:length]).lower() for length in range(len(subtags), 0, -1))
    return next((edition_of[prefix] for prefix in shorter if prefix in edition_of), tag)
