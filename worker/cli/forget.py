"""Forgetting the text of an article: `dateline forget`."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.terminal import Config, Data, Failed, note, out, printable

if TYPE_CHECKING:
    from worker.record import Record
    from worker.record.articles import RecordedArticle
    from worker.runtime.services import Services

_PATIENCE_SECONDS = 10.0
"""How long is waited for the kill to be noted, and for whoever reads the record."""


def forget(
    article: Annotated[str, typer.Argument(metavar="ID|URL", help="The article's id, or its address.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    rewrite: Annotated[
        bool,
        typer.Option("--rewrite", help="PostgreSQL: also write its files anew; who needs them waits meanwhile."),
    ] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Erase the text of all revisions of a killed article. Who had which version when stays."""
    from worker.cli.running_newsroom import newsroom
    from worker.record import deliveries
    from worker.record.forgetting import forget_text

    services = newsroom(config, data)
    services.record.see_that_it_fits()
    current = _killed(services, article)
    name = current.article_id
    if not yes:
        if not sys.stdin.isatty():
            raise Failed("nobody can be asked here whether to go on: say --yes", 2)
        typer.confirm(f"Erase the text of all revisions of {printable(name)}, for good?", abort=True)
    with services.record.write() as connection:
        forget_text(connection, name, before=current.version, fingerprints=_fingerprints)
        holders = {(entry.feed, entry.endpoint) for entry in deliveries.of_article(connection, name)}
    endpoints = {
        (endpoint.feed, endpoint.name) for endpoint in services.management.endpoints_in_use().settings.values()
    }
    services.store.text_traces.erase(name, sorted(holders | endpoints))
    line = f"Forgotten: the text of {printable(name)}. Who had it: dateline coverage {shlex.quote(name)}"
    out.print(line, soft_wrap=True)
    _clean(services.record, rewrite=rewrite)
    _have_redis_write_anew(services)
    note("backups of the record and of Redis that were made before have the text still: see docs/operations.md")


def _killed(services: Services, article: str) -> RecordedArticle:
    """The article as it was killed, when the record has that. Raises Failed."""
    from worker.cli.newsrooms.records import known_article
    from worker.record import articles

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with services.record.read() as connection:
            article_id = known_article(connection, article)
            recorded = articles.read_article(connection, article_id)
        hot = services.store.articles.get(article_id)
        assert recorded is not None
        current = recorded.article
        pubstatus = hot.article.pubstatus if hot else current.pubstatus
        if pubstatus != "canceled":
            raise Failed(
                f"{article_id} is {pubstatus}: readers and partners may have it, and it would be sent again; "
                f"first kill it: dateline kill {shlex.quote(article_id)}"
            )
        if current.pubstatus == "canceled" and (hot is None or hot.article.version == current.version):
            return current
        if time.monotonic() > deadline:
            raise Failed(f"the kill of {article_id} is not in the record yet: try again in a moment")
        time.sleep(0.1)


def _fingerprints(document: str) -> str:
    from feeds.article import Article
    from feeds.fingerprint import fingerprints

    return " ".join(fingerprints(Article.stored(document)))


def _clean(record: Record, *, rewrite: bool) -> None:
    """Leave nothing in the files of the record, as far as that can be done while it is in use."""
    from worker.record import search
    from worker.record.forgetting import rewrite_files, vacuum

    if record.file is None:
        (rewrite_files if rewrite else vacuum)(record)
        if not rewrite:
            note("PostgreSQL's files have its bytes until it writes over them; --rewrite has it write them anew")
        return
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (cleaning := search.clean(record)) != "clean":
        if time.monotonic() > deadline:
            note("somebody reads the record just now; a worker cleans its files when that has ended")
            return
        if cleaning == "in use":
            time.sleep(0.2)


def _have_redis_write_anew(services: Services) -> None:
    from redis.exceptions import ResponseError

    try:
        services.store.text_traces.rewrite_files()
    except ResponseError as error:
        # It does so already, or we may not say so.
        note(f"Redis does not write its append-only file anew just now ({str(error)[:100]}): run BGREWRITEAOF")
