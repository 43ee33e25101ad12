"""IPTC 7901, the text format of old wires (IPTC Recommendation 7901, 1979 to 1995; ANPA 1312 is its American relative).

    SOH source number SP priority SP category SP words SP id version language CR LF
    keywords CR LF
    STX text ETX CR LF
    day hours minutes month year CR LF EOT

All of it is in the seven bits of ISO 646: other letters are transliterated (`anyascii`), those of Latin to what stands
for them, others to how they sound, so an Arabic text becomes its consonants. Lines of the text have at most 69
characters, as teleprinters have; a word that is longer is broken. A paragraph begins with three spaces, and the
headline ends with an equals sign.

The number is made of the article's id and version and not counted: a rendering knows nothing of what was sent before.
A correction, a kill, a withdrawal and an embargo say so first, in the keywords and in the text. A kill has the highest
priority.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC
from zlib import crc32

from anyascii import anyascii

from feeds.article import Article
from feeds.formats.body import body_tree
from feeds.formats.change_statuses import advisories, embargo_ahead, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.paragraphs import paragraphs
from feeds.formats.timestamps import in_utc

SOH, STX, ETX, EOT = "\x01", "\x02", "\x03", "\x04"
LINE_MOST = 69
"""The longest line of the text, in characters."""
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ORDINARY = 4
"""The priority of an article without an urgency."""
_LOWEST = 6
_FIRST = {"article.corrected": "CORRECTION", "article.killed": "KILL", "article.withdrawn": "WITHDRAWN"}
_NOT_PRINTED = re.compile(r"[^\x20-\x7e]+")


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the message. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    usable = pubstatus(change, article) == "usable"
    text = [line for part in _text(change, article, usable=usable) for line in part]
    words = sum(len(line.split()) for line in text)
    priority = min(article.urgency or _ORDINARY, _LOWEST) if usable else 1
    category = _code(article.section, 3) or "gen" if usable else "adv"
    number = crc32(f"{article.id} {article.version}".encode()) % 10_000
    # An id is not transliterated: two could become one.
    identity = f"{article.id.encode('ascii', 'backslashreplace').decode()} v{article.version} {article.edition}"
    keywords = [_FIRST.get(change, "")]
    if usable:
        keywords += ["EMBARGOED" if embargo_ahead(article) else "", article.section, *article.subjects]
    sent = article.updated.astimezone(UTC)
    lines = [
        f"{SOH}{_source(provider)}{number:04} {priority} {category} {words} {identity}",
        "/".join(filter(None, map(ascii_line, keywords))) or "NEWS",
        STX + "\r\n".join(text),
        ETX,
        f"{sent:%d%H%M} {MONTHS[sent.month - 1]} {sent:%y}",
        EOT,
    ]
    return "\r\n".join(lines).encode("ascii")


def recognizes(outline: Outline) -> bool:
    """Whether a document begins as a message of a wire."""
    return not outline.root and outline.document.startswith(SOH.encode())


def ascii_line(text: str) -> str:
    """Return a text in the printed characters of ISO 646, on one line."""
    return " ".join(_NOT_PRINTED.sub(" ", anyascii(text)).split())


def _source(provider: Provider) -> str:
    """Return the code of whoever sends: the first letters of the words of the paper's name, two to four."""
    words = re.findall(r"[a-z]+", ascii_line(provider.name).lower()) or ["news"]
    initials = "".join(word[0] for word in words)[:4]
    return initials if len(initials) > 1 else words[0][:3].ljust(2, "x")


def _code(name: str, most: int) -> str:
    return re.sub(r"[^a-z]", "", ascii_line(name).lower())[:most]


def _text(change: str, article: Article, *, usable: bool) -> list[list[str]]:
    """Return the lines of each part of the text."""
    notes = [_wrapped(note) for note in advisories(change, article)]
    if not usable:
        return [*notes, _wrapped(f"Article: {article.id.encode('ascii', 'backslashreplace').decode()}")]
    if article.expires:
        notes.append(_wrapped(f"EXPIRES: not to be used after {in_utc(article.expires)}."))
    if article.embargoed and article.embargoed <= article.updated:
        notes.append(_wrapped(f"The embargo ended: embargoed until {in_utc(article.embargoed)}."))
    if article.ai_assisted:
        notes.append(_wrapped("Made by people with the help of a trained model."))
    byline = [_wrapped(f"By {', '.join(article.authors)}")] if article.authors else []
    source = f"({article.source})" if article.source else ""
    place = " ".join(filter(None, (article.dateline, source)))
    story = paragraphs(body_tree(article))
    if article.summary and article.body_html:
        story.insert(0, article.summary)
    if place:
        story = [f"{place} - {story[0]}", *story[1:]] if story else [place]
    rights = [_indented(article.rights)] if article.rights else []
    return [*notes, _wrapped(f"{article.headline}="), *byline, *map(_indented, story), *rights]


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(ascii_line(line), LINE_MOST, initial_indent=indent, break_on_hyphens=False)


def _indented(paragraph: str) -> list[str]:
    return _wrapped(paragraph, "   ")


FORMAT = ArticleFormat(name="iptc7901", media_type="text/plain; charset=us-ascii", render=render, recognizes=recognizes)
