"""Turns HTML that sites write for browsers into HTML for readers that have neither scripts nor styles.

Furniture is removed with its words: forms and their controls, noscript, templates, titles, hidden elements, and the
words that a browser shows only if it can't play a film. The work of scripts is done in advance: pictures that are
loaded late get their address, one of several sources of a picture is chosen, and embedded content is replaced by a link
to it. A picture without an address is removed, and a formula becomes a line of text. Blocks that few readers know
become those that all know: without them the words of two blocks would run together.

It runs before HTML is cleaned and makes nothing safe: `feeds.safe_html` calls it, and cleans its output.

Sources: HTML Living Standard, "The noscript element", "Images" (srcset), "The hidden attribute"; the attributes by
which WordPress's plugins, lazysizes and jQuery's lazy loaders name a picture that is not loaded yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit

from lxml import etree, html

from feeds import embeds
from feeds.formulas import line_of

Absolute = Callable[[str], str]
"""Returns the absolute form of an address; empty if it is not an address."""

FURNITURE = frozenset(
    """button canvas datalist head iframe input meter nextid noembed noframes noscript option optgroup output progress
    script select style svg template textarea title""".split()  # noqa: SIM905 (22 quoted words are harder to read)
)
"""Elements whose content is never text of the article."""
_EMBEDS = {"iframe": "src", "embed": "src", "object": "data", "frame": "src"}
_BLOCKS = frozenset({"body", "div", "figure", "section", "aside", "blockquote", "li", "td", "th", "dd"})
"""Elements in which the link that replaces an embed gets its own paragraph."""
_READABLE = {
    **dict.fromkeys(
        """address article center details dialog fieldset footer header hgroup legend main marquee nav search
        summary""".split(),  # noqa: SIM905 (14 quoted words are harder to read)
        "div",
    ),
    "dir": "ul",
    "menu": "ul",
    "listing": "pre",
    "xmp": "pre",
}
"""Blocks that are cut out around their words when HTML is cleaned, and what they become before that."""
_SEPARATE = _READABLE.keys() | frozenset(
    """aside blockquote div dl figure h1 h2 h3 h4 h5 h6 hr li ol p pre section table
    ul""".split()  # noqa: SIM905 (19 quoted words are harder to read)
)
"""Elements whose words are apart from those beside them by themselves."""
_LAZY_SOURCES = """data-src data-lazy-src data-original data-lazy data-lazysrc data-original-src data-actualsrc
    data-echo data-hires data-hi-res-src nitro-lazy-src""".split()  # noqa: SIM905 (11 quoted words are harder to read)
"""Attributes in which lazy loaders have the address of the picture; `src` has a placeholder until it is loaded."""
_LAZY_SRCSETS = ("data-srcset", "data-lazy-srcset", "srcset")
_FALLBACK_SOURCES = (
    "data-orig-file",
    "data-large-file",
    "data-full-url",
    "data-fullsrc",
    "data-image",
    "data-url",
    "data-fallback",
)
"""Attributes that may have the address when no other has it."""
_PLACEHOLDER = re.compile(
    r"(?:blank|placeholder|spacer|transparent|pixel|1x1|lazy|loading|loader)[\w-]*\.(?:gif|png|svg)\b"
)
_IMAGE_ATTRIBUTES = frozenset({"alt", "width", "height", "title", "dir", "lang"})
_CANDIDATE = re.compile(r"(\S*[^,\s])(?:\s+([0-9.]+)[wx])?\s*(?:,|$)")
_TRACKERS = re.compile(r"(?:^|\.)(?:googletagmanager|doubleclick|googlesyndication|adnxs)\.(?:com|net)$")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN_CLASSES = frozenset({"screen-reader-text", "sr-only", "visually-hidden"})

# The beginning of a tag, and a film that has been tidied.
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9-]*)([^<>]*)")
_PLAYABLE = re.compile(
    r'<(?:(?:video|audio)(?=[^<>]*\ssrc=")[^<>]*>(?:<source\b[^<>]*>)*|(?:video|audio)\b[^<>]*>(?:<source\b[^<>]*>)+)'
    r"</(?:video|audio)>"
)
# Elements without content; libxml2 does not know that these are.
_VOID = re.compile(r"<(source|track|wbr|embed)\b([^<>]*)>", re.IGNORECASE)
_REFERENCE = re.compile(r"&#(?:[xX][0-9A-Fa-f]+|[0-9]+);?")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Not scripts and styles, which the cleaning removes.
_UNTIDY_TAGS = (
    (FURNITURE - {"script", "style"})
    | _EMBEDS.keys()
    | _READABLE.keys()
    | embeds.TAGS
    | {"math", "form", "label", "video", "audio", "source", "track", "picture"}
)
_HIDING_ATTRIBUTES = ("hidden", "display", "visib", "screen-reader", "sr-only")
_SOURCE = re.compile(r"""\ssrc\s*=\s*["']?[^"'\s#>]""")
_TINY = re.compile(r"""\b(?:width|height)\s*=\s*["']?[01](?!\d)""")


def untidy(markup: str) -> bool:
    """Whether `tidied` may change the HTML. HTML that was tidied and cleaned rarely has anything left to change."""
    if "<" not in markup:
        return False
    for tag in _TAG.finditer(_PLAYABLE.sub("", markup)):
        name, attributes = tag[1].lower(), tag[2].lower()
        if name in _UNTIDY_TAGS or any(sign in attributes for sign in _HIDING_ATTRIBUTES):
            return True
        if name in embeds.BLOCKS and any(sign in attributes for sign in embeds.SIGNS):
            return True
        if name == "img" and (
            not _SOURCE.search(attributes)
            or any(sign in attributes for sign in ("data-", "srcset", "lazy"))
            or _TINY.search(attributes)
        ):
            return True
    return False


def tidied(markup: str, absolute: Absolute) -> str:
    """Return the HTML without furniture, and with pictures and embeds in a form that readers can show.

    HTML that is nested too deep for the parser is returned unchanged.
    """
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(f"<div>{_parsable(markup)}</div>".encode(), parser)
    except etree.ParserError:
        return markup
    body = root.find("body")
    if body is None or not len(body) or any(problem.type_name == "ERR_RESOURCE_LIMIT" for problem in parser.error_log):
        return markup
    embeds.with_plain_embeds(body)
    _without_forms(body)
    _without_hidden(body)
    _pictures(body, absolute)
    _films(body, absolute)
    _formulas(body)
    for element in list(body.iter(*_EMBEDS)):
        _link(element, absolute)
    for element in list(body.iter(*FURNITURE)):
        _drop(element)
    for element in list(body.iter(*_READABLE)):
        readable = _READABLE[str(element.tag)]
        if readable != "div" or _has_own_words(element):
            element.tag = readable
    frame: html.HtmlElement = body[0]
    frame.drop_tag()
    inside = (etree.tostring(child, encoding="unicode", method="html") for child in body)
    return escape(body.text or "", quote=False) + "".join(inside)


def _parsable(markup: str) -> str:
    """The markup in a form that libxml2 reads as browsers do, without characters that lxml refuses."""
    return _VOID.sub(_closed, _ILLEGAL.sub("", _REFERENCE.sub(_character, markup)))


def _character(reference: re.Match[str]) -> str:
    return escape(unescape(reference[0]), quote=True)


def _closed(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{tag[2].rstrip('/')}></{tag[1]}>"


def sources(srcset: str) -> Iterator[str]:
    """Yield the addresses in a `srcset`, the largest first."""
    candidates = [(float(size or 0) if _is_number(size) else 0.0, url) for url, size in _CANDIDATE.findall(srcset)]
    yield from (url for _, url in sorted(candidates, key=lambda candidate: -candidate[0]))


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:\.\d+)?", text))


def _without_forms(body: html.HtmlElement) -> None:
    """Remove forms. Of a form with most of the text, which is the frame of a whole page, only the tag is removed."""
    words = len(body.text_content())
    for form in list(body.iter("form")):
        if form.getparent() is None:
            continue
        if len(form.text_content()) * 2 > words and form.find(".//p") is not None and _has_more_text_than_labels(form):
            for label in list(form.iter("label", "legend")):
                _drop(label)
            form.drop_tag()
        else:
            _drop(form)


def _has_more_text_than_labels(form: html.HtmlElement) -> bool:
    characters = sum(len(paragraph.text_content()) for paragraph in form.iter("p"))
    return characters > 400  # the explanations of a form are shorter


def _without_hidden(body: html.HtmlElement) -> None:
    for element in list(body.iter()):
        if element.getparent() is None or element is body or not isinstance(element.tag, str):
            continue
        if (
            (element.tag == "dialog" and "open" not in element.attrib)
            or ("hidden" in element.attrib and element.get("hidden", "").lower() != "until-found")
            or _HIDDEN.search(element.get("style", ""))
            or _HIDDEN_CLASSES & set(element.get("class", "").split())
        ):
            _drop(element)


def _has_own_words(block: html.HtmlElement) -> bool:
    """Whether a block has anything but blocks: then its words would run into those beside it without it."""
    texts = (block.text, *(child.tail for child in block))
    return any(each and each.strip() for each in texts) or any(child.tag not in _SEPARATE for child in block)


def _pictures(body: html.HtmlElement, absolute: Absolute) -> None:
    for picture in list(body.iter("picture")):
        _choose(picture, absolute)
    for image in list(body.iter("img")):
        _load(image, absolute)
    _noscripts(body, absolute)


def _choose(picture: html.HtmlElement, absolute: Absolute) -> None:
    """Replace `picture` by its image, with its own `src` or the best of the sources."""
    image = picture.find(".//img")
    picture_sources = list(picture.iter("source"))
    # First the types that every reader can show.
    picture_sources.sort(key=lambda source: source.get("type", "") not in {"", "image/jpeg", "image/png"})
    if image is None and picture_sources:
        image = html.Element("img")
        picture.append(image)
    if image is not None and not _file(image, absolute):
        names = ("data-srcset", "srcset", "src", "data-src")
        srcsets = (source.get(name, "") for source in picture_sources for name in names)
        url = next((url for srcset in srcsets for url in sources(srcset) if _is_picture(url, absolute)), "")
        image.set("src", url)
    picture.drop_tag()


def _load(image: html.HtmlElement, absolute: Absolute) -> None:
    url = _file(image, absolute)
    if not url or _tiny(image):
        _drop(image)
        return
    for name in set(image.attrib) - _IMAGE_ATTRIBUTES - {"src"}:
        del image.attrib[name]
    image.set("src", url)


def _file(image: html.HtmlElement, absolute: Absolute) -> str:
    """The address of the picture itself, not of a placeholder; empty when it has none."""
    lazy_urls = [image.get(name, "") for name in _LAZY_SOURCES]
    srcset_urls = [url for name in _LAZY_SRCSETS for url in sources(image.get(name, ""))]
    src = image.get("src", "")
    src_urls = [] if _PLACEHOLDER.search(src) and (any(lazy_urls) or srcset_urls) else [src]
    # A `srcset` beside a usable `src` has the same picture in other sizes.
    candidates = [*lazy_urls, *src_urls, *srcset_urls, *(image.get(name, "") for name in _FALLBACK_SOURCES)]
    return next((url for url in candidates if _is_picture(url, absolute)), "")


def _is_picture(url: str, absolute: Absolute) -> bool:
    url = url.strip()
    address = absolute(url) if url and not url.startswith("#") else ""
    # `src=""` is the address of the page, which is not a picture.
    return bool(address) and address != absolute("")


def _noscripts(body: html.HtmlElement, absolute: Absolute) -> None:
    """Remove noscript, except for a picture that is nowhere else."""
    urls = {
        absolute(image.get("src", ""))
        for image in body.iter("img")
        if not any(parent.tag == "noscript" for parent in image.iterancestors())
    }
    for element in list(body.iter("noscript")):
        if element.getparent() is None:
            continue
        for image in element.iter("img"):
            url = absolute(image.get("src", ""))
            if url not in urls:
                urls.add(url)
                element.addprevious(html.Element("img", image.attrib))
        _drop(element)


def _formulas(body: html.HtmlElement) -> None:
    """Replace formulas by their text. What KaTeX has beside one repeats it for browsers without MathML."""
    for formula in list(body.iter("math")):
        parent = formula.getparent()
        if parent is None:
            continue
        repetition = parent.getnext()
        if repetition is not None and "katex-html" in (repetition.get("class") or "").split():
            _drop(repetition)
        line = html.Element("span")
        line.text = line_of(formula)
        formula.addprevious(line)
        line.drop_tag()
        _drop(formula)


def _films(body: html.HtmlElement, absolute: Absolute) -> None:
    for media in list(body.iter("video", "audio")):
        _play(media, absolute)
    for source in list(body.iter("source", "track")):
        if getattr(source.getparent(), "tag", "") not in {"video", "audio"}:
            _drop(source)


def _play(media: html.HtmlElement, absolute: Absolute) -> None:
    """Remove everything in a film except its sources, and the film itself if it has no source."""
    src = next((url for name in ("src", "data-src") if absolute(url := media.get(name, ""))), "")
    media.attrib.pop("src", None)
    if src:
        media.set("src", src)
    media.text = None
    for child in list(media):
        if child.tag == "source" and absolute(child.get("src", "")) and not child.get("srcset"):
            child.tail = None
            child[:] = []
        else:
            media.remove(child)
    if not src and not len(media):
        _drop(media)


def _link(element: html.HtmlElement, absolute: Absolute) -> None:
    """Replace embedded content by a link: to its page if we know the service, otherwise to its own address."""
    source = next(
        (url for name in (_EMBEDS[str(element.tag)], *_LAZY_SOURCES) if absolute(url := element.get(name, "").strip())),
        "",
    )
    url = absolute(source) if source else ""
    parent = element.getparent()
    if parent is None:
        return
    if url and url != absolute("") and not _TRACKERS.search(urlsplit(url).netloc) and not _tiny(element):
        page = _film_page(url)
        link = html.Element("a", href=page)
        title = element.get("title") or element.get("aria-label") or ""
        link.text = " ".join(title.split()) or page
        replacement = link
        if parent.tag in _BLOCKS:
            replacement = html.Element("p")
            replacement.append(link)
        element.addprevious(replacement)
    _drop(element)


def _film_page(url: str) -> str:
    """The page of the film whose player has this address; the same address if the service is unknown."""
    parts = urlsplit(url)
    host, path = parts.netloc.removeprefix("www."), parts.path.strip("/").split("/")
    if host in {"youtube.com", "youtube-nocookie.com"} and path[0] == "embed" and len(path) == 2:
        lists = parse_qs(parts.query).get("list")
        if path[1] == "videoseries" and lists:
            return f"https://www.youtube.com/playlist?list={lists[0]}"
        return f"https://www.youtube.com/watch?v={path[1]}"
    if host == "player.vimeo.com" and path[0] == "video" and len(path) == 2:
        return f"https://vimeo.com/{path[1]}"
    if host == "dailymotion.com" and path[:2] == ["embed", "video"] and len(path) == 3:
        return f"https://www.dailymotion.com/video/{path[2]}"
    if host == "facebook.com" and path[0] == "plugins" and (href := parse_qs(parts.query).get("href")):
        return href[0]
    return url


def _tiny(element: html.HtmlElement) -> bool:
    """Whether an element has the size of pictures that only count visits."""
    return all(element.get(side, "").strip().removesuffix("px") in {"0", "1"} for side in ("width", "height"))


def _drop(element: html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
