"""Text and URLs that every format may carry; `feeds.safe_html` is the HTML.

Text passes through here once, when its article is accepted. From then on it is legal in XML 1.0, free of scripts, and
has absolute, percent-encoded addresses; formats need not check that again.

Sources: XML 1.0 (5th ed.) section 2.2; Unicode UAX #9 (directional formatting characters); RFC 3986 section 2.1 and
RFC 3987 section 3.1 (IRI to URI); RFC 5891 (IDNA).
"""

from __future__ import annotations

import html
import html.entities
import re
import unicodedata
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna

# C0 except tab, line feed and carriage return; DEL and C1; surrogates; the non-characters of every plane.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
# LRO and RLO: they force a direction on the text after them, which no newsroom needs.
_OVERRIDES = re.compile("[\u202d\u202e]")
# LRE and RLE, which PDF ends; LRI, RLI and FSI, which PDI ends.
_OPENERS = {"\u202a": "\u202c", "\u202b": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
_DIRECTIONAL = re.compile("[\u202a-\u202c\u2066-\u2069]")
# A tag, a comment, a declaration, or a character reference: signs of HTML where plain text belongs.
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!|<\?|&(?:([A-Za-z][A-Za-z0-9]*)|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_SPACE = re.compile(r"\s+")

URL_SAFE = "!$%&'()*+,/:;=?@~-._"
"""RFC 3986: the characters of path and query, and "%", so that nothing is encoded twice."""
# Elements that begin a new line: they separate the words before them from those after them.
_LINE = re.compile(
    r"</?(?:aside|blockquote|br|caption|d[dlt]|div|figcaption|figure|h[1-6]|hr|li|ol|p|pre|section|t[dhr]|table|ul)\b"
    r"[^>]*(?:>|\Z)"
)
_SMALL = re.compile(r"<(su[bp])\b[^<>]*>\s*(?:<a\b[^<>]*>)?([-+\u2212\d]+)(?:</a>)?\s*</\1>", re.ASCII)
_TAG = re.compile(r"<[^>]*(?:>|\Z)")  # or to the end of the text: to search on for ">" takes quadratic time

_SMALL_DIGITS = {
    "sup": str.maketrans(
        "0123456789+-\u2212", "\u2070\xb9\xb2\xb3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b\u207b"
    ),
    "sub": str.maketrans(
        "0123456789+-\u2212", "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089\u208a\u208b\u208b"
    ),
}

# For matching only, and for all languages at once: neither a selector nor a name says which language it is in.
# docs/newsroom.md has the table for editors, and says which letters stay different.
_ALIKE = str.maketrans(
    {
        # Arabic is written with and without the hamza of alef, the dots of final yeh and those of teh marbuta.
        **dict.fromkeys("\u0623\u0625\u0622\u0671", "\u0627"),  # alef with hamza above, below, madda, wasla
        **dict.fromkeys("\u0649\u064a", "\u06cc"),  # alef maksura and Arabic yeh: Persian and Urdu yeh
        # Teh marbuta, that of Urdu, heh goal, heh with yeh above in Persian and in Urdu, ae: heh. Not the heh with two
        # eyes (U+06BE), which makes other consonants in Urdu.
        **dict.fromkeys("\u0629\u06c3\u06c1\u06c0\u06c2\u06d5", "\u0647"),
        "\u0643": "\u06a9",  # Arabic kaf: keheh
        **{chr(zero + value): str(value) for zero in (0x660, 0x6F0) for value in range(10)},
        # Turkish: "I" may be the capital of the letter without a dot or, in a foreign word, of the one with a dot.
        "\u0131": "i",
        "\u0307": None,  # of "İ" in lower case
        "\u0640": None,  # tatweel
        # Vowel signs and other marks above or below Arabic letters.
        **{mark: None for mark in map(chr, range(0x610, 0x6EE)) if unicodedata.category(mark) == "Mn"},
    }
)
# Persian's ezafe after a silent heh, written as a separate letter; others write a hamza or nothing.
_EZAFE = re.compile("(?<=\u0647)\u200c\u06cc(?!\\w)")
# Invisible: soft hyphen, joiners, marks of direction, isolates.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def legal(text: str) -> str:
    """Return `text` without characters that XML 1.0 forbids or that no text needs, and with its isolates balanced.

    Dropped: C0 and C1 controls other than tab and line ends, surrogates, non-characters, directional overrides.
    Kept: zero-width joiners, marks, embeddings and isolates, which Persian, Urdu and Arabic need. An open embedding or
    isolate is closed at the end of the text, or where an isolate around it ends; an end without a beginning is dropped.
    """
    if text.isprintable():
        # Nearly all text is, and printable text has none of the characters below.
        return text
    text = _OVERRIDES.sub("", _ILLEGAL.sub("", text))
    if not _DIRECTIONAL.search(text):
        return text
    out: list[str] = []
    open_ends: list[str] = []
    isolates = 0  # how many of these are isolates: to search a long list for one takes long
    for character in text:
        if character in _OPENERS:
            open_ends.append(_OPENERS[character])
            isolates += open_ends[-1] == "\u2069"
        elif character == "\u2069" and isolates:
            # The end of an isolate also ends the embeddings in it (UAX #9, X6a).
            while (end := open_ends.pop()) != character:
                out.append(end)
            isolates -= 1
        elif character in {"\u202c", "\u2069"}:
            if not open_ends or open_ends[-1] != character:
                continue
            open_ends.pop()
        out.append(character)
    return "".join(out) + "".join(reversed(open_ends))


def plain(text: str, *, literal: bool = False) -> str:
    """Return one line of plain text: white space folded, isolates balanced.

    `literal`: what looks like markup is text, as in a headline about HTML. Otherwise markup raises ValueError: a
    headline with a tag or a character reference was meant for another field or escaped twice, and a wrong guess would
    change what the newsroom wrote. Control characters always raise ValueError.
    """
    if control := _ILLEGAL.search(text):
        raise ValueError(f"has a control character (U+{ord(control[0]):04X}) at position {control.start() + 1}")
    for markup in _MARKUP.finditer(text) if not literal else ():
        # Only names that HTML has are references: "S&P; Nasdaq" has none.
        if markup[1] is None or f"{markup[1]};" in html.entities.html5:
            raise ValueError(f"has markup ({markup[0][:40]}) at position {markup.start() + 1}; send plain text")
    return _SPACE.sub(" ", legal(text)).strip()


def absolute_url(url: str, base: str = "") -> str:
    """Return `url` as an absolute http(s) URL in ASCII: path and query percent-encoded as UTF-8, host in punycode.

    `base` resolves a relative reference. Nothing is encoded twice. Raises ValueError with the reason.
    """
    url = url.strip()
    joined = urljoin(base, url) if base else url
    try:
        parts = urlsplit(joined)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must be an absolute URL that begins with http:// or https://")
    host = parts.hostname or ""
    if not host:
        raise ValueError("has no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry a user name or password")
    if _ILLEGAL.search(joined) or any(character.isspace() for character in joined):
        raise ValueError("has white space or control characters")
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"has a host that is no domain name: {error}") from None
    elif not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        raise ValueError("has a host that is no domain name")
    # A "%" that does not begin an escape would be read in a different way by every receiver.
    path, query, fragment = (
        re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(part, safe=URL_SAFE))
        for part in (parts.path, parts.query, parts.fragment)
    )
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", path or "/", query, fragment))


def text_of(markup: str) -> str:
    """Return the text of HTML from `safe_html`, on one line."""
    if "<su" in markup:
        markup = _SMALL.sub(lambda part: small(part[1], part[2]), markup)
    return _SPACE.sub(" ", html.unescape(_TAG.sub("", _LINE.sub(" ", markup)))).strip()


def small(element: str, number: str) -> str:
    """Return a number in `sup` or `sub` as text, in Unicode's raised or lowered digits: 10⁶ must not become 106.

    What is not a number, such as the ending of an ordinal, is returned as it is.
    """
    digits = _SMALL_DIGITS[element]
    return number.translate(digits) if all(ord(character) in digits for character in number.strip()) else number


def fold(text: str) -> str:
    """Return `text` in the form in which it is compared, never shown.

    Compatibility forms, case, white space and digits are folded, and whatever Arabic, Persian, Turkish and Urdu write
    in more than one way. The rules are those of Lucene's normalizers for Arabic and Persian, but Urdu's letters
    stay different. Folding the result again does not change it.
    """
    while (folded := _folded(text)) != text:  # after a character is dropped, its neighbours may compose
        text = folded
    return folded


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_ALIKE)
    return _SPACE.sub(" ", _INVISIBLE.sub("", _EZAFE.sub("", text))).strip()
