"""An HTML page with an article: schema.org NewsArticle in JSON-LD, and what the page itself says where there is none.

Sources: schema.org, NewsArticle and its kinds; JSON-LD 1.1, "Embedding JSON-LD in HTML Documents" and `@graph`; the
Open Graph protocol, "Article"; HTML Living Standard, link type "alternate" with hreflang. JSON-LD is read as news sites
write it, without fetching contexts: single objects, arrays, `@graph`, articles within other things, and references by
`@id`.

A page has no version and, as publishers fill in `identifier` now and then only, no id of its own but its address, so
the id is made of that: the same address is the same article. It is parsed by lxml without entities and without
network; trafilatura, which could fetch, is only ever given what is parsed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree, html

from feeds import text
from feeds.adapters import jsonld
from feeds.adapters.decode import html_text
from feeds.adapters.draft import Draft, objects, paragraphs, pixels
from feeds.adapters.interface import Adapted, Adapter, InputDefaults
from feeds.adapters.members_only import cut_out, says_no
from feeds.adapters.page_meta import Meta
from feeds.direction import direction
from feeds.encodings import REPLACEMENT
from feeds.errors import FieldError, InvalidEvent

_ARTICLE = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:\w*Article|LiveBlogPosting|BlogPosting|SocialMediaPosting|Report)"
)
_REFERENCE = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_ELEMENT = re.compile(
    r"</?(?:p|br|div|h[1-6]|ul|ol|li|strong|b|em|i|a|span|blockquote|figure|img|table)\b[^>]*>", re.IGNORECASE
)
_ADDRESS = re.compile(r"^(?:[a-z]+:)?//|^https?:|^www\.|^[^\s@]+@[^\s@]+\.[^\s@]+$|^@", re.IGNORECASE)
_BY = re.compile(r"^\s*by:?\s+(?=\S)", re.IGNORECASE)
_SECTION = ("article:section", "articlesection", "parsely-section", "section")
_LOOKED_AT = 20_000
"""Characters of a page by which its script is known."""
_UNSEEN = frozenset({"script", "style", "template", "title", "noscript"})
_SHORT = 600
"""Characters below which an `articleBody` may be a teaser: what the page shows is looked at too."""
_OPENING = 40
"""Characters by which a text is known again."""


def read(content: bytes, defaults: InputDefaults) -> Adapted:
    """Return the event of the article on a page. Raises InvalidEvent for one that can't be parsed or has no address."""
    markup = html_text(content)
    root = _parsed(markup)
    meta = Meta(root, defaults.url)
    stated = jsonld.data(root)
    things = stated.objects
    known = {thing["@id"]: thing for thing in reversed(things) if isinstance(thing.get("@id"), str) and len(thing) > 1}
    own = [url for url in (meta.canonical, meta.one("og:url")) if url]
    articles = [_Thing(thing, known) for thing in things if _is_article(thing)]
    said = _chosen(articles, own, defaults.url, meta.headlines)
    article = said or _Thing({}, known)
    address = meta.canonical or meta.absolute(article.address()) or meta.one("og:url") or defaults.url
    address = urljoin(defaults.url, address) if defaults.url else address
    draft = Draft("page", content, defaults.id or (page_id(address) if address else ""))
    draft.url(address, defaults)
    if said is None:
        draft.note("", "has no NewsArticle in JSON-LD; what can be is taken from the page itself")
    if stated.unread:
        draft.note("", f"has JSON-LD that is no JSON ({stated.unread} scripts), which is not read")
    if replaced := markup.count(REPLACEMENT):
        draft.note("", f"has {replaced} characters that are not in its encoding; they are shown as {REPLACEMENT}")
    # What is said of the page itself, as by Yoast, holds for its article.
    pages = [thing for thing in map(_by_itself, things) if thing.said.get("@type") in ("WebPage", ["WebPage"])]
    pages = [thing for thing in pages if not thing.address() or _alike(thing.address()) == _alike(address)]
    meta.published += [date for thing in pages if isinstance(date := thing.said.get("datePublished"), str)]
    _say(draft, article, meta, defaults, root)
    _body(draft, article, meta, root, locked=stated.locked)
    return draft.published()


def page_id(address: str) -> str:
    """Return the id of the article at an address."""
    return f"page-{hashlib.sha256(address.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _body(draft: Draft, article: _Thing, meta: Meta, root: html.HtmlElement, *, locked: bool) -> None:
    if locked or meta.locked or says_no(article.said.get("isAccessibleForFree")):
        draft.note("body_html", "is left out: the page says that it is not free to read")
        return
    said = _marked_up(article.text("articleBody"))
    for part in article.things("hasPart"):
        if says_no(part.get("isAccessibleForFree")):
            selector = part.get("cssSelector")
            if not all(isinstance(each, str) and cut_out(root, each) for each in _listed(selector)):
                draft.note("body_html", "is left out: a part of the page is not free to read, and which can't be told")
                return
            draft.note("body_html", "has a part that is not free to read, which is left out")
            said = ""  # it may have that part too
    if said and not _breaks_off(said, root):
        draft.body(text.safe_html(said, meta.base) if meta.base else said)
        return
    whole = text.fold(" ".join(_shown(root))) if said else ""
    shown = _main_text(root, draft.article.get("headline", ""), meta.base)
    # A summary is one paragraph.
    known = whole if len(re.findall(r"<p\b", said)) < 2 else text.fold(text.text_of(said))
    if said and not _falls_short(text.text_of(said), text.text_of(shown), known):
        draft.body(said)
        return
    if said:
        draft.note("body_html", "has only its beginning in articleBody, or a summary; what the page shows is taken")
    draft.body(shown)


def _shown(root: html.HtmlElement) -> Iterator[str]:
    """The words that a page shows, piece by piece."""
    for element in root.iter():
        if element.tag not in _UNSEEN and isinstance(element.tag, str) and element.text:
            yield str(element.text)
        if element.tail:
            yield str(element.tail)


def _right_to_left(words: str) -> bool:
    """Whether most letters of a text are of scripts that are written right to left."""
    kinds = [unicodedata.bidirectional(letter) for letter in words if letter.isalpha()]
    return sum(kind in {"R", "AL"} for kind in kinds) * 2 > len(kinds)


def _by_itself(said: dict[str, Any]) -> _Thing:
    return _Thing(said, {})


def _marked_up(said: str) -> str:
    """The `articleBody` as HTML: it is plain text by schema.org, and markup, escaped or not, on many pages."""
    for _ in range(2):
        if not _ELEMENT.search(said) and _REFERENCE.search(said):
            said = unescape(said)
    return said if _ELEMENT.search(said) else paragraphs(said)


def _falls_short(said: str, shown: str, page: str) -> bool:
    """Whether the text that is said is the beginning of the one that is shown, or a summary that the page has nowhere.

    `page`: all words of the page, folded.
    """
    opening = text.fold(said).rstrip(".…[] ")[:_OPENING]
    if opening in text.fold(shown):
        return len(shown) > len(said) * 1.2
    return len(shown) > len(said) * 3 and " ".join(opening.split()) not in " ".join(page.split())


def _breaks_off(body: str, root: html.HtmlElement) -> bool:
    """Whether a text may be the beginning of one: it ends so, is very short, or the page shows far more."""
    said = text.text_of(body)
    if len(said) < _SHORT or said.endswith(("…", "...", "[…]", "[...]")):
        return True
    return sum(len(str(paragraph.text_content())) for paragraph in root.iter("p")) > len(said) * 1.2


def _say(draft: Draft, article: _Thing, meta: Meta, defaults: InputDefaults, root: html.HtmlElement) -> None:
    languages = [each for each in (*article.languages(), *meta.languages) if isinstance(each, str) and each.strip()]
    if _right_to_left(" ".join(_shown(root))[:_LOOKED_AT]):
        # A template's language stands on many a page in another one; no text in such a script is in it.
        languages.sort(key=lambda each: direction(each.strip().replace("_", "-")) == "ltr")
    draft.edition(languages, defaults)
    headlines = (article.text("headline"), article.text("name"), *meta.headlines)
    draft.line("headline", next(filter(None, headlines), ""))
    draft.line("summary", article.text("description") or meta.one("og:description", "description"))
    others = (*meta.published, article.said.get("dateCreated"))
    draft.time("published", article.said.get("datePublished"), defaults, *others)
    draft.time("updated", article.said.get("dateModified"), defaults, *meta.updated)
    draft.time("expires", article.said.get("expires"), defaults)
    section = article.said.get("articleSection") or meta.one(*_SECTION)
    draft.line("section", section[0] if isinstance(section, list) and section else section)
    draft.lines(
        "subjects", _words(article.said.get("keywords")) or meta.all("article:tag") or _words(meta.one("news_keywords"))
    )
    _authors(draft, article.names("author", "creator") or meta.authors)
    draft.line("dateline", article.text("dateline"))
    draft.line("source", next(iter(article.names("publisher")), None) or meta.one("og:site_name"))
    draft.line("rights", article.text("copyrightNotice") or next(iter(article.names("copyrightHolder")), None))
    pictures = article.things("image") or ([{"url": meta.one("og:image")}] if meta.one("og:image") else [])
    for picture in pictures:
        _picture(draft, _Thing(picture, article.known), meta)
    for name in ("translationOfWork", "workTranslation"):
        for thing in article.things(name):
            other = _Thing(thing, article.known)
            language = next(iter(other.languages()), None)
            draft.alternate(language, other.address() or thing.get("@id"), defaults)
    for language, address in meta.alternates:
        draft.alternate(language, address, defaults)


def _authors(draft: Draft, names: list[Any]) -> None:
    people = []
    for name in names:
        if isinstance(name, str) and _ADDRESS.search(name.strip()):
            draft.note("authors", f"has {name.strip()[:100]!r}, which is an address and no name; it is left out")
        else:
            people.append(_BY.sub("", name) if isinstance(name, str) else name)
    draft.lines("authors", people)


def _picture(draft: Draft, picture: _Thing, meta: Meta) -> None:
    said = picture.said
    # `url` of a picture is often the page that shows it; `contentUrl` is the file.
    address = next(iter(_listed(said.get("contentUrl") or said.get("url") or said.get("@id"))), None)
    media_type = said.get("encodingFormat")
    draft.image(
        url=meta.absolute(address, draft.article.get("url", "")) if isinstance(address, str) else address,
        type=media_type if isinstance(media_type, str) and media_type.startswith("image/") else None,
        width=pixels(said.get("width")),
        height=pixels(said.get("height")),
        caption=picture.text("caption") or picture.text("description"),
        credit=picture.text("creditText") or next(iter(picture.names("creator", "author", "copyrightHolder")), None),
    )


class _Thing:
    """A JSON-LD object, and those that it may refer to by their `@id`."""

    def __init__(self, said: dict[str, Any], known: dict[str, dict[str, Any]]) -> None:
        self.said = said
        self.known = known

    def text(self, name: str) -> str:
        """The property as text; of several values or languages the first."""
        value = self.said.get(name)
        value = value[0] if isinstance(value, list) and value else value
        value = value.get("@value", value.get("name")) if isinstance(value, dict) else value
        return value if isinstance(value, str) else ""

    def things(self, *names: str) -> list[dict[str, Any]]:
        """The things that a property names: objects, references, or bare text, which is their `url` and `name`."""
        value = next((self.said[name] for name in names if self.said.get(name)), None)
        found = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                found.append(self.known.get(item, {"url": item, "name": item}))
            elif isinstance(item, list):
                found.extend(each for each in item if isinstance(each, dict))
            elif isinstance(item, dict):
                reference = item.get("@id")
                found.append(self.known.get(reference, item) if isinstance(reference, str) and len(item) == 1 else item)
        return found

    def names(self, *names: str) -> list[Any]:
        """The names of the things that the first of these properties has."""
        found: list[Any] = []
        for thing in self.things(*names):
            name = thing.get("name")
            if not name:
                name = " ".join(
                    filter(None, (_Thing(thing, {}).text("givenName"), _Thing(thing, {}).text("familyName")))
                )
            for each in _listed(name):
                each = each.get("@value") if isinstance(each, dict) else each  # noqa: PLW2901 (the same name)
                if isinstance(each, str) and each:
                    found.append(each)
        return found

    def languages(self) -> list[Any]:
        """The languages: text, or things whose `alternateName` is their tag (schema.org, Language)."""
        found = []
        for said in _listed(self.said.get("inLanguage")):
            if isinstance(said, dict):
                said = said.get("alternateName") or said.get("@value") or said.get("name")  # noqa: PLW2901 (the same)
            found.extend(_listed(said))
        return found

    def address(self) -> str:
        """The address of the page that the thing is on."""
        return next(iter(self.addresses()), "")

    def addresses(self) -> list[str]:
        """Every address that it says of the page that it is on."""
        page = next(iter(self.things("mainEntityOfPage")), {})
        found = (*_listed(self.said.get("url")), page.get("@id"), page.get("url"), self.said.get("@id"))
        return [url for url in found if isinstance(url, str) and url.startswith(("http://", "https://"))]


def _parsed(markup: str) -> html.HtmlElement:
    # As bytes, because lxml refuses text that declares an encoding of its own.
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    try:
        root = html.document_fromstring(text.legal(markup).encode(), parser=parser)
    except etree.ParserError:
        raise InvalidEvent([FieldError("", "the page is empty")]) from None
    for problem in parser.error_log:
        # Everything else a browser would forgive too; here the rest of the page would be lost without a word.
        if problem.type_name == "ERR_RESOURCE_LIMIT":
            raise InvalidEvent([FieldError("", f"the page can't be parsed: {problem.message.partition(',')[0]}")])
    return root


def _is_article(thing: dict[str, Any]) -> bool:
    kinds = thing.get("@type")
    return any(
        isinstance(kind, str) and _ARTICLE.fullmatch(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _chosen(articles: list[_Thing], own: list[str], defaults: str, headlines: list[str]) -> _Thing | None:
    """The article that the page is about: the one with its address, or with none, or with its headline.

    Others are teasers, and what they say is of another page.
    """
    addresses = {_alike(url) for url in (*own, defaults) if url}
    # A translation may be named by its address alone.
    articles = [thing for thing in articles if thing.text("headline") or thing.text("name")] or articles
    about = [thing for thing in articles if any(_alike(url) in addresses for url in thing.addresses())]
    if about or not own:
        return next(iter((*about, *articles)), None)
    titles = {text.fold(title) for title in headlines}
    same = [thing for thing in articles if titles and text.fold(thing.text("headline") or thing.text("name")) in titles]
    bare = [thing for thing in articles if not thing.addresses()]
    return next(iter((*same, *bare)), None)


def _alike(url: str) -> str:
    """An address as it is compared: sites write one page's with and without www, a slash at the end, a query."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    return f"{parts.netloc.lower().removeprefix('www.')}{unquote(parts.path).rstrip('/')}"


def _words(value: Any) -> list[Any]:
    """Keywords: an array, or one text with commas, the Arabic and the fullwidth among them; terms have names."""
    if isinstance(value, str):
        return re.split(r"\s*[,،，]\s*", value)
    found = value if isinstance(value, list) else objects(value)
    return [item.get("name") if isinstance(item, dict) else item for item in found]


def _main_text(root: html.HtmlElement, headline: str, base: str) -> str:
    """The article's text as HTML, found by trafilatura among everything else on the page; empty if there is none."""
    import trafilatura  # noqa: PLC0415 (a quarter of a second that only such pages cost)

    if base:
        root.make_links_absolute(base, resolve_base_href=False, handle_failures="ignore")
    found = trafilatura.extract(
        root,
        output_format="html",
        include_links=True,
        include_formatting=True,
        include_comments=False,
    )
    body = html.document_fromstring(found).find("body") if found else None
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
