"""What stands at which address under /feeds: documents, archives, pages; and what stands there no more."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from feeds.archive import period_named
from feeds.definition import FeedDefinition
from feeds.formats import FEED_FORMATS
from feeds.formats.interface import FeedFormat
from feeds.patterns import MadeFeed, pattern_of
from web import feed_delta
from web.content_coding import chosen
from web.document_cache import Resource, Shelf
from web.gone import ended
from web.pages import ENTRIES, Pages
from web.problem_details import problem
from web.representation import Answer, RawHeaders, Representation, fields
from worker import clock
from worker.documents.feed_documents import Document
from worker.documents.feed_payloads import PayloadRequest
from worker.runtime.wiring import Services

_SHARED_SECONDS = 30
"""How long caches that many share may keep a document: they should not add much to how old it gets."""
_BRIEFLY = {"Cache-Control": "public, max-age=60"}
_HTML = "text/html; charset=utf-8"


class FeedServer:
    """Serves the feeds of a site, from the shelf."""

    def __init__(self, services: Services, shelf: Shelf) -> None:
        self._store = services.store
        self._site = services.publication
        self._documents = services.documents
        self._payloads = services.payloads
        self._shelf = shelf
        self._pages = Pages(services.publication)

    async def feed(self, request: Request) -> Response:
        """GET and HEAD of `/feeds/{feed}.{format}`, its archives (`?archive=PERIOD`), and the page `/feeds/{feed}`."""
        asked = request.path_params["path"]
        name, _, format_name = asked.rpartition(".")
        feed_format = FEED_FORMATS.get(format_name)
        if feed_format is None:
            name = asked
        definition = self._site.feed(name)
        made = not isinstance(definition, MadeFeed) or bool(
            await run_in_threadpool(self._store.patterns.written, definition)
        )
        if definition is None or (not made and await run_in_threadpool(self._full, definition)):
            return await self._not_here(request, name, feed_format)
        if not made:
            # An empty feed for whoever waits for its first article. Of names that anybody can think up nothing is held.
            make = partial(self._current, definition, feed_format) if feed_format else partial(self._page, definition)
            return _uncoded(await run_in_threadpool(make), request)
        path = request.scope["path"]
        if feed_format is None:
            return await self._serve(request, Resource(path, name, partial(self._page, definition)))
        if archive := parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True).get("archive"):
            return await self._archive(request, definition, feed_format, archive[0])
        resource = Resource(path, name, partial(self._current, definition, feed_format))
        headers = fields(request.headers.raw)
        if feed_delta.wanted(headers):
            document = await self._shelf.get(resource, "identity")
            known = [(head, tag) for tag, digest in feed_delta.bases(headers) if (head := self._shelf.head_of(digest))]
            changes = await run_in_threadpool(self._changes, definition, feed_format, document, headers, known)
            if changes is not None:
                return Raw(changes)
        return await self._serve(request, resource)

    async def directory(self, request: Request) -> Response:
        """GET /feeds: the directory, with links by which readers discover the feeds."""
        return await self._fixed(request, self._pages.directory, _HTML)

    async def opml(self, request: Request) -> Response:
        """GET /feeds.opml: all feeds (as Atom) for import into a reader. OPML 2.0."""
        return await self._fixed(request, self._pages.opml, "text/x-opml; charset=utf-8")

    async def robots(self, request: Request) -> Response:
        """GET /robots.txt (RFC 9309)."""
        return await self._fixed(request, self._pages.robots, "text/plain; charset=utf-8")

    async def favicon(self, request: Request) -> Response:
        """GET /favicon.svg, and /favicon.ico for those that ask for no other."""
        return await self._fixed(request, self._pages.favicon, "image/svg+xml")

    async def _serve(self, request: Request, resource: Resource) -> Response:
        headers = fields(request.headers.raw)
        document = await self._shelf.get(resource, chosen(headers.get("accept-encoding")))
        answer = document.answer(headers)
        assert answer is not None  # the coding has been made
        return Raw(answer)

    async def _fixed(self, request: Request, page: Callable[[], bytes], content_type: str) -> Response:
        """Serve what depends on the settings alone."""

        def make() -> Representation:
            return Representation(page(), content_type, [(b"cache-control", b"public, max-age=300")], 0, None)

        return await self._serve(request, Resource(request.scope["path"], "", make))

    async def _archive(
        self, request: Request, definition: FeedDefinition, feed_format: FeedFormat, archive: str
    ) -> Response:
        def make() -> Representation:
            period = period_named(definition.archive, archive)
            document = self._documents.archive(definition, feed_format, period) if period else None
            if document is None:
                raise LookupError
            # Without a time: what it says may change by an article that is no longer there to say when.
            headers = self._headers(definition, feed_format)
            return Representation(document.body, feed_format.media_type, headers, document.head, None)

        try:
            key = f"{request.scope['path']}?archive={archive}"
            return await self._serve(request, Resource(key, definition.name, make))
        except LookupError:
            first = self._site.topic(definition.name, feed_format.name)
            return problem(404, f"There is no such archive. They are linked to from {first}", headers=_BRIEFLY)

    async def without_slash(self, request: Request) -> Response:
        """Lead from an address that ends in a slash to the one that is meant, at our own host."""
        asked = request.path_params.get("path", "").strip("/")
        url = f"{self._site.base_url}/feeds" + (f"/{quote(asked)}" if asked else "")
        return _moved(request, url)

    async def _not_here(self, request: Request, name: str, feed_format: FeedFormat | None) -> Response:
        """Say where a feed of that name is, that it was, or which names are like it."""
        if now := self._site.renamed.get(name):
            url = self._site.topic(now, feed_format.name) if feed_format else self._site.page(now)
            return _moved(request, url)
        removed = await run_in_threadpool(self._removed, name)
        if removed is not None:
            return ended(self._site, name, feed_format, clock.moment(removed), _BRIEFLY)
        known = [definition.name for definition in self._site.definitions]
        # Only of names that could be one: to compare takes time.
        near = get_close_matches(name[:100], known, 3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        formats = f"{hint}Formats: {', '.join(FEED_FORMATS)}. The feeds are listed at {self._site.base_url}/feeds"
        return problem(404, f"There is no feed at this address. {formats}", headers=_BRIEFLY)

    def _removed(self, name: str) -> int | None:
        """When the feed, or the pattern that it was made of, was removed from the settings (ms)."""
        now = clock.ms(clock.agreed())
        removed = self._store.definitions.removed_at(name, now)
        if removed is None and self._store.patterns.had(pattern_of(name), name.rpartition("/")[2]):
            removed = self._store.definitions.removed_at(pattern_of(name), now)
        return removed

    def _full(self, feed: FeedDefinition) -> bool:
        """Whether the feed's pattern makes no more feeds."""
        pattern = self._site.patterns[pattern_of(feed.name)]
        return self._store.patterns.count(pattern.name) >= pattern.most

    def _current(self, definition: FeedDefinition, feed_format: FeedFormat) -> Representation:
        document = self._documents.current(definition, feed_format)
        return self._represented(definition, feed_format, document)

    def _represented(self, definition: FeedDefinition, feed_format: FeedFormat, document: Document) -> Representation:
        headers = self._headers(definition, feed_format)
        return Representation(document.body, feed_format.media_type, headers, document.head, document.changed or None)

    def _page(self, definition: FeedDefinition) -> Representation:
        entries, head = self._documents.latest(definition, ENTRIES)
        body = self._pages.feed(self._documents.titled(definition), entries)
        caching = (b"cache-control", _caching(definition))
        return Representation(body, _HTML, [caching], head.seq, head.changed or None)

    def _changes(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        document: Representation,
        headers: dict[str, str],
        known: list[tuple[int, str]],
    ) -> Answer | None:
        """The changes since a document that the client has, if they are all that it needs (RFC 3229).

        `known`: heads and tags of the documents that it has.
        """
        if not known or document.status(headers) != 200 or not feed_delta.possible(definition, feed_format):
            return None
        head, tag = max(known)
        if head >= document.head:
            return None
        if self._store.changes.head(definition.name).placed > head:
            # The feed was filled since: what was there before it is told to nobody as a change.
            return None
        payload = self._payloads.build(definition, feed_format, PayloadRequest(head, document.head))
        if payload is None or payload.cursor != document.head:
            # Nothing to tell, too much for one answer, or more has changed since the document was made.
            return None
        return feed_delta.answer(
            payload.body, feed_format.media_type, self._headers(definition, feed_format), document, tag
        )

    def _headers(self, definition: FeedDefinition, feed_format: FeedFormat) -> RawHeaders:
        """What every answer about a document says. The page for people comes last: readers look for the others."""
        links = self._site.links(definition.name, feed_format.name)
        page = f'<{self._site.page(definition.name)}>; rel="alternate"'
        return [(b"cache-control", _caching(definition)), (b"link", f"{links}, {page}".encode())]


def _moved(request: Request, url: str) -> Response:
    """Lead to `url` for good, with the query that was sent."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(url + query, 301, {"Cache-Control": "public, max-age=300"})


def _uncoded(document: Representation, request: Request) -> Response:
    """Serve a document as it is, in no coding."""
    answer = document.answer(fields(request.headers.raw) | {"accept-encoding": "identity"})
    assert answer is not None  # identity is always there
    return Raw(answer)


class Raw(Response):
    """An answer with its headers as they are."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status)
        self.raw_headers = answer.headers


def _caching(definition: FeedDefinition) -> bytes:
    """Readers take max-age as their interval of polling; caches between may ask more often (RFC 9111, RFC 5861)."""
    return (
        f"public, max-age={definition.max_age}, s-maxage={min(definition.max_age, _SHARED_SECONDS)}, "
        f"stale-while-revalidate={definition.stale_while_revalidate}, stale-if-error={definition.stale_if_error}"
    ).encode()
