"""The addresses under /feeds: documents, archives and pages, and what a removed or renamed feed answers."""

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
from feeds.machine_rights import MachineRights
from feeds.patterns import PatternFeed, pattern_of
from web import feed_delta
from web.content_coding import IDENTITY, preferred
from web.document_cache import DocumentCache, Resource
from web.feed_readers import FeedReaders, reader_note
from web.gone import gone_feed
from web.header_fields import relevant_fields
from web.pages import ENTRIES, Pages
from web.private_feeds import PrivateFeeds, kept_private
from web.problem_details import problem
from web.representation import RawHeaders, RawResponse, Representation
from worker import clock
from worker.documents.feed_documents import EVERYBODY, FeedDocuments, Terms
from worker.documents.feed_payloads import FeedPayloads, PayloadRequest
from worker.newsroom.publication import Publication
from worker.store import Store
from worker.store.definitions import LOST_MS

_SHARED_SECONDS = 30
"""How long shared caches may keep a document: they should not make it much older."""
_CACHED_BRIEFLY = {"Cache-Control": "public, max-age=60"}
_HTML = "text/html; charset=utf-8"


class FeedServer:
    """Serves the feeds of a publication, from the cache.

    `unreadable`: feeds whose current definitions can't be read; nothing is served of them.
    """

    def __init__(
        self,
        store: Store,
        publication: Publication,
        documents: FeedDocuments,
        payloads: FeedPayloads,
        cache: DocumentCache,
        private: PrivateFeeds,
        unreadable: frozenset[str],
        pages: Pages,
        readers: FeedReaders,
    ) -> None:
        self._store = store
        self._publication = publication
        self._documents = documents
        self._payloads = payloads
        self._cache = cache
        self._private = private
        self._unreadable = unreadable
        self._pages = pages
        self._readers = readers

    async def feed(self, request: Request) -> Response:
        """GET and HEAD of `/feeds/{feed}.{format}`, its archives (`?archive=PERIOD`), and the page `/feeds/{feed}`."""
        name, _, format_name = request.path_params["path"].rpartition(".")
        feed_format = FEED_FORMATS.get(format_name)
        if feed_format is None:
            name = request.path_params["path"]
        if self._unreadable.isdisjoint((name, pattern_of(name))):
            return await self._named(request, name, feed_format)
        # A document by the definition that we know may have articles that do not belong there any longer.
        return _in_a_moment()

    async def _named(self, request: Request, name: str, feed_format: FeedFormat | None) -> Response:
        definition = self._publication.feed(name)
        if definition is None or not definition.private:
            return await self._of(request, name, definition, feed_format, EVERYBODY, "")
        reader = await self._private.reader(request, definition)
        if isinstance(reader, Response):
            return kept_private(reader)
        # No address begins like that, so nobody without a key is served what is kept there.
        share = f"private {reader.share} "
        return kept_private(await self._of(request, name, definition, feed_format, reader.terms, share))

    async def _of(
        self,
        request: Request,
        name: str,
        definition: FeedDefinition | None,
        feed_format: FeedFormat | None,
        terms: Terms,
        share: str,
    ) -> Response:
        """Answer whoever may read the feed on these terms. `share`: how the keys begin of what is cached for them."""
        exists = not isinstance(definition, PatternFeed) or bool(
            await run_in_threadpool(self._store.patterns.written, definition)
        )
        if definition is None or (not exists and await run_in_threadpool(self._pattern_full, definition)):
            return await self._missing(request, name, feed_format)
        if not exists:
            # An empty feed for readers that wait for its first article. It is not cached: anybody can invent names.
            make = partial(self._page, definition, terms)
            if feed_format:
                make = partial(self._current, definition, feed_format, terms)
            return _uncoded(await run_in_threadpool(make), request)
        path = share + request.scope["path"]
        if feed_format is None:
            return await self._serve(request, Resource(path, name, partial(self._page, definition, terms)))
        if archive := parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True).get("archive"):
            return await self._archive(request, definition, feed_format, archive[0], terms, share)
        self._readers.note(reader_note(request.scope["path"], request.headers.raw))
        resource = Resource(path, name, partial(self._current, definition, feed_format, terms))
        fields = relevant_fields(request.headers.raw)
        if feed_delta.accepted(fields) and not terms.delay:
            document = await self._cache.get(resource, IDENTITY)
            bases = [
                (head, tag)
                for tag, digest in feed_delta.clients_documents(fields)
                if (head := self._cache.head_of(digest))
            ]
            delta = await run_in_threadpool(self._delta, definition, feed_format, document, fields, bases, terms)
            if delta is not None:
                return as_response(delta)
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

    async def tdmrep(self, request: Request) -> Response:
        """GET /.well-known/tdmrep.json: for which feeds rights to mine their text are reserved (TDMRep, section 6)."""
        return await self._fixed(request, self._pages.tdmrep, "application/json")

    async def favicon(self, request: Request) -> Response:
        """GET /favicon.svg, and /favicon.ico for browsers that only ask for that."""
        return await self._fixed(request, self._pages.favicon, "image/svg+xml")

    async def logo(self, request: Request) -> Response:
        """GET /logo: the newsroom's, if the settings name one."""
        if not self._pages.logo:
            return problem(404, "There is no logo.", headers=_CACHED_BRIEFLY)
        return await self._fixed(request, lambda: self._pages.logo, self._pages.logo_type)

    async def _serve(self, request: Request, resource: Resource) -> Response:
        fields = relevant_fields(request.headers.raw)
        document = await self._cache.get(resource, preferred(fields.get("accept-encoding")))
        response = document.respond(fields)
        assert response is not None  # the coding has been made
        return as_response(response)

    async def _fixed(self, request: Request, page: Callable[[], bytes], content_type: str) -> Response:
        """Serve what depends on nothing but the settings."""

        def make() -> Representation:
            return Representation(page(), content_type, [(b"cache-control", b"public, max-age=300")], 0, None)

        return await self._serve(request, Resource(request.scope["path"], "", make))

    async def _archive(
        self,
        request: Request,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        archive: str,
        terms: Terms,
        share: str,
    ) -> Response:
        def make() -> Representation:
            period = period_named(definition.archive, archive)
            document = self._documents.archive(definition, feed_format, period, terms) if period else None
            if document is None:
                raise LookupError
            # Without a time: its newest article may be killed, and its time would go back.
            headers = self._headers(definition, feed_format, terms.rights.machines)
            return Representation(document.body, feed_format.media_type, headers, document.head, None)

        try:
            key = f"{share}{request.scope['path']}?archive={archive}"
            return await self._serve(request, Resource(key, definition.name, make))
        except LookupError:
            first = self._publication.topic(definition.name, feed_format.name)
            return problem(
                404, f"There is no such archive. The feed links to all that there are: {first}", headers=_CACHED_BRIEFLY
            )

    async def without_slash(self, request: Request) -> Response:
        """Redirect an address that ends in a slash to the one without, at our own host."""
        path = request.path_params.get("path", "").strip("/")
        url = f"{self._publication.base_url}/feeds" + (f"/{quote(path)}" if path else "")
        return _moved(request, url)

    async def _missing(self, request: Request, name: str, feed_format: FeedFormat | None) -> Response:
        """Redirect to the new name of a feed, or say that it was removed, or which names are like this one."""
        if new_name := self._publication.renamed.get(name):
            url = (
                self._publication.topic(new_name, feed_format.name) if feed_format else self._publication.page(new_name)
            )
            return _moved(request, url)
        removed = await run_in_threadpool(self._removed, name)
        if removed is not None and removed > clock.ms(clock.agreed()):
            return _in_a_moment()
        if removed is not None:
            return gone_feed(self._publication, name, feed_format, clock.moment(removed), _CACHED_BRIEFLY)
        names = [definition.name for definition in self._publication.public]
        # Cut, because comparing long names takes time.
        similar_names = get_close_matches(name[:100], names, 3)
        hint = f"Did you mean {' or '.join(similar_names)}? " if similar_names else ""
        if name.rpartition(".")[0] in names:
            hint = f"Its formats: {', '.join(FEED_FORMATS)}. "
        listed = f"The feeds are listed at {self._publication.base_url}/feeds"
        return problem(404, f"There is no feed at this address. {hint}{listed}", headers=_CACHED_BRIEFLY)

    def _removed(self, name: str) -> int | None:
        """Return when the feed, or the pattern that made it, was removed from the settings (ms); None: it was not.

        That may be soon: the workers that know the feed were lost, and may come back.
        """
        soon = clock.ms(clock.agreed()) + LOST_MS
        removed = self._store.definitions.removed_at(name, soon)
        if removed is None and self._store.patterns.had(pattern_of(name), name.rpartition("/")[2]):
            removed = self._store.definitions.removed_at(pattern_of(name), soon)
        return removed

    def _pattern_full(self, feed: FeedDefinition) -> bool:
        """Whether the feed's pattern has made as many feeds as it may."""
        pattern = self._publication.patterns[pattern_of(feed.name)]
        return self._store.patterns.count(pattern.name) >= pattern.most

    def _current(self, definition: FeedDefinition, feed_format: FeedFormat, terms: Terms) -> Representation:
        heard = self._cache.heard(definition.name)
        document = self._documents.current(definition, feed_format, terms, at_least=heard)
        headers = self._headers(definition, feed_format, terms.rights.machines)
        # With a delay articles come without a change of the feed.
        changed = None if terms.delay else document.changed or None
        return Representation(document.body, feed_format.media_type, headers, document.head, changed)

    def _page(self, definition: FeedDefinition, terms: Terms) -> Representation:
        entries, head = self._documents.latest(definition, ENTRIES, terms)
        body = self._pages.feed(self._documents.titled(definition), entries)
        headers = [(b"cache-control", _cache_control(definition))]
        headers += self._to_machines(definition, terms.rights.machines)
        changed = None if terms.delay else head.changed or None
        return Representation(body, _HTML, headers, head.seq, changed)

    def _delta(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        document: Representation,
        fields: dict[str, str],
        bases: list[tuple[int, str]],
        terms: Terms,
    ) -> RawResponse | None:
        """Return the changes since the newest of the documents that the client has (RFC 3229).

        None when they are not enough, or too many. `bases`: heads and tags of the documents that the client has.
        """
        if not bases or document.status(fields) != 200 or not feed_delta.possible(definition, feed_format):
            return None
        head, tag = max(bases)
        if head >= document.head:
            return None
        if self._store.changes.head(definition.name).placed > head:
            # The feed was filled since, and articles that it was filled with are not sent as changes.
            return None
        request = PayloadRequest(head, document.head, rights=terms.rights)
        payload = self._payloads.build(definition, feed_format, request)
        if payload is None or payload.cursor != document.head:
            # Nothing to send, too much for one response, or more has changed since the document was made.
            return None
        headers = self._headers(definition, feed_format, terms.rights.machines)
        return feed_delta.respond(payload.body, feed_format.media_type, headers, document, tag)

    def _headers(
        self, definition: FeedDefinition, feed_format: FeedFormat, machines: MachineRights | None
    ) -> RawHeaders:
        """Return the headers of every response about a document. The page comes last: readers look for other links."""
        links = self._publication.links(definition.name, feed_format.name)
        page = f'<{self._publication.page(definition.name)}>; rel="alternate"'
        return [
            (b"cache-control", _cache_control(definition)),
            (b"link", f"{links}, {page}".encode()),
            *self._to_machines(definition, machines),
        ]

    def _to_machines(self, definition: FeedDefinition, machines: MachineRights | None) -> RawHeaders:
        """Return the headers that say what programs may do; `machines`: what a contract says, in place of the feed."""
        machines = machines or self._publication.machines_of(definition)
        return [(name.encode(), value.encode()) for name, value in machines.headers] if machines else []


def _in_a_moment() -> Response:
    """What a feed answers whose definition is not known here just now."""
    detail = "The settings of this feed are being changed; it is served again in a moment."
    return problem(503, detail, headers={"Retry-After": "5", "Cache-Control": "no-store"})


def _moved(request: Request, url: str) -> Response:
    """Redirect to `url` for good, with the query that was sent."""
    query = f"?{request.url.query}" if request.url.query else ""
    cached = "private, no-store" if "key=" in query else "public, max-age=300"
    return RedirectResponse(url + query, 301, {"Cache-Control": cached})


def _uncoded(document: Representation, request: Request) -> Response:
    """Serve a document in no coding."""
    response = document.respond(relevant_fields(request.headers.raw) | {"accept-encoding": IDENTITY})
    assert response is not None  # identity is always there
    return as_response(response)


def as_response(raw: RawResponse) -> Response:
    """Return a response with exactly these headers, as Starlette takes it."""
    response = Response(raw.body, raw.status)
    response.raw_headers = raw.headers
    return response


def _cache_control(definition: FeedDefinition) -> bytes:
    """Return Cache-Control: readers poll every max-age seconds, shared caches may more often (RFC 9111, RFC 5861)."""
    if definition.private:
        return f"private, max-age={definition.max_age}".encode()
    return (
        f"public, max-age={definition.max_age}, s-maxage={min(definition.max_age, _SHARED_SECONDS)}, "
        f"stale-while-revalidate={definition.stale_while_revalidate}, stale-if-error={definition.stale_if_error}"
    ).encode()
