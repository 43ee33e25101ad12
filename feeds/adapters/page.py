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
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from feeds import text
from feeds.adapters.decode import html_text
from feeds.adapters.draft import Draft, objects, paragraphs, pixels
from feeds.adapters.interface import Adapted, Adapter, Given
from feeds.errors import FieldError, InvalidEvent

_ARTICLE = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:\w*NewsArticle|Article|LiveBlogPosting|BlogPosting|Report)"
)
MOST_OBJECTS = 20_000
"""How many JSON-LD objects a page may have; more is no page of an article."""


def read(content: bytes, given: Given) -> Adapted:
    """Return the event of the article on a page. Raises InvalidEvent for one that can't be parsed or has no address."""
    markup = html_text(content)
    root = _parsed(markup)
    meta = _Meta(root)
    things = list(_objects(root))
    known = {thing["@id"]: thing for thing in reversed(things) if isinstance(thing.get("@id"), str) and len(thing) > 1}
    said = _chosen([thing for thing in things if _is_article(thing)], meta.canonical)
    article = _Thing(said or {}, known)
    address = meta.canonical or article.address() or meta.one("og:url") or given.url
    address = urljoin(given.url, address) if given.url else address
    draft = Draft("page", content, given.id or (page_id(address) if address else ""))
    draft.url(address, given)
    if said is None:
        draft.miss("", "has no NewsArticle in JSON-LD; what can be is taken from the page itself")
    _say(draft, article, meta, given)
    if article.said.get("isAccessibleForFree") in {False, "False", "false", "http://schema.org/False"}:
        draft.miss("body_html", "is left out: the page says that it is not free to read")
    elif body := article.text("articleBody"):
        draft.body(paragraphs(body))
    else:
        draft.body(_main_text(markup, draft.article.get("headline", "")))
    return draft.published()


def page_id(address: str) -> str:
    """Return the id of the article at an address."""
    return f"page-{hashlib.sha256(address.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _say(draft: Draft, article: _Thing, meta: _Meta, given: Given) -> None:
    draft.edition(article.language() or meta.language, given)
    draft.line("headline", article.text("headline") or article.text("name") or meta.one("og:title"))
    draft.line("summary", article.text("description") or meta.one("og:description", "description"))
    draft.time("published", article.said.get("datePublished") or meta.one("article:published_time"), given)
    draft.time("updated", article.said.get("dateModified") or meta.one("article:modified_time"), given)
    draft.time("expires", article.said.get("expires"), given)
    section = article.said.get("articleSection") or meta.one("article:section")
    draft.line("section", section[0] if isinstance(section, list) and section else section)
    draft.lines("subjects", _words(article.said.get("keywords")) or meta.all("article:tag"))
    draft.lines("authors", article.names("author", "creator") or meta.all("author"))
    draft.line("dateline", article.text("dateline"))
    draft.line("source", next(iter(article.names("publisher")), None) or meta.one("og:site_name"))
    draft.line("rights", article.text("copyrightNotice") or next(iter(article.names("copyrightHolder")), None))
    pictures = article.things("image") or ([{"url": meta.one("og:image")}] if meta.one("og:image") else [])
    for picture in pictures:
        _picture(draft, _Thing(picture, article.known))
    for name in ("translationOfWork", "workTranslation"):
        for thing in article.things(name):
            other = _Thing(thing, article.known)
            draft.alternate(other.language(), other.address() or thing.get("@id"), given)
    for language, address in meta.alternates:
        draft.alternate(language, address, given)


def _picture(draft: Draft, picture: _Thing) -> None:
    said = picture.said
    # `url` of a picture is often the page that shows it; `contentUrl` is the file.
    address = said.get("contentUrl") or said.get("url") or said.get("@id")
    media_type = said.get("encodingFormat")
    draft.image(
        url=urljoin(draft.article.get("url", ""), address) if isinstance(address, str) else address,
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
            elif isinstance(item, dict):
                reference = item.get("@id")
                found.append(self.known.get(reference, item) if isinstance(reference, str) and len(item) == 1 else item)
        return found

    def names(self, *names: str) -> list[Any]:
        """The names of the things that the first of these properties has."""
        return [thing["name"] for thing in self.things(*names) if isinstance(thing.get("name"), str)]

    def language(self) -> Any:
        """The language: text, or a thing whose `alternateName` is its tag (schema.org, Language)."""
        said = self.said.get("inLanguage")
        return said.get("alternateName") if isinstance(said, dict) else said

    def address(self) -> str:
        """The address of the page that the thing is on."""
        page = next(iter(self.things("mainEntityOfPage")), {})
        found = (self.said.get("url"), page.get("@id"), page.get("url"))
        return next((url for url in found if isinstance(url, str) and url.startswith(("http://", "https://"))), "")


class _Meta:
    """What a page says in `meta`, `link` and `html`."""

    def __init__(self, root: html.HtmlElement) -> None:
        self.language = root.get("lang") or ""
        links = (link.get("href") or "" for link in root.iter("link") if "canonical" in (link.get("rel") or "").split())
        self.canonical = next((link.strip() for link in links if link.strip()), "")
        self.alternates = [
            (language, link.get("href"))
            for link in root.iter("link")
            # What has no language is a feed or another form of the same page, and x-default the page that asks for one.
            if "alternate" in (link.get("rel") or "").lower().split()
            and (language := link.get("hreflang"))
            and language.lower() != "x-default"
        ]
        self._said: dict[str, list[str]] = {}
        for element in root.iter("meta"):
            name, value = element.get("property") or element.get("name"), (element.get("content") or "").strip()
            if name and value:
                self._said.setdefault(name.lower(), []).append(value)

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        return self._said.get(name, [])

    def one(self, *names: str) -> str:
        """The first value of the first of these names that has one."""
        return next((values[0] for name in names if (values := self.all(name))), "")


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


def _objects(root: html.HtmlElement) -> Iterator[dict[str, Any]]:
    """Every JSON-LD object of the page, those further out first. What is no JSON is passed over."""
    waiting: deque[Any] = deque()
    for script in root.iter("script"):
        if (script.get("type") or "").partition(";")[0].strip().lower() == "application/ld+json":
            try:
                waiting.append(json.loads(script.text or "", strict=False))
            except (ValueError, RecursionError):
                continue
    seen = 0
    while waiting:
        value = waiting.popleft()
        seen += 1
        if seen > MOST_OBJECTS:
            raise InvalidEvent([FieldError("", f"the page has more than {MOST_OBJECTS:,} values in JSON-LD")])
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        elif isinstance(value, list):
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))


def _is_article(thing: dict[str, Any]) -> bool:
    kinds = thing.get("@type")
    return any(
        isinstance(kind, str) and _ARTICLE.fullmatch(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _chosen(articles: list[dict[str, Any]], canonical: str) -> dict[str, Any] | None:
    """The article that the page is about: the one with its address, else the first; others are teasers."""
    about = [thing for thing in articles if canonical and _Thing(thing, {}).address() == canonical]
    return next(iter((*about, *articles)), None)


def _words(value: Any) -> list[Any]:
    """Keywords: an array, or one text with commas, the Arabic and the fullwidth among them; terms have names."""
    if isinstance(value, str):
        return re.split(r"\s*[,،，]\s*", value)
    found = value if isinstance(value, list) else objects(value)
    return [item.get("name") if isinstance(item, dict) else item for item in found]


def _main_text(markup: str, headline: str) -> str:
    """The article's text as HTML, found by trafilatura among everything else on the page; empty if there is none."""
    import trafilatura  # noqa: PLC0415 (a quarter of a second that only such pages cost)

    found = trafilatura.extract(
        _parsed(markup),
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
