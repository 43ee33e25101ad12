"""The names under which articles lie as files, at a partner's server or in a bucket: a template of the endpoint's.

    {date}/{id}-v{version}.{ext}  ->  2026-03-01/hh-2026-0301-v2.json

    {id}       of the article          {date}     of its first publication (UTC)
    {version}  of the article          {edition}  its language edition
    {digest}   of its id               {ext}      of the format: json, xml, html, txt

All of them outlive a kill, so the notice of a kill goes by the name that the article had.
Whatever an article brings into a name is made of letters, digits and `._-`, so it can't leave its folder, nor be taken
for an option, a hidden file or a pattern. A value that had anything else ends with a digest of it: two articles never
share a name. The same goes for what Windows has no files for: `con`, `lpt1.x`, and what ends with a dot. Where upper
and lower case make no difference, {digest} tells apart the ids that differ in that alone.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.article import Article

FIELDS = ("id", "version", "date", "edition", "digest", "ext")
"""What a template may name."""
TEMPLATE_MOST = 200
"""The longest template, in characters."""
_VALUE_MOST = 80
"""The longest part of a name that an article brings, in characters: with all of them a name stays below 255."""

_LONGEST = {"id": _VALUE_MOST, "edition": _VALUE_MOST, "version": 10, "date": 10, "digest": 12, "ext": 4}
_PART_MOST = 200
"""The longest part of a path, in characters: file systems take 255, of which a temporary name needs some."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_DIGEST = re.compile(r"-[0-9a-f]{12}\Z")
_SAFE = re.compile(r"[A-Za-z0-9._/-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_OF_WINDOWS = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?|.*\.", re.IGNORECASE)
"""Names of devices, with whatever ending, and what Windows takes a dot from."""


def check_template(template: str) -> str:
    """Return the template. Raises ValueError if a name made of it would not be safe, or not that of one article."""
    for name in _FIELD.findall(template):
        if name not in FIELDS:
            raise ValueError(f"has {{{name}}}; known: {', '.join(f'{{{field}}}' for field in FIELDS)}")
    text = _FIELD.sub("x", template)
    if not _SAFE.fullmatch(text):
        raise ValueError("may have letters, digits and . _ - / beside its fields")
    if len(template) > TEMPLATE_MOST:
        raise ValueError(f"must have at most {TEMPLATE_MOST} characters")
    folders = text.split("/")
    if any(folder.startswith((".", "-")) or not folder for folder in folders):
        raise ValueError("must be a path without / at its ends, and no part of it may be empty or begin with . or -")
    if "{id}" not in template:
        raise ValueError("must have {id}: each article has a name of its own")
    for part in template.split("/"):
        _check_part(part)
    return template


def check_document_name(name: str) -> str:
    """Return the name of the one file that a whole feed lies under. Raises ValueError if it would not be safe."""
    if not _SAFE.fullmatch(name):
        raise ValueError("may have letters, digits and . _ - / and no fields: a feed has one name")
    if any(part.startswith((".", "-")) or not 0 < len(part) <= _PART_MOST for part in name.split("/")):
        raise ValueError(
            f"must be a path without / at its ends, of parts that have up to {_PART_MOST} characters and do not begin "
            "with . or -"
        )
    if len(name) > TEMPLATE_MOST:
        raise ValueError(f"must have at most {TEMPLATE_MOST} characters")
    return name


def _check_part(part: str) -> None:
    """See that the fields of a part of a path can be read back from it, and that it is not too long."""
    pieces = _FIELD.split(part)
    literals, names = pieces[::2], pieces[1::2]
    between = literals[1:-1]
    beside_version = "".join(
        literals[place][-1:] + literals[place + 1][:1] for place, name in enumerate(names) if name == "version"
    )
    if not all(between) or any(map(str.isdigit, beside_version)) or {"id", "edition"} <= {*names}:
        raise ValueError(
            "must have something between two fields, no digit beside {version}, and {id} and {edition} apart by a /: "
            "else two articles could have one name"
        )
    if sum(map(len, literals)) + sum(_LONGEST[name] for name in names) > _PART_MOST:
        raise ValueError(f"must not make names longer than {_PART_MOST} characters between two /")


def file_name(template: str, article: Article, ext: str) -> str:
    """Return the name of an article's file, with `/` between folders."""
    values = _values(article, ext)
    return _FIELD.sub(lambda field: values[field[1]], template)


def names_of_versions(template: str, article: Article, ext: str) -> tuple[str, re.Pattern[str]]:
    """Return what the names of all versions of an article begin with, and the pattern that they match."""
    values = _values(article, ext)
    before = template.partition("{version}")[0]
    prefix = _FIELD.sub(lambda field: values[field[1]], before)
    parts = [
        r"[0-9]+" if part == "version" else re.escape(values[part] if place % 2 else part)
        for place, part in enumerate(_FIELD.split(template))
    ]
    return prefix, re.compile("".join(parts))


def _values(article: Article, ext: str) -> dict[str, str]:
    return {
        "id": safe_value(article.id),
        "version": str(article.version),
        "date": article.published.strftime("%Y-%m-%d"),
        "edition": safe_value(article.edition),
        "digest": _digest(article.id),
        "ext": ext,
    }


def safe_value(value: str) -> str:
    """Return a value as part of a name; the same for the same value, and for no other."""
    safe = _UNSAFE.sub("-", value)
    usable = safe[:1] not in {".", "-"} and len(safe) <= _VALUE_MOST and not _OF_WINDOWS.fullmatch(safe)
    if safe == value and usable and not _DIGEST.search(safe):
        return safe
    return f"{safe[: _VALUE_MOST - 13].strip('.-') or 'x'}-{_digest(value)}"


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()[:12]
