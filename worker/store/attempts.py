"""What happened at each partner endpoint: its health, the articles it refused. Attempts go to the outbox of their feed.

This is for people and for operational events. One decision about what is sent depends on it: whether an endpoint
refuses an article because of the article itself (`EndpointStanding`).
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from redis.exceptions import ResponseError

from worker.store import keys, outboxes, redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts, SentScripts


_AT_ONCE = 64
"""How many attempts one script keeps, about: nobody else is answered by Redis meanwhile."""


class Attempt(NamedTuple):
    """One request to an endpoint. `time` in ms; `answer`: the beginning of the body of its answer.

    `action`: the meaning of the request: published, corrected, killed or withdrawn, or feed. `phases`: four numbers,
    how long its parts took (worker/outbound/transfer.py); `request`: its header lines, without secrets; both empty
    where there is nothing of the kind.
    """

    time: int
    article: str
    version: int
    action: str
    outcome: str
    status: int
    milliseconds: int
    bytes: int
    sha256: str
    message_id: str
    error: str
    answer: str
    phases: str = ""
    request: str = ""

    def parked_json(self) -> str:
        """Return it as it is kept with a parked article: as long as that is parked, so without its request."""
        return json.dumps({name: value for name, value in self._asdict().items() if name not in _OF_THE_REQUEST})


_OF_THE_REQUEST = ("phases", "request")


class AttemptRecord(NamedTuple):
    """An attempt, and the entries that it makes in the ledger, as JSON, by article id.

    `dispute`: how the dispute about the article goes on, if it does; or PARKED_ALONE or RECALL. `alert`: the kind of
    alert that it raises beside those that its outcome does, if any.
    """

    attempt: Attempt
    ledger: dict[str, str]
    dispute: str = ""
    alert: str = ""


PARKED_ALONE = "parked_alone"
"""The article is parked although there was no other to compare it with."""
RECALL = "recall"
"""The endpoint refuses another article too, and has taken none since: the one parked alone is in dispute again."""
HANDED_OUT = "handed_out"
"""Outcome: a partner that reads for itself was given it, and has not acknowledged it yet."""
_NO_TRIES = ("given_back", "parked", HANDED_OUT)
"""Outcomes of what was sent to nobody."""
PARKING = ("refused", "parked")
"""Outcomes that set an article aside: the endpoint refused it, or our quality gate did."""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How an endpoint has been doing. Times in ms, 0: never; `latency`: moving average of its answers, in ms."""

    attempts: int = 0
    successes: int = 0
    failures: int = 0
    latency: float = 0.0
    status: int = 0
    last: int = 0
    success: int = 0
    failed: int = 0
    suspended: int = 0
    parked: int = 0
    parked_alone: str = ""
    """The article that was parked last, with no other to compare it with, if the endpoint has taken none since."""
    error: str = ""
    """Why the last attempt, at `failed`, failed or was stopped by the gate."""
    answer: str = ""
    outcomes: dict[str, int] = field(default_factory=dict)
    """How many attempts had which outcome."""

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> EndpointHealth:
        """Read it from a hash, without fields that are damaged or of a later release: it is for people only."""
        types = {"int": int, "float": float, "str": str}
        values: dict[str, Any] = {}
        outcomes = {}
        for name, text in texts.items():
            kind, _, outcome = name.partition(":")
            with suppress(ValueError, KeyError):
                if kind == "outcome":
                    outcomes[outcome] = int(text)
                else:
                    values[name] = types[cls.__annotations__[name]](text)
        return cls(**values, outcomes=outcomes)

    @property
    def failed_tries(self) -> int:
        """How many requests the endpoint did not take."""
        return max(0, self.attempts - self.successes - sum(self.outcomes.get(outcome, 0) for outcome in _NO_TRIES))


@dataclass(frozen=True, slots=True)
class Dispute:
    """An article that an endpoint refuses while it takes others. Times in ms.

    It is tried again when it is `due`; it was refused `tries` times, the last time in `status` (0: no answer).
    """

    due: int
    tries: int
    since: int
    last: int
    status: int
    reason: str

    @classmethod
    def parse(cls, text: str) -> Dispute:
        """Read a dispute as Redis keeps it (lua/attempts/disputes.part)."""
        return cls(**json.loads(text))

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class EndpointStanding:
    """When an endpoint last took something, when something was last parked there (ms, 0: never), and its disputes."""

    took: int = 0
    parked: int = 0
    disputes: dict[str, Dispute] = field(default_factory=dict)


NO_ANSWERS = EndpointStanding()


class Attempts:
    """The attempts of all endpoints."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def record(self, attempts: Mapping[tuple[str, str], Sequence[AttemptRecord]]) -> set[tuple[str, str]]:
        """Keep attempts by feed and endpoint, in order; return the endpoints that recovered from a suspension."""
        with self.send(attempts, ()) as sent:
            return sent.answers()[0]

    def send(
        self, attempts: Mapping[tuple[str, str], Sequence[AttemptRecord]], commands: Sequence[Sequence[Any]]
    ) -> SentAttempts:
        """Send what `record` keeps, and commands that follow, and do not wait for the answers."""
        lots = [(feed, lot) for feed, records in _by_feed(attempts).items() for lot in _lots(records)]
        calls = [_call(feed, lot) for feed, lot in lots]
        return SentAttempts(lots, self._scripts.send_each_before("attempts/record", calls, commands), self._report)

    def _report(self, endpoint: str, error: ResponseError) -> None:
        """Report that the attempts of an endpoint can't be kept. Raises the error when that is nothing of its own."""
        if redis_errors.kind(error) != "bug":
            raise error
        self._damaged_records.report(f"attempts of {endpoint}", str(error), "the endpoint may get something again")

    def note_suspension(self, feed: str, endpoint: str, now: int) -> int:
        """Note that the endpoint is suspended since `now` (ms), until it takes something; return its last status."""
        health = keys.feed(feed).of_endpoint(endpoint, "health")
        pipe = self._client.pipeline(transaction=False)
        pipe.hset(health, "suspended", now)
        pipe.hget(health, "status")
        _, status = pipe.execute()
        return int(status or 0)

    def health(self, feed: str, endpoint: str) -> EndpointHealth:
        """Return how the endpoint has been doing."""
        return EndpointHealth.parse(self._client.hgetall(keys.feed(feed).of_endpoint(endpoint, "health")))

    def standings(self, feed: str, endpoints: Sequence[str]) -> dict[str, EndpointStanding]:
        """Return the standing of each of the endpoints, in one round trip."""
        k = keys.feed(feed)
        names = [key for endpoint in endpoints for key in k.of_standing(endpoint)]
        replies = iter(self._scripts.run("attempts/standings", names, ()) if names else ())
        return {
            endpoint: EndpointStanding(int(took or 0), int(parked or 0), self._disputes(endpoint, disputes))
            for endpoint, took, parked, disputes in zip(endpoints, replies, replies, replies, strict=True)
        }

    def _disputes(self, endpoint: str, texts: Sequence[str]) -> dict[str, Dispute]:
        """The disputes in articles and texts, by turns."""
        if not texts:
            return {}
        disputes = {
            article: self._damaged_records.read(
                f"disputes of {endpoint}", partial(Dispute.parse, text), "there is none"
            )
            for article, text in zip(texts[::2], texts[1::2], strict=True)
        }
        return {article: dispute for article, dispute in disputes.items() if dispute is not None}

    def forget_disputes(self, feed: str, endpoint: str, articles: Sequence[str]) -> None:
        """Forget the disputes about articles of which the endpoint needs nothing more."""
        k = keys.feed(feed)
        if articles:
            self._scripts.run(
                "attempts/forget_disputes",
                [k.of_endpoint(endpoint, "disputed"), k.disputes_due],
                [f"endpoint:{endpoint}", *articles],
            )

    def take_tokens(self, feed: str, endpoint: str, now: int, rate: float, most: int) -> tuple[int, int]:
        """Take up to `most` attempts from what `rate` (a second) allows; return how many, and ms until the next."""
        granted, wait = self._scripts.run(
            "attempts/take_tokens", [keys.feed(feed).of_endpoint(endpoint, "bucket")], [now, rate, most]
        )
        return int(granted), int(wait)

    def return_tokens(self, feed: str, endpoint: str, unspent: int) -> None:
        """Return attempts that were taken and not made; what the bucket can't hold is lost at its next use."""
        self._client.hincrbyfloat(keys.feed(feed).of_endpoint(endpoint, "bucket"), "tokens", unspent)

    def count_parked(self, endpoints: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Return how many articles the endpoints of each feed have set aside, feed -> endpoints, in one round trip."""
        calls: list[tuple[list[str], list[Any]]] = [
            ([keys.feed(feed).of_endpoint(name, "parked") for name in names], []) for feed, names in endpoints.items()
        ]
        counts = self._scripts.run_many("attempts/count_parked", calls) if calls else []
        return dict(zip(endpoints, counts, strict=True))

    def parked(self, feed: str, endpoint: str) -> dict[str, Attempt]:
        """Return the articles that the endpoint refused for good, each with the attempt."""
        texts = self._client.hgetall(keys.feed(feed).of_endpoint(endpoint, "parked"))
        attempts = {
            article: self._damaged_records.read(
                f"parked articles of {endpoint}", partial(_parked, text), "it is not shown"
            )
            for article, text in texts.items()
        }
        return {article: attempt for article, attempt in attempts.items() if attempt is not None}


_EndpointAttempts = tuple[str, "Sequence[AttemptRecord]"]
"""An endpoint, and its attempts."""


class SentAttempts:
    """Attempts that are on their way to Redis. Use it as a context, in which the answers are read."""

    def __init__(
        self,
        lots: Sequence[tuple[str, Sequence[_EndpointAttempts]]],
        sent: SentScripts,
        report: Callable[[str, ResponseError], None],
    ) -> None:
        self._lots = lots
        self._sent = sent
        self._report = report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sent.__exit__()

    def answers(self) -> tuple[set[tuple[str, str]], list[Any]]:
        """Wait until they are kept; return the endpoints that recovered, and the answers to the commands."""
        recovered = set()
        by_lot, replies = self._sent.answers()
        for (feed, lot), outcomes in zip(self._lots, by_lot, strict=True):
            if isinstance(outcomes, ResponseError):
                raise outcomes
            for (endpoint, _), outcome in zip(lot, outcomes, strict=True):
                if outcome == 1:
                    recovered.add((feed, endpoint))
                elif outcome:
                    self._report(endpoint, ResponseError(outcome))
        return recovered, replies


def _by_feed(
    attempts: Mapping[tuple[str, str], Sequence[AttemptRecord]],
) -> dict[str, list[_EndpointAttempts]]:
    feeds: dict[str, list[_EndpointAttempts]] = {}
    for (feed, endpoint), records in attempts.items():
        feeds.setdefault(feed, []).append((endpoint, records))
    return feeds


def _lots(attempts: Sequence[_EndpointAttempts]) -> Iterator[list[_EndpointAttempts]]:
    """Yield the attempts in lots of a size that Redis likes; those of one endpoint are never divided."""
    lot: list[_EndpointAttempts] = []
    size = 0
    for endpoint, records in attempts:
        if lot and size + len(records) > _AT_ONCE:
            yield lot
            lot, size = [], 0
        lot.append((endpoint, records))
        size += len(records)
    if lot:
        yield lot


def _call(feed: str, attempts: Sequence[_EndpointAttempts]) -> tuple[list[str], list[str | int | bytes]]:
    """The keys and arguments of attempts/record.lua."""
    k = keys.feed(feed)
    names, arguments = [k.outbox, k.disputes_due], list[str | int | bytes]()
    for endpoint, records in attempts:
        names += k.of_attempts(endpoint)
        arguments += endpoint, len(records)
        for attempt, ledger, dispute, _ in records:
            arguments += (
                attempt.time,
                attempt.article,
                attempt.outcome,
                attempt.status,
                attempt.milliseconds,
                attempt.error,
                attempt.answer,
                outboxes.attempt_json(endpoint, attempt, ledger),
                attempt.parked_json() if attempt.outcome in PARKING else "",
                dispute,
                len(ledger),
            )
            for entry in ledger.items():
                arguments += entry
    return names, arguments


def _parked(text: str) -> Attempt:
    return Attempt(**json.loads(text))
