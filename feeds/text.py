"""Text, HTML and URLs that every format may carry.

What passes through here once, when an article is accepted, is legal in XML 1.0, free of scripts, and has absolute,
percent-encoded addresses; the formats need not ask again.

Sources: XML 1.0 (5th ed.) section 2.2; Unicode UAX #9 (directional formatting characters) and UAX #29 (grapheme
clusters); RFC 3986 section 2.1 and RFC 3987 section 3.1 (IRI to URI); RFC 5891 (IDNA).
"""

from __future__ import annotations

import html
import html.entities
import re
import unicodedata
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna
import nh3
import regex

from feeds.markup import FURNITURE, tidied, untidy

# C0 but tab, line feed, carriage return; DEL and C1; surrogates; the non-characters of every plane.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
# LRO and RLO: they force a direction on what they cover, and no newsroom text needs that.
_OVERRIDES = re.compile("[\u202d\u202e]")
# LRE, RLE and their end PDF; LRI, RLI, FSI and their end PDI.
_OPENERS = {"\u202a": "\u202c", "\u202b": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
_DIRECTIONAL = re.compile("[\u202a-\u202c\u2066-\u2069]")
# A tag, a comment, a declaration, or a character reference: signs that HTML was put where plain text belongs.
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!|<\?|&(?:([A-Za-z][A-Za-z0-9]*)|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_SPACE = re.compile(r"\s+")
_CHARACTER = regex.compile(r"\X")

# What a feed reader can be expected to show. Layout, forms, scripts and styles are not news.
_TAGS = frozenset(
    """a abbr aside b bdi bdo blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub sup table
    tbody td tfoot th thead time tr u ul var wbr audio video source""".split()  # noqa: SIM905 (65 quoted words are harder to read)
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "time": {"datetime"},
    "img": {"src", "alt", "width", "height"},
    "audio": {"src", "controls"},
    "video": {"src", "controls", "poster", "width", "height"},
    "source": {"src", "type"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
}
_URL_ATTRIBUTES = frozenset({"href", "src", "cite", "poster"})
_URL_SCHEMES = {"http", "https", "mailto", "tel"}
# RFC 3986: what path and query may have, and "%" so that what is encoded already stays as it is.
_URL_SAFE = "!$%&'()*+,/:;=?@~-._"
# Elements that begin a new line: the words on their two sides are two words.
_LINE = re.compile(
    r"</?(?:aside|blockquote|br|caption|d[dlt]|div|figcaption|figure|h[1-6]|hr|li|ol|p|pre|section|t[dhr]|table|ul)\b"
    r"[^>]*(?:>|\Z)"
)
# An image in what nh3 wrote, and two of its attributes.
_PICTURE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_ALT = re.compile(r' alt="([^"]*)"')
_SIZE = re.compile(r' (?:width|height)="(\d+)"')
# Emoji and nothing else (UTS #51): pictographs, flags, keycaps, with what joins and colours them.
_EMOJI = regex.compile(
    r"(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)"
    r"[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)+"
)
_EMOJI_PIXELS = 128
"""Larger pictures are pictures, whatever stands for them."""
_TAG = re.compile(r"<[^>]*(?:>|\Z)")  # to the end where none ends: else looking for it takes the square of the length
# Elements without an end tag, or with one that is often left out.
_ENDLESS = frozenset(
    """area base br col embed hr img input link meta param source track wbr
    p li dt dd tr td th thead tbody tfoot colgroup option optgroup rp rt""".split()  # noqa: SIM905 (29 quoted words are harder to read)
)
_ELEMENT = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_DEEPEST = 2000
"""Elements within each other at the most: parsing takes the square of it, and no text needs a hundredth."""
# Parsing what was written can move elements again, but what people and editors write settles at once.
_HTML_PASSES = 8

# For matching only, and for all languages at once: neither a selector nor a name says which language it is in. The
# table for editors, with what stays apart, is in docs/newsroom.md.
_ALIKE = str.maketrans(
    {
        # Arabic is written with and without the hamza of alef, the dots of final yeh and those of teh marbuta.
        **dict.fromkeys("\u0623\u0625\u0622\u0671", "\u0627"),  # alef with hamza above, below, madda, wasla
        **dict.fromkeys("\u0649\u064a", "\u06cc"),  # alef maksura and Arabic yeh: Persian and Urdu yeh
        # Teh marbuta, that of Urdu, heh goal, heh with yeh above in Persian and in Urdu, ae: heh. The heh with two eyes
        # (U+06BE) is none of them: in Urdu it makes other consonants.
        **dict.fromkeys("\u0629\u06c3\u06c1\u06c0\u06c2\u06d5", "\u0647"),
        "\u0643": "\u06a9",  # Arabic kaf: keheh
        **{chr(zero + value): str(value) for zero in (0x660, 0x6F0) for value in range(10)},
        # Turkish: nobody knows whether I is the capital of the letter without a dot or, from elsewhere, of the other.
        "\u0131": "i",
        "\u0307": None,  # of "İ" in lower case
        "\u0640": None,  # tatweel
        # Vowel signs and what else stands above or below Arabic letters.
        **{mark: None for mark in map(chr, range(0x610, 0x6EE)) if unicodedata.category(mark) == "Mn"},
    }
)
# The ending of Persian's ezafe after a silent heh, written as a letter of its own; others write a hamza or nothing.
_EZAFE = re.compile("(?<=\u0647)\u200c\u06cc(?!\\w)")
# Soft hyphen, joiners, marks of direction, isolates: what can't be seen.
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def legal(text: str) -> str:
    """Return `text` without characters that XML 1.0 forbids or no text needs, and with its isolates balanced.

    Dropped: C0 and C1 controls other than tab and line ends, surrogates, non-characters, directional overrides.
    Kept: zero-width joiners, marks, embeddings and isolates, which Persian, Urdu and Arabic are written with.
    An embedding or isolate left open is closed, at the end or where an isolate around it ends; an end without a
    beginning is dropped.
    """
    if text.isprintable():
        # Nearly all text is, and then has none of what is looked for below.
        return text
    text = _OVERRIDES.sub("", _ILLEGAL.sub("", text))
    if not _DIRECTIONAL.search(text):
        return text
    out: list[str] = []
    open_ends: list[str] = []
    isolates = 0  # how many of those are isolates; counted, because looking for one in a long list takes its time
    for character in text:
        if character in _OPENERS:
            open_ends.append(_OPENERS[character])
            isolates += open_ends[-1] == "\u2069"
        elif character == "\u2069" and isolates:
            # It ends the embeddings within the isolate too (UAX #9, X6a).
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

    `literal`: what looks like markup is meant as it stands, as in a headline about HTML. Else it raises ValueError for
    markup: a headline with a tag or a character reference was meant for another field or escaped twice, and guessing
    which would change what the newsroom wrote. It always raises it for control characters.
    """
    if found := _ILLEGAL.search(text):
        raise ValueError(f"has a control character (U+{ord(found[0]):04X}) at position {found.start() + 1}")
    for found in _MARKUP.finditer(text) if not literal else ():
        # Only what HTML knows is a reference: "S&P; Nasdaq" is none.
        if found[1] is None or f"{found[1]};" in html.entities.html5:
            raise ValueError(f"has markup ({found[0][:40]}) at position {found.start() + 1}; send plain text")
    return _SPACE.sub(" ", legal(text)).strip()


def absolute_url(url: str, base: str = "") -> str:
    """Return `url` as an absolute http(s) URL in ASCII: path and query percent-encoded as UTF-8, host in punycode.

    `base` resolves a relative reference. What is encoded already is left alone. Raises ValueError with the reason.
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
    # A "%" that begins no escape would be read differently by every receiver.
    path, query, fragment = (
        re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(part, safe=_URL_SAFE))
        for part in (parts.path, parts.query, parts.fragment)
    )
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", path or "/", query, fragment))


def safe_html(markup: str, base: str) -> str:
    """Return `markup` with only the elements and attributes that a feed may carry, its URLs absolute against `base`.

    Scripts, styles, forms and what else is no text (`feeds.markup`) go with their content; unknown elements go and
    leave their text. The result is the same when it is cleaned again. Markup that is too tangled for that leaves its
    text alone.
    """

    def absolute(url: str) -> str:
        try:
            return absolute_url(legal(url).strip().replace(" ", "%20"), base)
        except ValueError:
            return ""

    for _ in range(_HTML_PASSES if _depth(markup) <= _DEEPEST else 0):
        cleaned = _clean(tidied(markup, absolute) if untidy(markup) else markup, base)
        if cleaned == markup:
            return cleaned
        markup = cleaned
    return html.escape(text_of(markup), quote=False)


def _depth(markup: str) -> int:
    """How many elements may stand within each other."""
    depth = deepest = 0
    for end, name in _ELEMENT.findall(markup):
        if name.lower() not in _ENDLESS:
            depth = max(0, depth - 1) if end else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _clean(markup: str, base: str) -> str:
    page = base.partition("#")[0]

    def rewrite(_element: str, attribute: str, value: str) -> str | None:
        value = legal(value)
        if attribute not in _URL_ATTRIBUTES:
            return value
        value = value.strip().replace(" ", "%20")
        if value.lower().startswith(("mailto:", "tel:")):
            return quote(value, safe=_URL_SAFE)
        try:
            address = absolute_url(value, base)
        except ValueError:
            return None
        # The page is no picture of itself, and what a template has left open is no address.
        return None if attribute == "src" and ("{{" in value or address.partition("#")[0] == page) else address

    cleaned = nh3.clean(
        legal(markup),
        tags=set(_TAGS),
        clean_content_tags=set(FURNITURE),
        attributes=_ATTRIBUTES,
        attribute_filter=rewrite,
        url_schemes=_URL_SCHEMES,
        link_rel=None,
    )
    cleaned = _PICTURE.sub(_character, cleaned)
    # References such as &#1; and &#13; have become characters by now. HTML drops a line end after <pre>.
    return re.sub(r"(<pre[^>]*>)\n+", r"\1", legal(cleaned).replace("\r", "\n")).strip()


def _character(picture: re.Match[str]) -> str:
    """The emoji that a picture stands for, as many editors send them; else the picture."""
    alt = _ALT.search(picture[0])
    sign = html.unescape(alt[1]).strip() if alt else ""
    large = any(int(size[:4]) > _EMOJI_PIXELS for size in _SIZE.findall(picture[0]))
    return picture[0] if large or not _EMOJI.fullmatch(sign) else sign


def text_of(markup: str) -> str:
    """Return the text of HTML that `safe_html` made, on one line."""
    return _SPACE.sub(" ", html.unescape(_TAG.sub("", _LINE.sub(" ", markup)))).strip()


def cut(text: str, most: int) -> str:
    """Return the beginning of `text`: at most `most` characters, whole as people see them, with its isolates closed.

    A letter stays with its vowel signs and joiners, an emoji with its parts (UAX #29, extended grapheme clusters).
    """
    if len(text) <= most:
        return text
    ends = [0]
    for character in _CHARACTER.finditer(text):
        if character.end() > most:
            break
        ends.append(character.end())
    # What closes isolates counts too.
    return next(found for end in reversed(ends) if len(found := legal(text[:end])) <= most)


def fold(text: str) -> str:
    """Return `text` as it is compared, never as it is shown.

    Folded are compatibility forms, case, white space, digits, and what people write in more than one way in Arabic,
    Persian, Turkish and Urdu: as by Lucene's normalizers for Arabic and Persian, except that Urdu's letters stay apart.
    Folded again it is the same.
    """
    while (folded := _folded(text)) != text:  # what is dropped may let its neighbours compose
        text = folded
    return folded


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_ALIKE)
    return _SPACE.sub(" ", _UNSEEN.sub("", _EZAFE.sub("", text))).strip()
