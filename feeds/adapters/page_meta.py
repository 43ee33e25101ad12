"""Reads a page's metadata outside JSON-LD: `meta`, `link`, `html`, microdata, RDFa, its headings and its times.

Sources: the Open Graph protocol, "Article"; Dublin Core in HTML; HTML Living Standard, `time`, `link`, "microdata";
RDFa Lite 1.1; and the names that news sites and their tools use: Parse.ly, Sailthru, rNews, Cxense and others. Values
are listed in order of trust; the caller uses the first that it can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from lxml import html

from feeds import text

# Names of `meta` without punctuation and in lower case, the most reliable first.
_PUBLISHED = (
    "articlepublishedtime",
    "articlepublished",
    "ogpublishedtime",
    "ogarticlepublishedtime",
    "datepublished",
    "rnewsdatepublished",
    "originalpublicationdate",
    "articledateoriginal",
    "dcdateissued",
    "dctermsissued",
    "dcissued",
    "dcdatepublication",
    "sailthrudate",
)
_LIKE_PUBLISHED = re.compile(
    r"(?:pub(?:lish(?:ed|ing)?|lication)?(?:date|time|on)|publishdatetime|published|articlepostdate|regdate|releasedate|"
    r"apubtime|ogtime|firstpublished|dateissued|dateposted|createat)$"
)
_CREATED = ("dctermscreated", "dcdatecreated", "dccreated", "dctermsdate", "dcdate", "nvdate", "articlecreated",
            "datecreated", "date", "created")  # fmt: skip
_UPDATED = (
    "articlemodifiedtime",
    "articlemodified",
    "ogupdatedtime",
    "datemodified",
    "dctermsmodified",
    "lastmodified",
)
_LIKE_UPDATED = re.compile(
    r"(?:modified|updated|modification|update)(?:date|time|on)?$|date(?:modified|updated)$|lastmod$"
)
_UNRELATED = re.compile(r"video|audio|unpublish|expir|comment|site")
"""Parts of names whose times are not the article's."""
_LANGUAGES = ("content-language", "language", "og:locale", "dc.language", "dcterms.language", "inlanguage")
_TITLES = ("dc.title", "dcterms.title", "headline", "parsely-title", "sailthru.title", "title")
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "dcterms.creator", "sailthru.author", "byl")
_LONGEST_NAME = 100
"""Most characters of a byline; a longer text is not a name."""
_ARTICLE_TYPES = re.compile(r"(?:Article|Posting|Report|WebPage|CreativeWork)$")
_PUBLISHED_CLASS = re.compile(
    r"\b(?:(?:date-?)?publish(?:ed)?|pubdate|entry-date|post-date|dt-published)\b", re.IGNORECASE
)
_CHANGED_CLASS = re.compile(r"updated|modified|edited", re.IGNORECASE)
_ASIDE_ELEMENTS = frozenset({"aside", "nav", "footer", "li"})
_MOST_ANCESTORS = 4
"""How many elements around the headline are searched for the time beside it."""


class Meta:
    """The metadata of a page.

    base, canonical, alternates: its addresses. languages, headlines, published, updated, authors: values as the page
    writes them, the most reliable first.
    """

    def __init__(self, root: html.HtmlElement, url: str) -> None:
        bases = ((element.get("href") or "").strip() for element in root.iter("base"))
        self.base = next(filter(None, bases), "")
        links = (link.get("href") or "" for link in root.iter("link") if _related(link, "canonical"))
        self.canonical = next((link.strip() for link in links if link.strip()), "")
        page_url = url or (self.canonical if "://" in self.canonical else "")
        if self.base and page_url:
            self.base = joined(page_url, self.base)
        if self.canonical and "://" not in self.canonical and self.base:
            self.canonical = joined(self.base, self.canonical)
        self.alternates = [
            (language, link.get("href"))
            for link in root.iter("link")
            # A link without a language is a feed or another form of the page; x-default is a page to choose a language.
            if _related(link, "alternate") and (language := link.get("hreflang")) and language.lower() != "x-default"
        ]
        self._values_of: dict[str, list[str]] = {}
        for element in root.iter("meta"):
            value = (element.get("content") or "").strip()
            for attribute in ("property", "name", "itemprop", "http-equiv"):
                if value and (name := element.get(attribute)) and (attribute != "itemprop" or of_article(element)):
                    self._values_of.setdefault(name.lower(), []).append(value)
        self.languages = [
            root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang") or "",
            *self.all(*_LANGUAGES),
            *(element.get("lang") or "" for name in ("body", "article", "main") for element in root.iter(name)),
        ]
        heading = _heading(root)
        shown = " ".join(str(heading.text_content()).split()) if heading is not None else ""
        titles = (self.first("og:title"), shown, self.first("twitter:title"), self.first(*_TITLES))
        self.headlines = [title for title in titles if title]
        nearby_times = list(_nearby_times(heading)) if heading is not None else []
        self.published = [
            *self._moments(_PUBLISHED, _LIKE_PUBLISHED),
            *_structured_times(root, "datepublished"),
            *_shown_times(root),
            *self._moments(_CREATED, None),
            *_structured_times(root, "datecreated"),
            *(_moment(element) for element in nearby_times if not _CHANGED_CLASS.search(element.get("class") or "")),
        ]
        self.updated = [*self._moments(_UPDATED, _LIKE_UPDATED), *_structured_times(root, "datemodified")]
        names = self.all(*_AUTHORS)
        self.authors = names or list(dict.fromkeys(_bylines(root)))

    def _moments(self, names: tuple[str, ...], similar: re.Pattern[str] | None) -> list[str]:
        """The values of these names in `meta`, then those of `similar` names."""
        values_of: dict[str, list[str]] = {}
        for name, values in self._values_of.items():
            values_of.setdefault(re.sub(r"[^a-z]", "", name), []).extend(values)
        matching = [name for name in values_of if similar and similar.search(name) and not _UNRELATED.search(name)]
        return [value for name in dict.fromkeys((*names, *matching)) for value in values_of.get(name, ())]

    def absolute(self, url: str, page: str = "") -> str:
        """Return an address on the page as an absolute one."""
        return joined(self.base or page or self.canonical, url) if url else url

    def all(self, *names: str) -> list[str]:
        """Return every value of these names in `meta`."""
        return [value for name in names for value in self._values_of.get(name.lower(), ())]

    def first(self, *names: str) -> str:
        """Return the first value of the first of these names that has one; empty if none has."""
        return next((values[0] for name in names if (values := self.all(name))), "")


def _related(link: html.HtmlElement, relation: str) -> bool:
    return relation in (link.get("rel") or "").lower().split()


def joined(base: str, url: str) -> str:
    """Return `url` as an absolute address, relative to `base`; `url` itself if it can't be parsed."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def property_names(element: html.HtmlElement) -> set[str]:
    """Return the names of an element's properties in microdata or RDFa, in lower case, without prefixes."""
    names = f"{element.get('itemprop') or ''} {element.get('property') or ''}".lower().split()
    return {name.rpartition("/")[2].rpartition(":")[2] for name in names}


def of_article(element: html.HtmlElement) -> bool:
    """Return whether an element's microdata describe an article or a page: comments and videos have dates too."""
    around = (each for each in element.iterancestors() if each.get("itemscope") is not None or each.get("itemtype"))
    scope = next(around, None)
    return scope is None or not scope.get("itemtype") or bool(_ARTICLE_TYPES.search(scope.get("itemtype").strip()))


def _moment(element: html.HtmlElement) -> str:
    candidates = (
        element.get("datetime"),
        element.get("content"),
        element.get("title"),
        str(element.text_content())[:100],
    )
    return next((value.strip() for value in candidates if value and value.strip()), "")


def _structured_times(root: html.HtmlElement, name: str) -> list[str]:
    """The values of that property in microdata or RDFa."""
    named = (element for element in root.iter() if isinstance(element.tag, str) and element.tag != "meta")
    return [
        *(_moment(each) for each in root.iter("meta") if name in property_names(each) and of_article(each)),
        *(_moment(each) for each in named if name in property_names(each) and of_article(each)),
    ]


def _bylines(root: html.HtmlElement) -> Iterator[str]:
    """The authors that the page names in microdata, or by links to them (`rel="author"`)."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        linked = "author" in (element.get("rel") or "").lower().split() and element.tag == "a"
        if not linked and ("author" not in property_names(element) or not of_article(element)):
            continue
        if any(around.tag in _ASIDE_ELEMENTS for around in element.iterancestors()):
            continue
        named = [each for each in element.iter() if isinstance(each.tag, str) and "name" in property_names(each)]
        names = [each.get("content") or _words(each) for each in named] or [element.get("content") or _words(element)]
        yield from (name for name in names if name and len(name) <= _LONGEST_NAME)


def _shown_times(root: html.HtmlElement) -> Iterator[str]:
    """The times that the page marks as those of the publication, by `pubdate` or by their class."""
    for element in root.iter("time", "abbr"):
        kinds = element.get("class") or ""
        named = element.get("pubdate") is not None or (
            _PUBLISHED_CLASS.search(kinds) and not _CHANGED_CLASS.search(kinds)
        )
        if named and not any(around.tag in _ASIDE_ELEMENTS for around in element.iterancestors()):
            yield _moment(element)


def _nearby_times(heading: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """The times beside the headline: in the nearest element around it that has any."""
    for level, around in enumerate(heading.iterancestors()):
        if level == _MOST_ANCESTORS or around.tag in {"body", "html"}:
            break
        times = [time for time in around.iter("time") if time.get("datetime")]
        times = [time for time in times if not any(each.tag in _ASIDE_ELEMENTS for each in _between(time, around))]
        if times:
            yield from times[:3]
            break


def _between(element: html.HtmlElement, around: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """The elements around `element` within `around`."""
    for each in element.iterancestors():
        if each is around:
            return
        yield each


def _heading(root: html.HtmlElement) -> html.HtmlElement | None:
    """The heading that is the article's headline.

    In order: the only one that the page marks as headline, the one that makes up most of the page's title, the first of
    several that are marked, the one in the longest `article`, the only `h1`.
    """
    marked = [each for each in root.iter() if isinstance(each.tag, str) and "headline" in property_names(each)]
    marked = [each for each in marked if each.tag != "meta" and _words(each) and of_article(each)]
    headings = [heading for heading in root.iter("h1") if _words(heading)]
    within = [heading for heading in headings if any(each.tag == "article" for each in heading.iterancestors())]
    title = text.fold(" ".join(str(each.text_content()) for each in list(root.iter("title"))[:1]))
    titled = [each for each in (*headings, *root.iter("h2")) if _words(each) and text.fold(_words(each)) in title]
    titled.sort(key=lambda heading: len(_words(heading)), reverse=True)
    if len(marked) == 1:
        return marked[0]
    if titled and len(text.fold(_words(titled[0]))) * 2 > len(title):
        return titled[0]
    if marked:
        return marked[0]
    if within:
        articles = {heading: next(each for each in heading.iterancestors("article")) for heading in within}
        lengths = {article: len(str(article.text_content())) for article in set(articles.values())}
        return max(within, key=lambda heading: lengths[articles[heading]])
    return headings[0] if len(headings) == 1 else None


def _words(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())
