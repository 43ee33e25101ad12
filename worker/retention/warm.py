"""Articles for whoever works on them: what is cold comes back from the record first.

It comes back whole: what it is in feeds and what endpoints hold of it first, the article itself last. Two may bring the
same article back at once, and a third may just be about to take it out (trim.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.record.availability import RecordAway
from worker.record.feed_past import changed_after
from worker.store.articles import COOLING, NEW, Remains, StoredArticle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.retention.recorded import RecordedArticles
    from worker.store import Store

log = structlog.get_logger()

_AT_ONCE = 200
"""Articles brought back at once."""


class HotArticles:
    """Reads articles as `store.articles` does, of this moment; those that are cold are warm then. Threads may share it.

    Every method raises RecordAway when an article may be cold and the record does not answer. `renew` is called with
    the ids first: while Redis is rebuilt it brings those up to date that are older there than in the record.
    """

    def __init__(
        self,
        store: Store,
        recorded: RecordedArticles,
        renew: Callable[[Collection[str]], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._recorded = recorded
        self._renew = renew

    def get(self, article_id: str) -> StoredArticle | None:
        """Return the article, or None."""
        return self.get_many([article_id]).get(article_id)

    def get_many(self, article_ids: Collection[str]) -> dict[str, StoredArticle]:
        """Return those of the articles that exist."""
        self._renew(article_ids)
        articles = self._claimed(self._store.articles.get_many(article_ids))
        missing = [name for name in article_ids if name not in articles]
        if missing and (warmed := self._warm_those_that_are_cold(missing)):
            articles |= self._claimed(self._store.articles.get_many(warmed))
        return articles

    def look_up(self, article_id: str, *, certain: bool) -> StoredArticle | Remains:
        """Return the article, or what stands in its place. That an id is new costs no question to the record.

        `certain`: raise RecordAway rather than take an article for new while neither the record nor the filter can be
        asked, and nothing was ever taken out of this Redis because it was cold. So a kill waits; the news does not.
        """
        self._renew((article_id,))
        return self._look_up(article_id, certain=certain, before=self._store.articles.look_up(article_id))

    def look_up_original(self, document_id: str, *, certain: bool) -> StoredArticle | Remains | None:
        """As `look_up`; None when the document is an update of another. A new one costs one round trip."""
        self._renew((document_id,))
        before = self._store.articles.look_up_original(document_id)
        return before and self._look_up(document_id, certain=certain, before=before)

    def _look_up(self, article_id: str, *, certain: bool, before: StoredArticle | Remains) -> StoredArticle | Remains:
        while True:
            if isinstance(before, StoredArticle):
                if claimed := self._claimed({article_id: before}):
                    return claimed[article_id]
            elif before.rev != NEW or self._is_new(before):
                return before
            else:
                try:
                    if not self._warm([article_id], was_trimmed=bool(before.epoch) or before.trimmed):
                        return before
                except RecordAway:
                    if certain or before.epoch or before.trimmed:
                        raise
                    return before
            before = self._store.articles.look_up(article_id)

    def warm(self, article_ids: Collection[str]) -> set[str]:
        """Bring articles back that are cold; return those that the record has."""
        warmed: set[str] = set()
        ordered = sorted(article_ids)
        for start in range(0, len(ordered), _AT_ONCE):
            articles = self._recorded.read(ordered[start : start + _AT_ONCE])
            self._store.cooling.put_back(
                [(article.document, article.places) for article in articles.values()], clock.ms(clock.agreed())
            )
            warmed |= articles.keys()
        if warmed:
            log.info("articles_warmed", articles=len(warmed), article_id=min(warmed))
        return warmed

    def _warm_those_that_are_cold(self, article_ids: list[str]) -> set[str]:
        epoch, trimmed, answers = self._store.known_ids.ask(article_ids)
        if self._is_of_record(epoch):
            article_ids = [name for name, may_be_cold in zip(article_ids, answers, strict=True) if may_be_cold]
        try:
            return self._warm(article_ids, was_trimmed=bool(epoch) or trimmed)
        except RecordAway:
            if epoch or trimmed:
                raise
            return set()

    def warm_changed_after(self, feed: str, sequence: int) -> None:
        """Bring back what is cold and has changed in a feed after the change of this number."""
        while changes := self._recorded.ask(partial(changed_after, feed=feed, sequence=sequence, limit=_AT_ONCE)):
            self.warm(changes.keys() - self._store.changes.states(feed, list(changes)).keys())
            sequence = max(changes.values())

    def _warm(self, article_ids: Collection[str], *, was_trimmed: bool) -> set[str]:
        if self._recorded.is_missing and was_trimmed:
            raise RecordAway("the record's file is gone: see data_dir and record_url")
        return self.warm(article_ids)

    def _is_new(self, remains: Remains) -> bool:
        return not remains.may_be_known and self._is_of_record(remains.epoch)

    def _is_of_record(self, epoch: str) -> bool:
        """Whether a filter that is complete for this epoch has all ids of our record."""
        if not epoch:
            return False
        try:
            of_record = self._recorded.epoch()
        except RecordAway:
            of_record = ""
        # While the record can't be asked: nobody can have built it but from our record.
        return of_record in ("", epoch)

    def _claimed(self, articles: Mapping[str, StoredArticle]) -> dict[str, StoredArticle]:
        """The articles, none of them about to become cold; without those that have become cold."""
        claimed = dict(articles)
        while marked := {name: stored.rev for name, stored in claimed.items() if stored.rev.endswith(COOLING)}:
            unmarked = self._store.cooling.claim(marked)
            claimed |= {name: replace(claimed[name], rev=marked[name].removesuffix(COOLING)) for name in unmarked}
            changed = marked.keys() - unmarked
            for name in changed:
                del claimed[name]
            claimed |= self._store.articles.get_many(changed) if changed else {}
        return claimed
