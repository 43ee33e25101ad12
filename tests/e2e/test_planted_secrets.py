"""Secrets of all kinds in a newsroom that runs: whatever is done and goes wrong, none is anywhere to be read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from command_line import dateline
from contract.partner import Authority, Partner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from newsroom import TOKEN, Newsroom, published, start
from ports import free_port
from receiver import Answer, Receiver, Request
from sqlalchemy import select

from worker.record import Record, tables


class Planted:
    """Secrets by what they are, each of its own kind and found by its own text."""

    def __init__(self, folder: Path) -> None:
        self.texts: dict[str, str] = {}
        self.authority = Authority(folder, "authority")

    def word(self, what: str) -> str:
        """A secret that may be any text."""
        return self._plant(what, f"planted-{what.replace(' ', '-')}-q7")

    def signing(self, what: str, prefix: str = "whsec_") -> str:
        """One of 32 bytes, in Base64."""
        text = base64.b64encode(f"planted {what}"[:32].ljust(32, "!").encode()).decode()
        return prefix + self._plant(what, text)

    def made(self, what: str, text: str) -> str:
        """One that Dateline has made."""
        return self._plant(what, text.removeprefix("whsec_"))

    def certificate(self, what: str) -> dict[str, str]:
        """A certificate with its key, which is the secret."""
        cert, key = self.authority.issue(what.replace(" ", "-"))
        self._plant(f"key of {what}", key.read_text().splitlines()[1])
        return {"ca": self.authority.file.read_text(), "cert": cert.read_text(), "key": key.read_text()}

    def private_key(self, what: str) -> str:
        """A key of SSH."""
        key = rsa.generate_private_key(65537, 2048)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        self._plant(what, text.splitlines()[3])
        return text

    def _plant(self, what: str, text: str) -> str:
        assert what not in self.texts
        self.texts[what] = text
        return text

    def found_in(self, where: str, content: str | bytes) -> Iterator[str]:
        """Say which are there, as they are or in the Base64 of some header."""
        data = content if isinstance(content, bytes) else content.encode()
        for what, text in self.texts.items():
            if text.encode() in data:
                yield f"{what} in {where}: {_around(data, text.encode())!r}"
        # Basic authentication hides a password from those who look for it alone.
        for word in set(re.findall(rb"[A-Za-z0-9+/]{16,}", data)):
            decoded = base64.b64decode(word + b"A" * (-len(word) % 4))
            for what, text in self.texts.items():
                if text.startswith("planted-") and text.encode() in decoded:
                    yield f"{what} in {where}, in Base64"


def _around(data: bytes, text: bytes) -> bytes:
    place = data.index(text)
    return data[max(0, place - 80) : place + len(text) + 20]


def of_the_file(planted: Planted, receiver: str, closed: int) -> str:
    """Settings with secrets of all kinds, beside the usual ones."""
    pinned = "SHA256:" + "A" * 43
    kinds = {
        "bearer": f'auth = {{ type = "bearer", token = "{planted.word("bearer token")}" }}',
        "basic": f'auth = {{ type = "basic", username = "us", password = "{planted.word("basic password")}" }}',
        "headers": f'headers = {{ X-Api-Key = "{planted.word("header")}" }}',
        "oauth": f'auth = {{ type = "oauth2", token_url = "{receiver}/token", client_id = "us", '
        f'client_secret = "{planted.word("oauth secret")}" }}',
        "sftp": f'kind = "sftp"\nsftp = {{ username = "us", password = "{planted.word("sftp password")}", '
        f'host_keys = "{pinned}" }}',
        "ftp": f'kind = "ftp"\nftp = {{ username = "us", password = "{planted.word("ftp password")}" }}',
        "mail": 'kind = "mail"\nmail = { sender = "a@b.example", to = "c@d.example", username = "us", '
        f'password = "{planted.word("smtp password")}" }}',
        "s3": f'kind = "s3"\ns3 = {{ key_id = "{planted.word("s3 key id")}", secret = "{planted.word("s3 secret")}" }}',
        "azure": 'kind = "azure-blob"\nazure_blob = { account = "herald", '
        f'key = "{planted.signing("azure key", "")}" }}',
        "sqs": f'kind = "sqs"\nsqs = {{ key_id = "{planted.word("sqs key id")}", '
        f'secret = "{planted.word("sqs secret")}" }}',
        "kafka": f'kind = "kafka"\nkafka = {{ topic = "news", username = "us", '
        f'password = "{planted.word("kafka password")}" }}',
        "bus": f'kind = "service-bus"\nservice_bus = {{ policy = "send", key = "{planted.word("service bus key")}" }}',
        "queue": f'kind = "queue"\nqueue = {{ username = "us", password = "{planted.word("queue password")}", '
        'routing_key = "news" }',
        "mastodon": f'kind = "mastodon"\nmastodon = {{ token = "{planted.word("mastodon token")}" }}',
        "bluesky": 'kind = "bluesky"\nbluesky = { handle = "h.example", password = '
        f'"{planted.word("app password")}" }}',
        "apple": 'kind = "apple-news"\nformat = "applenews"\napple_news = { channel = '
        f'"12345678-1234-1234-1234-123456789012", key_id = "{planted.word("apple key id")}", '
        f'secret = "{planted.signing("apple secret", "")}" }}',
    }
    urls = {"sftp": f"sftp://127.0.0.1:{closed}/in", "ftp": f"ftp://127.0.0.1:{closed}/in"}
    urls["kafka"] = f"kafka://127.0.0.1:{closed}"
    urls["sqs"] = f"{receiver}/123456789012/news"
    urls |= {"mail": f"smtp://127.0.0.1:{closed}", "queue": f"amqp://127.0.0.1:{closed}/"}
    tables_of_endpoints = "".join(
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "s10"\nurl = "{urls.get(name, f"{receiver}/{name}")}"\n{lines}\n'
        + ("" if "format = " in lines else 'format = "json"\n')
        for name, lines in kinds.items()
    )
    return f"""
[management]
secret_key = ["{planted.signing("management key", "")}", "{planted.signing("former management key", "")}"]
[receipts]
url = "{receiver}/receipts"
secret = "{planted.signing("receipts secret")}"
[adapters.ghost]
secret = "{planted.word("ghost secret")}"
url = "https://herald.example/{{slug}}"
[desk.oidc]
issuer = "http://127.0.0.1:{closed}"
client_id = "us"
client_secret = "{planted.word("oidc secret")}"
[alarms]
worker_lost = "0s"
endpoint_failing = "1s"
channels = {{ pager = "json://us:{planted.word("channel password")}@127.0.0.1:{closed}/" }}
[[feeds]]
name = "closed"
title = "Closed"
private = true
select = [{{ section = ["s10"] }}]
[[endpoints]]
name = "signed"
feed = "s10"
format = "json"
url = "{receiver}/signed"
secret = ["{planted.signing("new signing secret")}", "{planted.signing("old signing secret")}"]
public_signature = true
{tables_of_endpoints}"""


def echo(request: Request) -> Answer:
    """Refuses, and repeats all that came, as error pages do."""
    return 403, json.dumps(request.headers).encode() + request.body[:100]


class Api:
    """The API and the desk, and whatever they have answered."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._url = newsroom.base_url
        self.answers: list[tuple[str, str]] = []

    def ask(
        self, method: str, path: str, key: str = TOKEN, *, keep: bool = True, json: Any = None, **headers: str
    ) -> requests.Response:
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        answer = requests.request(method, f"{self._url}{path}", headers=headers, json=json, timeout=60)
        if keep:
            self.note(f"{method} {path}", answer)
        return answer

    def note(self, what: str, answer: requests.Response) -> None:
        self.answers.append((what, f"{dict(answer.headers)} {answer.text}"))


def managed(planted: Planted, receiver: str, partner: str) -> dict[str, dict[str, Any]]:
    """Endpoints that are made over the API."""
    terms = {"feed": "s10", "format": "json"}
    pinned = "SHA256:" + "B" * 43
    return {
        "m-basic": {
            **terms,
            "url": f"{receiver}/m-basic",
            "auth": {"type": "basic", "username": "us", "password": planted.word("managed password")},
            "headers": {"X-Key": planted.word("managed header")},
            "secret": planted.signing("managed signing secret"),
        },
        "m-tls": {**terms, "url": f"{partner}/echo", "tls": planted.certificate("managed certificate")},
        "m-sftp": {
            **terms,
            "kind": "sftp",
            "url": "sftp://127.0.0.1:9/in",
            "sftp": {"username": "us", "key": planted.private_key("managed ssh key"), "host_keys": [pinned]},
        },
        "m-s3": {
            **terms,
            "kind": "s3",
            "url": f"{receiver}/bucket",
            "s3": {"key_id": "us", "secret": planted.word("managed s3 secret")},
        },
    }


def test_no_secret_is_anywhere_to_be_read(
    tmp_path: Path, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = Planted(tmp_path)
    receiver.otherwise = echo
    token = planted.word("issued token")
    receiver.behave["/token"] = lambda _: (200, json.dumps({"access_token": token, "token_type": "bearer"}).encode())
    more = of_the_file(planted, receiver.url, free_port())
    first_line = f'signing_keys = "{planted.signing("public signing key", "whsk_")}"\n'
    partner = Partner(planted.authority.server(asks=True))
    with start(tmp_path, receiver, 1, more, top=first_line) as newsroom:
        api = Api(newsroom)
        _work(planted, api, newsroom, managed(planted, receiver.url, partner.url))
        outputs = _look_around(api, newsroom, tmp_path)
        held = [(f"Redis: {key}", text) for key, text in _of_redis(newsroom)]
        held += [(f"the record: {table}", text) for table, text in _of_the_record(newsroom.record)]
        backup = tmp_path / "backup.db"
        done = dateline("record", "backup", str(backup), "--config", str(newsroom.config))
        assert done.returncode == 0, done.stderr
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert any(path.name == "record.db" for path in files)
        for path in (*files, backup):
            # Redis writes files beside those that it replaces.
            with suppress(FileNotFoundError):
                held.append((f"the file {path.name}", path.read_bytes().decode("latin-1")))
        held += [("operations", request.body.decode()) for request in receiver.at("/operations")]
        held += [("receipts", request.body.decode()) for request in receiver.at("/receipts")]
    partner.close()
    log = "".join(capfd.readouterr())
    assert "attempt_failed" in log
    # What is looked for is what was in use, and would be found.
    used = newsroom.config.read_text() + json.dumps([request.headers for request in receiver.requests])
    in_use = {found.partition(" in ")[0] for found in planted.found_in("use", used)}
    assert len(in_use) > 25
    assert {"header", "managed header", "issued token", "managed password", "basic password"} <= in_use
    everywhere = [("the log", log), *api.answers, *outputs, *held]
    assert [] == sorted({found for where, text in everywhere for found in planted.found_in(where, text)})


def _work(planted: Planted, api: Api, newsroom: Newsroom, endpoints: dict[str, dict[str, Any]]) -> None:
    """Make what has secrets, use it, and make mistakes with it."""
    api.ask("POST", "/api/v1/partners", json={"name": "city"})
    for name, settings in endpoints.items():
        value = {"name": name, "partner": "city", "settings": settings}
        created = api.ask("POST", "/api/v1/endpoints", keep=False, json=value)
        assert created.status_code == 201, created.text
        if made := created.json()["secret"]:
            planted.made(f"secret of {name}", made)
        broken = {**settings, "url": "nowhere", "mode": "letter", "colour": "red"}
        wrong = api.ask("PUT", f"/api/v1/endpoints/{name}", json={"settings": broken}, **{"If-Match": "*"})
        assert wrong.status_code == 422, wrong.text
        assert api.ask("POST", "/api/v1/endpoints", json=value).status_code == 409
    rotated = api.ask("POST", "/api/v1/endpoints/m-basic/rotate", keep=False).json()
    planted.made("rotated secret", rotated["secret"])
    wanted = {"name": "cms", "scopes": ["feeds:private", "feeds:read"]}
    key = api.ask("POST", "/api/v1/keys", keep=False, json=wanted).json()["key"]
    # An underscore may be one of its letters, too.
    planted.made("api key", key.split("_", 2)[2])
    newsroom.receiver.until(lambda: api.ask("GET", "/api/v1/me", key).status_code == 200, 20, "the key")
    api.ask("GET", f"/feeds/closed.atom?key={key}", "", keep=False)
    api.ask("GET", "/api/v1/me", f"dl_{planted.word('wrong key')}_{'x' * 43}")
    api.ask("GET", f"/feeds/closed.atom?key={planted.word('wrong key of a feed')}", "", keep=False)
    config = ("--config", str(newsroom.config))
    password = planted.word("password of a person")
    for words, stdin in (
        (["user", "add", "ada", "--role", "admin"], password),
        (["user", "password", "ada"], password),
        (["user", "add", "eve", "--role", "king"], planted.word("password of nobody")),
    ):
        done = dateline(*words, *config, stdin=stdin)
        assert (done.returncode == 0) is ("eve" not in words), done.stderr
        api.answers.append((" ".join(words), done.stdout + done.stderr))
    link = api.ask("POST", "/api/v1/partners/city/links", keep=False, json={})
    assert link.status_code == 201, link.text
    planted.made("partner's link", link.json()["url"].rpartition("/")[2])
    _at_the_desk(planted, api, newsroom, password)
    for name in ("signed", "bearer", "basic", "headers", "oauth", *endpoints):
        assert api.ask("POST", f"/api/v1/endpoints/{name}/test").status_code == 200, name
    for number in range(2):
        newsroom.send(published(f"hh-{number}", "s10"))
    newsroom.kill("hh-1")
    for name in ("signed", "basic", "sftp", "mail", "s3", "queue", "m-basic", "m-tls", "m-sftp", "m-s3"):
        newsroom.receiver.until(lambda n=name: bool(newsroom.attempts("s10", n, 1)), 60, f"an attempt at {name}")
    assert api.ask("DELETE", "/api/v1/endpoints/m-s3", **{"If-Match": "*"}).status_code == 204
    rekeyed = dateline("management", "rekey", *config)
    assert rekeyed.returncode == 0, rekeyed.stderr


def _at_the_desk(planted: Planted, api: Api, newsroom: Newsroom, password: str) -> None:
    """Sign in, first with a wrong password, and look at each page."""
    browser, origin = requests.Session(), {"Origin": newsroom.base_url}
    for word in (planted.word("wrong password"), password):
        form = {"name": "ada", "password": word}
        answer = browser.post(f"{newsroom.base_url}/desk/sign-in", form, headers=origin, timeout=60)
        api.note("sign-in", answer)
    assert "Sign out" in answer.text
    planted.made("session", next(iter(browser.cookies)).value or "")
    pages = ("", "/endpoints", "/endpoints/m-basic", "/endpoints/m-basic/edit", "/endpoints/m-tls", "/partners/city")
    for page in (*pages, "/keys", "/people", "/audit", "/feeds", "/alarms", "/subscriptions"):
        answer = browser.get(f"{newsroom.base_url}/desk{page}", timeout=60)
        assert answer.status_code == 200, page
        api.note(f"/desk{page}", answer)


def _look_around(api: Api, newsroom: Newsroom, folder: Path) -> list[tuple[str, str]]:
    """Ask for all that there is, over the API and by commands; return what the commands said."""
    paths = json.loads(api.ask("GET", "/api/v1/openapi.json").text)["paths"]
    names = {"endpoint": "m-basic", "partner": "city", "user": "ada", "feed": "s10", "article": "hh-0"}
    for path, item in paths.items():
        address = path
        for name, value in names.items():
            address = address.replace(f"{{{name}}}", value)
        if "get" in item and "{" not in address and not address.endswith("/live"):
            assert api.ask("GET", address).status_code < 500, address
    for path in ("/", "/feeds", "/readyz", "/metrics", "/.well-known/jwks.json", "/feeds/s10.json", "/nowhere"):
        api.ask("GET", path, "")
    outputs = []
    config = ("--config", str(newsroom.config))
    text = newsroom.config.read_text()
    mistaken = folder / "mistaken.toml"
    # A mistake beside every secret: what is said of it must not show the secret.
    mistaken.write_text(re.sub(r'"(planted-[^"]*|whsec_[^"]*|whsk_[^"]*)"', r'"\1 \\u0007"', text))
    for words in (
        ["endpoints", "--json"],
        *(["endpoints", "show", name, "--json"] for name in ("basic", "sftp", "s3", "m-tls", "m-sftp")),
        ["endpoints", "attempts", "m-basic", "--json"],
        ["audit", "--json"],
        ["audit", "verify"],
        ["key", "list", "--json"],
        ["user", "list", "--json"],
        ["partner", "show", "city", "--json"],
        ["record", "status", "--json"],
        ["feeds"],
        ["coverage", "hh-0", "--json"],
        ["report", "--json"],
    ):
        done = dateline(*words, *config)
        assert done.returncode == 0, done.stderr
        outputs.append((" ".join(words), done.stdout + done.stderr))
    refused = dateline("endpoints", "--config", str(mistaken))
    assert refused.returncode == 2
    assert refused.stderr.count("endpoints.") >= 10, refused.stderr
    return [*outputs, ("mistaken settings", refused.stderr)]


def _of_redis(newsroom: Newsroom) -> Iterator[tuple[str, str]]:
    client = newsroom.store.client
    for key in client.scan_iter(count=1000):
        match client.type(key):
            case "string":
                value: Any = client.get(key)
            case "hash":
                value = client.hgetall(key)
            case "list":
                value = client.lrange(key, 0, -1)
            case "set":
                value = client.smembers(key)
            case "zset":
                value = client.zrange(key, 0, -1, withscores=True)
            case "stream":
                value = client.xrange(key)
            case _:
                continue
        yield key, f"{key} {value}"


def _of_the_record(record: Record) -> Iterator[tuple[str, str]]:
    """All rows, with what is compressed as it was."""
    with record.read() as connection:
        for table in tables.metadata.sorted_tables:
            yield table.name, str(connection.execute(select(table)).all())
