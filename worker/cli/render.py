"""`dateline render`: the very bytes that a feed's readers and the partners are sent."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.rights import EVERYTHING
from feeds.validation.checks import check_article
from worker import clock
from worker.cli.running_newsroom import newsroom
from worker.cli.terminal import Config, Data, Failed, feed_names, note
from worker.documents.quality_gate import FeedRefused, reasons
from worker.receivers.ledger import LedgerEntry
from worker.receivers.message_cache import render_push
from worker.receivers.push_status import NOTICES, status_to_push
from worker.store.changes import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.endpoint_settings import EndpointSettings
    from worker.runtime.wiring import Services
    from worker.store.articles import StoredArticle


def render(
    name: Annotated[str, typer.Argument(metavar="FEED|ARTICLE", help="A feed's name or an article's id.")],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            help="The format, where no endpoint has one. "
            f"Of a feed: {', '.join(FEED_FORMATS)}; of an article: {', '.join(ARTICLE_FORMATS)}.",
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
    services = newsroom(config, data)
    definition = None if as_article or endpoint else services.publication.feed(name)
    stored = None if as_feed else services.articles.get(services.store.lineage.original(name))
    if definition is not None:
        if stored is not None:
            note(f"{name} is a feed and an article: this is the feed; --article shows the other")
        _among(FEED_FORMATS, format_name, "--format: feeds are served in")
        try:
            document = services.documents.current(definition, FEED_FORMATS[format_name], quiet=True).body
        except FeedRefused as error:
            raise Failed(f"{error}; that is why it is not served") from None
    elif stored is None:
        introduction = "feed" if as_feed else "article" if as_article or endpoint else "feed and no article"
        raise Failed(f"there is no {introduction} {name}; the feeds are {feed_names(services.settings)}", 2)
    elif endpoint:
        document = _to_endpoint(services, stored, endpoint)
    else:
        _among(ARTICLE_FORMATS, format_name, "--format: articles are sent in")
        feed = _way(services, stored)
        message, fresh = _message(services, stored, feed)
        _, document = render_push(
            feed, format_name, EVERYTHING, message, stored.article, fresh, services.publication.provider
        )
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()


def _to_endpoint(services: Services, stored: StoredArticle, name: str) -> bytes:
    endpoints: dict[str, EndpointSettings] = {endpoint.name: endpoint for endpoint in services.settings.endpoints}
    _among(endpoints, name, "--endpoint: the endpoints are")
    endpoint = endpoints[name]
    if endpoint.mode != "article":
        raise Failed(f"--endpoint: {name} is sent feeds, not articles; its feed is {endpoint.feed}", 2)
    if endpoint.gzip:
        note(f"{name} is sent this compressed by gzip")
    rights, feed = endpoint.rights, endpoint.feed
    message, fresh = _message(services, stored, feed, name, early=rights.early)
    _, document = render_push(
        feed, endpoint.format, rights.rights(), message, stored.article, fresh, services.publication.provider
    )
    if message not in NOTICES and (findings := check_article(endpoint.format, document, ours=True)):
        note(f"the gate keeps it back: {'; '.join(reasons(findings))}")
    return document


def _way(services: Services, stored: StoredArticle) -> str:
    """The feed by which an article goes out, and by which its message has its id: one that it is in, or has left."""
    feeds = sorted(stored.feeds)
    changes = [services.store.changes.latest_of(feed, [stored.article.id]).get(stored.article.id) for feed in feeds]
    within = [feed for feed, change in zip(feeds, changes, strict=True) if change and change.state == "in"]
    return next(iter(within or feeds), "")


def _message(
    services: Services, stored: StoredArticle, feed: str, endpoint: str = "", *, early: bool = False
) -> tuple[str, str]:
    """What the feed's push of the article is, and at which change; without an endpoint, to one that is new."""
    article, store = stored.article, services.store
    there = store.changes.latest_of(feed, [article.id]).get(article.id)
    change = there or Change(0, article.id, "in", 0)
    if article.waits(clock.agreed()) and not (early and change.state in ("in", "early")):
        note(f"{article.id} is embargoed until {article.embargoed:%Y-%m-%d %H:%M:%S} UTC and is not sent before")
        # As of then; its place in the log, of which the id of the message is made, is not known yet.
        assert article.embargoed is not None
        change = replace(change, state="in", asof=clock.ms(article.embargoed) + 1)
    elif there is None:
        where = f"is not in {feed}, the feed of {endpoint}" if endpoint else "is in no feed"
        note(f"{article.id} {where}, and so is not sent")
    existing = store.receivers.ledgers(feed, {endpoint: [article.id]})[endpoint].get(article.id) if endpoint else None
    ledger_entry = LedgerEntry.parse(existing) if existing else None
    return status_to_push(article, change, ledger_entry, early=early), str(change.seq)


def _among(existing: Iterable[str], name: str, introduction: str) -> None:
    if name not in (names := list(existing)):
        raise Failed(f"{introduction} {', '.join(names) or 'none'}; there is no {name}", 2)
