"""The rules of formats without a schema: plain text, HTML and IPTC 7901."""

from __future__ import annotations

import re
from datetime import datetime

from lxml import html

from feeds.formats.iptc7901 import ETX, LINE_MOST, MONTHS, SOH, STX
from feeds.formats.plaintext import IDENTITY
from feeds.validation import values
from feeds.validation.finding import Finding, Findings, house

_FORBIDDEN = (
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "base",
    "template",
    "svg",
    "math",
    "frame",
)
_DOCTYPE = re.compile(r"\s*<!doctype html>", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z]{2,4}\d{4} [1-6] [a-z]{1,3} (\d+)( [\x21-\x7e][\x20-\x7e]*)?")
_TIME = re.compile(rf"(\d{{2}})(\d{{2}})(\d{{2}}) ({'|'.join(MONTHS)}) (\d{{2}})", re.ASCII)


def plain_text(document: bytes) -> Findings:
    """Check a text: it is UTF-8, can be read, and names the article and its version."""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        yield Finding(None, "text.encoding", "must be UTF-8")
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not values.clean(line):
            yield Finding(number, "text.characters", "has control characters or overrides", "house")
    if not IDENTITY.search(document):
        yield Finding(None, "text.article", "must name the article and its version, each on a line")


def html_page(document: bytes) -> Findings:
    """Check a page: it is a whole document of HTML in UTF-8, and has nothing that runs or frames anything."""
    try:
        text = document.decode()
    except UnicodeDecodeError:
        yield Finding(None, "html.encoding", "must be UTF-8")
        return
    if not _DOCTYPE.match(text):
        yield Finding(1, "html.doctype", "must begin with <!DOCTYPE html>")
        return
    if not text.rstrip().endswith("</html>"):
        yield Finding(None, "html.whole", "must end with </html>")
    root = html.document_fromstring(document, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    if not values.language(root.get("lang") or ""):
        yield Finding(None, "html.lang", f"the language {root.get('lang') or ''!r} is no language tag")
    if root.get("dir") not in {"ltr", "rtl"}:
        yield Finding(None, "html.dir", "must say the direction of its text, ltr or rtl")
    if not any((meta.get("charset") or "").lower() == "utf-8" for meta in root.iter("meta")):
        yield Finding(None, "html.charset", "must say that it is UTF-8")
    if not (root.findtext("head/title") or "").strip():
        yield Finding(None, "html.title", "must have a title")
    yield from _safe(root)
    if not values.clean("".join(map(str, root.itertext())).replace("\n", "")):
        yield from house(iter([Finding(None, "text.characters", "has control characters or overrides")]))


def _safe(root: html.HtmlElement) -> Findings:
    for element in root.iter():
        if element.tag in _FORBIDDEN:
            yield Finding(element.sourceline, "html.element", f"{element.tag} is not allowed")
        for name, value in element.items():
            if name.startswith("on") or name == "srcdoc":
                yield Finding(element.sourceline, "html.attribute", f"{name} is not allowed")
            if name in {"href", "src"} and not (values.url(value) or value.startswith(("mailto:", "tel:"))):
                yield Finding(element.sourceline, "html.address", f"{value[:80]!r} is no absolute URL")


def iptc7901(document: bytes) -> Findings:
    """Check a message of a wire: its header, its lines, its characters and its end."""
    if not document.isascii():
        yield Finding(None, "iptc7901.characters", "must be in the characters of ISO 646")
        return
    lines = document.decode("ascii").split("\r\n")
    header = _HEADER.fullmatch(lines[0].removeprefix(SOH))
    if not lines[0].startswith(SOH) or not header:
        yield Finding(1, "iptc7901.header", "must begin with SOH, source, number, priority, category and words")
        return
    starts = [number for number, line in enumerate(lines) if line.startswith(STX)]
    ends = [number for number, line in enumerate(lines) if line.startswith(ETX)]
    if len(starts) != 1 or len(ends) != 1 or starts[0] > ends[0]:
        yield Finding(None, "iptc7901.text", "must have one text between STX and ETX")
        return
    if starts != [2] or not lines[1].strip():
        yield Finding(2, "iptc7901.keywords", "must have one line of keywords before the text")
    text = [lines[starts[0]].removeprefix(STX), *lines[starts[0] + 1 : ends[0]]]
    if not any(line.strip() for line in text):
        yield Finding(3, "iptc7901.text", "must have a text")
    for number, line in enumerate(text, starts[0] + 1):
        if len(line) > LINE_MOST:
            yield Finding(number, "iptc7901.line", f"a line must have at most {LINE_MOST} characters")
        if not line.isprintable():
            yield Finding(number, "iptc7901.characters", "a line must have no control characters")
    if int(header[1]) != sum(len(line.split()) for line in text):
        yield Finding(1, "iptc7901.words", "the number of words must be that of the text")
    yield from _sent(lines[ends[0] + 1 :], ends[0] + 2)


def _sent(lines: list[str], number: int) -> Findings:
    time = _TIME.fullmatch(lines[0]) if lines else None
    try:
        if time:
            day, hour, minute = (int(time[part]) for part in (1, 2, 3))
            datetime(2000 + int(time[5]), MONTHS.index(time[4]) + 1, day, hour, minute)  # noqa: DTZ001 (asked whether it exists)
    except ValueError:
        time = None
    if not time:
        yield Finding(number, "iptc7901.time", "the text must be followed by its time, such as 041100 MAR 26")
    if lines[-1:] != ["\x04"]:
        yield Finding(number, "iptc7901.end", "must end with EOT")
