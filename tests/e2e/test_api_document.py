"""The examples of docs/api.md, as a CMS developer and a partner run them against the example newsroom."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from newsroom import SECRET, ForkedTree
from ports import free_port
from receiver import Receiver
from waiting import until

from config.settings import load
from worker.management.sealing import new_key
from worker.outbound.signing import webhook_headers

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "api.md").read_text("utf-8")
PROGRAMS: dict[str, str] = dict(
    re.findall(r"`(\w+\.(?:py|php|mjs))`[^\n]*:\n\n```\w+\n(.*?)```", DOCUMENT, flags=re.DOTALL)
)
COMMANDS = [
    command.strip()
    for block in re.findall(r"```console\n(.*?)```", DOCUMENT, re.DOTALL)
    for command in re.split(r"^\$ ", block, flags=re.MULTILINE)
    if command.strip()
]
CALLS = [command for command in COMMANDS if command.startswith("curl ")]
OPERATOR = {"Authorization": "Bearer development-only"}
FOREIGN_KEY = "whsk_" + b64encode(b"f" * 32).decode()

language = pytest.mark.parametrize(
    ("ending", "program"),
    [
        pytest.param(ending, program, marks=pytest.mark.skipif(program is None, reason=f"there is no {name}"), id=name)
        for ending, name, program in [
            ("py", "python", sys.executable),
            ("php", "php", shutil.which("php")),
            ("mjs", "node", shutil.which("node")),
        ]
    ],
)


class ExampleNewsroom:
    """The example newsroom, up, with a CMS that has a key as the document makes it, and one endpoint."""

    def __init__(self, environ: dict[str, str], base_url: str) -> None:
        self.base_url = base_url
        self.environ = environ
        exports = "\n".join(command for command in COMMANDS if command.startswith("export "))
        key, partner_key = self.bash(f"{exports}\necho $NEWSROOM_KEY $PARTNER_KEY").split()
        assert (key[:3], partner_key[:3]) == ("dl_", "dl_")
        self.cms = environ | {"NEWSROOM": base_url, "NEWSROOM_KEY": key}
        self.puller = environ | {"NEWSROOM": base_url, "PARTNER": "harbour-radio", "PARTNER_KEY": partner_key}
        me = {"headers": {"Authorization": f"Bearer {key}"}, "timeout": 10}
        until(lambda: requests.get(f"{base_url}/api/v1/me", **me).status_code == 200, "the key")

    def bash(self, command: str, environ: dict[str, str] | None = None) -> str:
        """Run what stands in the document, here; return what it prints."""
        here = command.replace("http://127.0.0.1:8420", self.base_url)
        here = here.replace(".venv/bin/dateline", str(Path(sys.executable).with_name("dateline")))
        return output_of(["bash", "-e", "-c", here], environ or self.environ)

    def call(self, method: str, path: str, value: Any = None) -> Any:
        """Ask the API for something as its operator."""
        headers = OPERATOR | {"If-Match": "*"}
        answer = requests.request(method, f"{self.base_url}{path}", json=value, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def add_endpoint(self, name: str, url: str) -> str:
        """Make an endpoint, and wait until workers know it; return its secret."""
        settings = {"feed": "en", "format": "json", "url": url, "public_signature": True}
        secret = self.call("POST", "/api/v1/endpoints", {"name": name, "settings": settings})["secret"]
        until(lambda: self.is_enrolled(name), name)
        return str(secret)

    def is_enrolled(self, name: str) -> bool:
        """Return whether workers know an endpoint."""
        # A change is seen within a second; until then there is no such endpoint.
        answer = requests.get(f"{self.base_url}/api/v1/endpoints/{name}", headers=OPERATOR, timeout=60)
        return answer.ok and answer.json()["health"]["state"] == "settled"


def output_of(words: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[ExampleNewsroom]:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ |= {
        "DATELINE_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DATELINE_WEB__PORT": str(port),
        "DATELINE_SITE__BASE_URL": base_url,
        "DATELINE_MANAGEMENT__SECRET_KEY": new_key(),
        "DATELINE_SIGNING_KEYS": "whsk_" + b64encode(os.urandom(32)).decode(),
    }
    config = ROOT / "config" / "dateline.toml"
    with ForkedTree(load(config, environ), config, 1, environ):
        newsroom = ExampleNewsroom(environ, base_url)
        newsroom.add_endpoint("city-portal-en", f"{shared_receiver.url}/news")
        yield newsroom


def test_nothing_of_the_document_is_overlooked() -> None:
    names = ("cms", "by_secret", "by_public_key", "receiver", "puller")
    assert PROGRAMS.keys() == {f"{name}.{ending}" for name in names for ending in ("py", "php", "mjs")}
    assert len(re.findall(r"^```(?:python|php|javascript)$", DOCUMENT, re.MULTILINE)) == len(PROGRAMS)
    assert len(COMMANDS) == 13


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_a_cms_by_curl(newsroom: ExampleNewsroom, shared_receiver: Receiver) -> None:
    me, publish, receipt, kill, coverage = [command for command in CALLS if "PARTNER_KEY" not in command][:5]
    assert '"events:write"' in newsroom.bash(me, newsroom.cms)
    assert newsroom.bash(publish, newsroom.cms).strip() == '{"id":"evt-ferry-1","status":"accepted"}'
    told = newsroom.bash(receipt, newsroom.cms)
    assert '"id":"evt-ferry-1","done":true,' in told
    assert '"receiver":"city-portal-en","standing":"delivered","version":1' in told
    assert '"status":"accepted","kept_by":"both","receipt":"/api/v1/events/kill-' in newsroom.bash(kill, newsroom.cms)
    shared_receiver.until(
        lambda: '"confirmed":1,"unconfirmed":0' in newsroom.bash(coverage, newsroom.cms), 30, "the kill to be confirmed"
    )


@language
def test_a_cms_by_a_program(newsroom: ExampleNewsroom, tmp_path: Path, ending: str, program: str) -> None:
    file = tmp_path / f"cms.{ending}"
    file.write_text(PROGRAMS[file.name], "utf-8")
    lines = output_of([program, str(file)], newsroom.cms).splitlines()
    published, delivered, killed, told, confirmed = (line.strip().lower() for line in lines)
    assert "published done: true proven: n" in published
    assert "killed done: true proven: true" in killed
    assert delivered == told == "city-portal-en delivered"
    assert confirmed == "confirmed: 1 unconfirmed: 0"


@language
@pytest.mark.parametrize("way", ["by_secret", "by_public_key"])
def test_a_partner_takes_an_article_and_its_kill(
    newsroom: ExampleNewsroom, tmp_path: Path, ending: str, program: str, way: str
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/news"
    name, article = f"{ending}-{way}".replace("_", "-"), f"{ending}-{way}"
    secret = newsroom.add_endpoint(name, address)
    (tmp_path / f"{way}.{ending}").write_text(PROGRAMS[f"{way}.{ending}"], "utf-8")
    receiver = tmp_path / f"receiver.{ending}"
    receiver.write_text(PROGRAMS[receiver.name].replace("by_secret", way), "utf-8")
    words = ["-S", f"127.0.0.1:{port}", str(receiver)] if ending == "php" else [str(receiver), str(port)]
    # To check by the public key nobody needs the secret.
    known = {"WEBHOOK_SECRET": secret} if way == "by_secret" else {"NEWSROOM": newsroom.base_url}
    printed = tmp_path / "printed"
    with printed.open("wb") as stream:
        process = subprocess.Popen([program, *words], env=newsroom.environ | known, stdout=stream, stderr=stream)
    try:
        until(lambda: listens(port), "the receiver")
        tested = newsroom.call("POST", f"/api/v1/endpoints/{name}/test")
        assert (tested["answer"]["accepted"], tested["kill"]["accepted"]) == (True, True), printed.read_text()
        newsroom.call("POST", "/events", published(article))
        until(lambda: f"article.published {article} 1" in printed.read_text(), f"the article; {printed.read_text()}")
        newsroom.call("POST", f"/api/v1/articles/{article}/kill")
        until(lambda: f"article.killed {article} 0" in printed.read_text(), f"the kill; {printed.read_text()}")
        # What somebody else has signed, or nobody, is not taken.
        body = b'{"type": "article.published", "article": {"id": "forged"}}'
        forged = webhook_headers([SECRET, FOREIGN_KEY], "msg_1", int(time.time()), body)
        for headers in (forged, forged | {"webhook-timestamp": "1"}, {}):
            assert requests.post(address, body, headers=headers, timeout=60).status_code == 401
        assert "forged" not in printed.read_text()
    finally:
        process.terminate()
        process.wait(60)
        newsroom.call("DELETE", f"/api/v1/endpoints/{name}")


@pytest.fixture(scope="module")
def pulled(newsroom: ExampleNewsroom) -> ExampleNewsroom:
    """The newsroom with the partner that reads for itself, as the document makes it."""
    partner, endpoint = CALLS[5:7]
    assert '"name":"harbour-radio"' in newsroom.bash(partner, newsroom.puller)
    assert '"kind":"pull"' in newsroom.bash(endpoint, newsroom.puller)
    until(lambda: newsroom.is_enrolled("harbour-radio-en"), "the endpoint")
    return newsroom


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_a_partner_reads_by_curl(pulled: ExampleNewsroom) -> None:
    read, acknowledge = CALLS[7:9]
    pulled.call("POST", "/events", published("pulled"))
    parts: list[dict[str, Any]] = []

    def has_it() -> bool:
        parts.append(json.loads(pulled.bash(read, pulled.puller)))
        return any(item["article"] == "pulled" for item in parts[-1]["items"])

    until(has_it, "the article")
    acknowledged = json.loads(pulled.bash(acknowledge, pulled.puller | {"CURSOR": parts[-1]["next"]}))
    assert acknowledged["complete"]
    assert json.loads(pulled.bash(read, pulled.puller))["items"] == []


@language
def test_a_partner_reads_by_a_program(pulled: ExampleNewsroom, tmp_path: Path, ending: str, program: str) -> None:
    file, printed, article = tmp_path / f"puller.{ending}", tmp_path / "printed", f"pulled-{ending}"
    file.write_text(PROGRAMS[file.name], "utf-8")
    with printed.open("wb") as stream:
        process = subprocess.Popen([program, str(file)], env=pulled.puller, stdout=stream, stderr=stream)
    try:
        pulled.call("POST", "/events", published(article))
        until(lambda: f"article.published {article} " in printed.read_text(), f"the article; {printed.read_text()}")
        killed = pulled.call("POST", f"/api/v1/articles/{article}/kill")
        until(lambda: f"article.killed {article} 0" in printed.read_text(), f"the kill; {printed.read_text()}")
        until(lambda: pulled.call("GET", f"{killed['receipt']}?wait=10s")["events"][0]["proven"], "the proof")
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_what_was_sent_is_seen_by_curl(newsroom: ExampleNewsroom) -> None:
    newsroom.call("POST", "/events", published("seen"))

    def was_sent() -> bool:
        return any(row["article"] == "seen" for row in json.loads(newsroom.bash(CALLS[9], newsroom.cms))["items"])

    until(was_sent, "the attempt")
    (row,) = json.loads(newsroom.bash(CALLS[9], newsroom.cms))["items"]
    shown = DOCUMENT[DOCUMENT.index("### 5. When something") :]
    assert set(re.findall(r'"(\w+)":', shown)) - {"items", "next", *row["phases"]} == row.keys()
    whole = newsroom.call("GET", f"/api/v1/endpoints/city-portal-en/attempts/{row['id']}")
    assert json.loads(whole["document"])["article"]["id"] == "seen"


def published(article: str) -> dict[str, Any]:
    fields = {
        "id": article,
        "version": 1,
        "edition": "en",
        "headline": "Harbour reopens",
        "url": f"https://herald.example/{article}",
    }
    return {"id": f"evt-{article}", "type": "article.published", "article": fields}


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
