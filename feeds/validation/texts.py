"""The rules of formats without a schema: plain text and HTML; those of wires are in wires.py."""

from __future__ import annotations

import re

from lxml import html

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
