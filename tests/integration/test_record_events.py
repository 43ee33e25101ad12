"""Accepted events in the record, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from worker.record import Record
from worker.record.events import (
    SET_ASIDE,
    AcceptedEvent,
    EventResult,
    SentEvent,
    accept,
    newest_to_append,
    note_appended,
    note_results,
    receipts,
    to_append,
    to_carry_out,
)


def sent(event_id: str, body: str = "{}", **more: object) -> SentEvent:
    return SentEvent(
        **{"event_id": event_id, "body": body, "kind": "", "article_id": None, "accepted": 5} | more | {"way": "post"}
    )  # type: ignore[arg-type]


def kill(event_id: str, article: str = "a", body: str = "kill") -> SentEvent:
    return sent(event_id, body, kind="kill", article_id=article)


def reinstatement(event_id: str, article: str = "a") -> SentEvent:
    return sent(event_id, "back", kind="reinstatement", article_id=article)


def result(event: SentEvent, number: int | None = None, word: str = "published", **more: object) -> EventResult:
    fields = {"event_id": event.event_id, "body": event.body, "kind": event.kind, "article_id": event.article_id}
    done = {"accepted": event.accepted, "way": "xadd", "stream_entry": "9-0", "done": 7, "result": word, "version": 1}
    return EventResult(number=number, **fields | done | more)  # type: ignore[arg-type]


def accepted(record: Record, *events: SentEvent) -> list[AcceptedEvent]:
    with record.write() as connection:
        return accept(connection, events)


def statuses(record: Record, *events: SentEvent) -> list[str]:
    return [event.status for event in accepted(record, *events)]


def noted(record: Record, *results: EventResult) -> None:
    with record.write() as connection:
        note_results(connection, results)


class TestAccepting:
    def test_once_each_and_in_order(self, record: Record) -> None:
        first = accepted(record, sent("1"), sent("2"), sent("1"), sent("3"))
        assert ["new", "new", "duplicate", "new"] == [event.status for event in first]
        assert first[0].number == first[2].number < first[1].number < first[3].number
        assert ["duplicate", "reused", "new"] == statuses(record, sent("1"), sent("2", "other"), sent("4"))

    def test_a_batch_is_as_one_by_one(self, record: Record) -> None:
        events = [kill("k"), reinstatement("r"), kill("k"), sent("k"), sent("k", "b"), sent("k"), kill("k"), sent("k")]
        expected = ["new", "new", "reused", "new", "reused", "reused", "duplicate", "duplicate"]
        assert expected == statuses(record, *events)
        others = [replace(event, event_id=f"o-{event.event_id}") for event in events]
        assert expected == [statuses(record, event)[0] for event in others]

    def test_a_kill_after_a_reinstatement_is_new(self, record: Record) -> None:
        assert ["new", "duplicate", "new", "new"] == statuses(
            record, kill("k"), kill("k"), reinstatement("r", "another"), reinstatement("r2")
        )
        (again,) = accepted(record, kill("k"))
        assert ("reused", "r2") == (again.status, again.reinstatement)
        assert ["duplicate"] == statuses(record, kill("k"))

    def test_very_many_at_once(self, record: Record) -> None:
        events = [sent(str(number)) for number in range(2_500)]
        assert ["new"] * 2_500 == statuses(record, *events)
        assert ["duplicate"] * 2_500 == statuses(record, *events)

    def test_several_processes_accept_the_same(self, record_url: str) -> None:
        records = [Record.connect(record_url) for _ in range(4)]
        events = [sent(str(number)) for number in range(40)]
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda one: [accepted(one, event)[0] for event in events], records))
        for answer in zip(*answers, strict=True):
            assert ["duplicate"] * 3 + ["new"] == sorted(event.status for event in answer)
            assert len({event.number for event in answer}) == 1
        for one in records:
            one.close()

    @pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\N{ARABIC LETTER ALEF}"])
    def test_any_text(self, record: Record, text: str) -> None:
        assert ["new", "duplicate"] == statuses(record, sent(text, text), sent(text, text))
        noted(record, result(sent(text, text)))


class TestWhatIsLeft:
    def test_kills_are_appended_first(self, record: Record) -> None:
        *_, last, _ = accepted(record, sent("1"), kill("2"), sent("3"), kill("4"), sent("late"))
        with record.write() as connection:
            assert newest_to_append(connection) == last.number + 1
            kept = to_append(connection, last.number, 3)
            assert [("2", "kill", "a"), ("4", "kill", "a"), ("1", "", "")] == [
                (event.event_id, event.kind, event.article_id) for event in kept
            ]
            note_appended(connection, {event.number: "1-0" for event in kept})
            assert ["3"] == [event.event_id for event in to_append(connection, last.number, 3)]
        assert [True, False] == [event.appended for event in accepted(record, sent("1"), sent("3"))]

    def test_what_was_not_carried_out(self, record: Record) -> None:
        one, two, three = accepted(record, sent("1"), sent("2"), sent("3"))
        noted(record, result(sent("2"), two.number))
        with record.read() as connection:
            assert [one.number, three.number] == [event.number for event in to_carry_out(connection, 0, 10)]
            assert [three.number] == [event.number for event in to_carry_out(connection, one.number, 1)]


class TestResults:
    def test_the_first_one_stays(self, record: Record) -> None:
        (event,) = accepted(record, sent("1"))
        for word in ("published", "duplicate"):
            noted(record, result(sent("1"), event.number, word, article_id="a"))
        with record.read() as connection:
            (receipt,) = receipts(connection, "1")
        assert ("published", 7, 1, "a", True) == (
            receipt.result,
            receipt.done,
            receipt.version,
            receipt.article_id,
            receipt.appended,
        )

    def test_events_that_the_record_has_not_got(self, record: Record) -> None:
        xadded = result(sent("1"), article_id="a")
        for _ in range(2):
            noted(record, xadded, result(kill("k"), word="killed"), result(sent(""), word="rejected", reason="no JSON"))
        assert ["duplicate", "duplicate"] == statuses(record, sent("1"), kill("k"))
        with record.read() as connection:
            assert ["published"] == [receipt.result for receipt in receipts(connection, "1")]
            assert [("rejected", "no JSON")] == [(row.result, row.reason) for row in receipts(connection, "")]

    def test_a_number_of_another_record(self, record: Record) -> None:
        (event,) = accepted(record, sent("1"))
        noted(record, result(sent("2"), event.number), result(sent("3"), 1000))
        with record.read() as connection:
            assert [None, "published", "published"] == [receipts(connection, name)[0].result for name in "123"]

    def test_what_was_given_up_is_accepted_again(self, record: Record) -> None:
        (event,) = accepted(record, sent("1"))
        noted(record, result(sent("1"), event.number, SET_ASIDE, reason="failed 5 times"))
        assert ["new", "duplicate"] == statuses(record, sent("1"), sent("1"))
        with record.read() as connection:
            assert [event.number] == [kept.number for kept in to_append(connection, event.number, 3)]
            (receipt,) = receipts(connection, "1")
            assert (receipt.done, receipt.reason) == (None, None)
