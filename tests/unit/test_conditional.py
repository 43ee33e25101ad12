"""Conditional requests (RFC 9110, section 13.2.2)."""

from __future__ import annotations

from datetime import timedelta

from web.conditional import Representation, http_date
from worker import clock

SECOND = 1_767_225_600_000  # a whole second, in ms


def test_a_change_in_the_second_after_the_last_one_is_not_hidden() -> None:
    before = Representation(b"one", SECOND - 1)
    told = http_date(before.last_modified(clock.moment(SECOND - 1) + timedelta(seconds=5)))
    after = Representation(b"two", SECOND + 358)

    assert http_date(after.last_modified(clock.moment(SECOND + 359))) == told
    assert after.evaluate({"if-modified-since": told}) == 200
    assert after.evaluate({"if-unmodified-since": told}) == 412


def test_what_was_told_in_its_own_second_is_asked_for_again() -> None:
    document = Representation(b"one", SECOND + 358)
    told = [http_date(document.last_modified(clock.moment(SECOND + later))) for later in (359, 999, 1000, 90_000)]

    assert told[0] == told[1] != told[2] == told[3]
    assert [document.evaluate({"if-modified-since": at}) for at in (told[0], told[2])] == [200, 304]
