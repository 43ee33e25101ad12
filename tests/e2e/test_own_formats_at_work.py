"""Formats of the newsroom's own, in a newsroom that works: pushed, served, refused, tried, changed, and rolled out."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from command_line import dateline, dateline_bytes
from forked import ForkedProcess
from newsroom import TOKEN, Newsroom, start
from receiver import Receiver

from worker.management.sealing import new_key

WIRE = """
[[formats]]
name = "wire"
media_type = "application/xml"
template = '<story no="{{ article.id }}" v="{{ article.version }}">{{ article.headline }}</story>'
kill = '<kill no="{{ article.id }}"/>'
rules = '''<element name="story" xmlns="http://relaxng.org/ns/structure/1.0"
datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"><attribute name="no"/><attribute name="v"/>
<data type="string"><param name="maxLength">60</param></data></element>'''
"""
LIST = """
[[formats]]
name = "headline-list"
of = "feed"
media_type = "application/json"
mapping = { id = "article.id", head = "article.headline" }
"""
ENDPOINTS = """
[[endpoints]]
name = "wired"
feed = "s30"
format = "wire"
url = "{url}/wired"

[[endpoints]]
name = "listed"
feed = "s30"
mode = "feed"
format = "headline-list"
url = "{url}/listed"
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    more = WIRE + LIST + ENDPOINTS.format(url=shared_receiver.url)
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        yield newsroom


def bodies(receiver: Receiver, path: str, article: str = "") -> list[str]:
    return [text for push in receiver.at(path) if article in (text := push.body.decode())]


def until_pushed(receiver: Receiver, path: str, article: str, count: int) -> list[str]:
    receiver.until(lambda: len(bodies(receiver, path, article)) >= count, 60, f"{count} pushes of {article}")
    return bodies(receiver, path, article)


def test_an_article_its_correction_and_its_kill_are_pushed_as_defined(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("own-1", "s30", headline="Ferries & trams")
    until_pushed(receiver, "/wired", '"own-1"', 1)
    newsroom.publish("own-1", "s30", 2, headline="Ferries, trams & buses")
    until_pushed(receiver, "/wired", '"own-1"', 2)
    newsroom.kill("own-1")
    assert [
        '<story no="own-1" v="1">Ferries &amp; trams</story>',
        '<story no="own-1" v="2">Ferries, trams &amp; buses</story>',
        '<kill no="own-1"/>',
    ] == until_pushed(receiver, "/wired", '"own-1"', 3)
    assert {"application/xml"} == {push.headers["content-type"] for push in receiver.at("/wired")}


def test_a_feed_is_served_and_pushed_as_defined(newsroom: Newsroom) -> None:
    newsroom.publish("own-2", "s30")
    answer = newsroom.until_in_feed("s30", "own-2", fmt="headline-list")
    assert "application/json" == answer.headers["content-type"]
    assert {"id": "own-2", "head": "own-2, version 1"} in answer.json()["items"]
    pushed = json.loads(until_pushed(newsroom.receiver, "/listed", '"own-2"', 1)[-1])
    assert {"id": "own-2", "head": "own-2, version 1"} in pushed["items"]
    newsroom.kill("own-2")
    newsroom.receiver.until(
        lambda: "own-2" not in [item["id"] for item in requests.get(answer.url, timeout=60).json()["items"]],
        60,
        "the kill in the feed",
    )
    assert answer.json()["id"].endswith("feed/s30")
    removed = requests.get(answer.url, timeout=60).json()["removed"]
    assert "tag:herald.example,2026:article/own-2" in [gone["uri"] for gone in removed]


def test_what_breaks_its_rules_is_parked_with_the_reason(newsroom: Newsroom) -> None:
    newsroom.publish("own-3", "s30", headline="Much too long a headline for a wire that takes sixty characters at most")
    newsroom.publish("own-4", "s30")
    until_pushed(newsroom.receiver, "/wired", '"own-4"', 1)
    words = ("coverage", "own-3", "--json", "--config", str(newsroom.config))
    newsroom.receiver.until(lambda: "kept back by the gate" in dateline(*words).stdout, 60, "it to be parked")
    assert [] == bodies(newsroom.receiver, "/wired", '"own-3"')
    document, aside = rendered(newsroom, "own-3")
    assert document.startswith('<story no="own-3"')
    assert "the gate keeps it back: " in aside
    assert "(schema)" in aside


def rendered(newsroom: Newsroom, article: str) -> tuple[str, str]:
    done = dateline_bytes("render", article, "--format", "wire", "--config", str(newsroom.config))
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(), done.stderr.decode()


def test_the_command_line_and_the_api_show_what_is_pushed(newsroom: Newsroom) -> None:
    newsroom.publish("own-5", "s30")
    (pushed,) = until_pushed(newsroom.receiver, "/wired", '"own-5"', 1)
    assert (pushed, "") == rendered(newsroom, "own-5")
    for query in ("format=wire", "endpoint=wired"):
        answer = requests.get(
            f"{newsroom.base_url}/api/v1/articles/own-5/preview?{query}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        ).json()
        assert (pushed, "application/xml", []) == (answer["document"], answer["media_type"], answer["refused"])


def test_a_document_is_judged_by_its_rules(newsroom: Newsroom, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text('<story no="1" v="1">Short</story>')
    bad.write_text('<story no="1">Short</story>')
    words = ("--format", "wire", "--config", str(newsroom.config))
    assert "no findings in 1 wire article" in dateline("validate", str(good), *words).stdout
    assert "(schema)" in dateline("validate", str(bad), *words).stdout
    unknown = dateline("validate", str(good), "--format", "wired", "--config", str(newsroom.config))
    assert unknown.returncode == 2
    assert "wire, headline-list" in unknown.stderr.replace("\n", " ")


def test_endpoints_are_tested_in_their_formats(newsroom: Newsroom) -> None:
    for name, kill in (("wired", "<kill no="), ("listed", '"items": []')):
        answer = requests.post(
            f"{newsroom.base_url}/api/v1/endpoints/{name}/test",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        last, killed = bodies(newsroom.receiver, f"/{name}", "dateline-test-")[-2:]
        assert "Test: please ignore" in last
        assert kill in killed


@contextmanager
def older_worker(newsroom: Newsroom, folder: Path) -> Iterator[ForkedProcess]:
    """A worker whose settings have neither the format nor the endpoints of the file that name it."""
    config = folder / "older.toml"
    config.write_text(newsroom.config.read_text().replace(WIRE, ""))
    assert "wire" not in config.read_text()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ |= {"DATELINE_REDIS_URL": newsroom.stack.redis_url, "DATELINE_MANAGEMENT__SECRET_KEY": KEY}
    process = ForkedProcess(["worker", "--config", str(config)], environ, log=folder / "older.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stdin.close()


KEY = new_key()


@pytest.mark.long
def test_a_worker_that_lacks_a_format_leaves_its_endpoint_to_those_that_have_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    with start(tmp_path, receiver, 1, WIRE, {"DATELINE_MANAGEMENT__SECRET_KEY": KEY}) as newsroom:
        settings = {"feed": "s31", "format": "wire", "url": f"{receiver.url}/managed"}
        made = requests.post(
            f"{newsroom.base_url}/api/v1/endpoints",
            json={"name": "managed", "settings": settings},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        assert made.status_code == 201, made.text
        newsroom.publish("m-0", "s31")
        until_pushed(receiver, "/managed", '"m-0"', 1)
        newer = next(child for child in newsroom.stack.children if "worker" in child.command)
        assert newer.process is not None
        with older_worker(newsroom, tmp_path):
            log = tmp_path / "older.log"
            receiver.until(lambda: "endpoint_unusable" in log.read_text(), 60, "the older worker to be there")
            newsroom.receiver.until(
                lambda: len(newsroom.store.workers.alive(int(time.time() * 1000))) == 2, 60, "both workers"
            )
            newer.process.send_signal(signal.SIGSTOP)
            try:
                for number in range(1, 5):
                    newsroom.publish(f"m-{number}", "s31")
                newsroom.kill("m-0")
                newsroom.until_in_feed("s31", *(f"m-{number}," for number in range(1, 5)))
                # The older one is alive and works for others, and has nothing for this endpoint.
                newsroom.publish("p-1", "s2")
                receiver.wait("/p2", 1, seconds=60)
                assert 1 == len(bodies(receiver, "/managed"))
            finally:
                newer.process.send_signal(signal.SIGCONT)
            receiver.until(lambda: len(bodies(receiver, "/managed")) >= 6, 120, "all from the newer one")
        stories = {f'<story no="m-{n}" v="1">m-{n}, version 1</story>' for n in range(5)}
        assert stories | {'<kill no="m-0"/>'} == set(bodies(receiver, "/managed"))
        assert "Traceback" not in log.read_text()


def test_a_changed_template_changes_what_is_pushed_and_served(tmp_path: Path, receiver: Receiver) -> None:
    with start(tmp_path, receiver, 1, WIRE + LIST + ENDPOINTS.format(url=receiver.url)) as newsroom:
        newsroom.publish("c-1", "s30")
        newsroom.until_in_feed("s30", '"head":"c-1, version 1"', fmt="headline-list")
        until_pushed(receiver, "/wired", '"c-1"', 1)
        text = newsroom.config.read_text()
        newsroom.config.write_text(text.replace("head = ", "title = ").replace("<story no", "<piece no").replace(
            "</story>", "</piece>").replace('name="story"', 'name="piece"'))  # fmt: skip
        newsroom.stack.hang_up()
        newsroom.until_in_feed("s30", '"title":"c-1, version 1"', fmt="headline-list")

        def repeated() -> bool:
            newsroom.send({"type": "article.repeated", "article": {"id": "c-1"}})
            return '<piece no="c-1" v="1">c-1, version 1</piece>' in bodies(receiver, "/wired")

        receiver.until(repeated, 60, "the new template")
        # And a format that is gone is served no longer, while all else is.
        newsroom.config.write_text(text.replace(LIST, "").replace('format = "headline-list"', 'format = "rss"'))
        newsroom.stack.hang_up()
        topic = newsroom.topic("s30", "headline-list")
        receiver.until(lambda: requests.get(topic, timeout=60).status_code == 404, 60, "the format to be gone")
        assert requests.get(newsroom.topic("s30"), timeout=60).status_code == 200


def test_a_format_that_the_api_makes_is_in_use_in_every_process_within_a_second(
    tmp_path: Path, receiver: Receiver
) -> None:
    with start(tmp_path, receiver, 2, "", {"DATELINE_MANAGEMENT__SECRET_KEY": KEY}) as newsroom:
        headers = {"Authorization": f"Bearer {TOKEN}", "If-Match": "*"}
        formats = f"{newsroom.base_url}/api/v1/formats"
        beside = {"DATELINE_CONFIG": str(newsroom.config), "DATELINE_REDIS_URL": newsroom.stack.redis_url}
        file = tmp_path / "ticker.toml"
        file.write_text("media_type = 'text/plain'\ntemplate = 'one {{ article.id }}'\n")
        made = dateline("formats", "create", "ticker", str(file), variables=beside)
        assert "ticker  text/plain" in made.stdout, made.stderr
        settings = {"feed": "s31", "format": "ticker", "url": f"{receiver.url}/ticker"}

        def endpoint_made() -> bool:
            answer = requests.post(
                f"{newsroom.base_url}/api/v1/endpoints",
                json={"name": "ticker", "settings": settings},
                headers=headers,
                timeout=60,
            )
            return answer.status_code == 201

        receiver.until(endpoint_made, 60, "the web process to know the format")
        newsroom.publish("t-1", "s31")
        assert "one t-1" == until_pushed(receiver, "/ticker", "t-1", 1)[0]

        file.write_text("media_type = 'text/plain'\ntemplate = 'two {{ article.id }}'\n")
        away = {"DATELINE_API": newsroom.base_url, "DATELINE_KEY": TOKEN}
        changed = dateline("formats", "change", "ticker", str(file), variables=away)
        assert changed.returncode == 0, changed.stderr
        time.sleep(1)  # what is promised, and more where the machine does much else
        number = streak = 0
        while streak < 10:
            number += 1
            assert number < 200
            newsroom.publish(f"t2-{number}", "s31")
            told = until_pushed(receiver, "/ticker", f" t2-{number}", 1)
            streak = streak + 1 if told == [f"two t2-{number}"] else 0

        done = dateline("render", "t-1", "--format", "ticker", variables=beside)
        assert (0, "two t-1") == (done.returncode, done.stdout)
        taken = requests.delete(f"{formats}/ticker", headers=headers, timeout=60)
        assert 409 == taken.status_code
        broken = tmp_path / "broken.toml"
        broken.write_text("media_type = 'text/plain'\ntemplate = '''one\n{{ article.idd }}'''\n")
        refused = dateline("formats", "change", "ticker", str(broken), variables=away)
        assert (2, 1) == (refused.returncode, refused.stderr.count("\n"))
        assert "template: line 2: there is no field 'idd'" in refused.stderr
