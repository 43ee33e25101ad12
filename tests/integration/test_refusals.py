"""Whose trouble a refusal is, step by step, without threads: partners that answer by what they are sent and when."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from partner_desk import SITE, Desk
from records import hot_articles

from worker import clock
from worker.store import Store
from worker.takedown.coverage_report import coverage_report

OF_AN_ENDPOINT = (401, 403, 404, 405, 407)
OF_AN_ARTICLE = (400, 413, 415, 422)


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("status", [*OF_AN_ENDPOINT, *OF_AN_ARTICLE, 500, 0])
def test_what_is_refused_alike_for_everything_is_the_endpoints_trouble(
    store: Store, status: int, concurrency: int
) -> None:
    desk = Desk(store, concurrency=concurrency)
    desk.publish("old", "killed")
    desk.go(2)
    desk.answer = lambda push: status if 2 < push.at < 22 else 204
    desk.now += timedelta(seconds=1)
    for number in range(9):
        desk.publish(f"a{number}")
        desk.go(1)
    desk.publish("old", version=2)
    desk.kill("killed")
    desk.go(40)

    assert (desk.parked(), desk.disputed()) == (set(), set())
    expected = {f"a{number}": ("article.published", 1) for number in range(9)}
    expected |= {"old": ("article.corrected", 2), "killed": ("article.killed", None)}
    got = desk.has()
    assert {name: got[name] for name in got if name != "killed"} == {n: v for n, v in expected.items() if n != "killed"}
    assert got["killed"][0] == "article.killed"
    assert max(push.at for push in desk.pushes) <= 30, "all is there within seconds"
    assert len(desk.pushes) < 60


@pytest.mark.parametrize("status", OF_AN_ARTICLE)
def test_what_one_article_is_refused_for_parks_it_and_the_rest_goes_on(desk: Desk, status: int) -> None:
    desk.answer = lambda push: status if push.article == "bad" else 204
    desk.publish("one", "bad", "two", "three")
    desk.go(0)

    assert desk.parked() == {"bad"}
    assert set(desk.has()) == {"one", "two", "three"}
    assert [push.article for push in desk.pushes] == ["one", "bad", "three", "bad", "two"]
    desk.go(600, 5)
    assert len(desk.tries("bad")) == 2


def test_a_trouble_that_ends_while_another_article_is_tried_parks_nothing(desk: Desk) -> None:
    answers = iter([422])
    desk.answer = lambda _: next(answers, 204)
    desk.publish("one", "two")
    desk.go(0)

    assert desk.parked() == set()
    assert set(desk.has()) == {"one", "two"}


@pytest.mark.parametrize("status", OF_AN_ENDPOINT)
def test_one_article_that_is_not_found_holds_up_nobody_and_is_parked_after_a_minute(desk: Desk, status: int) -> None:
    desk.answer = lambda push: status if push.article == "bad" else 204
    desk.publish("bad")
    for number in range(40):
        desk.publish(f"a{number}")
        desk.go(1)
        assert desk.has()[f"a{number}"] == ("article.published", 1)
    assert (desk.parked(), desk.disputed()) == (set(), {"bad"})
    with desk._clock():
        [row] = coverage_report(desk.store, hot_articles(desk.store), SITE, "bad").rows  # type: ignore[union-attr]
    assert (row.standing, row.confirmed) == ("refused", False)
    assert row.reason.startswith(f"answered {status} ")
    for number in range(40, 80):
        desk.publish(f"a{number}")
        desk.go(1)

    assert (desk.parked(), desk.disputed()) == ({"bad"}, set())
    assert 5 <= len(desk.tries("bad")) <= 20


def test_one_article_that_is_taken_at_last(desk: Desk) -> None:
    desk.answer = lambda push: 404 if push.article == "late" and push.at < 30 else 204
    desk.publish("late")
    for number in range(40):
        desk.publish(f"a{number}")
        desk.go(1)

    assert (desk.parked(), desk.disputed()) == (set(), set())
    assert desk.has()["late"] == ("article.published", 1)
    assert desk.state() == "settled"


def test_many_bad_articles_in_a_row_are_parked_and_the_rest_is_there(desk: Desk) -> None:
    desk.answer = lambda push: 422 if push.article.startswith("bad") else 204
    desk.publish("good-1", *(f"bad-{number}" for number in range(8)), *(f"good-{number}" for number in range(2, 5)))
    desk.go(120)

    assert desk.parked() == {f"bad-{number}" for number in range(8)}
    assert set(desk.has()) == {f"good-{number}" for number in range(1, 5)}


@pytest.mark.parametrize("status", [*OF_AN_ENDPOINT, *OF_AN_ARTICLE, 500])
def test_a_kill_is_never_parked_and_keeps_nobody_waiting(desk: Desk, status: int) -> None:
    desk.publish("a", "b")
    desk.go(1)
    desk.answer = lambda push: status if push.kind == "article.killed" else 204
    desk.kill("a")
    for number in range(60):
        desk.publish(f"a{number}")
        desk.go(2)
    slowest = max(desk.tries(f"a{number}")[0] - 1 - 2 * number for number in range(60))
    assert slowest <= (45 if status == 500 else 6)
    assert desk.parked() == set()
    assert desk.has()["a"][0] == "article.published"
    assert desk.alerts == (["kill.refused"] if status < 500 else [])
    with desk._clock():
        [row] = coverage_report(desk.store, hot_articles(desk.store), SITE, "a").rows  # type: ignore[union-attr]
    assert (row.standing, row.confirmed) == ("refused", False)
    for hour in range(48):
        desk.publish(f"later-{hour}")
        desk.go(3600, 600)
    assert desk.parked() == set()
    tries = len(desk.tries("a"))
    assert 20 < tries < 100
    desk.answer = lambda _: 204
    desk.go(7 * 3600, 600)

    assert desk.has()["a"][0] == "article.killed"
    assert desk.disputed() == set()


@pytest.mark.parametrize("status", [404, 422])
def test_a_kill_alone_has_no_endpoint_suspended(desk: Desk, status: int) -> None:
    desk.publish("a")
    desk.go(1)
    desk.answer = lambda push: status if push.kind == "article.killed" else 204
    desk.kill("a")
    desk.go(20)
    assert (desk.state(), desk.disputed(), desk.parked()) == ("settled", {"a"}, set())
    desk.go(6 * 24 * 3600, 1800)
    assert (desk.state(), desk.disputed(), desk.parked()) == ("settled", {"a"}, set())
    desk.publish("b")
    desk.go(1)
    assert desk.has()["b"] == ("article.published", 1)
    desk.answer = lambda _: 204
    desk.go(7 * 3600, 600)

    assert desk.has()["a"][0] == "article.killed"


def test_a_lone_article_is_parked_if_the_last_word_about_another_was_yes(desk: Desk) -> None:
    desk.publish("one")
    desk.go(1)
    desk.answer = lambda _: 422
    desk.publish("bad")
    desk.go(8)
    assert (desk.parked(), desk.state()) == (set(), "backoff")
    desk.go(7)
    assert (desk.parked(), desk.state()) == ({"bad"}, "settled")
    desk.answer = lambda _: 204
    desk.publish("next")
    desk.go(60)

    assert desk.parked() == {"bad"}


def test_a_lone_article_that_was_parked_is_called_back_if_the_next_one_is_refused_too(desk: Desk) -> None:
    desk.publish("one")
    desk.go(1)
    desk.answer = lambda _: 422
    desk.publish("two")
    desk.go(15)
    assert desk.parked() == {"two"}
    desk.publish("three")
    desk.go(60)
    assert (desk.parked(), desk.disputed(), desk.state()) == (set(), {"two"}, "backoff")
    desk.answer = lambda _: 204
    desk.go(30)

    assert set(desk.has()) == {"one", "two", "three"}
    assert (desk.parked(), desk.disputed()) == (set(), set())


def test_an_endpoint_that_never_took_anything_has_nothing_parked_and_is_suspended(desk: Desk) -> None:
    desk.answer = lambda _: 400
    desk.publish("one")
    desk.go(6 * 24 * 3600, 900)

    assert desk.parked() == set()
    assert desk.state() == "paused"
    assert len(desk.pushes) < 100


@pytest.mark.parametrize("status", [500, 502, 0])
def test_an_article_at_which_the_partner_fails_blocks_the_others_for_half_a_minute(desk: Desk, status: int) -> None:
    desk.publish("one")
    desk.go(1)
    desk.answer = lambda push: status if push.article == "poison" else 204
    desk.publish("poison", *(f"a{number}" for number in range(5)))
    desk.go(60)
    assert set(desk.has()) == {"one", *(f"a{number}" for number in range(5))}
    assert desk.disputed() == {"poison"}
    for number in range(60):
        desk.publish(f"b{number}")
        desk.go(120, 10)

    assert len(desk.has()) == 66
    assert desk.parked() == {"poison"}


def test_a_new_version_of_a_disputed_article_begins_anew(desk: Desk) -> None:
    desk.answer = lambda push: 404 if (push.article, push.version) == ("a", 1) else 204
    desk.publish("a", "b")
    desk.go(1)
    assert desk.disputed() == {"a"}
    desk.publish("a", version=2)
    desk.go(60)

    assert (desk.disputed(), desk.parked()) == (set(), set())
    assert desk.has()["a"] == ("article.published", 2)


def test_a_disputed_article_that_is_killed_is_told_as_killed_only(desk: Desk) -> None:
    desk.answer = lambda push: 404 if push.article == "a" and push.kind == "article.published" else 204
    desk.publish("a", "b")
    desk.go(1)
    desk.kill("a")
    desk.go(300, 5)

    assert desk.disputed() == set()
    assert [push.kind for push in desk.pushes if push.article == "a"][-1] == "article.killed"
    assert desk.tries("a")[-1] < 3


def test_a_parked_article_is_replayed_and_parked_again_if_it_is_refused_again(desk: Desk) -> None:
    desk.answer = lambda push: 422 if push.article == "bad" else 204
    desk.publish("bad", "good")
    desk.go(1)
    assert desk.parked() == {"bad"}
    for parked in ({"bad"}, set()):
        desk.store.replays.request("world", "p", {"bad": 1}, "again", same_ids=False, rate=50)
        desk.store.replays.rewind("world", "p")
        desk.go(5)
        assert (desk.parked(), desk.state()) == (parked, "settled")
        desk.answer = lambda _: 204

    assert len(desk.tries("bad")) == 4


def test_a_feed_push_that_is_refused_is_made_again(store: Store) -> None:
    desk = Desk(store, mode="feed")
    desk.publish("a")
    desk.go(1)
    desk.answer = lambda push: 403 if push.at < 20 else 204
    desk.publish("b")
    desk.go(5)
    desk.publish("c")
    desk.go(25)

    assert [push.status for push in desk.pushes].count(204) == 2
    assert "b in version 1" in desk.pushes[-1].text
    assert "c in version 1" in desk.pushes[-1].text
    assert desk.alerts == ["push.refused"]
    assert {"a", "b", "c"} == set(store.ledgers.read_one("world", "p", ["a", "b", "c"]))


def test_only_a_kill_breaks_the_word_of_retry_after_and_it_goes_alone(desk: Desk) -> None:
    desk.publish("a")
    desk.go(1)
    desk.answer = lambda push: (429, 30) if push.at == 1 else 204
    desk.publish("b", "c")
    desk.go(4)
    desk.kill("a")
    # What the distributor does when it hears of a kill.
    desk.store.receivers.bring_forward("world", {"endpoint:p": clock.ms(desk.now)})
    desk.go(20)
    assert [(push.article, push.status) for push in desk.pushes[1:]] == [("b", 429), ("a", 204)]
    # Whatever has it claimed before its time.
    desk.store.receivers.bring_forward("world", {"endpoint:p": clock.ms(desk.now)})
    desk.publish("d")
    desk.go(2)
    assert len(desk.pushes) == 3
    desk.go(10)

    assert set(desk.has()) == {"a", "b", "c", "d"}
    assert desk.tries("b")[-1] >= 31


@pytest.mark.long
@given(data=st.data())
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_in_the_end_all_is_there_but_what_is_refused_by_itself(  # noqa: C901, PLR0912 (all that may happen)
    store: Store, data: st.DataObject
) -> None:
    desk = Desk(store, concurrency=data.draw(st.sampled_from([1, 3])))
    bad: dict[str, int] = {}
    trouble: dict[str, int] = defaultdict(int)
    desk.answer = lambda push: (
        trouble["status"] or (bad.get(push.article, 204) if push.kind != "article.killed" else 204)
    )
    expected: dict[str, str] = {}
    versions: dict[str, int] = defaultdict(int)
    steps = st.sampled_from(["publish", "publish", "publish", "bad", "kill", "trouble", "well", "time", "time", "long"])
    for step in [*data.draw(st.lists(steps, min_size=5, max_size=25)), "well"]:
        match step:
            case "publish" | "bad":
                article = f"{step}-{data.draw(st.integers(0, 4))}"
                if expected.get(article) == "article.killed":
                    continue
                if step == "bad":
                    bad[article] = data.draw(st.sampled_from([400, 404, 422, 500]))
                versions[article] += 1
                expected[article] = "text"
                desk.publish(article, version=versions[article])
            case "kill" if expected:
                article = data.draw(st.sampled_from(sorted(expected)))
                expected[article] = "article.killed"
                desk.kill(article)
            case "trouble":
                trouble["status"] = data.draw(st.sampled_from([0, 400, 401, 403, 404, 422, 429, 500, 503]))
            case "well":
                trouble["status"] = 0
                trouble.pop("status")
            case "time":
                desk.go(data.draw(st.integers(0, 12)))
            case "long":
                desk.go(300, 10)
    # News come in, as they do.
    for number in range(20):
        desk.publish(f"news-{number}")
        desk.go(400, 10)

    got = desk.has()
    for article, expectation in expected.items():
        if expectation == "article.killed":
            assert got[article][0] == "article.killed"
        elif article in bad:
            assert article not in got or got[article][1] != versions[article]
        else:
            assert got[article][1] == versions[article], article
    assert desk.parked() <= set(bad)
    assert {f"news-{number}" for number in range(20)} <= set(got)
