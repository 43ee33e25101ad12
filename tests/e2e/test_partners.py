"""Partner endpoints in the long run: attempts and health, parking and replay, several at once, rates, backfill."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict

import pytest
from command_line import dateline
from newsroom import SECRET, Newsroom, put_off
from receiver import Request

from worker.outbound.signing import verify_webhook


def articles(newsroom: Newsroom, path: str) -> list[str]:
    return [json.loads(request.body)["article"]["id"] for request in newsroom.receiver.at(path)]


def test_attempts_and_health_are_kept(newsroom: Newsroom) -> None:
    answers = iter([(503, b"closed " * 1000), (204, b"")])
    newsroom.receiver.behave["/p2"] = lambda _: next(answers)
    newsroom.publish("health-1", "s2")
    newsroom.receiver.wait("/p2", 2, seconds=30)
    newsroom.receiver.until(lambda: len(newsroom.attempts("s2", "p2", 10)) == 2, 20, "two attempts")
    second, first = newsroom.attempts("s2", "p2", 10)
    assert ("retry", 503, "health-1", 1) == (first.outcome, first.status, first.article_id, first.version)
    assert first.answer == ("closed " * 1000)[:2048]
    assert ("delivered", 204, first.message_id) == (second.outcome, second.status, second.message_id)
    assert len(newsroom.receiver.at("/p2")[0].body) == first.bytes
    health = newsroom.store.attempts.health("s2", "p2")
    assert (2, 1, 0, 204) == (health.attempts, health.successes, health.failures, health.status)
    assert health.latency > 0


def test_a_parked_article_is_told_shown_and_replayed(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    newsroom.receiver.behave["/p3"] = lambda request: (422, b"too long") if b"park-2" in request.body else (204, b"")
    for number in (1, 2, 3):
        newsroom.publish(f"park-{number}", "s3")
    newsroom.receiver.until(lambda: "park-2" in newsroom.store.attempts.parked("s3", "p3"), 20, "park-2 to be parked")
    newsroom.receiver.until(lambda: newsroom.is_settled("s3"), 20, "the others")
    tries = len(newsroom.receiver.at("/p3"))
    (event,) = newsroom.receiver.wait("/operations", 1)
    told = json.loads(event.body)
    assert ("article.parked", "p3", "park-2", "too long") == (
        told["type"],
        told["data"]["endpoint"],
        told["data"]["article_id"],
        told["data"]["answer"],
    )
    verify_webhook(event.headers, event.body, [SECRET], time.time())
    shown = dateline("coverage", "park-2", *config)
    assert "parked" in shown.stdout
    assert "422 too long" in shown.stdout
    newsroom.receiver.behave["/p3"] = lambda _: (204, b"")
    dry = dateline("replay", "--endpoint", "p3", "--parked", "--dry-run", *config)
    assert (0, "1 article would go to p3\n") == (dry.returncode, dry.stdout)
    assert len(newsroom.receiver.at("/p3")) == tries
    assert dateline("replay", "--endpoint", "p3", "--parked", *config).returncode == 0
    again = newsroom.receiver.wait("/p3", tries + 1)[tries]
    assert again.headers["dateline-replay"].startswith("replay-")
    assert json.loads(again.body)["article"]["id"] == "park-2"
    newsroom.receiver.until(lambda: not newsroom.store.attempts.parked("s3", "p3"), 20, "nothing to be parked")
    newsroom.receiver.until(lambda: newsroom.is_settled("s3"), 20, "the end of the replay")
    assert len(newsroom.receiver.at("/p3")) == tries + 1


@pytest.mark.parametrize("same_ids", [True, False])
def test_a_replay_keeps_to_its_rate_and_to_its_ids(newsroom: Newsroom, same_ids: bool) -> None:
    feed, endpoint = ("s4", "p4") if same_ids else ("s5", "p5")
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for number in range(6):
        newsroom.publish(f"{endpoint}-rate-{number}", feed)
    first = newsroom.receiver.wait(f"/{endpoint}", 6)
    newsroom.receiver.until(lambda: newsroom.is_settled(feed), 20, "all to be delivered")
    words = ["--endpoint", endpoint, "--since", begun, "--rate", "2", "--config", str(newsroom.config)]
    asked = time.monotonic()
    done = dateline("replay", *words, *(["--same-ids"] if same_ids else []))
    assert (0, "6 articles go to " + endpoint + "\n") == (done.returncode, done.stdout)
    again = newsroom.receiver.wait(f"/{endpoint}", 12, seconds=40)[6:]
    newsroom.receiver.until(lambda: newsroom.is_settled(feed), 20, "the end of the replay")
    assert {json.loads(request.body)["article"]["id"] for request in first} == {
        json.loads(request.body)["article"]["id"] for request in again
    }
    # Not since the first one, which may come late.
    assert again[-1].at - asked > 1.5, "two a second"
    ids = [{request.headers["webhook-id"] for request in requests} for requests in (first, again)]
    assert same_ids == (ids[0] == ids[1])


def test_a_replay_must_say_which(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    for words, message in (
        (["--endpoint", "p3"], "say which: one of --since, --article and --parked"),
        (["--endpoint", "nobody", "--parked"], "there is no endpoint nobody"),
        (["--endpoint", "p1", "--parked"], "p1 gets feeds"),
        (["--endpoint", "p3", "--since", "yesterday"], "--since: 'yesterday' is no time that is clear"),
    ):
        done = dateline("replay", *words, *config)
        assert done.returncode == 2
        assert message in done.stderr


def test_several_articles_at_once_never_two_of_one(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    with newsroom.config.open("a") as file:
        file.write(
            '\n[[endpoints]]\nname = "wide"\nfeed = "s10"\nmode = "article"\nformat = "json"\nconcurrency = 8\n'
            f'url = "{receiver.url}/wide"\n'
        )
    newsroom.stack.hang_up()
    receiver.until(lambda: newsroom.store.receivers.counts("s10")["settled"] == 1, 20, "the endpoint")
    inside: defaultdict[str, int] = defaultdict(int)
    most = [0, 0]
    failed: list[str] = []
    lock = threading.Lock()

    def slow(request: Request) -> tuple[int, bytes]:
        name = json.loads(request.body)["article"]["id"]
        with lock:
            inside[name] += 1
            most[0] = max(most[0], sum(inside.values()))
            most[1] = max(most[1], inside[name])
        time.sleep(0.1)
        with lock:
            inside[name] -= 1
        if name == "wide-7":
            failed.append(name)
        return (500, b"") if failed == ["wide-7"] and name == "wide-7" else (204, b"")

    receiver.behave["/wide"] = slow
    for version in (1, 2, 3):
        for number in range(20):
            newsroom.publish(f"wide-{number}", "s10", version)
    receiver.until(lambda: newsroom.is_settled("s10"), 60, "all to be delivered")
    assert most[0] > 1
    assert most[0] <= 8
    assert most[1] == 1
    versions: defaultdict[str, list[int]] = defaultdict(list)
    for request in receiver.at("/wide"):
        article = json.loads(request.body)["article"]
        versions[article["id"]].append(article["version"])
    assert len(versions) == 20
    for told in versions.values():
        assert sorted(told) == told
        assert told[-1] == 3


def test_a_rate_is_kept_and_a_new_endpoint_is_backfilled(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    for number in range(6):
        newsroom.publish(f"old-{number}", "s11")
        receiver.until(lambda: newsroom.store.changes.size("s11") == number + 1, 20, "the article")  # noqa: B023
    newsroom.publish("old-0", "elsewhere", 2)
    receiver.until(lambda: newsroom.store.changes.head("s11").seq == 7, 20, "the articles")
    with newsroom.config.open("a") as file:
        for name, backfill in (("some", "4 articles"), ("all", "1d"), ("none", None)):
            file.write(
                f'\n[[endpoints]]\nname = "{name}"\nfeed = "s11"\nmode = "article"\nformat = "json"\nrate = 2\n'
                f'url = "{receiver.url}/{name}"\n' + (f'backfill = "{backfill}"\n' if backfill else "")
            )
    asked = time.monotonic()
    newsroom.stack.hang_up()
    receiver.wait("/all", 5, seconds=40)
    receiver.wait("/some", 4, seconds=40)
    receiver.until(lambda: newsroom.is_settled("s11", 3), 40, "all to be up to date")
    # old-0 left the feed before they came: nobody needs to be told.
    assert [f"old-{number}" for number in (1, 2, 3, 4, 5)] == articles(newsroom, "/all")
    assert [f"old-{number}" for number in (2, 3, 4, 5)] == articles(newsroom, "/some")
    assert articles(newsroom, "/none") == []
    # Not since the first one, which may come late.
    assert receiver.at("/all")[-1].at - asked > 1.0, "two a second"
    for receiver_ in newsroom.receivers("s11"):
        assert receiver_.remembered.failing.since == 0


def test_a_suspended_endpoint_is_told_and_its_recovery_too(newsroom: Newsroom) -> None:
    newsroom.receiver.behave["/p6"] = lambda _: (410, b"")
    newsroom.publish("susp-1", "s6")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s6")["paused"] == 1, 20, "the suspension")
    newsroom.receiver.behave["/p6"] = lambda _: (204, b"")
    assert dateline("endpoints", "--resume", "p6", "--config", str(newsroom.config)).returncode == 0

    def told() -> list[str]:
        events = [json.loads(request.body) for request in newsroom.receiver.at("/operations")]
        # One may come twice.
        return list(dict.fromkeys(event["type"] for event in events if event["data"].get("endpoint") == "p6"))

    newsroom.receiver.until(
        lambda: told() == ["endpoint.suspended", "endpoint.recovered"], 20, "both operational events"
    )


def test_one_that_has_refused_everything_for_days_is_told_too_and_tried_when_a_person_says_so(
    newsroom: Newsroom,
) -> None:
    config = ("--config", str(newsroom.config))
    newsroom.receiver.behave["/p7"] = lambda _: (403, b"who are you?")
    newsroom.publish("days-1", "s7")
    # By itself it would be tried again, and suspended, maybe before somebody has it tried.
    days_ago = time.time_ns() // 1_000_000 - 6 * 86_400_000
    newsroom.receiver.until(
        lambda: put_off(newsroom.store, "s7", "p7", since=days_ago, last=days_ago), 20, "the backoff"
    )
    assert dateline("endpoints", "--retry", "p7", *config).returncode == 0
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s7")["paused"] == 1, 20, "the suspension")

    def told() -> list[dict[str, object]]:
        events = [json.loads(request.body) for request in newsroom.receiver.at("/operations")]
        return [event for event in events if event["data"].get("endpoint") == "p7"]

    newsroom.receiver.until(lambda: bool(told()), 20, "the operational event")
    (event,) = told()
    data = event["data"]
    assert isinstance(data, dict)
    why = "no success for 6 days; at last answered 403 Forbidden"
    assert (event["type"], data["status"], data["reason"]) == ("endpoint.suspended", 403, why)
    assert "dateline endpoints --retry p7" in data["next_step"]
    shown = dateline("endpoints", *config).stdout
    assert why in shown
    assert "who are you?" in shown
    newsroom.receiver.behave["/p7"] = lambda _: (204, b"")
    tried = len(newsroom.receiver.at("/p7"))
    done = dateline("endpoints", "--retry", "p7", *config)
    assert f": {why}; it is resumed, and it is tried now." in done.stdout, done.stderr
    newsroom.receiver.wait("/p7", tried + 1)
    newsroom.receiver.until(lambda: len(told()) == 2, 20, "the recovery to be told")
    assert told()[1]["type"] == "endpoint.recovered"
