"""What the receivers of a feed have of one article, in a few round trips, however many receivers there are."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.attempts import Attempt, Dispute
from worker.store.receiver_states import NOT_FAILING, Position, ReceiverState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Scripts

_AT_ONCE = 250
"""How many endpoints one script reads: nobody else is answered by Redis meanwhile."""
_POSITIONS: tuple[Position, ...] = ("settled", "claimed", "backoff", "paused")
_FIELDS = 6


class EndpointHolding(NamedTuple):
    """How an endpoint stands, and what it has of an article. `cursor`: up to which change it is up to date.

    `ledger`: its entry as JSON, empty: it was never sent the article.
    """

    endpoint: str
    position: Position
    cursor: int
    state: ReceiverState
    ledger: str
    parked: Attempt | None
    dispute: Dispute | None


class ArticleCoverage:
    """Reads it."""

    def __init__(self, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._scripts = scripts
        self._damaged_records = damaged_records

    def endpoints(self, feed: str, names: Sequence[str], article_id: str) -> list[EndpointHolding]:
        """Return what the receivers of these names, which are endpoints, have of an article; only those there are."""
        k = keys.feed(feed)
        calls = []
        for start in range(0, len(names), _AT_ONCE):
            lot = names[start : start + _AT_ONCE]
            own = [key for name in lot for key in k.of_coverage(_endpoint(name))]
            calls.append(([*_places(k), k.receiver_states, *own], [article_id, *lot]))
        lots = self._scripts.run_many("endpoints/coverage", calls) if calls else []
        answers = [answer for lot in lots for answer in lot]
        holdings = []
        for number, name in enumerate(names):
            position, score, state, *own = answers[number * _FIELDS : (number + 1) * _FIELDS]
            if position:
                holdings.append(self._holding(_endpoint(name), article_id, position, int(float(score)), state, own))
        return holdings

    def _holding(
        self, endpoint: str, article_id: str, position: int, score: int, state: str | None, own: Sequence[Any]
    ) -> EndpointHolding:
        ledger, parked, dispute = own
        if parked is None and dispute is None and not state:
            # Nearly all of a thousand.
            remembered, text = ReceiverState(0, score, NOT_FAILING, ""), "" if ledger is None else str(ledger)
            return EndpointHolding(endpoint, _POSITIONS[position - 1], score, remembered, text, None, None)
        remembered = ReceiverState.parse(state, score)
        read = partial(self._read, endpoint, article_id)
        return EndpointHolding(
            endpoint,
            _POSITIONS[position - 1],
            score if position == 1 else remembered.cursor,
            remembered,
            "" if ledger is None else str(ledger),
            None if parked is None else read("parked articles", _parked, parked),
            None if dispute is None else read("disputes", Dispute.parse, dispute),
        )

    def _read(self, endpoint: str, article_id: str, noun: str, parse: Any, answer: Any) -> Any:
        if isinstance(answer, Exception):
            self._damaged_records.report(f"{noun} of {endpoint}", str(answer), "it is not shown")
            return None
        return self._damaged_records.read(f"{noun} of {endpoint}: {article_id}", partial(parse, answer), "not shown")

    def subscriptions_behind(self, feed: str, seq: int, endpoints: Sequence[str]) -> int:
        """Return how many subscriptions of a feed are behind a change; `endpoints`: its receivers that are none."""
        k = keys.feed(feed)
        places = [*_places(k), k.receiver_states, k.receivers]
        return int(self._scripts.run("receivers/behind", places, [seq, *endpoints]))


def _places(k: keys.FeedKeys) -> list[str]:
    return [k.settled, k.claimed, k.backoff, k.paused]


def _endpoint(receiver: str) -> str:
    return receiver.partition(":")[2]


def _parked(text: str) -> Attempt:
    return Attempt(**json.loads(text))
