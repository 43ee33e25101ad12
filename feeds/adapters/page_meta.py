"""What a page says of itself outside JSON-LD: in `meta`, `link`, `html`, microdata, RDFa, in its headings and times.

Sources: the Open Graph protocol, "Article"; Dublin Core in HTML; HTML Living Standard, `time`, `link`, "microdata";
RDFa Lite 1.1; and the names that news sites and their tools use: Parse.ly, Sailthru, rNews, Cxense and others. Places
are in their order of trust; the first value that can be read counts, and the caller reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from lxml import html

from feeds import text
from feeds.adapters.members_only import says_no

# Names of `meta` without their punctuation and case, those that are sure first.
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
_PUBLISHED_TOO = re.compile(
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
_UPDATED_TOO = re.compile(
    r"(?:modified|updated|modification|update)(?:date|time|on)?$|date(?:modified|updated)$|lastmod$"
)
_OTHERS = re.compile(r"video|audio|unpublish|expir|comment|site")
"""Names of other moments than those of the article."""
_LANGUAGES = ("content-language", "language", "og:locale", "dc.language", "dcterms.language", "inlanguage")
_TITLES = ("dc.title", "dcterms.title", "headline", "parsely-title", "sailthru.title", "title")
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "dcterms.creator", "sailthru.author", "byl")
_NAME_MOST = 100
"""Characters of a byline; what is longer is no name."""
_ARTICLES = re.compile(r"(?:Article|Posting|Report|WebPage|CreativeWork)$")
_WHEN = re.compile(r"\b(?:(?:date-?)?publish(?:ed)?|pubdate|entry-date|post-date|dt-published)\b", re.IGNORECASE)
_CHANGED = re.compile(r"updated|modified|edited", re.IGNORECASE)
_ASIDE = frozenset({"aside", "nav", "footer", "li"})
_CLIMBED = 4
"""So many elements around the headline are looked at for the time that stands with it."""


class Meta:
    """What a page says in `meta`, `link` and `html`."""

    def __init__(self, root: html.HtmlElement, url: str) -> None:
        bases = ((element.get("href") or "").strip() for element in root.iter("base"))
        self.base = next(filter(None, bases), "")
        links = (link.get("href") or "" for link in root.iter("link") if _related(link, "canonical"))
        self.canonical = next((link.strip() for link in links if link.strip()), "")
        own = url or (self.canonical if "://" in self.canonical else "")
        if self.base and own:
            self.base = joined(own, self.base)
        if self.canonical and "://" not in self.canonical and self.base:
            self.canonical = joined(self.base, self.canonical)
        self.alternates = [
            (language, link.get("href"))
            for link in root.iter("link")
            # What has no language is a feed or another form of the same page, and x-default the page that asks for one.
            if _related(link, "alternate") and (language := link.get("hreflang")) and language.lower() != "x-default"
        ]
        self._said: dict[str, list[str]] = {}
        for element in root.iter("meta"):
            value = (element.get("content") or "").strip()
            for attribute in ("property", "name", "itemprop", "http-equiv"):
                if value and (name := element.get(attribute)) and (attribute != "itemprop" or _of_article(element)):
                    self._said.setdefault(name.lower(), []).append(value)
        self.languages = [
            root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang") or "",
            *self.all(*_LANGUAGES),
            *(element.get("lang") or "" for name in ("body", "article", "main") for element in root.iter(name)),
        ]
        heading = _heading(root)
        shown = " ".join(str(heading.text_content()).split()) if heading is not None else ""
        titles = (self.one("og:title"), shown, self.one("twitter:title"), self.one(*_TITLES))
        self.headlines = [found for found in titles if found]
        near = list(_near(heading)) if heading is not None else []
        self.published = [
            *self._moments(_PUBLISHED, _PUBLISHED_TOO),
            *_marked(root, "datepublished"),
            *_shown(root),
            *self._moments(_CREATED, None),
            *_marked(root, "datecreated"),
            *(_moment(element) for element in near if not _CHANGED.search(element.get("class") or "")),
        ]
        self.updated = [*self._moments(_UPDATED, _UPDATED_TOO), *_marked(root, "datemodified")]
        names = self.all(*_AUTHORS)
        self.authors = names or list(dict.fromkeys(_bylines(root)))
        self.locked = "locked" in self.all("article:content_tier") or any(map(says_no, self.all("isaccessibleforfree")))

    def _moments(self, sure: tuple[str, ...], others: re.Pattern[str] | None) -> list[str]:
        """What is said under these names, and then under those that look like them."""
        bare: dict[str, list[str]] = {}
        for name, values in self._said.items():
            bare.setdefault(re.sub(r"[^a-z]", "", name), []).extend(values)
        alike = [name for name in bare if others and others.search(name) and not _OTHERS.search(name)]
        return [value for name in dict.fromkeys((*sure, *alike)) for value in bare.get(name, ())]

    def absolute(self, url: str, page: str = "") -> str:
        """An address on the page as an absolute one."""
        return joined(self.base or page or self.canonical, url) if url else url

    def all(self, *names: str) -> list[str]:
        """Every value of these names."""
        return [value for name in names for value in self._said.get(name.lower(), ())]

    def one(self, *names: str) -> str:
        """The first value of the first of these names that has one."""
        return next((values[0] for name in names if (values := self.all(name))), "")


def _related(link: html.HtmlElement, relation: str) -> bool:
    return relation in (link.get("rel") or "").lower().split()


def joined(base: str, url: str) -> str:
    """Return `url` as it is found at `base`."""
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _properties(element: html.HtmlElement) -> set[str]:
    """The names of what an element says in microdata or RDFa, in lower case, without prefixes."""
    said = f"{element.get('itemprop') or ''} {element.get('property') or ''}".lower().split()
    return {name.rpartition("/")[2].rpartition(":")[2] for name in said}


def _of_article(element: html.HtmlElement) -> bool:
    """Whether what an element says in microdata is said of an article or a page: comments and videos have dates too."""
    around = (each for each in element.iterancestors() if each.get("itemscope") is not None or each.get("itemtype"))
    scope = next(around, None)
    return scope is None or not scope.get("itemtype") or bool(_ARTICLES.search(scope.get("itemtype").strip()))


def _moment(element: html.HtmlElement) -> str:
    said = (element.get("datetime"), element.get("content"), element.get("title"), str(element.text_content())[:100])
    return next((value.strip() for value in said if value and value.strip()), "")


def _marked(root: html.HtmlElement, name: str) -> list[str]:
    """The times that the page says under that name, in microdata or RDFa."""
    named = (element for element in root.iter() if isinstance(element.tag, str) and element.tag != "meta")
    return [
        *(_moment(each) for each in root.iter("meta") if name in _properties(each) and _of_article(each)),
        *(_moment(each) for each in named if name in _properties(each) and _of_article(each)),
    ]


def _bylines(root: html.HtmlElement) -> Iterator[str]:
    """The authors whom the page names in microdata, or by links to them (`rel="author"`)."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        linked = "author" in (element.get("rel") or "").lower().split() and element.tag == "a"
        if not linked and ("author" not in _properties(element) or not _of_article(element)):
            continue
        if any(around.tag in _ASIDE for around in element.iterancestors()):
            continue
        named = [each for each in element.iter() if isinstance(each.tag, str) and "name" in _properties(each)]
        said = [each.get("content") or _words(each) for each in named] or [element.get("content") or _words(element)]
        yield from (name for name in said if name and len(name) <= _NAME_MOST)


def _shown(root: html.HtmlElement) -> Iterator[str]:
    """The times that the page shows as those of the publication: by `pubdate`, or by the name of their class."""
    for element in root.iter("time", "abbr"):
        kinds = element.get("class") or ""
        named = element.get("pubdate") is not None or (_WHEN.search(kinds) and not _CHANGED.search(kinds))
        if named and not any(around.tag in _ASIDE for around in element.iterancestors()):
            yield _moment(element)


def _near(heading: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """The times that stand with the headline: within the nearest element around it that has any."""
    for climbed, around in enumerate(heading.iterancestors()):
        if climbed == _CLIMBED or around.tag in {"body", "html"}:
            break
        times = [time for time in around.iter("time") if time.get("datetime")]
        times = [time for time in times if not any(each.tag in _ASIDE for each in _between(time, around))]
        if times:
            yield from times[:3]
            break
    else:
        return


def _between(element: html.HtmlElement, around: html.HtmlElement) -> Iterator[html.HtmlElement]:
    for each in element.iterancestors():
        if each is around:
            return
        yield each


def _heading(root: html.HtmlElement) -> html.HtmlElement | None:
    """The heading that is the article's headline.

    That which the page marks, or which stands in its title, or that of the article with the longest text, or the only
    one there is.
    """
    marked = [each for each in root.iter() if isinstance(each.tag, str) and "headline" in _properties(each)]
    marked = [each for each in marked if each.tag != "meta" and _words(each) and _of_article(each)]
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
