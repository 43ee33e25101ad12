"""`dateline render`: the very bytes that a feed's readers and the partners are sent."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from feeds import format_names
from worker.cli.newsrooms.documents import documents
from worker.cli.terminal import Config, Data, Failed, note


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
    there = documents(config, data)
    is_feed = not (as_article or endpoint) and there.has_feed(name)
    is_article = not as_feed and there.has_article(name)
    if is_feed:
        if is_article:
            note(f"{name} is a feed and an article: this is the feed; --article shows the other")
        content = there.feed(name, format_name)
    elif not is_article:
        introduction = "feed" if as_feed else "article" if as_article or endpoint else "feed and no article"
        raise Failed(f"there is no {introduction} {name}; the feeds are {there.feeds()}", 2)
    else:
        document = there.to_endpoint(name, endpoint) if endpoint else there.in_format(name, format_name)
        if document.compressed:
            note(f"{endpoint} is sent this compressed by gzip")
        for reason in document.notes:
            note(reason)
        if document.refusals:
            note(f"the gate keeps it back: {'; '.join(document.refusals)}")
        content = document.content
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
