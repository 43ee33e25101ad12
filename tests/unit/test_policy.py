from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer
from worker.receivers import policy
from worker.receivers.policy import CROWDED_PAUSE, Delivered, GiveBack, Gone, Outcome, Refused, Retry, Suspend
from worker.receivers.status_phrases import status_phrase

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_FAILURES = {Fault.NOT_STARTED, Fault.OUTDATED, Fault.STOPPED, Fault.UNAUTHORIZED}
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


def answer(status: int = 0, fault: Fault | None = None, message: str = "", retry_after: int = 0) -> Answer:
    return Answer(status, {}, b"", fault, message, 0.1, started=True, retry_after=retry_after)


def judge(
    given_answer: Answer,
    *,
    endpoint: bool = False,
    failing: timedelta | None = None,
    chance: float = 0.0,
) -> Outcome:
    since = None if failing is None else NOW - failing
    return policy.outcome(given_answer, endpoint=endpoint, failing_since=since, now=NOW, chance=chance)


@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_a_delivery(status: int, endpoint: bool) -> None:
    assert judge(answer(status), endpoint=endpoint, failing=9 * DAY) == Delivered()


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
def test_other_4xx_are_about_an_endpoint_or_its_article_and_delay_a_subscription(status: int) -> None:
    refused, delayed = judge(answer(status), endpoint=True), judge(answer(status))

    assert isinstance(delayed, Retry)
    assert refused == Refused(status, delayed.reason, delayed)


def test_what_refuses_all_for_five_days_is_suspended() -> None:
    refused = judge(answer(403), endpoint=True, failing=5 * DAY)

    assert isinstance(refused, Refused)
    assert refused.otherwise == Suspend("no success for 5 days; at last answered 403 Forbidden")


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
def test_who_says_when_to_come_again_speaks_of_itself(status: int) -> None:
    outcome = judge(answer(status, retry_after=60), endpoint=True)
    assert outcome == Retry(NOW + MINUTE, f"answered {status_phrase(status)}", NOW + MINUTE)


@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("fault", sorted(set(Fault) - NO_FAILURES - {Fault.CROWDED, Fault.DENIED}))
def test_no_answer_is_tried_again_whatever_status_it_began_with(fault: Fault, endpoint: bool) -> None:
    for status in (0, 200, 410, 404):
        outcome = judge(answer(status, fault, "it broke"), endpoint=endpoint)
        assert outcome == Retry(NOW + 5 * SECOND, "it broke")


def test_whoever_does_not_let_us_in_is_left_alone_until_a_person_has_mended_it() -> None:
    denied = answer(0, Fault.DENIED, "it does not know our key")
    assert judge(denied, endpoint=True) == Suspend("it does not know our key")
    assert judge(denied) == Retry(NOW + 5 * SECOND, "it does not know our key")


def test_what_a_destination_has_answered_is_the_reason_whatever_its_status() -> None:
    outcome = judge(answer(507, message="the disk is full"), endpoint=True)
    assert outcome == Retry(NOW + 5 * SECOND, "the disk is full")


@pytest.mark.parametrize(
    ("failed", "perhaps"),
    [
        (answer(500), True),
        (answer(503), True),
        (answer(503, retry_after=60), False),
        (answer(429), False),
        (answer(302), False),
        (answer(0, Fault.TIMEOUT), True),
        (answer(0, Fault.RESET), True),
        (answer(200, Fault.PROTOCOL), True),
        (answer(0, Fault.DNS), False),
        (answer(0, Fault.CONNECT), False),
        (answer(0, Fault.TLS), False),
        (answer(0, Fault.FORBIDDEN), False),
    ],
)
def test_what_fails_for_half_a_minute_may_fail_because_of_one_article(failed: Answer, perhaps: bool) -> None:
    for failing, refused in ((None, False), (29 * SECOND, False), (30 * SECOND, perhaps), (DAY, perhaps)):
        assert isinstance(judge(failed, endpoint=True, failing=failing), Refused) == refused
        assert isinstance(judge(failed, failing=failing), Retry)


@pytest.mark.parametrize(
    ("status", "tries", "failing", "parked"),
    [
        *((status, tries, SECOND, tries >= 2) for status in (400, 409, 413, 415, 422, 451) for tries in (1, 2, 3)),
        *((status, tries, MINUTE, tries >= 5) for status in (401, 403, 404, 405, 407, 418, 499) for tries in (2, 4, 5)),
        *((status, 50, 59 * SECOND, False) for status in (401, 403, 404, 405)),
        *((status, tries, HOUR, tries >= 10) for status in (0, 500, 502, 503) for tries in (2, 9, 10)),
        *((status, 50, 59 * MINUTE, False) for status in (0, 500)),
    ],
)
def test_when_an_article_is_parked_while_others_pass(status: int, tries: int, failing: timedelta, parked: bool) -> None:
    assert policy.given_up(status, tries, failing) == parked


def test_a_slow_one_that_found_no_place_to_wait_waits_outside() -> None:
    crowded = judge(answer(0, Fault.CROWDED, "too many"), endpoint=True, failing=30 * DAY)
    assert crowded == GiveBack(NOW + CROWDED_PAUSE)


@pytest.mark.parametrize("fault", sorted(NO_FAILURES))
def test_what_we_did_not_send_or_broke_off_is_no_failure(fault: Fault) -> None:
    assert judge(answer(0, fault, "stopping"), endpoint=True, failing=30 * DAY) == GiveBack()


@pytest.mark.parametrize(
    ("failing", "wait"),
    [
        (None, 5 * SECOND),
        (SECOND, 5 * SECOND),
        (25 * SECOND, 5 * SECOND),
        (40 * SECOND, 8 * SECOND),
        (MINUTE, 12 * SECOND),
        (HOUR, 12 * MINUTE),
        (30 * HOUR, 6 * HOUR),
        (4 * DAY, 6 * HOUR),
    ],
)
def test_the_wait_is_a_fifth_of_the_time_it_has_been_failing(failing: timedelta | None, wait: timedelta) -> None:
    outcome = judge(answer(500), failing=failing)

    assert isinstance(outcome, Retry)
    assert outcome.due == NOW + wait


def outage(news: Callable[[datetime], bool], lasts: timedelta, draw: random.Random) -> tuple[list[datetime], timedelta]:
    """Try a receiver that is down for so long; return when it was tried, and how long after its end it is tried."""
    since, tries = NOW, [NOW]
    while True:
        now = tries[-1]
        failing = now - since
        due = now + policy.wait(failing, draw.random())
        moment = now
        while (moment := moment + SECOND) < due:
            if news(moment):
                due = policy.brought_forward(due, since, now, datetime.fromtimestamp(0, UTC), moment)
        if due >= since + lasts:
            return tries, due - since - lasts
        tries.append(due)


@given(seconds=st.integers(1, 4000), busy=st.booleans(), seed=st.integers(0, 5))
def test_an_outage_is_made_no_more_than_a_quarter_longer_however_much_news_there_is(
    seconds: int, busy: bool, seed: int
) -> None:
    draw = random.Random(seed)
    tries, longer = outage(lambda moment: busy and moment.second % 2 == 0, seconds * SECOND, draw)

    assert longer <= max(6 * SECOND, seconds * SECOND * 0.24)
    assert len(tries) <= 30 + 25 * math.log(max(seconds, 20) / 20)


def test_after_forty_seconds_with_much_news_it_is_back_within_seconds_though_nothing_new_comes() -> None:
    end = NOW + 39 * SECOND
    _, longer = outage(lambda moment: moment < end, 40 * SECOND, random.Random(1))
    assert longer <= 10 * SECOND


def test_a_receiver_that_is_down_for_five_days_is_tried_a_hundred_times_at_the_most() -> None:
    now, tries = NOW, 0
    while now < NOW + 5 * DAY:
        now, tries = now + policy.wait(now - NOW), tries + 1
    assert 50 < tries <= 100


@given(seconds=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_chance_adds_up_to_a_fifth(seconds: int, chance: float) -> None:
    failing = timedelta(seconds=seconds)
    plain, jittered = judge(answer(500), failing=failing), judge(answer(500), failing=failing, chance=chance)

    assert isinstance(plain, Retry)
    assert isinstance(jittered, Retry)
    assert plain.due <= jittered.due <= plain.due + (plain.due - NOW) * 0.2


@pytest.mark.parametrize(("retry_after", "wait"), [(1, 5 * SECOND), (5, 5 * SECOND), (60, MINUTE), (10**9, 6 * HOUR)])
def test_retry_after_only_delays_and_not_for_ever(retry_after: int, wait: timedelta) -> None:
    outcome = judge(answer(503, retry_after=retry_after))

    assert isinstance(outcome, Retry)
    assert outcome.due == NOW + wait
    assert outcome.until == NOW + min(retry_after * SECOND, 6 * HOUR)


def test_news_do_not_break_the_word_of_retry_after() -> None:
    until = NOW + 20 * SECOND
    for failing in (SECOND, HOUR, DAY):
        forward = policy.brought_forward(NOW + 30 * SECOND, NOW - failing, NOW - failing, until, NOW)
        assert forward == until


def test_an_endpoint_is_suspended_after_five_days_and_a_subscription_is_not() -> None:
    assert isinstance(judge(answer(429), endpoint=True, failing=5 * DAY - SECOND), Retry)
    assert judge(answer(429), endpoint=True, failing=5 * DAY) == Suspend(
        "no success for 5 days; at last answered 429 Too Many Requests"
    )
    assert isinstance(judge(answer(429), failing=9 * DAY), Retry)


@pytest.mark.parametrize(
    ("failing", "last", "expected"),
    [
        (SECOND, 2 * SECOND, timedelta(0)),
        (SECOND, SECOND / 4, SECOND * 3 / 4),
        (MINUTE, 2 * SECOND, SECOND),
        (MINUTE, 3 * SECOND, timedelta(0)),
        (HOUR, MINUTE, 2 * MINUTE),
        (HOUR, HOUR, timedelta(0)),
        (5 * DAY, HOUR, 3 * HOUR),
    ],
)
def test_a_change_brings_a_receiver_forward(failing: timedelta, last: timedelta, expected: timedelta) -> None:
    assert policy.brought_forward(NOW + 3 * HOUR, NOW - failing, NOW - last, NOW - DAY, NOW) == NOW + expected


def test_a_change_never_puts_a_receiver_off() -> None:
    soon = NOW + SECOND / 10

    for failing in (SECOND, 2 * HOUR, 2 * DAY):
        assert policy.brought_forward(soon, NOW - failing, NOW, NOW - DAY, NOW) == soon
