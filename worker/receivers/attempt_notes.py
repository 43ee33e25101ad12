"""Notes what was tried: for metrics, for the store, for whoever reads pages back, and for operators."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from worker import clock
from worker.store import redis_errors
from worker.store.attempts import PARKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from worker.receivers.push_session import PushSession
    from worker.store.alerts import Alerts
    from worker.store.attempts import AttemptRecord, Attempts
    from worker.store.counters import Counters

log = structlog.get_logger()


_Attempts = defaultdict[tuple[str, str], "list[AttemptRecord]"]
"""By feed and endpoint."""


class OutcomeCounts:
    """Counts what answers came to, for the metrics. Adds them up and passes them on once in a while."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def add(self, kind: str, outcome: str, accepted_ms: int) -> None:
        """Count an answer. `accepted_ms`: when the oldest event in the request was accepted; 0: unknown."""
        self._counts[kind, outcome, accepted_ms] += 1

    def flush(self) -> None:
        """Pass the counts on; all answers count as having come now."""
        now = clock.ms(clock.agreed())
        for (kind, outcome, accepted), times in self._counts.items():
            self._counters.add("dateline_attempts", times, kind=kind, outcome=outcome)
            if outcome == "delivered" and accepted:
                seconds = max(0.0, (now - accepted) / 1000)
                self._counters.observe("dateline_delivery_seconds", seconds, times, kind=kind)
        self._counts.clear()


class AttemptNotes:
    """The attempts at endpoints that are not stored yet.

    `on_answers(feed, endpoint, attempts)` is called before they are stored, because what is stored is not sent again
    after a crash.
    """

    def __init__(
        self, attempts: Attempts, alerts: Alerts, on_answers: Callable[[str, str, Sequence[AttemptRecord]], None]
    ) -> None:
        self._attempts = attempts
        self._alerts = alerts
        self._on_answers = on_answers
        self._unsaved: _Attempts = defaultdict(list)
        self._on_the_way: _Attempts = defaultdict(list)

    def collect(self, session: PushSession) -> None:
        """Take over the attempts of a session."""
        if session.attempts:
            endpoint = session.claim.details["endpoint"]
            self._unsaved[session.claim.feed, endpoint] += session.attempts
            session.attempts.clear()

    def unconfirmed(self, feed: str, endpoint: str) -> set[str]:
        """Return the articles whose attempts are on their way into the store: nothing of them may be sent yet."""
        return {record.attempt.article for record in self._on_the_way.get((feed, endpoint), ())}

    def save(self, questions: Sequence[Sequence[Any]], meanwhile: Callable[[], None]) -> list[Any] | None:
        """Store the attempts, then alert operators. `meanwhile` is called once they are on their way.

        `questions`: commands that follow in the same round trip. Returns the answers to them; None: they were not
        asked. Raises redis.RedisError in an outage; what is not stored then is stored by the next call.
        """
        if not self._unsaved:
            return None
        for (feed, endpoint), attempts in self._unsaved.items():
            with _isolated(feed, endpoint):
                self._on_answers(feed, endpoint, attempts)
        saved = self._on_the_way = self._unsaved
        self._unsaved = defaultdict(list)
        try:
            recovered, answers = self._store(questions, meanwhile)
        except BaseException:
            for key, attempts in self._unsaved.items():
                saved[key] += attempts
            self._unsaved = saved
            raise
        finally:
            self._on_the_way = defaultdict(list)
        for feed, endpoint in sorted(recovered):
            with _isolated(feed, endpoint):
                self._alerts.raise_alert("endpoint.recovered", endpoint=endpoint, feed=feed)
        for (feed, endpoint), attempts in saved.items():
            for record in attempts:
                if record.alert or record.attempt.outcome in PARKING:
                    with _isolated(feed, endpoint):
                        self._alert(endpoint, feed, record)
        return answers

    def _store(
        self, questions: Sequence[Sequence[Any]], meanwhile: Callable[[], None]
    ) -> tuple[set[tuple[str, str]], list[Any] | None]:
        """Store the attempts, those of one endpoint after the other if need be.

        Returns the endpoints that recovered, and the answers to the questions, if they were asked.
        """
        try:
            sent = self._attempts.send(self._on_the_way, questions)
        except Exception as error:
            if redis_errors.is_outage(error):
                raise
            return self._store_one_by_one(), None
        with sent:
            meanwhile()
            try:
                return sent.answers()
            except Exception as error:
                if redis_errors.is_outage(error):
                    raise
        return self._store_one_by_one(), None

    def _store_one_by_one(self) -> set[tuple[str, str]]:
        recovered = set()
        for (feed, endpoint), attempts in self._on_the_way.items():
            with _isolated(feed, endpoint):
                recovered |= self._attempts.record({(feed, endpoint): attempts})
        return recovered

    def _alert(self, endpoint: str, feed: str, record: AttemptRecord) -> None:
        """Tell operators what an attempt came to, if they should know."""
        attempt = record.attempt
        about = {"endpoint": endpoint, "feed": feed, "status": attempt.status, "reason": attempt.error}
        article = {"article_id": attempt.article, "version": attempt.version}
        if attempt.outcome in PARKING:
            self._alerts.raise_alert("article.parked", **about, **article, answer=attempt.answer)
        if record.alert == "kill.refused":
            next_step = "it is tried again until it is taken; talk to the partner"
            self._alerts.raise_alert(record.alert, **about, **article, answer=attempt.answer, next_step=next_step)
        elif record.alert == "push.refused":
            next_step = "it is made again, later each time"
            self._alerts.raise_alert(record.alert, **about, answer=attempt.answer, next_step=next_step)


class _isolated:  # noqa: N801 (used as the function that `contextmanager` would make, which costs five times as much)
    """Log an error of ours about one endpoint, and go on. Raises redis.RedisError in an outage."""

    __slots__ = ("_endpoint", "_feed")

    def __init__(self, feed: str, endpoint: str) -> None:
        self._feed = feed
        self._endpoint = endpoint

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception) or redis_errors.is_outage(error):
            return False
        log.error(
            "noting_failed",
            feed=self._feed,
            endpoint=self._endpoint,
            next_step="what was tried is in the log only",
            exc_info=error,
        )
        return True
