"""What a key sees that is bound to partners: what their endpoints and feeds may have within their rights, nothing else.

Text comes from Redis alone, as the article is at this moment: the record may not know of a kill for a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from feeds.granting import granted
from feeds.rights import EVERYTHING
from web.api.problems import not_there
from worker import clock
from worker.documents.feed_documents import Terms

if TYPE_CHECKING:
    from collections.abc import Collection

    from feeds.article import Article
    from web.api.parts import ApiParts
    from worker.management.callers import Caller
    from worker.management.reach import Reach
    from worker.store.articles import StoredArticle
    from worker.store.live import LiveEvent
    from worker.takedown.coverage_report import CoverageReport


@dataclass(frozen=True)
class PartnerView:
    """The feeds that such a caller reaches, its endpoints by name, and on which terms it has articles."""

    reach: Reach
    endpoints: frozenset[str]
    terms: Terms

    @property
    def may_search_words(self) -> bool:
        """Whether it has all words: else a search would say which are in the rest."""
        return self.terms.rights.text == "full" and self.terms.rights.words is None

    @property
    def latest(self) -> int:
        """Of when the latest changes are that it may have by now (ms)."""
        return clock.ms(clock.agreed()) - self.terms.delay

    def granted(self, article: Article) -> Article:
        """Return what it may have of an article."""
        return article if self.terms.rights == EVERYTHING else granted(article, self.terms.rights)

    def own(self, report: CoverageReport) -> CoverageReport:
        """Return of a report what is about its endpoints."""
        rows = [row for row in report.rows if row.receiver in self.endpoints and self.reach.has(row.feed)]
        return replace(report, rows=rows, kept_out={})

    def fields_of(self, event: LiveEvent) -> dict[str, Any] | None:
        """Return what it hears of something that has happened; None: nothing."""
        feeds = [feed for feed in event.fields.get("feeds", ()) if self.reach.has(feed)]
        if event.fields.get("endpoint") not in self.endpoints or not feeds:
            return None
        return event.fields | {"feeds": feeds}


def partner_view(parts: ApiParts, caller: Caller) -> PartnerView | None:
    """Return what a caller sees as a partner; None: it is bound to none."""
    names = caller.bounds.partners
    if names is None:
        return None
    in_use = parts.management.endpoints_in_use()
    endpoints = frozenset(name for name, partner in in_use.managed.items() if partner in names)
    contract = parts.management.contract_of(caller)
    delay = int(contract.delay.total_seconds() * 1000) if contract.delay else 0
    return PartnerView(parts.management.reach(caller), endpoints, Terms(contract.rights(), delay))


def shown_article(parts: ApiParts, view: PartnerView, article: str) -> tuple[StoredArticle, list[str]]:
    """Return an article that readers of the partner's feeds may see now, and in which of these it is.

    Raises RequestProblem, RecordAway, redis.RedisError.
    """
    stored = parts.articles.get(parts.store.lineage.original(article))
    feeds = [] if stored is None else showing(parts, view, stored)
    if stored is None or not feeds:
        raise not_there("article", article)
    return stored, feeds


def showing(parts: ApiParts, view: PartnerView, stored: StoredArticle) -> list[str]:
    """Return the feeds of the partner that show an article by now."""
    article = stored.article
    if not article.visible(clock.agreed()):
        return []
    feeds = []
    for feed in filter(view.reach.has, sorted(stored.feeds)):
        change = parts.store.changes.latest_of(feed, [article.id]).get(article.id)
        if change is not None and change.state == "in" and change.asof <= view.latest:
            feeds.append(feed)
    return feeds


def still_shown(parts: ApiParts, article_ids: Collection[str]) -> set[str]:
    """Return those of some articles of the record that readers may see now: it may not know of a kill yet."""
    hot = parts.store.articles.get_many(list(article_ids))
    now = clock.agreed()
    return {name for name in article_ids if name not in hot or hot[name].article.visible(now)}
