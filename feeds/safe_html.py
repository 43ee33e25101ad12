"""HTML that every format may carry: cleaned once, when its article is accepted.

By itself, because what cleans it takes long to import, and whoever reads settings has no HTML.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import nh3
import regex

from feeds.markup import FURNITURE, tidied, untidy
from feeds.text import URL_SAFE, absolute_url, legal, text_of

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
# An image as nh3 writes it, and two of its attributes.
_PICTURE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_ALT = re.compile(r' alt="([^"]*)"')
_SIZE = re.compile(r' (?:width|height)="(\d+)"')
# Emoji only (UTS #51): pictographs, flags, keycaps, with their joiners and colours.
_EMOJI = regex.compile(
    r"(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)"
    r"[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)+"
)
_EMOJI_PIXELS = 128
"""The longest side of a picture of an emoji; larger pictures stay, whatever their text is."""
# Elements without an end tag, or whose end tag is often left out.
_ENDLESS = frozenset(
    """area base br col embed hr img input link meta param source track wbr
    p li dt dd tr td th thead tbody tfoot colgroup option optgroup rp rt""".split()  # noqa: SIM905 (29 quoted words are harder to read)
)
_ELEMENT = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_DEEPEST = 2000
"""How deep elements may be nested: parsing takes quadratic time in it, and no text needs a hundredth of this."""
# Parsing our own output may move elements once more; the HTML of people and editors is stable after one pass.
_HTML_PASSES = 8


def safe_html(markup: str, base: str) -> str:
    """Return `markup` with only the elements and attributes that a feed may carry, its URLs absolute against `base`.

    Scripts, styles, forms and whatever else is not text (`feeds.markup`) are removed with their content; of unknown
    elements the text stays. Cleaning the result again does not change it. Of markup that is too tangled for that, only
    the text is returned.
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
    """How deep the elements may be nested."""
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
            return quote(value, safe=URL_SAFE)
        try:
            address = absolute_url(value, base)
        except ValueError:
            return None
        # Not a picture: the address of the page itself, and a template's placeholder that was never filled.
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
    # By now references such as &#1; and &#13; are characters. HTML ignores a line end after <pre>.
    return re.sub(r"(<pre[^>]*>)\n+", r"\1", legal(cleaned).replace("\r", "\n")).strip()


def _character(picture: re.Match[str]) -> str:
    """The emoji that a picture stands for, as many editors send them; otherwise the picture."""
    alt = _ALT.search(picture[0])
    emoji = html.unescape(alt[1]).strip() if alt else ""
    large = any(int(size[:4]) > _EMOJI_PIXELS for size in _SIZE.findall(picture[0]))
    return picture[0] if large or not _EMOJI.fullmatch(emoji) else emoji
