"""All the text of a page, wherever it stands in it, for whoever must be sure that a text is gone from there.

Text in a page's description, in a comment or in the data of its scripts counts as much as text that readers see. Pages
come from strangers: they are parsed without entities and without network. Whatever might hide text from us (an unknown
encoding, elements nested too deep) is an error, never proof that the text is gone.

Sources: HTML Living Standard, "determining the character encoding" and "phrasing content"; Encoding Standard, section
4.2 (labels); JSON, RFC 8259, section 7 (escapes).
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterator

from lxml import etree, html

from feeds import encodings

# Elements within a line. Every other element begins a new line: it separates the words before it from those after it.
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub
    sup time tt u var wbr""".split()  # noqa: SIM905 (29 quoted words are harder to read)
)
_PROGRAMS = frozenset({"script", "style"})
_WITHIN_LINE = re.compile(rf"</?(?:{'|'.join(sorted(_INLINE))})(?:[\s/][^<>]*)?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_QUOTE = re.compile(r'(?<!\\)"')
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_GARBLED = 0.001
"""Share of characters that may be wrong in an encoding. If there are more, the page is in another encoding."""


class Unreadable(ValueError):
    """The text of a page can't be read; the message gives the reason, worded to follow "the page"."""


def texts(content: bytes, content_type: str) -> list[str]:
    """Return the texts of a page, each in one piece; `content_type` is the header field of the response, or empty.

    Where several encodings are possible, the texts are those of each. Raises Unreadable.
    """
    read: Callable[[str], Iterator[str]]
    kind = content_type.partition(";")[0].strip().lower()
    if "html" in kind or not kind:
        read = _page
    elif "json" in kind or "javascript" in kind:
        read = _strings
    elif kind.startswith("text/") and "xml" not in kind:
        read = _whole
    else:
        raise Unreadable(f"is {kind[:60]}, which is not looked through")
    return [_bare(text) for decoded in _decoded(content, content_type) for text in read(decoded)]


def lines(root: html.HtmlElement) -> Iterator[str]:
    """Yield the text in an element, line by line, without scripts and styles."""
    line: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in {"start", "end"} and element.tag not in _INLINE:
            yield "".join(line)
            line = []
        if event != "start":
            line.append(element.tail or "")
        elif element.tag not in _PROGRAMS:
            line.append(element.text or "")
    yield "".join(line)


def _page(markup: str) -> Iterator[str]:
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = html.document_fromstring(markup.replace("\0", " ").encode(), parser=parser)
    except etree.ParserError:
        raise Unreadable("is empty") from None
    if any(problem.type_name == "ERR_RESOURCE_LIMIT" for problem in parser.error_log):
        raise Unreadable("can't be parsed: it is nested too deep")
    readable = "\n".join(lines(root))
    if not readable.strip():
        # A script draws the page, or its server made a mistake: it proves nothing either way.
        raise Unreadable("shows no text")
    yield readable
    # Comments may stand before and after the page.
    for element in (*root.itersiblings(preceding=True), *root.iter(), *root.itersiblings()):
        if isinstance(element, etree._Comment) or element.tag == "style":  # noqa: SLF001 (lxml has no other name for it)
            yield element.text or ""
        elif element.tag == "script":
            yield from _strings(element.text or "")
        yield from map(str, element.attrib.values())


def _strings(source: str) -> Iterator[str]:
    """The strings of JSON or of a script, and what is between them, since it is not always clear where one begins."""
    for piece in _QUOTE.split(source):
        yield _ESCAPE.sub(_unescaped, piece)


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return " " if escape[2] in "bfnrt" else str(escape[2])


def _whole(text: str) -> Iterator[str]:
    yield text


def _bare(text: str) -> str:
    """The text without the HTML that it contains, escaped or not."""
    if "<" not in text and "&" not in text:
        return text
    return _without_tags(entities.unescape(_without_tags(text)))


def _without_tags(text: str) -> str:
    return _TAG.sub(" ", _WITHIN_LINE.sub("", text))


def _decoded(content: bytes, content_type: str) -> list[str]:
    """The page decoded by each encoding that it declares, and by UTF-8, as far as these fit its bytes."""
    by_mark = encodings.marked(content)[0]
    labels = [encodings.in_header(content_type), encodings.in_page(content), "utf-8"]
    candidates = [by_mark] if by_mark else list(dict.fromkeys(filter(None, map(encodings.python_name, labels))))
    decoded = []
    for encoding in candidates:
        try:
            decoded.append(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    if not decoded:
        # A few wrong bytes do not hide a text.
        text = content.decode(candidates[0], "replace")
        if text.count("\ufffd") > _GARBLED * len(text):
            raise Unreadable(f"is no text in {candidates[0]}")
        decoded.append(text)
    return decoded
