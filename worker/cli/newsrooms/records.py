"""The record of a newsroom, for commands that need nothing else and work without Redis."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from config.settings import Settings
    from worker.record import Record


@contextmanager
def the_record(settings: Settings) -> Iterator[Record]:
    """The record of a newsroom, with our schema. Raises UnfitRecord, and errors of the database."""
    from worker.runtime.record_in_use import record_of

    with closing(record_of(settings)) as record:
        record.see_that_it_fits()
        yield record


def known_article(connection: Connection, article: str) -> str:
    """Return the id of the article that a person means. Raises Failed, with ids that look like it."""
    from worker.record.finding import identify, near

    article_id = identify(connection, article)
    if article_id is None:
        if article.startswith(("http://", "https://")):
            raise Failed(f"no article has the address {article}")
        alike = near(connection, article)
        hint = f"; there is {', '.join(alike)}" if alike else ""
        raise Failed(f"no article {article} was ever published here{hint}")
    return article_id
