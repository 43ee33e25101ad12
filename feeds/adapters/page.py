"""Reads an HTML page with an article: schema.org NewsArticle in JSON-LD, else the page's metadata and its text.

Sources: schema.org, NewsArticle and its kinds; JSON-LD 1.1, "Embedding JSON-LD in HTML Documents" and `@graph`; the
Open Graph protocol, "Article"; HTML Living Standard, link type "alternate" with hreflang. JSON-LD is read as news sites
write it, without fetching contexts: single objects, arrays, `@graph`, articles within other nodes, and references by
`@id`.

A page has no version, and publishers rarely fill in `identifier`. So the id is made from the page's address: the same
address is the same article. lxml parses the page without entities and without network; trafilatura, which could fetch,
only gets the parsed page.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from html import unescape
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree, html

from feeds import text
from feeds.adapters import jsonld
from feeds.adapters.decode import html_text
from feeds.adapters.draft import BYLINE, Draft, objects, paragraphs, pixels
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.adapters.jsonld_node import Node, as_list, is_article, is_page
from feeds.adapters.page_meta import Meta, of_article, property_names
from feeds.adapters.paywall import Paywall
from feeds.counted import counted
from feeds.direction import direction
from feeds.encodings import REPLACEMENT
from feeds.errors import FieldError, InvalidEvent
from feeds.safe_html import safe_html

_TEASER_CHARS = 200
"""Texts of so many characters may be a teaser."""
_REFERENCE = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_ELEMENT = re.compile(
    r"</?(?:p|br|div|h[1-6]|ul|ol|li|strong|b|em|i|a|span|blockquote|figure|img|table)\b[^>]*>", re.IGNORECASE
)
_ADDRESS = re.compile(r"^(?:[a-z]+:)?//|^https?:|^www\.|^[^\s@]+@[^\s@]+\.[^\s@]+$|^@", re.IGNORECASE)
_SECTION = ("article:section", "articlesection", "parsely-section", "section")
_SCRIPT_SAMPLE = 20_000
"""Characters of a page by which its script is recognized."""
_HIDDEN_ELEMENTS = frozenset({"script", "style", "template", "title", "noscript"})
_TEASER_CHARS = 600
"""An `articleBody` of fewer characters may be a teaser, so it is compared with the text that the page shows."""
_OPENING_CHARS = 40
"""Characters by which a text is recognized in another one."""


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event of the article on a page. Raises InvalidEvent if it can't be parsed or has no address."""
    markup = html_text(content)
    root = _parsed(markup)
    meta = Meta(root, defaults.url)
    json_ld = jsonld.read_page(root)
    # Of several nodes with one `@id` the first counts; a node with nothing but an `@id` is a reference.
    nodes_by_id = {
        node["@id"]: node for node in reversed(json_ld.nodes) if isinstance(node.get("@id"), str) and len(node) > 1
    }
    own_addresses = [url for url in (meta.canonical, meta.first("og:url")) if url]
    articles = [Node(node, nodes_by_id) for node in json_ld.nodes if is_article(node)]
    main_article = _main_article(articles, own_addresses, defaults.url, meta.headlines)
    article = main_article or Node({}, nodes_by_id)
    address = meta.canonical or meta.absolute(article.address()) or meta.first("og:url") or defaults.url
    address = urljoin(defaults.url, address) if defaults.url else address
    draft = Draft("page", content, defaults.id or (page_id(address) if address else ""))
    draft.url(address, defaults)
    if main_article is None:
        draft.note("", "has no NewsArticle in JSON-LD; what can be is taken from the page itself")
    if json_ld.unread_scripts:
        scripts = counted(json_ld.unread_scripts, "script", "scripts")
        draft.note("", f"has JSON-LD that is no JSON ({scripts}), which is not read")
    if replaced := markup.count(REPLACEMENT):
        characters = counted(replaced, "character that is", "characters that are")
        draft.note("", f"has {characters} not in its encoding, shown as {REPLACEMENT}")
    # Some tools, among them Yoast, give the article's date to the node of the page.
    pages = [Node(node, {}) for node in json_ld.nodes if node.get("@type") in ("WebPage", ["WebPage"])]
    pages = [page for page in pages if not page.address() or _comparable(page.address()) == _comparable(address)]
    meta.published += [date for page in pages if isinstance(date := page.properties.get("datePublished"), str)]
    _set_fields(draft, article, meta, defaults, root)
    about_page = _about_page(json_ld.nodes, article, own_addresses, meta.headlines)
    paywall = Paywall(root, meta, about_page, locked=json_ld.locked)
    _body(draft, article, meta, root, paywall)
    return draft.published()


def page_id(address: str) -> str:
    """Return the id of the article at an address."""
    return f"page-{hashlib.sha256(address.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _body(draft: Draft, article: Node, meta: Meta, root: html.HtmlElement, paywall: Paywall) -> None:
    """Set the text: `articleBody` if it is whole, else the text that the page shows.

    Nothing is taken from a page that is not free to read. If only a part is not free, that part is cut out of the page,
    and `articleBody`, which may contain it, is not used.
    """
    if paywall.whole:
        draft.note("body_html", "is left out: the page says that it is not free to read")
        return
    if paywall.unclear:
        draft.note("body_html", "is left out: a part of the page is not free to read, and it can't be located")
        return
    article_body = _as_html(article.text("articleBody"))
    if paywall.elements:
        draft.note("body_html", "has a part that is not free to read, which is left out")
        paywall.cut_out()
        article_body = ""  # it may contain that part too
    if article_body and not _may_break_off(article_body, root):
        draft.body(safe_html(article_body, meta.base) if meta.base else article_body)
        return
    page_words = text.fold(" ".join(_shown(root))) if article_body else ""
    shown = _main_text(root, draft.article.get("headline", ""), meta.base)
    # A summary is one paragraph; a longer text is never taken for a summary.
    searched = page_words if len(re.findall(r"<p\b", article_body)) < 2 else text.fold(text.text_of(article_body))
    if article_body and not _falls_short(text.text_of(article_body), text.text_of(shown), searched):
        draft.body(article_body)
        return
    if article_body:
        draft.note("body_html", "has only its beginning in articleBody, or a summary; what the page shows is taken")
    draft.body(shown)


def _shown(root: html.HtmlElement) -> Iterator[str]:
    """The text that a page shows, element by element."""
    for element in root.iter():
        if element.tag not in _HIDDEN_ELEMENTS and isinstance(element.tag, str) and element.text:
            yield str(element.text)
        if element.tail:
            yield str(element.tail)


def _right_to_left(words: str) -> bool:
    """Whether most letters of a text are of scripts that are written right to left."""
    kinds = [unicodedata.bidirectional(letter) for letter in words if letter.isalpha()]
    return sum(kind in {"R", "AL"} for kind in kinds) * 2 > len(kinds)


def _as_html(body: str) -> str:
    """The `articleBody` as HTML: it is plain text by schema.org, and markup, escaped or not, on many pages."""
    for _ in range(2):
        if not _ELEMENT.search(body) and _REFERENCE.search(body):
            body = unescape(body)
    return body if _ELEMENT.search(body) else paragraphs(body)


def _falls_short(body: str, shown: str, searched: str) -> bool:
    """Whether `body` is only the beginning of the text that is shown, or a summary that the page does not show.

    `searched`: the folded words in which the opening of a text that is not a summary stands.
    """
    opening = text.fold(body).rstrip(".…[] ")[:_OPENING_CHARS]
    if opening in text.fold(shown):
        return len(shown) > len(body) * 1.2
    return len(shown) > len(body) * 3 and " ".join(opening.split()) not in " ".join(searched.split())


def _may_break_off(body: str, root: html.HtmlElement) -> bool:
    """Whether a text may be only a beginning: it ends in an ellipsis, is very short, or the page shows far more."""
    words = text.text_of(body)
    if len(words) < _TEASER_CHARS or words.endswith(("…", "...", "[…]", "[...]")):
        return True
    return sum(len(str(paragraph.text_content())) for paragraph in root.iter("p")) > len(words) * 1.2


def _set_fields(draft: Draft, article: Node, meta: Meta, defaults: InputDefaults, root: html.HtmlElement) -> None:
    languages = [each for each in (*article.languages(), *meta.languages) if isinstance(each, str) and each.strip()]
    if _right_to_left(" ".join(_shown(root))[:_SCRIPT_SAMPLE]):
        # Many pages have the language of their template. A text from right to left is in none that is written from left
        # to right, so such languages come last.
        languages.sort(key=lambda each: direction(each.strip().replace("_", "-")) == "ltr")
    draft.edition(languages, defaults)
    headlines = (article.text("headline"), article.text("name"), *meta.headlines)
    draft.line("headline", next(filter(None, headlines), ""))
    draft.line("summary", article.text("description") or meta.first("og:description", "description"))
    later_choices = (*meta.published, article.properties.get("dateCreated"))
    draft.time("published", article.properties.get("datePublished"), defaults, *later_choices)
    draft.time("updated", article.properties.get("dateModified"), defaults, *meta.updated)
    draft.time("expires", article.properties.get("expires"), defaults)
    section = article.properties.get("articleSection") or meta.first(*_SECTION)
    draft.line("section", section[0] if isinstance(section, list) and section else section)
    draft.lines(
        "subjects",
        _keywords(article.properties.get("keywords"))
        or meta.all("article:tag")
        or _keywords(meta.first("news_keywords")),
    )
    _authors(draft, article.names("author", "creator") or meta.authors)
    draft.line("dateline", article.text("dateline"))
    draft.line("source", next(iter(article.names("publisher")), None) or meta.first("og:site_name"))
    draft.line("rights", article.text("copyrightNotice") or next(iter(article.names("copyrightHolder")), None))
    pictures = article.nodes("image") or ([{"url": meta.first("og:image")}] if meta.first("og:image") else [])
    for picture in pictures:
        _picture(draft, Node(picture, article.nodes_by_id), meta)
    for name in ("translationOfWork", "workTranslation"):
        for node in article.nodes(name):
            translation = Node(node, article.nodes_by_id)
            language = next(iter(translation.languages()), None)
            draft.alternate(language, translation.address() or node.get("@id"), defaults)
    for language, address in meta.alternates:
        draft.alternate(language, address, defaults)


def _authors(draft: Draft, names: list[Any]) -> None:
    people = []
    for name in names:
        if isinstance(name, str) and _ADDRESS.search(name.strip()):
            draft.note("authors", f"has {name.strip()[:100]!r}, which is an address and no name; it is left out")
        else:
            people.append(BYLINE.sub("", name) if isinstance(name, str) else name)
    draft.lines("authors", people)


def _picture(draft: Draft, picture: Node, meta: Meta) -> None:
    properties = picture.properties
    # The `url` of a picture is often the page that shows it; `contentUrl` is the file.
    address = next(iter(as_list(properties.get("contentUrl") or properties.get("url") or properties.get("@id"))), None)
    media_type = properties.get("encodingFormat")
    draft.image(
        url=meta.absolute(address, draft.article.get("url", "")) if isinstance(address, str) else address,
        type=media_type if isinstance(media_type, str) and media_type.startswith("image/") else None,
        width=pixels(properties.get("width")),
        height=pixels(properties.get("height")),
        caption=picture.text("caption") or picture.text("description"),
        credit=picture.text("creditText") or next(iter(picture.names("creator", "author", "copyrightHolder")), None),
    )


def _parsed(markup: str) -> html.HtmlElement:
    # As bytes, because lxml refuses text that declares an encoding.
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        root = html.document_fromstring(text.legal(markup).encode(), parser=parser)
    except etree.ParserError:
        raise InvalidEvent([FieldError("", "the page is empty")]) from None
    for problem in parser.error_log:
        # A browser forgives every other error too. With this one the rest of the page would be lost silently.
        if problem.type_name == "ERR_RESOURCE_LIMIT":
            raise InvalidEvent([FieldError("", f"the page can't be parsed: {problem.message.partition(',')[0]}")])
    return root


def _main_article(
    articles: list[Node], own_addresses: list[str], default_address: str, headlines: list[str]
) -> Node | None:
    """The article that the page is about: the one with the page's address, with its headline, or without an address.

    The others are teasers of other pages.
    """
    addresses = {_comparable(url) for url in (*own_addresses, default_address) if url}
    # A translation may be named by its address alone.
    articles = [article for article in articles if _title(article)] or articles
    of_page = [article for article in articles if any(_comparable(url) in addresses for url in article.addresses())]
    if of_page or not own_addresses:
        return next(iter((*of_page, *articles)), None)
    titles = {text.fold(title) for title in headlines}
    same_title = [article for article in articles if titles and text.fold(_title(article)) in titles]
    without_address = [article for article in articles if not article.addresses()]
    return next(iter((*same_title, *without_address)), None)


def _about_page(
    nodes: list[dict[str, Any]], article: Node, own_addresses: list[str], headlines: list[str]
) -> Iterator[Node]:
    """The nodes that are about the page and its `article`.

    Tools for paywalls add what they say to pages that others make: as another node for the same article, to that of the
    page, or under the article's `@id`. Related articles, events and videos on the page have their own terms.
    """
    addresses = {_comparable(url) for url in (*own_addresses, *article.addresses())}
    titles = {text.fold(title) for title in (*headlines, _title(article)) if title}
    for properties in nodes:
        node = Node(properties, article.nodes_by_id)
        same_id = "@id" in properties and properties["@id"] == article.properties.get("@id")
        if properties is article.properties or same_id:
            yield node
        elif (is_article(properties) or is_page(properties)) and not properties.keys() & {"cssSelector", "xpath"}:
            title = text.fold(_title(node))
            if any(_comparable(url) in addresses for url in node.addresses()) or (
                not node.addresses() and (not title or title in titles)
            ):
                yield node


def _title(article: Node) -> str:
    return article.text("headline") or article.text("name")


def _comparable(url: str) -> str:
    """An address without what sites write or leave out at will: the scheme, www, a slash at the end, the query."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    return f"{parts.netloc.lower().removeprefix('www.')}{unquote(parts.path).rstrip('/')}"


def _keywords(value: Any) -> list[Any]:
    """Keywords from an array or from a text with Latin, Arabic or fullwidth commas; terms have names."""
    if isinstance(value, str):
        return re.split(r"\s*[,،，]\s*", value)
    keywords = value if isinstance(value, list) else objects(value)
    return [keyword.get("name") if isinstance(keyword, dict) else keyword for keyword in keywords]


def _extracted(element: html.HtmlElement) -> html.HtmlElement | None:
    import trafilatura  # noqa: PLC0415 (a quarter of a second that only such pages cost)

    extracted = trafilatura.extract(
        deepcopy(element),
        output_format="html",
        include_links=True,
        include_formatting=True,
        include_comments=False,
    )
    return html.document_fromstring(extracted).find("body") if extracted else None


def _main_text(root: html.HtmlElement, headline: str, base: str) -> str:
    """The article's text as HTML, as trafilatura finds it on the page; empty if there is none.

    It is looked for in the element that the page says is the text, if that is more than a teaser.
    """
    if base:
        root.make_links_absolute(base, resolve_base_href=False, handle_failures="ignore")
    elements = (each for each in root.iterdescendants() if isinstance(each.tag, str))
    marked = [each for each in elements if "articlebody" in property_names(each) and of_article(each)]
    is_text = len(marked) == 1 and len(marked[0].text_content()) > _TEASER_CHARS
    body = _extracted(marked[0]) if is_text else None
    if body is None:
        body = _extracted(root)
    if body is None:
        return ""
    first = next(iter(body), None)
    if (
        first is not None
        and first.tag == "h1"
        and text.fold("".join(map(str, first.itertext()))) == text.fold(headline)
    ):
        body.remove(first)
    return "".join(etree.tostring(element, encoding="unicode", method="html").strip() for element in body)


ADAPTER = Adapter("page", "an HTML page: schema.org NewsArticle, else what the page shows", read)
