"""Read-backs: what was seen on partners' pages of killed articles, and when each is looked at next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, delete, select

from worker.record.tables import page_checks
from worker.record.upserts import always, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class NotedPageCheck(NamedTuple):
    """A page of an article that was killed in `version`, `since` then (ms). `looks`: how often it was looked at.

    `last`: when the last look began (ms), 0: never; `verdict`: gone, there, unproven, or empty, and `why`; `alarmed`:
    operators know that the text is still there; `due`: the next look (ms), None: there is none.
    """

    feed: str
    endpoint: str
    article_id: str
    version: int
    since: int
    looks: int
    last: int
    verdict: str
    why: str
    url: str
    alarmed: bool
    due: int | None


class ForgottenPage(NamedTuple):
    """A page that is not looked at any longer, for whichever version."""

    feed: str
    endpoint: str
    article_id: str


def note(connection: Connection, changes: Sequence[NotedPageCheck | ForgottenPage]) -> None:
    """Note pages as they are now, in the caller's transaction; of one of them, in the order given."""
    forgotten: dict[tuple[str, ...], ForgottenPage] = {}
    checks: dict[tuple[str, ...], dict[int, NotedPageCheck]] = {}
    for change in changes:
        key = change[:3]
        if isinstance(change, ForgottenPage):
            forgotten[key] = change
            checks.pop(key, None)
        else:
            checks.setdefault(key, {})[change.version] = change
    if forgotten:
        names = [f"of_{name}" for name in ForgottenPage._fields]
        this = and_(*(page_checks.c[name] == bindparam(f"of_{name}") for name in ForgottenPage._fields))
        pages = [dict(zip(names, page, strict=True)) for page in forgotten.values()]
        connection.execute(delete(page_checks).where(this), pages)
    rows = (check._asdict() for versions in checks.values() for check in versions.values())
    upsert(connection, page_checks, rows, always)


def of_feed(connection: Connection, feed: str) -> list[NotedPageCheck]:
    """Return the pages of a feed, by endpoint, article and version: of each the last version is what holds."""
    key = list(page_checks.primary_key)
    columns = (page_checks.c[name] for name in NotedPageCheck._fields)
    rows = connection.execute(select(*columns).where(page_checks.c.feed == feed).order_by(*key))
    return [NotedPageCheck(*row) for row in rows]


def of_article(connection: Connection, article_id: str) -> list[NotedPageCheck]:
    """Return the pages of an article, by feed, endpoint and version."""
    columns = (page_checks.c[name] for name in NotedPageCheck._fields)
    statement = select(*columns).where(page_checks.c.article_id == article_id)
    return [NotedPageCheck(*row) for row in connection.execute(statement.order_by(*page_checks.primary_key))]
