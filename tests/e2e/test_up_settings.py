"""`dateline up` and its settings: every command knows the address under which it really serves, also when only
`--port` was told; SIGHUP has all its processes read the settings again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from command_line import dateline_bytes
from newsroom import published
from ports import free_port
from waiting import until

SETTINGS = """
data_dir = "{data}"
api_tokens = ["test-token"]

[web]
port = {configured}

[[feeds]]
name = "s0"
title = "Section 0"
select = [{{ section = ["s0"] }}]
"""


class Up(NamedTuple):
    """Its address, its settings, its process."""

    url: str
    config: Path
    pid: int

    def reread(self, text: str, *said: str) -> list[dict[str, Any]]:
        """Write the settings, send SIGHUP, and return what all its processes log of them as soon as all is said."""
        log = self.config.with_name("log")
        mark = log.stat().st_size
        self.config.write_text(text)
        os.kill(self.pid, signal.SIGHUP)
        until(lambda: all(words in log.read_text()[mark:] for words in said), str(said))
        time.sleep(0.5)  # for a second line, which there is not to be
        lines = (json.loads(line) for line in log.read_text()[mark:].splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"].startswith("settings_")]


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A stack by `dateline up --port`, whose settings know of another port and of no address."""
    folder = tmp_path_factory.mktemp("a")
    config = folder / "dateline.toml"
    config.write_text(SETTINGS.format(data=folder / "data", configured=free_port()))
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    command = [sys.executable, "-P", "-m", "worker.cli", "up", "--workers", "1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--config", str(config)], env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{url}/readyz"), "the stack")
        event = published("address-1", "s0")
        headers = {"Authorization": "Bearer test-token"}
        assert 202 == requests.post(f"{url}/events", json=event, headers=headers, timeout=60).status_code
        until(lambda: "address-1" in requests.get(f"{url}/feeds/s0.atom", timeout=60).text, "the article")
        yield Up(url, config, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(60), (folder / "log").read_text()[-3000:]


def test_render_prints_the_bytes_that_are_served_also_under_another_port(up: Up) -> None:
    url, config, _ = up
    for name in ("atom", "rss", "json"):
        served = requests.get(f"{url}/feeds/s0.{name}", timeout=60).content
        done = dateline_bytes("render", "s0", "--format", name, "--config", str(config))
        assert (0, served) == (done.returncode, done.stdout), done.stderr
        assert url.encode() in served


def test_feeds_tells_addresses_that_can_be_opened(up: Up) -> None:
    url, config, _ = up
    done = dateline_bytes("feeds", "--config", str(config))
    assert f"addresses: {url}/feeds/FEED.FORMAT" in done.stdout.decode(), done


def test_an_address_that_is_set_is_the_one(up: Up) -> None:
    config = up.config
    other = config.with_name("other.toml")
    other.write_text(config.read_text() + '\n[site]\nbase_url = "https://news.example"\n')
    done = dateline_bytes("render", "s0", "--format", "atom", "--config", str(other))
    assert b"https://news.example/feeds/s0.atom" in done.stdout


def test_all_processes_take_new_settings_and_one_says_so(up: Up) -> None:
    url, config, _ = up
    text = config.read_text()
    lines = up.reread(text.replace("Section 0", "Harbour and Sea"), "settings_changed", "settings_read_again")
    # What one process writes may stand before what another had begun to write.
    by_event = {line["event"]: line for line in lines}
    assert ["settings_changed", "settings_read_again"] == sorted(line["event"] for line in lines)
    assert ["feeds.s0.title"] == by_event["settings_changed"]["changed"]
    until(lambda: "Harbour and Sea" in requests.get(f"{url}/feeds/s0.atom", timeout=60).text, "the title")
    served = requests.get(f"{url}/feeds/s0.rss", timeout=60).content
    done = dateline_bytes("render", "s0", "--format", "rss", "--config", str(config))
    assert (0, served) == (done.returncode, done.stdout), done.stderr

    refused = up.reread(text.replace("[web]", "[web]\nmax_body_bytes = 1"), "settings_refused")
    assert [["web.max_body_bytes"]] == [line["fields"] for line in refused]
    assert "Harbour and Sea" in requests.get(f"{url}/feeds/s0.atom", timeout=60).text
