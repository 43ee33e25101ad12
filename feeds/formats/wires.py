"""What the formats of old wires have in common: seven bits, control characters, the source, and the parts of a text.

All of it is in the seven bits of ISO 646: other letters are transliterated (`anyascii`), those of Latin to what stands
for them, others to how they sound, so an Arabic text becomes its consonants.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zlib import crc32

from anyascii import anyascii

from feeds.article import Article
from feeds.formats.body import body_tree
from feeds.formats.change_statuses import advisories
from feeds.formats.interface import Provider
from feeds.formats.paragraphs import paragraphs
from feeds.formats.timestamps import in_utc

SOH, STX, ETX, EOT = "\x01", "\x02", "\x03", "\x04"
_NOT_PRINTED = re.compile(r"[^\x20-\x7e]+")
# What would become more digits of the number before it: 10⁶ is not 106, and 2½ is not 21/2.
_RAISED = re.compile("(?<=[0-9])[\u2070\xb9\xb2\xb3\u2074-\u207b]+")
_LOWERED = re.compile("(?<=[0-9])[\u2080-\u208b]+")
_FRACTION = re.compile("(?<=[0-9])[\xbc-\xbe\u2150-\u215f\u2189]")


class WireText(NamedTuple):
    """The parts of a text, not transliterated yet. `notes` come first; of a notice there is nothing else but its id."""

    notes: list[str]
    headline: str = ""
    byline: str = ""
    story: tuple[str, ...] = ()


def ascii_line(text: str) -> str:
    """Return a text in the printed characters of ISO 646, on one line."""
    text = _FRACTION.sub(r" \g<0>", _LOWERED.sub(r"_\g<0>", _RAISED.sub(r"^\g<0>", text)))
    return " ".join(_NOT_PRINTED.sub(" ", anyascii(text.replace("‰", " per mille"))).split())


def ascii_id(article: Article) -> str:
    """Return an article's id in ISO 646: not transliterated, as two could become one."""
    return article.id.encode("ascii", "backslashreplace").decode()


def number_of(article: Article) -> int:
    """Return the number of a message, up to 9999.

    It is made of the article's id and version and not counted: a rendering knows nothing of what was sent before.
    """
    return crc32(f"{article.id} {article.version}".encode()) % 10_000


def source_code(provider: Provider) -> str:
    """Return the code of whoever sends: the first letters of the words of the paper's name, two to four."""
    words = re.findall(r"[a-z]+", ascii_line(provider.name).lower()) or ["news"]
    initials = "".join(word[0] for word in words)[:4]
    return initials if len(initials) > 1 else words[0][:3].ljust(2, "x")


def wire_text(change: str, article: Article, *, usable: bool) -> WireText:
    """Return the parts of an article's text, or of the notice about it. Raises ValueError for an unknown change."""
    notes = list(advisories(change, article))
    if not usable:
        return WireText([*notes, f"Article: {ascii_id(article)}"])
    if article.expires:
        notes.append(f"EXPIRES: not to be used after {in_utc(article.expires)}.")
    if article.embargoed and article.embargoed <= article.updated:
        notes.append(f"The embargo ended: embargoed until {in_utc(article.embargoed)}.")
    if article.ai_assisted:
        notes.append("Made by people with the help of a trained model.")
    source = f"({article.source})" if article.source else ""
    place = " ".join(filter(None, (article.dateline, source)))
    story = paragraphs(body_tree(article))
    if article.summary and article.body_html:
        story.insert(0, article.summary)
    if place:
        story = [f"{place} - {story[0]}", *story[1:]] if story else [place]
    byline = f"By {', '.join(article.authors)}" if article.authors else ""
    return WireText(notes, article.headline, byline, (*story, *filter(None, (article.rights,))))
