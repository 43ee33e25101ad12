"""`dateline render`: the very bytes that a feed's readers and the partners are sent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli import format_names
from worker.cli.terminal import Config, Data, Failed, feed_names, note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.runtime.services import Services
    from worker.store.articles import StoredArticle


def render(
    name: Annotated[str, typer.Argument(metavar="FEED|ARTICLE", help="A feed's name or an article's id.")],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help="The format, where no endpoint has one. "
            f"Of a feed: {', '.join(format_names.FEED_FORMATS)}; of an article: "
            f"{', '.join(format_names.ARTICLE_FORMATS)}; or one of the newsroom's own.",
        ),
    ] = "",
    endpoint: Annotated[str, typer.Option(help="An article as this endpoint is sent it: format and rights.")] = "",
    as_feed: Annotated[bool, typer.Option("--feed", help="The name is a feed's.")] = False,
    as_article: Annotated[bool, typer.Option("--article", help="The name is an article's.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Print a feed as it is served or an article as it is pushed: those bytes alone. Notes go to standard error."""
    if as_feed and (as_article or endpoint):
        raise Failed("--feed goes neither with --article nor with --endpoint", 2)
    if bool(format_name) == bool(endpoint):
        raise Failed("say one of --format and --endpoint", 2)
    from feeds import formats
    from worker.cli.running_newsroom import newsroom
    from worker.documents.quality_gate import FeedRefused

    services = newsroom(config, data)
    if format_name not in (*formats.FEED_FORMATS, *formats.ARTICLE_FORMATS):
        services.management.know_formats()
    definition = None if as_article or endpoint else services.publication.feed(name)
    stored = None if as_feed else services.articles.get(services.store.lineage.original(name))
    if definition is not None:
        if stored is not None:
            note(f"{name} is a feed and an article: this is the feed; --article shows the other")
        _among(formats.FEED_FORMATS, format_name, "--format: feeds are served in")
        try:
            document = services.documents.current(definition, formats.FEED_FORMATS[format_name], quiet=True).body
        except FeedRefused as error:
            raise Failed(f"{error}; that is why it is not served") from None
    elif stored is None:
        introduction = "feed" if as_feed else "article" if as_article or endpoint else "feed and no article"
        raise Failed(f"there is no {introduction} {name}; the feeds are {feed_names(services.settings)}", 2)
    elif endpoint:
        document = _to_endpoint(services, stored, endpoint)
    else:
        document = _in_format(services, stored, format_name)
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()


def _to_endpoint(services: Services, stored: StoredArticle, name: str) -> bytes:
    from worker.receivers.previews import EndpointTerms, Previews

    services.management.know_formats()
    endpoints = services.management.endpoints_in_use().settings
    _among(endpoints, name, "--endpoint: the endpoints are")
    endpoint = endpoints[name]
    if endpoint.mode != "article":
        raise Failed(f"--endpoint: {name} is sent feeds, not articles; its feed is {endpoint.feed}", 2)
    if endpoint.gzip:
        note(f"{name} is sent this compressed by gzip")
    rights = endpoint.rights
    terms = EndpointTerms(name, endpoint.feed, endpoint.format, rights.rights(), early=rights.early)
    preview = Previews(services.store, services.publication).for_endpoint(stored, terms)
    for reason in preview.notes:
        note(reason)
    if preview.refusals:
        note(f"the gate keeps it back: {'; '.join(preview.refusals)}")
    return preview.content


def _in_format(services: Services, stored: StoredArticle, format_name: str) -> bytes:
    from feeds.formats import ARTICLE_FORMATS
    from worker.receivers.previews import Previews

    _among(ARTICLE_FORMATS, format_name, "--format: articles are sent in")
    preview = Previews(services.store, services.publication).in_format(stored, format_name)
    for reason in preview.notes:
        note(reason)
    if preview.refusals:
        note(f"the gate keeps it back: {'; '.join(preview.refusals)}")
    return preview.content


def _among(existing: Iterable[str], name: str, introduction: str) -> None:
    if name not in (names := list(existing)):
        raise Failed(f"{introduction} {', '.join(names) or 'none'}; there is no {name}", 2)
