"""What somebody orders of one article or one list: kill, hold, release, correct the embargo, repeat, arrange.

Each order becomes an event, as if the CMS had sent it, and goes the way of all events. The command line, the API and
the desk give orders here. This module finds the article and refuses what the caller may not do; what the event does to
the article, the newsroom decides.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import structlog
from redis.exceptions import RedisError

from feeds.article import Submission
from feeds.errors import InvalidInput
from worker import clock
from worker.intake.article_names import named_id
from worker.management.callers import FILTERED, Forbidden
from worker.management.changes import Conflict, NotFound
from worker.management.scopes import ARTICLES_KILL, ARTICLES_WRITE, LISTS_WRITE
from worker.record.availability import RecordAway
from worker.store.redis_errors import is_outage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.intake.accept import Intake, Receipt
    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.store.articles import StoredArticle

log = structlog.get_logger()

_PATIENCE_SECONDS = 5.0
"""How long an article is waited for that is not known, while there are events to be carried out."""
_SENT = frozenset(Submission.model_fields) - {"version", "updated", "evolved_from"}
"""What an order sends again of an article."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was taken: the receipt of its event, and the article as it was before.

    `article` is None when it is not known here, or could not be read. `away`: why the record does not answer, which may
    know it as an older one; "" when it was asked.
    """

    receipt: Receipt
    article_id: str
    article: StoredArticle | None
    away: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is shown: the event that it became, and what the article was before."""
        article = self.article.article if self.article else None
        return {
            **accepted_event(self.receipt),
            "article": self.article_id,
            "headline": article.headline if article else None,
            "was": article.pubstatus if article else None,
            "away": self.away or None,
        }


def accepted_event(receipt: Receipt) -> dict[str, Any]:
    """Return the event that an order became, as it is shown, with the address of its receipt."""
    assert receipt.event_id is not None
    return {
        "event": receipt.event_id,
        "status": receipt.status,
        "kept_by": receipt.kept_by,
        "receipt": f"/api/v1/events/{quote(receipt.event_id, safe='')}",
    }


class ArticleOrders:
    """Takes orders. `way`: how their events came (cli, api, desk)."""

    def __init__(
        self,
        store: Store,
        articles: HotArticles,
        recorded: RecordedArticles,
        intake: Intake,
        audit: AuditTrail,
        *,
        way: str,
    ) -> None:
        self._store = store
        self._articles = articles
        self._recorded = recorded
        self._intake = intake
        self._audit = audit
        self._way = way

    def kill(self, caller: Caller, article_id: str, *, unknown_too: bool = False) -> Order:
        """Kill an article. `unknown_too`: also one that is not known; if it comes, it is refused.

        Nobody waits for the record or for Redis to order a kill. Raises Forbidden, NotFound; redis.RedisError when
        neither of the two takes it.
        """
        caller.require(ARTICLES_KILL, feed=FILTERED)
        stored, away = None, ""
        try:
            stored = self.published(article_id)
        except RecordAway as error:
            # It may be an old one.
            unknown_too, away = True, str(error)
        except RedisError as error:
            if not is_outage(error):
                raise
            # The record takes it; nobody can say now whether the article is known.
            unknown_too = True
        if stored is None and not unknown_too:
            raise NotFound(f"no article {article_id} is known here, so nothing was killed")
        _see_that_it_is_theirs(caller, ARTICLES_KILL, stored)
        event = {"id": f"kill-{uuid4()}", "type": "article.killed", "article": {"id": article_id}}
        return Order(self._accept(caller, event, "article.killed", article_id), article_id, stored, away)

    def hold(self, caller: Caller, article_id: str) -> Order:
        """Withhold an article: it leaves its feeds until it is released. Raises Forbidden, NotFound, Conflict."""
        return self._change(caller, article_id, "article.held", pubstatus="withheld")

    def release(self, caller: Caller, article_id: str) -> Order:
        """Release an article that was withheld. Raises Forbidden, NotFound, Conflict."""
        return self._change(caller, article_id, "article.released", pubstatus="usable")

    def correct_embargo(self, caller: Caller, article_id: str, until: datetime | None) -> Order:
        """Set until when an article is under embargo; None: no longer. Raises Forbidden, NotFound, Conflict."""
        embargoed = None if until is None else until.isoformat()
        return self._change(caller, article_id, "article.embargo_corrected", embargoed=embargoed)

    def repeat(self, caller: Caller, article_id: str) -> Order:
        """Have an article sent again to the endpoints that get single articles. Raises Forbidden, NotFound."""
        stored = self._article(caller, article_id)
        event = {"id": f"repeat-{uuid4()}", "type": "article.repeated", "article": {"id": stored.article.id}}
        return Order(self._accept(caller, event, "article.repeated", stored.article.id), stored.article.id, stored)

    def arrange_list(self, caller: Caller, name: str, article_ids: Sequence[str]) -> Receipt:
        """Arrange a curated list anew; the caller has seen that a bound key may. Raises Forbidden, InvalidInput."""
        caller.require(LISTS_WRITE, feed=FILTERED)
        event = {"id": f"list-{uuid4()}", "type": "list.updated", "list": {"name": name, "articles": list(article_ids)}}
        return self._accept(caller, event, "list.arranged", name, {"articles": list(article_ids)})

    def published(self, article_id: str) -> StoredArticle | None:
        """Return the article; while events wait to be carried out it may be among them, and is waited for a little.

        Raises RecordAway, redis.RedisError.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (stored := self._articles.get(self._store.lineage.original(article_id))) is None:
            if time.monotonic() > deadline or not self._store.events.waiting():
                return None
            time.sleep(0.1)
        return stored

    def id_of(self, article: str) -> str:
        """Return the id of an article that is named by it, or by the address of its page. Raises as `named_id` does."""
        return named_id(self._store, self._recorded, article)

    def _article(self, caller: Caller, article_id: str) -> StoredArticle:
        caller.require(ARTICLES_WRITE, feed=FILTERED)
        stored = self.published(article_id)
        if stored is None:
            raise NotFound(f"there is no article {article_id}")
        _see_that_it_is_theirs(caller, ARTICLES_WRITE, stored)
        return stored

    def _change(self, caller: Caller, article_id: str, action: str, **fields: str | None) -> Order:
        """Send an article again with other values, as its next version: a correction that came first is not undone."""
        stored = self._article(caller, article_id)
        article = stored.article
        if article.pubstatus == "canceled":
            raise Conflict(f"{article.id} is killed; only the CMS can bring it back, by article.reinstated")
        sent = article.model_dump(mode="json", include=set(_SENT))
        before = {name: sent.get(name) for name in fields}
        # What stands in its lines was cleaned when it came, and is text.
        event = {
            "id": f"{action.partition('.')[2]}-{uuid4()}",
            "type": "article.corrected",
            "literal": True,
            "article": sent | fields | {"version": article.version + 1},
        }
        return Order(self._accept(caller, event, action, article.id, fields, before), article.id, stored)

    def _accept(
        self, caller: Caller, event: dict[str, Any], action: str, target: str, new: Any = None, old: Any = None
    ) -> Receipt:
        (receipt,) = self._intake.accept([event], clock.agreed(), way=self._way, sender=caller.name)
        if receipt.status == "invalid":
            raise InvalidInput(list(receipt.errors))
        try:
            self._audit.note(caller, action, target, old, new)
        except (RecordAway, RedisError):
            # It is accepted: whoever ordered it must not hear otherwise.
            log.error("order_not_audited", action=action, target=target, by=caller.name)
        return receipt


def _see_that_it_is_theirs(caller: Caller, scope: str, stored: StoredArticle | None) -> None:
    """Raise Forbidden when a caller that is bound to feeds orders something of an article that is in none of them."""
    feeds = sorted(stored.feeds) if stored else []
    if caller.bounds.feeds is None and caller.bounds.partners is None:
        return
    if not any(caller.sees(feed=feed, partner=None) for feed in feeds):
        raise Forbidden(f"{caller.name} is for other feeds than those of this article", scope)
