"""The other ways in: XADD from any language, Celery's send_task, the command line. And the command line's manners."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery
from command_line import dateline
from newsroom import Newsroom, put_off

from worker.store import keys

ROOT = Path(__file__).parents[2]
ARTICLE = {"headline": "A headline", "url": "https://herald.example/x", "section": "s8"}


def until_published(newsroom: Newsroom, article_id: str) -> None:
    newsroom.receiver.until(lambda: newsroom.store.articles.get(article_id) is not None, 20, article_id)


def pubstatus(newsroom: Newsroom, article_id: str) -> str:
    stored = newsroom.store.articles.get(article_id)
    return stored.article.pubstatus if stored else "unknown"


def test_xadd(newsroom: Newsroom) -> None:
    event = {"id": "xadd-1", "type": "article.published", "article": {"id": "xadd-1", **ARTICLE}}
    newsroom.store.client.xadd("dateline:events", {"event": json.dumps(event)})
    until_published(newsroom, "xadd-1")


@pytest.mark.parametrize("queue", ["intake", None])
def test_send_task(newsroom: Newsroom, queue: str | None) -> None:
    cms = Celery("cms", broker=newsroom.stack.redis_url.replace("unix://", "redis+socket://"))
    name = f"sent-{queue}"
    event = {"id": name, "type": "article.published", "article": {"id": name, **ARTICLE}}
    cms.send_task("dateline.accept", [event], **({"queue": queue} if queue else {}))
    until_published(newsroom, name)
    cms.close()


def reasons(newsroom: Newsroom) -> str:
    """Why things were set aside."""
    return "\n".join(fields["reason"] for _, fields in newsroom.store.client.xrange(keys.REJECTED))


def test_what_celery_brings_and_nobody_can_use_is_set_aside_and_ends_no_worker(newsroom: Newsroom) -> None:
    processes = [child.process and child.process.pid for child in newsroom.stack.children]
    client = newsroom.store.client
    event = {"id": "poison", "type": "article.published", "article": {"id": "poison", **ARTICLE}}
    cms = Celery("cms", broker=newsroom.stack.redis_url.replace("unix://", "redis+socket://"))
    cms.send_task("herald.no_such_task", queue="intake")
    cms.send_task("dateline.accept", [], queue="intake")
    cms.send_task("dateline.accept", ["text"])
    cms.send_task("dateline.accept", [event], queue="intake", serializer="pickle")
    cms.send_task("dateline.distribute", ["no/such/feed"], queue="distribute")
    cms.send_task("dateline.distribute", [{"x": 1}], queue="distribute")
    cms.send_task("dateline.verify", [None], queue="verify")
    cms.send_task("dateline.verify", [], queue="verify")
    for message in ("not a message", "{}", "[" * 5000, '{"properties": {"delivery_tag": "t", "delivery_info": {}}}'):
        client.lpush("distribute", message)
    for message in ({"event": '{"type": "what"}'}, {"nothing": "x"}, {"event": "[" * 50_000}):
        client.xadd(keys.EVENTS, message)
    cms.close()
    expected = (
        "there is no task 'herald.no_such_task'",
        "dateline.accept takes one event, and was sent 0",
        "an event must be a JSON object",
        "can't be read: Refusing to deserialize",
        "is no message of Celery (queue distribute)",
        "known types",
    )
    newsroom.receiver.until(lambda: all(reason in reasons(newsroom) for reason in expected), 30, str(expected))
    newsroom.receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the streams to be empty")
    assert processes == [child.process and child.process.pid for child in newsroom.stack.children]
    assert all(child.process and child.process.poll() is None for child in newsroom.stack.children)
    test_send_task(newsroom, "intake")
    newsroom.subscribe("s9", "/after-poison")


def examples(heading: str, language: str) -> list[str]:
    """The examples in a section of the document for newsrooms."""
    section = (ROOT / "docs" / "newsroom.md").read_text("utf-8").partition(f"### {heading}")[2].partition("\n### ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_documented_xadd(newsroom: Newsroom) -> None:
    (line,) = examples("XADD", "sh")
    tool, option, url, *command = shlex.split(line.replace("\\\n", " "))
    assert ("redis-cli", "-u", "$DATELINE_REDIS_URL") == (tool, option, url)
    # redis-cli sends its words to the server as they are; it is not on every machine, so its connection is ours.
    newsroom.store.client.execute_command(*command)
    until_published(newsroom, "hh-1")


@pytest.mark.parametrize(("heading", "article"), [("XADD", "hh-2"), ("Celery", "hh-3")])
def test_the_documented_python(newsroom: Newsroom, heading: str, article: str) -> None:
    (program,) = examples(heading, "python")
    url = newsroom.stack.redis_url
    variables = {"DATELINE_REDIS_URL": url, "CELERY_BROKER_URL": url.replace("unix://", "redis+socket://")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    until_published(newsroom, article)


def test_publish_and_kill(newsroom: Newsroom, tmp_path: Path) -> None:
    file = tmp_path / "article.json"
    file.write_text(json.dumps({"id": "cli-1", **ARTICLE}))
    config = ("--config", str(newsroom.config))
    done = dateline("publish", str(file), *config)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("accepted  publish-")
    until_published(newsroom, "cli-1")
    event = {"id": "cli-2", "type": "article.published", "article": {"id": "cli-2", **ARTICLE}}
    done = dateline("publish", "-", *config, stdin=json.dumps([event, {**event, "id": "cli-3", "article": {}}]))
    assert done.returncode == 1
    assert "accepted  cli-2" in done.stdout
    assert "dateline: standard input, number 2: article.id: is missing" in done.stderr
    until_published(newsroom, "cli-2")
    done = dateline("kill", "cli-1", *config)
    assert (0, True) == (done.returncode, f'Killed: "{ARTICLE["headline"]}" (cli-1)' in done.stdout), done.stderr
    newsroom.receiver.until(lambda: pubstatus(newsroom, "cli-1") == "canceled", 20, "the kill")
    again = dateline("kill", "cli-1", *config)
    assert (0, True) == (again.returncode, "cli-1 had been killed before" in again.stdout)


def test_a_kill_by_the_address_of_the_page(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    for article_id, path in (("at-1", "one"), ("at-2", "both"), ("at-3", "both")):
        newsroom.publish(article_id, "s9", url=f"https://herald.example/at/{path}")
        newsroom.receiver.until(lambda name=article_id: pubstatus(newsroom, name) == "usable", 20, article_id)
    done = dateline("kill", "https://herald.example/at/one", *config)
    assert (0, True) == (done.returncode, "at-1, version 1" in done.stdout), done.stderr
    newsroom.receiver.until(lambda: pubstatus(newsroom, "at-1") == "canceled", 20, "the kill")
    several = dateline("kill", "https://herald.example/at/both", *config)
    assert (1, True) == (several.returncode, "at-3" in several.stderr and "at-2" in several.stderr)
    none = dateline("kill", "https://herald.example/at/none", *config)
    assert (1, True) == (none.returncode, "no article has the address" in none.stderr)
    assert pubstatus(newsroom, "at-2") == pubstatus(newsroom, "at-3") == "usable"


def test_a_kill_of_what_nobody_knows_is_said_to_be_none(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    done = dateline("kill", "unheard-of", *config)
    assert (1, "") == (done.returncode, done.stdout)
    assert "nothing was killed" in done.stderr
    assert newsroom.store.articles.get("unheard-of") is None
    assert dateline("kill", "unheard-of", "--unknown-too", *config).returncode == 0
    newsroom.receiver.until(lambda: pubstatus(newsroom, "unheard-of") == "canceled", 20, "the kill")


def test_lists(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    newsroom.subscribe("s8", "/listed", secret="hush-hush")
    for command, words in (
        ("feeds", ["s8", "Section 8", "picks"]),
        ("endpoints", ["p0", "article", "json"]),
        ("subscriptions", [f"{newsroom.receiver.url}/listed", "atom"]),
    ):
        done = dateline(command, *config)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stdout for word in words), done.stdout
        assert "hush-hush" not in done.stdout


def test_an_endpoint_is_paused_and_resumed_by_hand(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    assert dateline("endpoints", "--pause", "p7", *config).returncode == 0
    newsroom.publish("paused-1", "s7")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s7") == 1, 20, "the article")
    assert newsroom.receiver.at("/p7") == []
    assert dateline("endpoints", "--pause", "p7", *config).returncode == 1
    assert dateline("endpoints", "--resume", "p7", *config).returncode == 0
    newsroom.receiver.wait("/p7")


def test_an_endpoint_is_tried_now(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    assert dateline("endpoints", "--pause", "p7", *config).returncode == 0
    before = len(newsroom.receiver.at("/p7"))
    newsroom.publish("tried-now-1", "s7")
    done = dateline("endpoints", "--retry", "p7", *config)
    assert re.search(r"p7 was paused since \S+ \S+: by a person; it is resumed, and ", done.stdout), done.stderr
    newsroom.receiver.wait("/p7", before + 1)
    newsroom.receiver.behave["/p7"] = lambda _: (503, b"")
    newsroom.publish("tried-now-2", "s7")
    newsroom.receiver.until(lambda: put_off(newsroom.store, "s7", "p7"), 20, "the backoff")
    newsroom.receiver.behave["/p7"] = lambda _: (204, b"")
    attempts = len(newsroom.receiver.at("/p7"))
    done = dateline("endpoints", "--retry", "p7", *config)
    assert re.search(r"p7 waited until \S+ \S+ UTC after a failure: it is tried now\.", done.stdout), done.stderr
    newsroom.receiver.wait("/p7", attempts + 1)
    unknown = dateline("endpoints", "--retry", "nobody", *config)
    assert unknown.returncode == 2
    assert "there is no endpoint nobody; known: p0" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["publish", "nowhere.json"], 2, "dateline: nowhere.json: No such file or directory"),
        (["publish", "-"], 2, "dateline: standard input: is no JSON"),
        (["kill", "x"], 1, "dateline: no Dateline is running with its data in data; start one with `dateline up`"),
        (["feeds", "--config", "nowhere.toml"], 2, "nowhere.toml"),
        (["dance"], 2, "No such command"),
        (["up", "--workers", "0"], 2, "--workers"),
        (["worker", "--queues", "urgnt"], 2, "dateline: --queues: unknown queue urgnt; known: urgent"),
    ],
)
def test_errors_are_one_clear_line(tmp_path: Path, words: list[str], status: int, message: str) -> None:
    done = dateline(*words, cwd=tmp_path)
    assert status == done.returncode, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
