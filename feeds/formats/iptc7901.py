"""IPTC 7901, the text format of old wires (IPTC Recommendation 7901, 1979 to 1995; ANPA 1312 is its American relative).

    SOH source number SP priority SP category SP words SP id version language CR LF
    keywords CR LF
    STX text ETX CR LF
    day hours minutes month year CR LF EOT

Its characters are those of all wires (wires.py). Lines of the text have at most 69 characters, as teleprinters have; a
word that is longer is broken. A paragraph begins with three spaces, and the headline ends with an equals sign.

A correction, a kill, a withdrawal and an embargo say so first, in the keywords and in the text. A kill has the highest
priority.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC

from feeds.article import Article
from feeds.formats.change_statuses import embargo_ahead, pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.wires import EOT, ETX, SOH, STX, ascii_id, ascii_line, number_of, source_code, wire_text

LINE_MOST = 69
"""The longest line of the text, in characters."""
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ORDINARY = 4
"""The priority of an article without an urgency."""
_LOWEST = 6
_FIRST = {"article.corrected": "CORRECTION", "article.killed": "KILL", "article.withdrawn": "WITHDRAWN"}


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the message. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    usable = pubstatus(change, article) == "usable"
    text = _text(change, article, usable=usable)
    words = sum(len(line.split()) for line in text)
    priority = min(article.urgency or _ORDINARY, _LOWEST) if usable else 1
    category = _code(article.section, 3) or "gen" if usable else "adv"
    identity = f"{ascii_id(article)} v{article.version} {article.edition}"
    keywords = [_FIRST.get(change, "")]
    if usable:
        keywords += ["EMBARGOED" if embargo_ahead(article) else "", article.section, *article.subjects]
    sent = article.updated.astimezone(UTC)
    lines = [
        f"{SOH}{source_code(provider)}{number_of(article):04} {priority} {category} {words} {identity}",
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


def _code(name: str, most: int) -> str:
    return re.sub(r"[^a-z]", "", ascii_line(name).lower())[:most]


def _text(change: str, article: Article, *, usable: bool) -> list[str]:
    """Return the lines of the text."""
    wire = wire_text(change, article, usable=usable)
    headline = f"{wire.headline}=" if usable else ""
    parts = [*map(_wrapped, (*wire.notes, headline, wire.byline)), *map(_indented, wire.story)]
    return [line for part in parts for line in part]


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(ascii_line(line), LINE_MOST, initial_indent=indent, break_on_hyphens=False)


def _indented(paragraph: str) -> list[str]:
    return _wrapped(paragraph, "   ")


FORMAT = ArticleFormat(name="iptc7901", media_type="text/plain; charset=us-ascii", render=render, recognizes=recognizes)
