from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery import policy
from worker.delivery.engine import Answer
from worker.delivery.errors import Fault
from worker.delivery.policy import CROWDED_PAUSE, Delivered, GiveBack, Gone, Outcome, Refused, Retry, Suspend

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_FAILURES = {Fault.NOT_STARTED, Fault.OUTDATED, Fault.STOPPED, Fault.UNAUTHORIZED}
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


def answer(status: int = 0, fault: Fault | None = None, message: str = "", retry_after: int = 0) -> Answer:
    return Answer(status, {}, b"", fault, message, 0.1, started=True, retry_after=retry_after)


def judge(
    given_answer: Answer,
    *,
    endpoint: bool = False,
    failures: int = 0,
    failing: timedelta | None = None,
    chance: float = 0.0,
) -> Outcome:
    since = None if failing is None else NOW - failing
    return policy.outcome(
        given_answer, endpoint=endpoint, failures=failures, failing_since=since, now=NOW, chance=chance
    )


@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_a_delivery(status: int, endpoint: bool) -> None:
    assert judge(answer(status), endpoint=endpoint, failures=9, failing=9 * DAY) == Delivered()


@pytest.mark.parametrize("endpoint", [False, True])
def test_410_is_gone(endpoint: bool) -> None:
    assert judge(answer(410), endpoint=endpoint) == Gone("answered 410 Gone")


@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(status: int, endpoint: bool) -> None:
    outcome = judge(answer(status), endpoint=endpoint)

    assert isinstance(outcome, Retry)
    assert outcome.due == NOW + 5 * SECOND
    assert outcome.reason.startswith(f"answered {status}")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 451])
def test_other_4xx_park_an_endpoints_article_and_delay_a_subscription(status: int) -> None:
    refused, delayed = judge(answer(status), endpoint=True, failing=9 * DAY), judge(answer(status))

    assert isinstance(refused, Refused)
    assert refused.status == status
    assert isinstance(delayed, Retry)


@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("fault", sorted(set(Fault) - NO_FAILURES - {Fault.CROWDED}))
def test_no_answer_is_tried_again_whatever_status_it_began_with(fault: Fault, endpoint: bool) -> None:
    for status in (0, 200, 410, 404):
        outcome = judge(answer(status, fault, "it broke"), endpoint=endpoint)
        assert outcome == Retry(NOW + 5 * SECOND, "it broke")


def test_a_slow_one_that_found_no_place_to_wait_waits_outside() -> None:
    crowded = judge(answer(0, Fault.CROWDED, "too many"), endpoint=True, failures=20, failing=30 * DAY)
    assert crowded == GiveBack(NOW + CROWDED_PAUSE)


@pytest.mark.parametrize("fault", sorted(NO_FAILURES))
def test_what_we_did_not_send_or_broke_off_is_no_failure(fault: Fault) -> None:
    assert judge(answer(0, fault, "stopping"), endpoint=True, failures=20, failing=30 * DAY) == GiveBack()


def test_the_waits() -> None:
    waits = []
    for failures in range(11):
        outcome = judge(answer(500), failures=failures)
        assert isinstance(outcome, Retry)
        waits.append(outcome.due - NOW)

    assert waits == [
        5 * SECOND,
        30 * SECOND,
        2 * MINUTE,
        10 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        6 * HOUR,
        6 * HOUR,
        6 * HOUR,
    ]


@given(failures=st.integers(0, 50), chance=st.floats(0, 1, exclude_max=True))
def test_chance_adds_up_to_a_fifth(failures: int, chance: float) -> None:
    plain, jittered = judge(answer(500), failures=failures), judge(answer(500), failures=failures, chance=chance)

    assert isinstance(plain, Retry)
    assert isinstance(jittered, Retry)
    assert plain.due <= jittered.due <= plain.due + (plain.due - NOW) * 0.2


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(0, 5 * SECOND), (1, 5 * SECOND), (5, 5 * SECOND), (60, MINUTE), (10**9, 6 * HOUR)]
)
def test_retry_after_only_delays_and_not_for_ever(retry_after: int, wait: timedelta) -> None:
    outcome = judge(answer(503, retry_after=retry_after))

    assert isinstance(outcome, Retry)
    assert outcome.due == NOW + wait


def test_an_endpoint_is_suspended_after_five_days_and_a_subscription_is_not() -> None:
    assert isinstance(judge(answer(500), endpoint=True, failures=30, failing=5 * DAY - SECOND), Retry)
    assert judge(answer(500), endpoint=True, failures=30, failing=5 * DAY) == Suspend(
        "no success for 5 days; at last answered 500 Internal Server Error"
    )
    assert isinstance(judge(answer(500), failures=30, failing=9 * DAY), Retry)


@pytest.mark.parametrize(
    ("failing", "last", "expected"),
    [
        (MINUTE, 2 * SECOND, timedelta(0)),
        (MINUTE, SECOND / 4, SECOND * 3 / 4),
        (59 * MINUTE, 5 * MINUTE, timedelta(0)),
        (HOUR, 10 * SECOND, 50 * SECOND),
        (HOUR, 2 * MINUTE, timedelta(0)),
        (23 * HOUR, SECOND, 59 * SECOND),
        (DAY, HOUR, 3 * HOUR),
        (4 * DAY, HOUR, 3 * HOUR),
    ],
)
def test_a_change_brings_a_receiver_forward(failing: timedelta, last: timedelta, expected: timedelta) -> None:
    assert policy.brought_forward(NOW + 3 * HOUR, NOW - failing, NOW - last, NOW) == NOW + expected


def test_a_change_never_puts_a_receiver_off() -> None:
    soon = NOW + SECOND / 10

    for failing in (SECOND, 2 * HOUR, 2 * DAY):
        assert policy.brought_forward(soon, NOW - failing, NOW, NOW) == soon
