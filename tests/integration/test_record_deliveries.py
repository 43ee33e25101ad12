"""What the record has of attempts, the ledger, subscriptions, endpoints and pages: on both databases."""

from __future__ import annotations

from worker.record import (
    Record,
    attempts,
    cursors,
    deliveries,
    endpoint_standings,
    page_checks,
    subscriptions,
)
from worker.record.attempts import NotedAttempt
from worker.record.cursors import Standing
from worker.record.deliveries import Delivery
from worker.record.endpoint_standings import EndpointStanding, ParkedArticle, Unparked
from worker.record.page_checks import ForgottenPage, NotedPageCheck
from worker.record.subscriptions import Ending, Renewal, Subscription

SHA = "0" * 64


def attempt(time: int, article_id: str = "ferry", outcome: str = "delivered") -> NotedAttempt:
    numbers = {"status": 204, "milliseconds": 12, "bytes": 3600}
    texts = {"sha256": SHA, "error": "", "answer": "thank you\0"}
    return NotedAttempt(
        "endpoint:desk", time, article_id, f"msg_{time}", "world", 1, "published", outcome, **numbers, **texts
    )


def entry(
    state: deliveries.State, sent: int, taken: int | None = None, version: int = 1, action: str = "published"
) -> Delivery:
    return Delivery("desk", "world", "ferry", version, action, state, SHA, taken, sent)


class TestAttempts:
    def test_an_attempt_is_there_once(self, record: Record) -> None:
        tries = [attempt(3), attempt(1), attempt(2)]
        for _ in range(2):
            with record.write() as connection:
                attempts.note(connection, tries)
        with record.read() as connection:
            noted = attempts.newest(connection, "endpoint:desk", 10)
        assert [3, 2, 1] == [one.time for one in noted]
        assert noted[0] == attempt(3)._replace(answer="thank you\ufffd")

    def test_header_lines_come_back_as_they_were(self, record: Record) -> None:
        def with_headers(time: int, *lines: str) -> NotedAttempt:
            request = "\n".join(("Content-Type: text/plain; a=b: c", f"webhook-id: msg_{time}", *lines))
            return attempt(time)._replace(request=request, phases="1 2 3 4")

        signed = [with_headers(n, f"webhook-timestamp: {n}", f"webhook-signature: v1,{n}= v1a,{n}") for n in (1, 2)]
        tries = [attempt(0), *signed, with_headers(3, "Dateline-Replay: r-1", "X-Colon: ends:", "Empty;")]
        tries = [one._replace(answer="") for one in tries]
        for _ in range(2):
            with record.write() as connection:
                attempts.note(connection, tries)
        with record.read() as connection:
            assert attempts.newest(connection, "endpoint:desk", 10) == tries[::-1]
            assert attempts.of_id(connection, "endpoint:desk", tries[1].id) == tries[1]
            for receiver, name in (("endpoint:other", tries[1].id), ("endpoint:desk", "W10"), ("endpoint:desk", "é")):
                assert attempts.of_id(connection, receiver, name) is None

    def test_pages_of_attempts(self, record: Record) -> None:
        with record.write() as connection:
            attempts.note(connection, [attempt(5, f"a{n}") for n in range(4)] + [attempt(n) for n in range(3)])
        pages, last = [], None
        with record.read() as connection:
            while page := attempts.newest(connection, "endpoint:desk", 3, before=last):
                pages.append([(one.time, one.article_id) for one in page])
                last = page[-1]
            assert attempts.newest(connection, "endpoint:other", 3) == []
        assert pages == [[(5, "a3"), (5, "a2"), (5, "a1")], [(5, "a0"), (2, "ferry"), (1, "ferry")], [(0, "ferry")]]


class TestTheLedger:
    def test_the_newest_sending_holds_and_the_first_taking(self, record: Record) -> None:
        steps = [entry("trying", 10), entry("taken", 20, 20), entry("trying", 30), entry("taken", 40, 40)]
        with record.write() as connection:
            deliveries.note(connection, steps)
            deliveries.note(connection, steps[:2])
            deliveries.note(connection, [entry("trying", 40)])
        with record.read() as connection:
            assert deliveries.of_article(connection, "ferry") == [entry("taken", 40, 20)]

    def test_what_an_endpoint_holds(self, record: Record) -> None:
        steps = [entry("taken", 20, 20), entry("taken", 50, 50, 2, "killed"), entry("taken", 60, 60)]
        others = [entry("refused", 30)._replace(article_id=f"tram-{n}") for n in range(1200)]
        with record.write() as connection:
            deliveries.note(connection, [*steps, *others])
        with record.read() as connection:
            ids = ["ferry", "unknown", *(other.article_id for other in others)]
            holdings = deliveries.holdings(connection, ids)
            assert len(holdings) == 1201
            assert holdings["ferry"] == {("world", "desk"): steps[1]}
            first = deliveries.of_endpoint(connection, "world", "desk", 1)
            assert [1, 2] == [row.version for row in first]
            rest = deliveries.of_endpoint(connection, "world", "desk", 5000, after="ferry")
            assert len(rest) == 1200


class TestSubscriptions:
    def test_begun_renewed_ended_and_begun_again(self, record: Record) -> None:
        begun = Subscription("world", "s", "{}", 100, 1000)
        with record.write() as connection:
            subscriptions.note(connection, [begun, Renewal("world", "s", '{"a":1}', 500, 1500)])
        with record.read() as connection:
            assert subscriptions.alive(connection, "world", 1200, 9) == [
                begun._replace(details='{"a":1}', lease_ends=1500)
            ]
            assert subscriptions.alive(connection, "world", 99, 9) == []
            assert subscriptions.alive(connection, "world", 1500, 9) == []
        with record.write() as connection:
            subscriptions.note(connection, [Ending("world", "s", 900, "unsubscribed")])
            subscriptions.note(connection, [Ending("world", "s", 950, "again"), Ending("world", "nobody", 9, "")])
        with record.read() as connection:
            (past,) = subscriptions.alive(connection, "world", 899, 9)
            assert (past.ended, past.reason) == (900, "unsubscribed")
            assert subscriptions.alive(connection, "world", 900, 9) == []
        again = Subscription("world", "s", "{}", 1000, 2000)
        with record.write() as connection:
            subscriptions.note(connection, [again, Ending("world", "t", 1, ""), Renewal("world", "t", "{}", 7, 2000)])
        with record.read() as connection:
            older = Subscription("world", "t", "{}", 7, 2000)
            assert subscriptions.alive(connection, "world", 1001, 9) == [again, older]
            assert subscriptions.alive(connection, "world", 1001, 9, after="s") == [older]

    def test_a_beginning_and_its_end_at_once(self, record: Record) -> None:
        with record.write() as connection:
            subscriptions.note(connection, [Subscription("w", "s", "{}", 1, 9), Ending("w", "s", 5, "gone")])
        with record.read() as connection:
            assert [Subscription("w", "s", "{}", 1, 9, 0, 5, "gone")] == subscriptions.alive(connection, "w", 4, 9)


class TestCursors:
    def test_a_statement(self, record: Record) -> None:
        standing = Standing("world", 40, {"late": 12}, 1000)
        with record.write() as connection:
            cursors.note(connection, [standing])
            cursors.note(connection, [Standing("world", 39, {}, 999)])
        with record.read() as connection:
            assert cursors.of_feed(connection, "world") == standing
            nothing = cursors.of_feed(connection, "sport")
        assert standing.cursor("s", 0, 500) == 40
        assert standing.cursor("late", 0, 500) == 12
        # Of those that came later, or just then, it does not speak.
        assert standing.cursor("s", 0, 1000) == 0
        assert nothing.cursor("s", 7, 500) == 7


class TestEndpoints:
    def test_how_they_stand(self, record: Record) -> None:
        with record.write() as connection:
            endpoint_standings.note(
                connection, [EndpointStanding("world", "desk", 5), EndpointStanding("world", "b", 1)]
            )
            endpoint_standings.note(connection, [EndpointStanding("world", "desk", 7, 100, "asked")])
            first, second = (ParkedArticle("world", "desk", f"a{n}", n, "{}") for n in range(2))
            endpoint_standings.note_parked(connection, [first, second, Unparked(*second[:3]), Unparked("x", "y", "z")])
        with record.read() as connection:
            paused = EndpointStanding("world", "desk", 7, 100, "asked")
            assert endpoint_standings.of_feed(connection, "world") == [EndpointStanding("world", "b", 1), paused]
            assert endpoint_standings.parked_of_feed(connection, "world") == [first]
        with record.write() as connection:
            endpoint_standings.note_parked(connection, [Unparked(*first[:3]), first._replace(since=9)])
        with record.read() as connection:
            assert endpoint_standings.parked_of_feed(connection, "world") == [first._replace(since=9)]


def test_pages(record: Record) -> None:
    page = NotedPageCheck("world", "desk", "ferry", 3, 100, 0, 0, "", "", "https://desk.example/ferry", False, 200)
    seen = page._replace(looks=1, last=200, verdict="there", alarmed=True, due=300)
    with record.write() as connection:
        page_checks.note(connection, [page, seen, page._replace(version=5)])
        page_checks.note(connection, [page._replace(article_id="tram"), ForgottenPage("world", "desk", "tram")])
    with record.read() as connection:
        assert page_checks.of_feed(connection, "world") == [seen, page._replace(version=5)]
        assert page_checks.of_article(connection, "ferry") == [seen, page._replace(version=5)]
    with record.write() as connection:
        page_checks.note(connection, [ForgottenPage("world", "desk", "ferry"), page])
    with record.read() as connection:
        assert page_checks.of_feed(connection, "world") == [page]
