"""ANPA 1312, the text format of American wires (ANPA Bulletin 1312 of 1979, last amended 1989).

    SYN SYN SOH service-level number US selector CR LF
    priority SP category DC3 DC1 SP keyword SP version SP reference SP month-day SP words CR LF
    STX ^keyword,words< CR LF
    ^note< CR LF   ^headline< CR LF   ^byline= CR LF   TAB paragraph< CR LF ...
    ETX source-source-month-day-year hours minutes GMT< CR LF CR LF CR LF EOT

Its characters are those of all wires (wires.py); those by which lines begin and end stand nowhere else in the text. DC3
DC1 says that it is text and no table. Lines of the text have at most 64 characters; a word that is longer is broken.

The keyword is in capitals, "BC-" (for both cycles of a day) and the first subject, else the section. Priority and
category are single letters, as the Associated Press has used them: kills go as bulletins, corrections are urgent. The
reference is the article's id. A correction, a kill, a withdrawal and an embargo say so before the headline.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC

from feeds.article import Article
from feeds.formats.change_statuses import pubstatus
from feeds.formats.interface import ArticleFormat, Outline, Provider
from feeds.formats.wires import EOT, ETX, SOH, STX, ascii_id, ascii_line, number_of, source_code, wire_text

SYN, US, DC1, DC3 = "\x16", "\x1f", "\x11", "\x13"
LINE_MOST = 64
"""The longest line of the text, in characters, with those by which it begins and ends."""
KEYWORD_MOST = 24
WORDS_MOST = 9_999
PRIORITIES = "fburdaz"
"""Flash, bulletin, urgent, regular, deferred, advance, and that of agencies without priorities."""
CATEGORIES = {
    "business": "f",
    "economy": "f",
    "finance": "f",
    "markets": "f",
    "sport": "s",
    "sports": "s",
    "world": "i",
    "international": "i",
    "foreign": "i",
    "politics": "p",
    "culture": "e",
    "arts": "e",
    "entertainment": "e",
    "life": "l",
    "lifestyle": "l",
    "food": "d",
    "travel": "t",
    "weather": "o",
    "opinion": "k",
    "comment": "k",
    "local": "n",
    "region": "n",
    "city": "n",
}
"""The category of an article in whose section one of these words stands."""
GENERAL, ADVISORY = "a", "v"
_SERVICE_LEVELS = {"f": "f", "s": "s"}
_SPOT_NEWS = "a"
# By which lines begin and end, and what stands for them within.
_PLAIN = str.maketrans("^<>", "'()")
_POWER = re.compile(r"(?<=[\w)])\^(?=[\w(+-])")


def render(change: str, article: Article, message_id: str, provider: Provider) -> bytes:
    """Return the message. Raises ValueError for an unknown change."""
    del message_id  # it travels as the request's webhook-id
    usable = pubstatus(change, article) == "usable"
    category = _category(article.section) if usable else ADVISORY
    keyword = _keyword(*article.subjects[:1], article.section) if usable else "BC-ADVISORY"
    wire = wire_text(change, article, usable=usable)
    parts = [*(_lines("^", note, "<") for note in wire.notes), _lines("^", wire.headline, "<")]
    parts += [_lines("^", wire.byline, "="), *(_lines("\t   ", paragraph, "<") for paragraph in wire.story)]
    # Of a text in characters for which ASCII has nothing, such as a headline of one unassigned one, its id is left.
    text = [line for part in parts for line in part] or _lines("^", ascii_id(article), "<")
    # The line of the keyword is one word more, whatever the number in it is.
    words = min(1 + sum(len(line.split()) for line in text), WORDS_MOST)
    source, sent = source_code(provider), article.updated.astimezone(UTC)
    level = _SERVICE_LEVELS.get(category, _SPOT_NEWS)
    priority = _priority(change, article, usable=usable)
    about = f"{keyword} v{article.version} {ascii_id(article)} {sent.month}-{sent.day} {words}"
    lines = [
        f"{SYN}{SYN}{SOH}{level}{number_of(article):04}{US}{source:-<5}",
        f"{priority} {category}{DC3}{DC1} {about}",
        f"{STX}^{keyword},{words}<",
        *text,
        f"{ETX}{source.upper()}-{source.upper()}-{sent:%m-%d-%y %H%M}GMT<",
        "",
        "",
        EOT,
    ]
    return "\r\n".join(lines).encode("ascii")


def recognizes(outline: Outline) -> bool:
    """Whether a document begins as a message of such a wire."""
    return not outline.root and outline.document.startswith(f"{SYN}{SYN}{SOH}".encode())


def _priority(change: str, article: Article, *, usable: bool) -> str:
    if not usable or article.urgency == 1:
        return "b"
    if change == "article.corrected" or (article.urgency or 4) <= 3:
        return "u"
    return "r" if (article.urgency or 4) <= 5 else "d"


def _category(section: str) -> str:
    words = re.findall(r"[a-z]+", ascii_line(section).lower())
    return next((CATEGORIES[word] for word in words if word in CATEGORIES), GENERAL)


def _keyword(*names: str) -> str:
    """Return the keyword that is made of the first of the names that has any letters."""
    slugs = (re.sub(r"[^A-Z0-9]+", "-", ascii_line(name).upper()).strip("-") for name in names)
    return f"BC-{next(filter(None, slugs), 'NEWS')}"[:KEYWORD_MOST].strip("-")


def _lines(begin: str, text: str, end: str) -> list[str]:
    """Return a text as lines between the characters by which the first one begins and the last one ends."""
    plain, width = _POWER.sub("**", ascii_line(text)).translate(_PLAIN), LINE_MOST - len(end)
    lines = textwrap.wrap(plain, width, initial_indent=begin, break_on_hyphens=False)
    return [*lines[:-1], f"{lines[-1]}{end}"] if lines else []


FORMAT = ArticleFormat(name="anpa1312", media_type="text/plain; charset=us-ascii", render=render, recognizes=recognizes)
