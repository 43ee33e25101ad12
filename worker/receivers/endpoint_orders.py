"""What somebody orders of an endpoint: pause it, resume it, try it now, send it articles again.

The command line, the API and the desk give orders here. Each is refused to whoever may not give it, and noted in the
audit.
"""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from worker import clock
from worker.management.changes import Conflict
from worker.management.scopes import ENDPOINTS_OPERATE
from worker.receivers.replay_selection import articles_to_replay
from worker.record.terms import sections_of, term_of

if TYPE_CHECKING:
    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.store.endpoints import RetriedEndpoint
    from worker.store.replays import ReplayProgress
    from worker.wakeups import Wakeups


class EndpointName(NamedTuple):
    """An endpoint: its name, the feed that it gets, the partner whose it is (None: nobody's)."""

    name: str
    feed: str
    partner: str | None = None

    @property
    def receiver(self) -> str:
        """Its name among the receivers of its feed."""
        return f"endpoint:{self.name}"


class ReplayChoice(NamedTuple):
    """Which articles are sent again: those that changed `since` then, one, or those that are parked.

    `section`: only those that are in it now.
    """

    since: datetime | None = None
    article_id: str | None = None
    parked: bool = False
    section: str = ""


class EndpointOrders:
    """Takes orders."""

    def __init__(
        self, store: Store, articles: HotArticles, recorded: RecordedArticles, wakeups: Wakeups, audit: AuditTrail
    ) -> None:
        self._store = store
        self._articles = articles
        self._recorded = recorded
        self._wakeups = wakeups
        self._audit = audit

    def pause(self, caller: Caller, endpoint: EndpointName) -> None:
        """Pause an endpoint; its cursor is kept. Raises Forbidden, Conflict."""
        _see_that_may(caller, endpoint)
        now = clock.ms(clock.agreed())
        if not self._store.receivers.pause(endpoint.feed, endpoint.receiver, now, "asked"):
            raise Conflict(f"{endpoint.name} is paused already, or no worker has enrolled it yet")
        self._audit.note(caller, "endpoint.paused", endpoint.name)

    def resume(self, caller: Caller, endpoint: EndpointName) -> None:
        """Resume an endpoint, which catches up. Raises Forbidden, Conflict."""
        _see_that_may(caller, endpoint)
        if not self._store.receivers.resume(endpoint.feed, endpoint.receiver):
            raise Conflict(f"{endpoint.name} is not paused")
        self._wakeups.distribute(endpoint.feed)
        self._audit.note(caller, "endpoint.resumed", endpoint.name)

    def retry(self, caller: Caller, endpoint: EndpointName) -> RetriedEndpoint:
        """Have an endpoint tried now; one that is paused is resumed. Raises Forbidden, Conflict."""
        _see_that_may(caller, endpoint)
        retried = self._store.endpoints.retry(endpoint.feed, endpoint.name, clock.ms(clock.agreed()))
        if retried is None:
            raise Conflict(f"{endpoint.name} is not enrolled: no worker has seen it yet")
        self._wakeups.distribute(endpoint.feed)
        self._audit.note(caller, "endpoint.retried", endpoint.name)
        return retried

    def to_replay(self, caller: Caller, endpoint: EndpointName, choice: ReplayChoice) -> dict[str, int]:
        """Return the articles that a replay would send, each with its place in the order.

        Raises Forbidden, RecordAway.
        """
        _see_that_may(caller, endpoint)
        articles = articles_to_replay(
            self._store,
            self._articles,
            self._recorded,
            endpoint.feed,
            endpoint.name,
            since=choice.since,
            article_id=choice.article_id,
            parked=choice.parked,
        )
        return self._of_section(articles, choice.section) if choice.section else articles

    def replay(
        self,
        caller: Caller,
        endpoint: EndpointName,
        articles: dict[str, int],
        *,
        same_ids: bool,
        rate: float,
        patience_seconds: float,
    ) -> bool:
        """Have articles (of `to_replay`) sent again, as they are now, marked by the header Dateline-Replay.

        `same_ids`: with the message ids of the first time. `rate`: articles a second at the most. Returns False when
        the endpoint was being served for as long as `patience_seconds`: then they go with its next change. Raises
        Forbidden.
        """
        _see_that_may(caller, endpoint)
        replays = self._store.replays
        replay_id = f"replay-{uuid4().hex[:12]}"
        replays.request(endpoint.feed, endpoint.name, articles, replay_id, same_ids=same_ids, rate=rate)
        self._audit.note(caller, "endpoint.replayed", endpoint.name, new={"articles": len(articles), "id": replay_id})
        deadline = time.monotonic() + patience_seconds
        while not replays.rewind(endpoint.feed, endpoint.name):
            # A worker is just serving it; it is free again when its claim ends.
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        self._wakeups.distribute(endpoint.feed)
        return True

    def replay_progress(self, endpoint: EndpointName) -> ReplayProgress | None:
        """Return how far the last replay is; None: there was none."""
        return self._store.replays.progress(endpoint.feed, endpoint.name)

    def stop_replay(self, caller: Caller, endpoint: EndpointName) -> int:
        """Stop a replay; return how many articles are not sent any more. Raises Forbidden."""
        _see_that_may(caller, endpoint)
        stopped = self._store.replays.stop(endpoint.feed, endpoint.name)
        self._audit.note(caller, "endpoint.replay_stopped", endpoint.name, new={"articles": stopped})
        return stopped

    def _of_section(self, articles: dict[str, int], section: str) -> dict[str, int]:
        folded = term_of(section)
        hot = self._store.articles.get_many(list(articles))
        sections = {name: term_of(stored.article.section) for name, stored in hot.items()}
        # What is cold has not changed for long, so the record knows its section without its text.
        cold = [name for name in articles if name not in hot]
        sections |= self._recorded.ask(partial(sections_of, article_ids=cold)) or {}
        unknown = self._recorded.stored([name for name in cold if name not in sections])
        sections |= {name: term_of(stored.article.section) for name, stored in unknown.items()}
        return {name: place for name, place in articles.items() if sections.get(name) == folded}


def _see_that_may(caller: Caller, endpoint: EndpointName) -> None:
    caller.require(ENDPOINTS_OPERATE, feed=endpoint.feed, partner=endpoint.partner)
