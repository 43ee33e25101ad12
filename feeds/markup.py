"""HTML as sites write it for browsers, made fit for readers that have neither scripts nor styles.

What is furniture goes with its words: forms and their controls, noscript, templates, titles, what is hidden, the words
that a browser shows only where it can't play a film. What a script would put in place is put there: pictures that are
loaded late have their address, one of several sources of a picture is taken, and what is embedded from elsewhere leaves
a link to it. A picture without an address goes.

It runs before HTML is cleaned and makes nothing safe: `feeds.text.safe_html` calls it, and cleans what comes of it.

Sources: HTML Living Standard, "The noscript element", "Images" (srcset), "The hidden attribute"; the attributes by
which WordPress's plugins, lazysizes and jQuery's lazy loaders name a picture that is not loaded yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from urllib.parse import parse_qs, urlsplit

from lxml import etree, html

Absolute = Callable[[str], str]
"""The absolute form of an address; empty for what is none."""

FURNITURE = frozenset(
    """button canvas datalist head iframe input meter nextid noembed noframes noscript option optgroup output progress
    script select style svg template textarea title""".split()  # noqa: SIM905 (22 quoted words are harder to read)
)
"""Elements of which nothing is text."""
_EMBEDS = {"iframe": "src", "embed": "src", "object": "data", "frame": "src"}
_LINES = frozenset({"body", "div", "figure", "section", "aside", "blockquote", "li", "td", "th", "dd"})
"""Elements in which a link that stands for an embed is a paragraph of its own."""
_LATE = """data-src data-lazy-src data-original data-lazy data-lazysrc data-original-src data-actualsrc data-echo
    data-hires data-hi-res-src nitro-lazy-src""".split()  # noqa: SIM905 (11 quoted words are harder to read)
"""Where lazy loaders keep the address of the picture: it is the picture, whatever `src` shows meanwhile."""
_LATE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_LAST = (
    "data-orig-file",
    "data-large-file",
    "data-full-url",
    "data-fullsrc",
    "data-image",
    "data-url",
    "data-fallback",
)
"""Where the address is to be found when nothing else has it."""
_STAND_IN = re.compile(
    r"(?:blank|placeholder|spacer|transparent|pixel|1x1|lazy|loading|loader)[\w-]*\.(?:gif|png|svg)\b"
)
_KEPT = frozenset({"alt", "width", "height", "title", "dir", "lang"})
_CANDIDATE = re.compile(r"(\S*[^,\s])(?:\s+([0-9.]+)[wx])?\s*(?:,|$)")
_TRACKERS = re.compile(r"(?:^|\.)(?:googletagmanager|doubleclick|googlesyndication|adnxs)\.(?:com|net)$")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_UNSEEN_CLASSES = frozenset({"screen-reader-text", "sr-only", "visually-hidden"})

# A tag as it begins, and a film that has been tidied.
_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)([^<>]*)")
_PLAYABLE = re.compile(
    r'<(?:(?:video|audio)(?=[^<>]*\ssrc=")[^<>]*>(?:<source\b[^<>]*>)*|(?:video|audio)\b[^<>]*>(?:<source\b[^<>]*>)+)'
    r"</(?:video|audio)>"
)
# libxml2 does not know them as elements that never have anything in them.
_VOID = re.compile(r"<(source|track|wbr|embed)\b([^<>]*)>", re.IGNORECASE)
_REFERENCE = re.compile(r"&#(?:[xX][0-9A-Fa-f]+|[0-9]+);?")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Scripts and styles go by cleaning alone.
_ALWAYS = (
    (FURNITURE - {"script", "style"})
    | _EMBEDS.keys()
    | {"form", "label", "video", "audio", "source", "track", "picture"}
)
_ATTRIBUTES = ("hidden", "display", "visib", "screen-reader", "sr-only")
_SOURCE = re.compile(r"""\ssrc\s*=\s*["']?[^"'\s#>]""")
_TINY = re.compile(r"""\b(?:width|height)\s*=\s*["']?[01](?!\d)""")


def untidy(markup: str) -> bool:
    """Whether there may be anything in it that `tidied` changes. What has been tidied and cleaned has next to none."""
    if "<" not in markup:
        return False
    for tag in _TAG.finditer(_PLAYABLE.sub("", markup)):
        name, attributes = tag[1].lower(), tag[2].lower()
        if name in _ALWAYS or any(sign in attributes for sign in _ATTRIBUTES):
            return True
        if name == "img" and (
            not _SOURCE.search(attributes)
            or any(sign in attributes for sign in ("data-", "srcset", "lazy"))
            or _TINY.search(attributes)
        ):
            return True
    return False


def tidied(markup: str, absolute: Absolute) -> str:
    """Return the HTML without furniture, with its pictures and embeds as a reader can have them.

    What is nested too deep for the parser comes back as it is.
    """
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(f"<div>{_parsable(markup)}</div>".encode(), parser)
    except etree.ParserError:
        return markup
    body = root.find("body")
    if body is None or not len(body) or any(problem.type_name == "ERR_RESOURCE_LIMIT" for problem in parser.error_log):
        return markup
    _without_forms(body)
    _without_hidden(body)
    _pictures(body, absolute)
    _films(body, absolute)
    for element in list(body.iter(*_EMBEDS)):
        _link(element, absolute)
    for element in list(body.iter(*FURNITURE)):
        _drop(element)
    frame: html.HtmlElement = body[0]
    frame.drop_tag()
    inside = (etree.tostring(child, encoding="unicode", method="html") for child in body)
    return escape(body.text or "", quote=False) + "".join(inside)


def _parsable(markup: str) -> str:
    """The markup as libxml2 reads it like a browser, and without what lxml refuses to hold."""
    return _VOID.sub(_closed, _ILLEGAL.sub("", _REFERENCE.sub(_character, markup)))


def _character(reference: re.Match[str]) -> str:
    return escape(unescape(reference[0]), quote=True)


def _closed(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{tag[2].rstrip('/')}></{tag[1]}>"


def sources(srcset: str) -> Iterator[str]:
    """Yield the addresses in a `srcset`, the largest first."""
    found = [(float(size or 0) if _is_number(size) else 0.0, url) for url, size in _CANDIDATE.findall(srcset)]
    yield from (url for _, url in sorted(found, key=lambda candidate: -candidate[0]))


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:\.\d+)?", text))


def _without_forms(body: html.HtmlElement) -> None:
    """Cut forms out; one that has most of the text is the frame of a whole page, and goes alone."""
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
    said = sum(len(paragraph.text_content()) for paragraph in form.iter("p"))
    return said > 400  # characters: a form says what it is for in fewer


def _without_hidden(body: html.HtmlElement) -> None:
    for element in list(body.iter()):
        if element.getparent() is None or element is body or not isinstance(element.tag, str):
            continue
        if (
            ("hidden" in element.attrib and element.get("hidden", "").lower() != "until-found")
            or _HIDDEN.search(element.get("style", ""))
            or _UNSEEN_CLASSES & set(element.get("class", "").split())
        ):
            _drop(element)


def _pictures(body: html.HtmlElement, absolute: Absolute) -> None:
    for picture in list(body.iter("picture")):
        _choose(picture, absolute)
    for image in list(body.iter("img")):
        _load(image, absolute)
    _noscripts(body, absolute)


def _choose(picture: html.HtmlElement, absolute: Absolute) -> None:
    """Leave the picture alone of its sources; its `src`, or the best of those."""
    image = picture.find(".//img")
    found = list(picture.iter("source"))
    # What every reader shows goes before what only newer ones do.
    found.sort(key=lambda source: source.get("type", "") not in {"", "image/jpeg", "image/png"})
    if image is None and found:
        image = html.Element("img")
        picture.append(image)
    if image is not None and not _file(image, absolute):
        sets = (source.get(name, "") for source in found for name in ("data-srcset", "srcset", "src", "data-src"))
        url = next((url for each in sets for url in sources(each) if _is_picture(url, absolute)), "")
        image.set("src", url)
    picture.drop_tag()


def _load(image: html.HtmlElement, absolute: Absolute) -> None:
    url = _file(image, absolute)
    if not url or _tiny(image):
        _drop(image)
        return
    for name in set(image.attrib) - _KEPT - {"src"}:
        del image.attrib[name]
    image.set("src", url)


def _file(image: html.HtmlElement, absolute: Absolute) -> str:
    """The address of the picture itself; empty when it has none."""
    late = [image.get(name, "") for name in _LATE]
    sets = [url for name in _LATE_SETS for url in sources(image.get(name, ""))]
    own = image.get("src", "")
    shown = [] if _STAND_IN.search(own) and (any(late) or sets) else [own]
    # A `srcset` beside a `src` that can be used says the same picture in other sizes.
    order = [*late, *shown, *sets, *(image.get(name, "") for name in _LAST)]
    return next((url for url in order if _is_picture(url, absolute)), "")


def _is_picture(url: str, absolute: Absolute) -> bool:
    url = url.strip()
    found = absolute(url) if url and not url.startswith("#") else ""
    # The page itself is no picture of itself: what `src=""` means.
    return bool(found) and found != absolute("")


def _noscripts(body: html.HtmlElement, absolute: Absolute) -> None:
    """Cut noscript out, but for a picture that stands nowhere else."""
    seen = {
        absolute(image.get("src", ""))
        for image in body.iter("img")
        if not any(parent.tag == "noscript" for parent in image.iterancestors())
    }
    for element in list(body.iter("noscript")):
        if element.getparent() is None:
            continue
        for image in element.iter("img"):
            url = absolute(image.get("src", ""))
            if url not in seen:
                seen.add(url)
                shown = html.Element("img", image.attrib)
                element.addprevious(shown)
        _drop(element)


def _films(body: html.HtmlElement, absolute: Absolute) -> None:
    for media in list(body.iter("video", "audio")):
        _play(media, absolute)
    for source in list(body.iter("source", "track")):
        if getattr(source.getparent(), "tag", "") not in {"video", "audio"}:
            _drop(source)


def _play(media: html.HtmlElement, absolute: Absolute) -> None:
    """Leave the sources of a film alone, and the film only where it has one."""
    own = next((url for name in ("src", "data-src") if absolute(url := media.get(name, ""))), "")
    media.attrib.pop("src", None)
    if own:
        media.set("src", own)
    media.text = None
    for child in list(media):
        if child.tag == "source" and absolute(child.get("src", "")) and not child.get("srcset"):
            child.tail = None
            child[:] = []
        else:
            media.remove(child)
    if not own and not len(media):
        _drop(media)


def _link(element: html.HtmlElement, absolute: Absolute) -> None:
    """Put a link in the place of what is embedded: its page where its service is known, else its own address."""
    said = next(
        (url for name in (_EMBEDS[str(element.tag)], *_LATE) if absolute(url := element.get(name, "").strip())), ""
    )
    url = absolute(said) if said else ""
    parent = element.getparent()
    if parent is None:
        return
    if url and url != absolute("") and not _TRACKERS.search(urlsplit(url).netloc) and not _tiny(element):
        page = _watched(url)
        link = html.Element("a", href=page)
        title = element.get("title") or element.get("aria-label") or ""
        link.text = " ".join(title.split()) or page
        shown = link
        if parent.tag in _LINES:
            shown = html.Element("p")
            shown.append(link)
        element.addprevious(shown)
    _drop(element)


def _watched(url: str) -> str:
    """The page of a film of which `url` is the player."""
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
    """Whether it has the size of what only counts visits."""
    return all(element.get(side, "").strip().removesuffix("px") in {"0", "1"} for side in ("width", "height"))


def _drop(element: html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
