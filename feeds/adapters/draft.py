"""An event while an adapter puts it together: what is found is set, what is not is noted, nothing is made up."""

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
from feeds.article import ALTERNATES_MOST, Alternate, Id, Image
from feeds.errors import FieldError, InvalidEvent
from feeds.event import ARTICLE_KILLED, ARTICLE_PUBLISHED, field_errors

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_ID: TypeAdapter[str] = TypeAdapter(Id)
# Languages as pages call them: the two letters of BCP 47, then the three of ISO 639-2, in English, and by themselves.
_WORDS_FOR = {
    text.fold(word): row[0]
    for row in map(
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
    for word in row[1:]
}
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
# What readers look for in an article: an editor wants to know when it is not there.
_LOOKED_FOR = ("headline", "url", "body_html", "published", "section", "authors")


class Draft:
    """An article in the making. `system` and `content` make the event's id, so that a repetition has the same one."""

    def __init__(self, system: str, content: bytes, article_id: str) -> None:
        """Begin. Raises InvalidEvent without an `article_id`: without one nothing could ever be corrected or killed."""
        self._event_id = f"{system}-{hashlib.sha256(content).hexdigest()[:40]}"
        self.article: dict[str, Any] = {"id": article_id}
        self._missing: list[FieldError] = []
        if not article_id:
            raise InvalidEvent([FieldError("article.id", "is missing")], self._event_id)

    def note(self, field: str, problem: str) -> None:
        """Note what is missing in `field` of the article."""
        self._missing.append(FieldError(f"article.{field}".rstrip("."), problem))

    def origin(self, value: Any) -> None:
        """Set the document of which this is an update; one that is no id, or is itself, is noted."""
        name = identity(value)
        if not name:
            return
        try:
            _ID.validate_python(name)
        except ValidationError as error:
            self.note("evolved_from", field_errors(error, skip=0)[0].problem)
            return
        if name == self.article["id"]:
            self.note("evolved_from", "is the document itself")
        else:
            self.article["evolved_from"] = name

    def line(self, field: str, value: Any) -> None:
        """Set a field of plain text, if `value` is any; markup in it is taken for HTML."""
        try:
            if words := plain(value):
                self.article.setdefault(field, words)
        except ValueError as error:
            self.note(field, str(error))

    def lines(self, field: str, values: Iterable[Any]) -> None:
        """Set a field of several plain texts, each once, in their order."""
        found: dict[str, None] = {}
        for value in values:
            try:
                found[plain(value)] = None
            except ValueError as error:
                self.note(field, str(error))
        found.pop("", None)
        if found:
            self.article.setdefault(field, list(found))

    def body(self, value: Any) -> None:
        """Set the text, if `value` is HTML; what of it is for some readers only is left out and noted."""
        if not isinstance(value, str):
            return
        value, parts = for_all(_unwrapped(value))
        if parts:
            self.note("body_html", f"has a part for members ({parts} in all), which is left out")
        if value.strip():
            self.article.setdefault("body_html", value)

    def time(self, field: str, value: Any, defaults: InputDefaults, *others: Any) -> None:
        """Set a time: `value`, or the first of the `others` that can be read. If none can, the first is noted."""
        if field in self.article:
            return
        problem = ""
        for said in _flat((value, *others)):
            if said is None or said == "":
                continue
            try:
                self.article[field] = moment(said, defaults.zone).isoformat()
            except ValueError as error:
                problem = problem or str(error)
            else:
                return
        if problem:
            self.note(field, problem)

    def url(self, value: Any, defaults: InputDefaults, slug: Any = "") -> None:
        """Set the address of the article's page: `value`, or the one that the newsroom gives for its articles."""
        if isinstance(value, str) and value.strip():
            self.article.setdefault("url", value.strip())
        elif defaults.url and ("{slug}" not in defaults.url or (isinstance(slug, str) and slug)):
            # JSON can say half a character, and such an id is refused later; it must not stop us here.
            filled = defaults.url.replace("{id}", quote(self.article["id"], safe="", errors="replace"))
            self.article.setdefault("url", filled.replace("{slug}", quote(str(slug), safe="", errors="replace")))

    def edition(self, value: Any, defaults: InputDefaults, *others: Any) -> None:
        """Set the language: the first that is one, as BCP 47 or as a locale such as `ar_SA`, or the one given."""
        said = [each.strip() for each in _flat((value, *others)) if isinstance(each, str) and each.strip()]
        found = next((tag for each in said if (tag := _tag(each))), "")
        if said and _tag(said[0]) != found:
            taken = f'"{found}" is taken' if found else f'"{defaults.edition}" is taken, as given'
            self.note("edition", f"is {said[0][:40]!r}, which is no language tag; {taken}")
        elif not said:
            self.note("edition", f'is not said; "{defaults.edition}" is taken, as given')
        self.article["edition"] = _edition(found, defaults.editions) if found else defaults.edition

    def image(self, **fields: Any) -> None:
        """Add a picture; one that can't be taken is noted with what is wrong with it, and left out."""
        kept: dict[str, Any] = {}
        for name, value in fields.items():
            if name in {"caption", "credit"}:
                try:
                    value = plain(value)  # noqa: PLW2901 (the same value, cleaned)
                except ValueError as error:
                    self.note(f"images.{name}", str(error))
                    continue
            if value is not None and value != "":
                kept[name] = value
        try:
            Image.model_validate(kept, context={"literal": True})
        except ValueError as error:
            self._refuse_image(error)
            return
        images = self.article.setdefault("images", [])
        if all(image["url"] != kept["url"] for image in images):
            images.append(kept)
            if "credit" not in kept:
                self.note("images.credit", f"is not said for {kept['url'][:200]}")

    def _refuse_image(self, error: ValueError) -> None:
        for wrong in field_errors(error):  # type: ignore[arg-type]
            self.note(f"images.{wrong.field}", f"{wrong.problem}; the picture is left out")

    def alternate(self, language: Any, url: Any, defaults: InputDefaults, article_id: str = "") -> None:
        """Add the story's page in another edition, once `edition` and `url` are set.

        One that can't be taken is noted and left out. Systems that list all editions list the article's own page too.
        """
        if not isinstance(language, str) or not language.strip() or not isinstance(url, str):
            self.note("alternates", "has one whose language or page is not said; it is left out")
            return
        own = self.article.get("url", "")
        try:
            page, edition = text.absolute_url(url, own), _edition(language.strip(), defaults.editions)
            said = {"edition": edition, "url": page} | ({"id": article_id} if article_id else {})
            Alternate.model_validate(said)
        except ValueError as error:
            shown = f"{language[:35]!r}: {url[:100]!r}"
            problems = (
                [str(wrong) for wrong in field_errors(error)] if isinstance(error, ValidationError) else [str(error)]
            )
            self.note("alternates", f"has {shown}, which {', '.join(problems)}; it is left out")
            return
        alternates = self.article.get("alternates", [])
        taken = {each["edition"].lower(): each["url"] for each in alternates} | {self.article["edition"].lower(): ""}
        if page in {_absolute(own), taken.get(edition.lower())}:
            return
        if edition.lower() in taken:
            self.note("alternates", f"has more than one page of the edition {edition}; {page[:200]} is left out")
        elif len(alternates) == ALTERNATES_MOST:
            self.note("alternates", f"has more than {ALTERNATES_MOST} editions; {edition} is left out")
        else:
            self.article["alternates"] = [*alternates, said]

    def published(self) -> Adapted:
        """Return the event that publishes what there is."""
        for field in _LOOKED_FOR:
            if not self.article.get(field) and not any(note.field == f"article.{field}" for note in self._missing):
                self.note(field, "is not said")
        event: dict[str, Any] = {"id": self._event_id, "type": ARTICLE_PUBLISHED, "article": self.article}
        if _looks_marked_up(self.article):
            event["literal"] = True
        # When it happened: the time of the change, as the system tells it. When an article was first published says
        # nothing of when a later text of it was written.
        if "updated" in self.article:
            event["time"] = self.article["updated"]
        return Adapted(event, tuple(self._missing))

    def killed(self) -> Adapted:
        """Return the event that kills the article. It has nothing but what a kill needs, so nothing can be wrong."""
        event: dict[str, Any] = {"id": self._event_id, "type": ARTICLE_KILLED, "article": {"id": self.article["id"]}}
        for name in ("version", "evolved_from"):
            if name in self.article:
                event["article"][name] = self.article[name]
        if "updated" in self.article:
            event["time"] = self.article["updated"]
        return Adapted(event)


def _tag(said: str) -> str:
    """The language tag that is meant: of a list the first, of a word or a code of three letters the shortest one."""
    first = re.split(r"[,;|\s]", said, maxsplit=1)[0]
    known = _WORDS_FOR.get(text.fold(said)) or _WORDS_FOR.get(text.fold(first))
    language, mark, rest = first.replace("_", "-").partition("-")
    if mark and (shortest := _WORDS_FOR.get(language.lower())):
        return f"{shortest}-{rest}"
    return known or (first if _TAG.fullmatch(first) else "")


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """The values, those of lists and of JSON-LD's value objects one by one; so deep and no deeper."""
    for value in values:
        for item in value if isinstance(value, list) and value else [value]:
            yield item.get("@value", item) if isinstance(item, dict) else item


def _unwrapped(markup: str) -> str:
    """The HTML without the CDATA section that some systems send it in."""
    found = _CDATA.fullmatch(markup)
    return found[1] if found else markup


def plain(value: Any) -> str:
    """Return `value` as one line of plain text; markup is taken for HTML. Raises ValueError when none can be made."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("is no text")  # noqa: TRY004 (to the caller it is a value that is no text, like others)
    try:
        return text.plain(value)
    except ValueError:
        said = text.text_of(text.safe_html(value, ""))
    # What was escaped twice is meant once; what then looks like a tag is meant as it stands.
    for _ in range(2):
        said = unescape(said)
    return text.plain(said, literal=True)


def _looks_marked_up(article: dict[str, Any]) -> bool:
    """Whether a line of plain text has what is taken for markup elsewhere."""
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
    """Return a width or height as a whole number, also of "1200" and "1200 px"; None when it is none."""
    if isinstance(value, str):
        digits = value.strip().lower().removesuffix("px").strip()
        value = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 1 <= value <= 100_000 else None


def identity(value: Any) -> str:
    """Return what a system calls an article, as text: systems write numbers and strings."""
    if isinstance(value, bool):
        return ""
    return str(value).strip() if isinstance(value, str | int) else ""


def _absolute(url: str) -> str:
    try:
        return text.absolute_url(url)
    except ValueError:
        return ""


def _edition(said: str, editions: Collection[str]) -> str:
    """The edition that a language belongs to, looked up by ever shorter tags (RFC 4647, section 3.4), or its tag."""
    subtags = said.replace("_", "-").split("-")
    tag = "-".join([subtags[0].lower(), *subtags[1:]])
    known = {edition.lower(): edition for edition in editions}
    shorter = ("-".join(subtags[:length]).lower() for length in range(len(subtags), 0, -1))
    return next((known[each] for each in shorter if each in known), tag)
