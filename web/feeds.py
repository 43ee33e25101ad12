"""Feed documents for feed readers, the directory of feeds for people, and its OPML for both."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader
from lxml import etree
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from feeds.formats import FEED_FORMATS, READERS
from feeds.text import direction
from web.conditional import Representation, http_date
from worker import clock
from worker.gate import FeedRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from feeds.definition import FeedDefinition
    from feeds.formats.interface import FeedFormat
    from worker.services import Services

# Readers take max-age as their interval of polling; caches between may ask more often.
CACHE_CONTROL = "public, max-age=300, s-maxage=30, stale-while-revalidate=60, stale-if-error=86400"

_templates = Environment(loader=PackageLoader("web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


class FeedServer:
    """Serves the feeds of a site."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._site = services.site
        self._documents = services.documents
        self._made: dict[tuple[str, str], tuple[int, Representation]] = {}
        self._lock = Lock()

    async def feed(self, request: Request) -> Response:
        """GET and HEAD of `/feeds/{feed}.{format}`."""
        name, _, format_name = request.path_params["path"].rpartition(".")
        definition, feed_format = self._site.feed(name), FEED_FORMATS.get(format_name)
        if definition is None or feed_format is None:
            known = f"The feeds are listed at {self._site.base_url}/feeds"
            return PlainTextResponse(f"There is no feed at this address. {known}\n", 404)
        representation = await run_in_threadpool(self._current, definition, feed_format)
        now = clock.now()
        status = representation.evaluate(request.headers)
        body, tag, coding = representation.coded(request.headers.get("accept-encoding"))
        headers = {
            "ETag": tag,
            "Last-Modified": http_date(representation.last_modified(now)),
            "Cache-Control": CACHE_CONTROL,
            "Vary": "Accept-Encoding",
            "Link": self._site.links(name, format_name),
        }
        if status != 200:
            return Response(None, status, headers)
        if coding:
            headers["Content-Encoding"] = coding
        headers["Content-Type"] = feed_format.media_type
        return Response(body, 200, headers)

    async def directory(self, request: Request) -> Response:
        """GET /feeds: the directory, with links by which readers discover the feeds."""
        del request
        page = _templates.get_template("directory.html").render(site=self._site, formats=READERS, direction=direction)
        return HTMLResponse(page, headers={"Cache-Control": CACHE_CONTROL})

    async def opml(self, request: Request) -> Response:
        """GET /feeds.opml: all feeds (as Atom) for import into a reader. OPML 2.0."""
        del request
        root = etree.Element("opml", version="2.0")
        etree.SubElement(etree.SubElement(root, "head"), "title").text = self._site.title
        body = etree.SubElement(root, "body")
        for definition in self._site.definitions:
            etree.SubElement(
                body,
                "outline",
                type="rss",
                text=definition.title,
                title=definition.title,
                xmlUrl=self._site.topic(definition.name, "atom"),
                htmlUrl=definition.url or f"{self._site.base_url}/feeds",
                language=definition.edition or self._site.edition,
            )
        document = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        return Response(document, media_type="text/x-opml", headers={"Cache-Control": CACHE_CONTROL})

    def _current(self, definition: FeedDefinition, feed_format: FeedFormat) -> Representation:
        key = (definition.name, feed_format.name)
        made = self._made.get(key)
        try:
            if made and made[0] == self._store.changes.head(definition.name).seq:
                return made[1]
            document = self._documents.current(definition, feed_format)
        except (RedisError, FeedRefused):
            if made:
                # The last good document is better than none; /readyz or the log says what is wrong.
                return made[1]
            raise
        representation = Representation(document.body, document.changed)
        with self._lock:
            if key not in self._made or self._made[key][0] <= document.head:
                self._made[key] = (document.head, representation)
        return representation
