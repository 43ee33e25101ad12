"""The receivers' scripts against a plain model of them, driven by hypothesis: whatever happens in whatever order, a
receiver is in exactly one set, its cursor never goes back by itself, and an old token moves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from worker.store import Store, keys
from worker.store.receiver_states import Failing
from worker.store.receivers import Claim, Settlement
from worker.store.subscription_requests import SubscriptionRequest

FEED = "news"
CLAIM_MS = 30_000
LEASE_S = 600
NAMES = st.sampled_from(["a", "b", "c", "d"])


@dataclass
class Modelled:
    """What a receiver should be. `at` is the deadline, the due time or the beginning of the pause."""

    state: str
    cursor: int
    at: int = 0
    token: int = 0
    since: int = 0
    reason: str = ""
    expires: int | None = None
    client: str = ""
    best: int = field(default=0)


class Receivers(RuleBasedStateMachine):
    store: Store
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        self.store.client.flushall()
        self.now = 1_000_000
        self.head = 0
        self.version = 0
        self.token = 0
        self.model: dict[str, Modelled] = {}

    @rule()
    def head_moves(self) -> None:
        self.version += 1
        self.head += 1
        recorded = {FEED: ("in", self.version)}
        seq = self.store.changes.record(f"article-{self.version % 3}", self.version, self.now, recorded)[FEED]
        assert self.head == seq

    @rule(seconds=st.sampled_from([0.5, 5, 31, 400]))
    def time_passes(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    @rule(name=NAMES)
    def enroll_endpoint(self, name: str) -> None:
        receiver = f"endpoint:{name}"
        known = self.model.get(receiver)
        expected = "known"
        if known is None:
            self.model[receiver] = Modelled("settled", self.head, best=self.head)
            expected = "new"
        elif known.state == "paused" and known.reason == "removed":
            known.state, known.since, expected = "settled", 0, "back"
        assert expected == self.store.receivers.enroll(FEED, receiver, {"endpoint": name})

    @rule(name=NAMES, superseded=st.booleans(), asked=st.integers(1, 2))
    def subscribe(self, name: str, superseded: bool, asked: int) -> None:
        # Two clients, of which one may have two subscriptions only.
        client = "192.0.2.1" if asked % 2 else "192.0.2.2"
        intent = self._intent("subscribe", name, client=client)
        self.store.subscription_requests.request(FEED, name, intent)
        if superseded:
            self.store.subscription_requests.request(FEED, name, self._intent("subscribe", name, nonce="later"))
        expires = self.now + LEASE_S * 1000
        known = self.model.get(name)
        result = self.store.subscription_requests.confirm(FEED, name, intent, expires, 100, 2)
        if superseded:
            assert result == "superseded"
            return
        if known is None and sum(held.client == client for held in self.model.values()) >= 2:
            assert result == "client"
            self.store.subscription_requests.refuse(FEED, name, intent)
            return
        assert ("done" if known else "new") == result
        if known is None:
            self.model[name] = Modelled("settled", 0, expires=expires, client=client)
            return
        known.client = client
        known.expires = expires
        if known.state == "backoff":
            known.state = "settled"

    @rule(name=NAMES)
    def unsubscribe(self, name: str) -> None:
        intent = self._intent("unsubscribe", name)
        self.store.subscription_requests.request(FEED, name, intent)
        assert self.store.subscription_requests.confirm(FEED, name, intent, 0, 100, 2) == "done"
        self.model.pop(name, None)

    @rule(target=claims, limit=st.integers(1, 4), shared_above=st.integers(1, 9))
    def claim(self, limit: int, shared_above: int) -> list[Claim]:
        got = self.store.receivers.claim(FEED, limit, self.now + CLAIM_MS, shared_above)
        behind = sorted(
            (known.cursor, name)
            for name, known in self.model.items()
            if known.state == "settled" and known.cursor < self.head
        )
        limit = min(limit, -(-len(behind) // 2) if len(behind) > shared_above else shared_above)
        assert got.may_be_more == (len(behind) > limit)
        assert [(cursor, name) for cursor, name in behind[:limit]] == [(c.cursor, c.receiver) for c in got.claims]
        assert self.head == got.head
        if got.claims:
            self.token += 1
        for claim in got.claims:
            known = self.model[claim.receiver]
            assert (known.cursor, known.since, self.token) == (claim.cursor, claim.failing.since, claim.token)
            known.state, known.token, known.at = "claimed", claim.token, self.now + CLAIM_MS
        return got.claims

    @rule(claims=claims, verb=st.sampled_from(["done", "done", "back", "retry", "retry", "pause", "end"]))
    def settle(self, claims: list[Claim], verb: str) -> None:
        settlements = []
        fenced = []
        behind = 0
        for claim in claims:
            known = self.model.get(claim.receiver)
            cursor = self.head if verb == "done" else claim.cursor
            since = claim.failing.since or (self.now if verb in {"retry", "pause"} else 0)
            failing = Failing(since, self.now)
            settlements.append(
                Settlement(claim, verb, cursor, self.now + 5000, failing, "because")  # type: ignore[arg-type]
            )
            if known is None or known.state != "claimed" or known.token != claim.token:
                fenced.append(claim.receiver)
                continue
            known.cursor = cursor
            known.since = 0 if verb == "done" else since
            match verb:
                case "done" | "back":
                    known.state = "settled"
                    behind += cursor < self.head
                case "retry":
                    known.state, known.at = "backoff", self.now + 5000
                case "pause":
                    known.state, known.at, known.reason = "paused", self.now, "because"
                case "end":
                    del self.model[claim.receiver]
        settled = self.store.receivers.settle(FEED, self.now, settlements)
        assert sorted(fenced) == sorted(settled.fenced)
        assert behind == settled.behind

    @rule(name=NAMES, removed=st.booleans())
    def pause(self, name: str, removed: bool) -> None:
        receiver = f"endpoint:{name}"
        known = self.model.get(receiver)
        reason = "removed" if removed else "asked"
        expected = known is not None and known.state != "paused"
        assert expected == self.store.receivers.pause(FEED, receiver, self.now, reason)
        if known is not None and expected:
            known.state, known.at, known.reason = "paused", self.now, reason

    @rule(name=NAMES)
    def resume(self, name: str) -> None:
        receiver = f"endpoint:{name}"
        known = self.model.get(receiver)
        expected = known is not None and known.state == "paused"
        assert expected == self.store.receivers.resume(FEED, receiver)
        if known is not None and expected:
            known.state, known.since = "settled", 0

    @rule(name=NAMES, sooner=st.integers(0, 10_000))
    def bring_forward(self, name: str, sooner: int) -> None:
        self.store.receivers.bring_forward(FEED, {name: self.now + sooner})
        known = self.model.get(name)
        if known is not None and known.state == "backoff":
            known.at = min(known.at, self.now + sooner)

    @rule()
    def sweep(self) -> None:
        expired = due = ended = 0
        for known in self.model.values():
            if known.state in {"claimed", "backoff"} and known.at <= self.now:
                expired += known.state == "claimed"
                due += known.state == "backoff"
                known.state = "settled"
        for name, known in list(self.model.items()):
            if known.expires is not None and known.expires <= self.now:
                ended += 1
                del self.model[name]
        behind = sum(known.state == "settled" and known.cursor < self.head for known in self.model.values())
        swept = self.store.receivers.sweep([FEED], self.now, 1000, self.now)[FEED]
        assert (expired, due, ended, behind) == (swept.expired, swept.due, len(swept.ended), swept.behind)

    @invariant()
    def same_as_model(self) -> None:
        if not hasattr(self, "model"):
            return
        k = keys.feed(FEED)
        found: dict[str, str] = {}
        for state, key in (
            ("settled", k.settled),
            ("claimed", k.claimed),
            ("backoff", k.backoff),
            ("paused", k.paused),
        ):
            for name in self.store.client.zrange(key, 0, -1):
                assert name not in found, f"{name} is in {found[name]} and in {state}"
                found[name] = state
        assert {name: known.state for name, known in self.model.items()} == found
        receivers = {receiver.id: receiver for receiver in self.store.receivers.scan(FEED)}
        for name, known in self.model.items():
            receiver = receivers[name]
            assert (known.cursor, known.since) == (receiver.cursor, receiver.remembered.failing.since)
            if known.state != "settled":
                assert known.at == receiver.score
            assert known.cursor >= known.best, "a cursor went back"
            known.best = known.cursor
        # Nothing is remembered of who is gone.
        assert set(self.model) == set(self.store.client.hkeys(k.receivers))
        assert set(self.store.client.hkeys(k.receiver_states)) <= set(self.model)
        assert {name for name, known in self.model.items() if known.expires is not None} == set(
            self.store.client.zrange(k.leases, 0, -1)
        )

    @invariant()
    def counts_are_right(self) -> None:
        if not hasattr(self, "model"):
            return
        expected = Counter(f"host:{name}" for name, known in self.model.items() if known.expires is not None)
        expected.update(f"client:{known.client}" for known in self.model.values() if known.expires is not None)
        counts = self.store.client.hgetall(keys.feed(FEED).subscription_counts)
        assert expected == {name: int(count) for name, count in counts.items()}

    def _intent(self, mode: Any, name: str, nonce: str = "n", client: str = "") -> SubscriptionRequest:
        return SubscriptionRequest(mode, "topic", f"http://{name}/", "atom", "", LEASE_S, self.now, nonce, name, client)


@pytest.fixture
def machine(store: Store) -> Iterator[type[Receivers]]:
    Receivers.store = store
    yield Receivers
    del Receivers.store


@pytest.mark.parametrize("examples", [60, pytest.param(500, marks=pytest.mark.long)])
def test_scripts_do_what_the_model_says(machine: type[Receivers], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_what_an_outage_has_left_is_settled_at_once_and_those_that_others_have_are_fenced(store: Store) -> None:
    names = [f"endpoint:{number}" for number in range(1_203)]
    for name in names:
        store.receivers.enroll(FEED, name, {"endpoint": name})
    store.changes.record("a", 1, 1, {FEED: ("in", 1)})
    claims = [*store.receivers.claim(FEED, 1_000, 1_000).claims, *store.receivers.claim(FEED, 1_000, 9_000).claims]
    assert {claim.receiver for claim in claims} == set(names)
    store.receivers.sweep([FEED], 2_000, 10_000)
    taken_over = store.receivers.claim(FEED, 4, 9_000).claims

    settled = store.receivers.settle(FEED, 2_000, [Settlement(claim, "done", 1) for claim in claims])

    # The claims of the first thousand had ended; four of these receivers were claimed anew.
    assert (settled.behind, len(settled.fenced)) == (0, 1_000)
    store.receivers.settle(FEED, 2_000, [Settlement(claim, "done", 1) for claim in taken_over])
    assert store.receivers.counts(FEED) == {"settled": 1_203, "claimed": 0, "backoff": 0, "paused": 0, "behind": 996}
