"""Pages for people, and files that browsers and crawlers ask for: directory, feed, error, OPML, robots.txt, an icon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader
from lxml import etree

from feeds.definition import FeedDefinition
from feeds.direction import direction
from feeds.entry import Entry
from feeds.formats import READERS
from worker.newsroom.publication import Publication

ENTRIES = 30
"""How many entries the page of a feed shows at most."""

_templates = Environment(loader=PackageLoader("web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_templates.globals.update(direction=direction, formats=READERS)


class Pages:
    """Renders the pages of a publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def directory(self) -> bytes:
        """Return the list of all feeds."""
        return _templates.get_template("directory.html").render(publication=self._publication).encode()

    def feed(self, definition: FeedDefinition, entries: Sequence[Entry]) -> bytes:
        """Return a feed's page: what it is about, its newest entries, and how to follow it."""
        language = definition.edition or self._publication.edition
        page = _templates.get_template("feed.html")
        return page.render(publication=self._publication, feed=definition, entries=entries, language=language).encode()

    def error(self, status: int, title: str, text: str, errors: Sequence[Mapping[str, str]]) -> bytes:
        """Return the page of an error: what is wrong, also for each field that is wrong, and a link to the feeds."""
        page = _templates.get_template("error.html")
        return page.render(publication=self._publication, status=status, title=title, text=text, errors=errors).encode()

    def opml(self) -> bytes:
        """Return all feeds as OPML 2.0."""
        root = etree.Element("opml", version="2.0")
        etree.SubElement(etree.SubElement(root, "head"), "title").text = self._publication.title
        body = etree.SubElement(root, "body")
        for definition in self._publication.public:
            etree.SubElement(
                body,
                "outline",
                type="rss",
                text=definition.title,
                title=definition.title,
                xmlUrl=self._publication.topic(definition.name, "atom"),
                htmlUrl=definition.url or self._publication.page(definition.name),
                language=definition.edition or self._publication.edition,
            )
        document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return document

    def robots(self) -> bytes:
        """Return robots.txt: crawlers should leave alone what is not for readers."""
        closed = ("/api/", "/desk", "/events", "/hub", "/metrics", "/partner")
        return "".join(("User-agent: *\n", *(f"Disallow: {path}\n" for path in closed))).encode()

    def favicon(self) -> bytes:
        """Return the icon: three lines of a column under a headline."""
        return (
            b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3"'
            b' fill="#1b3a57"/><path d="M3 4.5h10M3 8h10M3 10.5h10M3 13h6" stroke="#fff" stroke-width="1.2"/></svg>\n'
        )
