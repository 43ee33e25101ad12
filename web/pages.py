"""Pages for people, and files that browsers and crawlers ask for: directory, feed, error, OPML, robots.txt, an icon."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from jinja2 import Environment
from lxml import etree
from markupsafe import Markup

from feeds.definition import FeedDefinition
from feeds.direction import direction
from feeds.entry import Entry
from feeds.formats import READERS
from web.localized_dates import own_name, written
from web.logo import MEDIA_TYPES, readable
from web.page_words import words
from web.template_texts import templates_in
from worker.newsroom.publication import Publication

if TYPE_CHECKING:
    from config.settings import Settings

ENTRIES = 30
"""How many entries the page of a feed shows at most."""

_FOLDER = Path(__file__).with_name("templates")
_templates = Environment(loader=templates_in(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)


class EditionFeeds(NamedTuple):
    """The feeds of one edition; "": those of all languages."""

    edition: str
    feeds: list[FeedDefinition]


class Pages:
    """Renders the pages of a publication, in the newsroom's colour and with its logo."""

    def __init__(self, publication: Publication, settings: Settings) -> None:
        self._publication = publication
        self._zone = settings.site.zone or UTC
        logo = readable(settings.desk.logo)
        self.logo = logo.read_bytes() if logo else b""
        self.logo_type = MEDIA_TYPES[logo.suffix.lower()] if logo else ""
        style = _templates.get_template("site.css").render(accent=settings.desk.accent)
        self._values = {
            "publication": publication,
            "direction": direction,
            "formats": READERS,
            "own_name": own_name,
            "words": words,
            "sections": _sections,
            "written": self._written,
            "logo": f"{publication.base_url}/logo" if self.logo else "",
            # It is ours, but for the colour, which is # and six digits.
            "style": Markup(style),  # noqa: S704
            "style_digest": b64encode(sha256(style.encode()).digest()).decode(),
        }

    def directory(self) -> bytes:
        """Return the front door: all feeds that everybody may know of, by edition."""
        return self._page("directory.html", language=self._publication.edition, editions=self._editions())

    def feed(self, definition: FeedDefinition, entries: Sequence[Entry]) -> bytes:
        """Return a feed's page: what it is about, its newest entries, and how to follow it."""
        language = definition.edition or self._publication.edition
        return self._page("feed.html", feed=definition, entries=entries, language=language)

    def error(self, status: int, title: str, text: str, errors: Sequence[Mapping[str, str]]) -> bytes:
        """Return the page of an error: what is wrong, also for each field that is wrong, and a link to the feeds."""
        return self._page("error.html", status=status, title=title, text=text, errors=errors, language="en")

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
        closed = ("/api/", "/cloud/", "/desk", "/events", "/hub", "/metrics", "/partner")
        usage = self._publication.machines.usage
        to_machines = (f"Content-Usage: {usage}\n",) if usage else ()
        return "".join(("User-agent: *\n", *to_machines, *(f"Disallow: {path}\n" for path in closed))).encode()

    def tdmrep(self) -> bytes:
        """Return what is stated of mining each public feed that says it itself, and of all others (TDMRep)."""
        site, feeds = self._publication.machines, [*self._publication.public, *self._publication.public_patterns]
        entries = []
        for feed in feeds:
            if feed.machines:
                path = quote(f"/feeds/{feed.name}", safe="/*")
                locations = (path,) if feed.by else (f"{path}.*", f"{path}$")
                entries += [feed.machines.tdmrep(location) for location in locations]
        return json.dumps([entry for entry in (*entries, site.tdmrep("/")) if entry]).encode()

    def favicon(self) -> bytes:
        """Return the icon: three lines of a column under a headline."""
        return (
            b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3"'
            b' fill="#1b3a57"/><path d="M3 4.5h10M3 8h10M3 10.5h10M3 13h6" stroke="#fff" stroke-width="1.2"/></svg>\n'
        )

    def _page(self, template: str, **values: object) -> bytes:
        return _templates.get_template(template).render(**self._values, **values).encode()

    def _editions(self) -> list[EditionFeeds]:
        """The feeds in the order of the settings: first the publication's own edition, then the others, then mixed."""
        feeds: dict[str, list[FeedDefinition]] = {self._publication.edition: []}
        for definition in self._publication.public:
            feeds.setdefault(definition.edition or "", []).append(definition)
        ordered = sorted(feeds.items(), key=lambda pair: pair[0] == "")
        return [EditionFeeds(edition, definitions) for edition, definitions in ordered if definitions]

    def _written(self, moment: datetime, language: str) -> str:
        """A moment on the newsroom's clocks; UTC, marked so, where the settings have no zone."""
        text = written(moment.astimezone(self._zone), language)
        return f"{text} UTC" if self._zone is UTC else text


def _sections(definition: FeedDefinition) -> list[str]:
    """The sections that a feed takes articles of; none: of all of them."""
    if not all(selector.section for selector in definition.select):
        return []
    return list(dict.fromkeys(section for selector in definition.select for section in selector.section))
