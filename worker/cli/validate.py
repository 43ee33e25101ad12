"""`dateline validate`: the rules that our documents must keep before they leave, for people and anybody's documents."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from redis.exceptions import RedisError
from rich.text import Text

from config.settings import Settings, load
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.gate import check_article, check_feed
from feeds.recognition import Recognised, recognise
from feeds.validation.finding import Finding
from feeds.validation.sitemap import BYTES_MOST
from worker import inputs
from worker.cli.terminal import Config, Data, Failed, newsroom, out, page, say_wrong
from worker.delivery.fetch import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACCEPT = "application/rss+xml,application/atom+xml,application/feed+json,application/xml,application/json,*/*;q=0.5"
_KNOWN = ", ".join({**FEED_FORMATS, **ARTICLE_FORMATS})
# What would break a line or show it in another order: a document may hold anything.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def validate(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|URL|FEED...", help="Files, addresses, feeds, or - for standard input.")
    ],
    format_name: Annotated[
        str, typer.Option("--format", help="Their format; else it is recognised, and feeds are checked in all.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as a JSON array.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Check documents of any format by the rules that ours keep. Status 0: no findings, 1: some, 2: not all read."""
    if format_name and format_name not in {*FEED_FORMATS, *ARTICLE_FORMATS}:
        raise Failed(f"--format: there is no format {format_name}; known: {_KNOWN}", 2)
    reader = _Reader(config, data, format_name)
    checked: Counter[Recognised] = Counter()
    found: list[tuple[str, Recognised, Finding]] = []
    unread = False
    for source in sources:
        try:
            for where, form, said in reader.documents(source):
                check = check_feed if form.kind == "feed" else check_article
                findings = check(form.name, said)
                checked[form] += 1
                found += [(where, form, finding) for finding in findings]
                if not as_json:
                    _tell(where, findings)
        except (Failed, inputs.InputError) as error:
            unread = True
            say_wrong(_printable(str(error)))
        except RedisError as error:
            unread = True
            say_wrong(f"{source}: Redis does not answer: {_printable(str(error))}")
    if as_json:
        _write(found)
    elif checked:
        forms = ", ".join(f"{count} {form.name} {form.kind}" for form, count in checked.items())
        out.print(f"{len(found) or 'no'} finding{'s' * (len(found) != 1)} in {forms}", highlight=False, soft_wrap=True)
    if unread or found:
        raise typer.Exit(2 if unread else 1)


def _tell(where: str, findings: list[Finding]) -> None:
    """Say each finding as compilers do, so that editors can go to its line."""
    for finding in findings:
        place = _printable(f"{where}:{finding.line}" if finding.line else where)
        line = Text.assemble((place, "bold"), f": {_printable(finding.reason)} ", (f"({finding.rule})", "dim"))
        out.print(line, soft_wrap=True)


def _write(found: list[tuple[str, Recognised, Finding]]) -> None:
    said = [
        {"document": where, "kind": form.kind, "format": form.name, **finding._asdict()}
        for where, form, finding in found
    ]
    out.print(json.dumps(said, indent=2), markup=False, highlight=False, soft_wrap=True)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class _Reader:
    """Finds the documents. Settings and Redis are asked only for what needs them."""

    def __init__(self, config: Path | None, data: Path | None, format_name: str) -> None:
        self._config = config
        self._data = data
        self._format = format_name

    def documents(self, source: str) -> Iterator[tuple[str, Recognised, bytes]]:
        """Yield where each document of a source is, what it is and its bytes.

        Raises Failed, InputError, RedisError and SettingsError.
        """
        path = Path(source)
        try:
            folder, there = path.is_dir(), path.exists()
        except OSError as error:
            raise Failed(f"{source}: {error.strerror}") from None
        if source == "-" or source.startswith(("https://", "http://")) or (there and not folder):
            where = inputs.place(source)
            said, _ = inputs.content(source, self._fetch, BYTES_MOST)
            yield where, self._form(where, said), said
            return
        feeds = {definition.name for definition in self._settings.feeds}
        if source in feeds:
            yield from self._feed(source)
        elif folder:
            raise Failed(f"{source}: is a folder; name the files in it")
        else:
            raise Failed(f"{source}: there is no such file, and no such feed; the feeds are {', '.join(sorted(feeds))}")

    def _feed(self, name: str) -> Iterator[tuple[str, Recognised, bytes]]:
        if self._format and self._format not in FEED_FORMATS:
            raise Failed(f"--format: feeds are in {', '.join(FEED_FORMATS)}, not in {self._format}")
        services = newsroom(self._config, self._data)
        for format_name in [self._format] if self._format else FEED_FORMATS:
            document = services.documents.current(services.site.feeds[name], FEED_FORMATS[format_name])
            yield f"{name}.{format_name}", Recognised("feed", format_name), document.body

    @cached_property
    def _settings(self) -> Settings:
        return load(self._config)

    def _fetch(self, url: str) -> Page:
        return page(url, self._settings, most=BYTES_MOST, accept=_ACCEPT)

    def _form(self, where: str, said: bytes) -> Recognised:
        if not said.strip():
            raise Failed(f"{where}: is empty")
        if len(said) > BYTES_MOST:
            raise Failed(f"{where}: has more than {BYTES_MOST:,} bytes, which no format allows")
        recognised = recognise(said)
        if not self._format:
            if recognised is None:
                raise Failed(f"{where}: is of no format that is known; if it should be, say --format: {_KNOWN}")
            return recognised
        # The one name that is of both kinds is what the document looks like.
        if recognised is not None and self._format in (FEED_FORMATS if recognised.kind == "feed" else ARTICLE_FORMATS):
            return Recognised(recognised.kind, self._format)
        return Recognised("article" if self._format in ARTICLE_FORMATS else "feed", self._format)
