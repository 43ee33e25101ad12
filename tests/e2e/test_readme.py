"""The commands of README.md do what it says, in the order of the page, as a newcomer runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from ports import free_port
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
# What starts something that stays, and what runs by itself for minutes.
RUN_WITH_KEY = "DATELINE_MANAGEMENT__SECRET_KEY_FILE=$PWD/data/management.key make run"
STARTED = {"make run", RUN_WITH_KEY, "python3 config/samples/receiver.py"}
MAKE_KEY = "(umask 077; .venv/bin/dateline management new-key > data/management.key)"
LONG = {"make demo", "make test", "make test-long"}
# What a newcomer looks for in what each of the others prints.
EXPECTED = {
    "publish": ["accepted  evt-2026-03-01-0001"],
    "feeds": ["editor-picks", "breaking"],
    "kill": ["Killed: "],
    "coverage": ["hh-2026-0303: version 2, canceled"],
    "/events": ["202 Accepted", '"status":"accepted"'],
    "/hub": ["202 Accepted"],
    "subscriptions": ["127.0.0.1"],
    "render": ["hh-2026-0301"],
    "validate": ["no findings in"],
    "endpoints": ["city-portal-en"],
    "/api/v1/partners": ['"name":"city-portal"'],
    "/api/v1/endpoints": ['"name":"city-portal-en"', '"secret":"whsec_'],
    "/api/v1/endpoints/city-portal-en/test": ['"answer":{"accepted":true,"status":204', '"kill":{"accepted":true'],
    "/api/v1/endpoints/city-portal-en/replays": ['{"articles":3,"dry_run":false,"waits":false}'],
}


def commands() -> list[str]:
    """All that stands after a prompt, in order; a line that ends in a backslash or an open quote goes on."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        found += [command.strip() for command in re.split(r"^\$ ", block, flags=re.MULTILINE) if command.strip()]
    return found


@contextmanager
def running(words: list[str], environ: dict[str, str], ready: str) -> Iterator[Callable[[], str]]:
    """A program that stays, once it has said that it is `ready`; yields what it has said so far."""
    process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    said = bytearray()

    def output() -> str:
        assert process.stdout is not None
        said.extend(process.stdout.read() or b"")
        return said.decode()

    try:
        until(lambda: ready in output(), output, 120)
        yield output
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def is_enrolled(address: str) -> bool:
    """Whether a new endpoint is known by now; a reader of the page takes longer to go on than that takes."""
    answer = requests.get(address, headers={"Authorization": "Bearer development-only"}, timeout=60)
    return answer.ok and answer.json()["health"]["state"] == "settled"


@pytest.mark.timeout(400)
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_every_command_works_as_it_stands(tmp_path: Path) -> None:
    web, receiver = (str(free_port()) for _ in range(2))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ |= {"DATELINE_DATA_DIR": str(tmp_path), "DATELINE_WEB__PORT": web}
    environ["DATELINE_SITE__BASE_URL"] = f"http://127.0.0.1:{web}"
    # One newsroom serves for the whole page: it has from the start the key that the page makes later.
    environ["DATELINE_MANAGEMENT__SECRET_KEY_FILE"] = str(tmp_path / "management.key")
    dateline = str(Path(sys.executable).with_name("dateline"))
    make_key = MAKE_KEY.replace("data", str(tmp_path)).replace(".venv/bin/dateline", dateline)
    subprocess.run(["bash", "-c", make_key], cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "management.key").stat().st_mode & 0o077 == 0
    up = [dateline, "up", "--workers", "1", "--config", "config/dateline.toml"]
    run = [sys.executable, "config/samples/receiver.py", receiver]
    seen = set()
    with running(up, environ, "Ctrl-C ends it") as newsroom, running(run, environ, "Listening") as listener:
        for command in commands():
            if command in STARTED | LONG | {MAKE_KEY}:
                seen.add(command)
                continue
            here = command.replace("8420", web).replace("8430", receiver).replace(".venv/bin/dateline", dateline)
            name = next(name for name in EXPECTED if re.search(rf"dateline {name}\b|8420{name}(?= )", command))
            seen.add(name)
            if name == "subscriptions":
                until(lambda: "push /push/7 application/atom+xml" in listener(), listener, 120)
            done = subprocess.run(
                ["bash", "-c", here], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, (command, done.stderr, newsroom())
            missing = [words for words in EXPECTED[name] if words not in done.stdout]
            assert missing == [], (command, done.stdout, done.stderr)
            if name == "/api/v1/endpoints":
                until(lambda: is_enrolled(f"http://127.0.0.1:{web}/api/v1/endpoints/city-portal-en"), newsroom, 120)
        assert "signature valid" in listener()
        until(lambda: listener().count("push /news ") == 5, listener, 120)
    assert seen == STARTED | LONG | EXPECTED.keys() | {MAKE_KEY}
