"""Documents as they would be sent: a feed as it is served, an article as it is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.errors import listed
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed, feed_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from worker.cli.newsrooms.api import Api


class ArticleDocument(NamedTuple):
    """An article as it would be sent. `notes`: what keeps it from that now; `refusals`: why the gate does.

    `compressed`: it is sent compressed.
    """

    content: bytes
    notes: Sequence[str]
    refusals: Sequence[str]
    compressed: bool = False


class LocalDocuments:
    """Documents made here, beside Redis."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        from worker.cli.running_newsroom import newsroom

        self._services = newsroom(config, data)

    def feeds(self) -> str:
        """Return the names of the feeds, for messages."""
        return feed_names(self._services.settings)

    def has_feed(self, name: str) -> bool:
        """Whether there is a feed of this name."""
        return self._services.publication.feed(name) is not None

    def has_article(self, name: str) -> bool:
        """Whether there is an article with this id."""
        return self._services.articles.get(self._services.store.lineage.original(name)) is not None

    def feed(self, name: str, format_name: str) -> bytes:
        """Return a feed. Raises Failed for another format, and when the quality gate does not let it out."""
        from feeds.formats import FEED_FORMATS
        from worker.documents.quality_gate import FeedRefused

        if format_name not in FEED_FORMATS:
            self._services.management.know_formats()
        _among(FEED_FORMATS, format_name, "--format: feeds are served in")
        definition = self._services.publication.feed(name)
        assert definition is not None
        try:
            return self._services.documents.current(definition, FEED_FORMATS[format_name], quiet=True).body
        except FeedRefused as error:
            raise _refused(str(error)) from None

    def in_format(self, name: str, format_name: str) -> ArticleDocument:
        """Return an article in a format. Raises Failed for another one."""
        from feeds.formats import ARTICLE_FORMATS
        from worker.receivers.previews import Previews

        if format_name not in ARTICLE_FORMATS:
            self._services.management.know_formats()
        _among(ARTICLE_FORMATS, format_name, "--format: articles are sent in")
        preview = Previews(self._services.store, self._services.publication).in_format(self._stored(name), format_name)
        return ArticleDocument(preview.content, preview.notes, preview.refusals)

    def to_endpoint(self, name: str, endpoint: str) -> ArticleDocument:
        """Return an article as an endpoint is sent it. Raises Failed when there is none, or it is sent feeds."""
        from worker.receivers.previews import EndpointTerms, Previews

        self._services.management.know_formats()
        endpoints = self._services.management.endpoints_in_use().settings
        _among(endpoints, endpoint, "--endpoint: the endpoints are")
        settings = endpoints[endpoint]
        if settings.mode != "article":
            raise _sent_feeds(endpoint, settings.feed)
        rights = settings.rights
        terms = EndpointTerms(endpoint, settings.feed, settings.format, rights.rights(), early=rights.early)
        preview = Previews(self._services.store, self._services.publication).for_endpoint(self._stored(name), terms)
        return ArticleDocument(preview.content, preview.notes, preview.refusals, settings.gzip)

    def _stored(self, name: str) -> Any:
        stored = self._services.articles.get(self._services.store.lineage.original(name))
        assert stored is not None
        return stored


class RemoteDocuments:
    """Documents over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def feeds(self) -> str:
        """Return the names of the feeds, for messages."""
        return ", ".join(row["name"] for row in self._api.items("feeds"))

    def has_feed(self, name: str) -> bool:
        """Whether there is a feed of this name."""
        row = self._there("feeds", name)
        return row is not None and not row["pattern"]

    def has_article(self, name: str) -> bool:
        """Whether there is an article with this id."""
        return self._there("articles", name) is not None

    def feed(self, name: str, format_name: str) -> bytes:
        """Return a feed. Raises Failed for another format, and when the quality gate does not let it out."""
        preview = self._preview("feeds", name, format=format_name)
        if preview["document"] is None:
            raise _refused(preview["refused"])
        return str(preview["document"]).encode()

    def in_format(self, name: str, format_name: str) -> ArticleDocument:
        """Return an article in a format. Raises Failed for another one."""
        preview = self._preview("articles", name, format=format_name)
        return ArticleDocument(preview["document"].encode(), preview["notes"], preview["refused"])

    def to_endpoint(self, name: str, endpoint: str) -> ArticleDocument:
        """Return an article as an endpoint is sent it. Raises Failed when there is none, or it is sent feeds."""
        row = self._there("endpoints", endpoint)
        if row is None:
            _among([row["name"] for row in self._api.items("endpoints")], endpoint, "--endpoint: the endpoints are")
            raise Failed(f"--endpoint: there is no {endpoint}", 2)
        if row["mode"] != "article":
            raise _sent_feeds(endpoint, row["feed"])
        preview = self._preview("articles", name, endpoint=endpoint)
        compressed = bool(row["settings"].get("gzip"))
        return ArticleDocument(preview["document"].encode(), preview["notes"], preview["refused"], compressed)

    def _there(self, *path: str) -> Any:
        try:
            return self._api.get(*path)
        except Refused as error:
            if error.status_code == 404:
                return None
            raise

    def _preview(self, *path: str, **terms: str) -> Any:
        try:
            return self._api.get(*path, "preview", **terms)
        except Refused as error:
            raise Failed(f"--{error}", 2) if error.status_code == 422 else error from None


def documents(config: Path | None, data: Path | None) -> LocalDocuments | RemoteDocuments:
    """Return the documents of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteDocuments(api) if api else LocalDocuments(config, data)


def _refused(reason: str) -> Failed:
    return Failed(f"{reason}; that is why it is not served")


def _sent_feeds(endpoint: str, feed: str) -> Failed:
    return Failed(f"--endpoint: {endpoint} is sent feeds, not articles; its feed is {feed}", 2)


def _among(existing: Iterable[str], name: str, introduction: str) -> None:
    if name not in (names := list(existing)):
        raise Failed(f"{introduction} {listed(names)}; there is no {name}", 2)
