"""The documents that `dateline validate` is given: files, addresses, standard input, and feeds as they are served."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.format_names import FORMATS
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.own import take_over
from feeds.patterns import pattern_of
from feeds.recognition import Recognised, recognise
from feeds.validation.finding import Finding
from feeds.validation.sitemap import BYTES_MOST
from worker.cli.terminal import Failed, feed_names, printable, say_wrong, settings_of
from worker.intake import sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.settings import Settings
    from worker.outbound.fetch import FetchedPage

_ACCEPT = "application/rss+xml,application/atom+xml,application/feed+json,application/xml,application/json,*/*;q=0.5"


class InputDocument(NamedTuple):
    """A document: where it is, what it is, its bytes.

    missing: what the gate has kept out of it already. ours: it is one of our feeds, as it would be served.
    """

    where: str
    form: Recognised
    content: bytes
    missing: Sequence[Finding] = ()
    ours: bool = False


class Reader:
    """Finds the documents. Settings and Redis are asked only for what needs them.

    `refused`: the gate did not let a feed be made, which was reported.
    """

    def __init__(self, config: Path | None, data: Path | None, format_name: str) -> None:
        self._config = config
        self._data = data
        self._format = format_name
        self.refused = False

    def documents(self, source: str) -> Iterator[InputDocument]:
        """Yield each document of a source. Raises Failed, InputError and SettingsError."""
        path = Path(source)
        try:
            folder, there = path.is_dir(), path.exists()
        except OSError as error:
            raise Failed(f"{source}: {error.strerror}") from None
        if source == "-" or source.startswith(("https://", "http://")) or (there and not folder):
            where = sources.source_name(source)
            content, _ = sources.read_bytes(source, self._fetch, BYTES_MOST)
            yield InputDocument(where, self._form(where, content), content)
            return
        feeds = {definition.name for definition in self._settings.feeds}
        if source in feeds or pattern_of(source) in feeds:
            from redis.exceptions import RedisError

            from worker.store.redis_errors import sentence

            try:
                yield from self._feed(source)
            except RedisError as error:
                raise Failed(f"{source}: {sentence(error)}") from None
        elif folder:
            raise Failed(f"{source}: is a folder; name the files in it")
        else:
            raise Failed(
                f"{source}: there is no such file, and no such feed; the feeds are {feed_names(self._settings)}"
            )

    def own_formats(self) -> list[str]:
        """Return the names of the newsroom's own formats, after which its documents can be judged by them."""
        take_over(self._settings.formats)
        return [definition.name for definition in self._settings.formats]

    def _feed(self, name: str) -> Iterator[InputDocument]:
        if self._format and self._format not in FEED_FORMATS:
            raise Failed(f"--format: feeds are in {', '.join(FEED_FORMATS)}, not in {self._format}")
        from worker.cli.running_newsroom import newsroom
        from worker.documents.quality_gate import FeedRefused

        services = newsroom(self._config, self._data)
        definition = services.publication.feed(name)
        if definition is None:
            raise Failed(f"{name}: is a pattern of feeds; name one of them")
        for format_name in [self._format] if self._format else FEED_FORMATS:
            try:
                document = services.documents.current(definition, FEED_FORMATS[format_name], quiet=True)
            except FeedRefused as error:
                # Reported at once: the other formats may be served.
                say_wrong(printable(f"{error}; that is why it is not served"))
                self.refused = True
                continue
            missing = [
                Finding(None, "gate", f"article {article_id} is kept out: {'; '.join(reasons)}", "house")
                for article_id, reasons in document.kept_out.items()
            ]
            yield InputDocument(
                f"{name}.{format_name}", Recognised("feed", format_name), document.body, missing, ours=True
            )

    @cached_property
    def _settings(self) -> Settings:
        return settings_of(self._config, None)

    def _fetch(self, url: str) -> FetchedPage:
        from worker.cli.named_pages import page

        return page(url, self._settings.delivery, most=BYTES_MOST, accept=_ACCEPT)

    def _form(self, where: str, content: bytes) -> Recognised:
        if not content.strip():
            raise Failed(f"{where}: is empty")
        if len(content) > BYTES_MOST:
            raise Failed(f"{where}: has more than {BYTES_MOST:,} bytes, which no format allows")
        recognised = recognise(content)
        if not self._format:
            if recognised is None:
                raise Failed(
                    f"{where}: is of no format that is known; if it should be, say --format: {', '.join(FORMATS)}"
                )
            return recognised
        # The one name that is of both kinds is what the document looks like.
        if recognised is not None and self._format in (FEED_FORMATS if recognised.kind == "feed" else ARTICLE_FORMATS):
            return Recognised(recognised.kind, self._format)
        return Recognised("article" if self._format in ARTICLE_FORMATS else "feed", self._format)
