"""Credentials in a newsroom that runs: OAuth2 tokens come and go without a loss, and no secret is ever shown."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests
from command_line import dateline
from newsroom import SECRET, TOKEN, start
from receiver import Answer, Receiver, Request

from worker.receivers.ledger import LedgerEntry

CERTIFICATE = Path(__file__).parents[1] / "contract" / "localhost.pem"


def endpoint(name: str, section: str, url: str, more: str) -> str:
    return f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nformat = "json"\nurl = "{url}"\n{more}\n'


def oauth2(receiver: Receiver, path: str, secret: str) -> str:
    return (
        f'[endpoints.auth]\ntype = "oauth2"\ntoken_url = "{receiver.url}{path}"\n'
        f'client_id = "the-herald"\nclient_secret{secret}\n'
    )


class TokenServer:
    """Issues tokens; `valid` is the one that `take` takes, `taken` which articles it has taken."""

    def __init__(self) -> None:
        self.issued = 0
        self.valid = ""
        self.taken: set[str] = set()

    def issue(self, _: Request) -> Answer:
        self.issued += 1
        self.valid = f"issued-token-{self.issued}"
        return 200, json.dumps({"access_token": self.valid, "token_type": "Bearer", "expires_in": 3600}).encode()

    def take(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.valid}":
            return 401, b""
        self.taken.add(json.loads(request.body)["article"]["id"])
        return 204, b""


def test_tokens_that_are_revoked_lose_nothing_and_park_nothing(tmp_path: Path, receiver: Receiver) -> None:
    server = TokenServer()
    receiver.behave.update({"/token": server.issue, "/o": server.take})
    more = endpoint("o", "s30", f"{receiver.url}/o", "concurrency = 4\n" + oauth2(receiver, "/token", ' = "s3cr3t"'))
    with start(tmp_path, receiver, 1, more) as newsroom:
        for number in range(20):
            newsroom.publish(f"o-{number}", "s30")
            if number in {7, 14}:
                # All of them: while a token is asked for, the one that was issued before can't be revoked.
                receiver.until(lambda: len(server.taken) == number + 1, 30, "all of them")  # noqa: B023
                server.valid = "revoked"
        receiver.until(lambda: newsroom.is_settled("s30"), 30, "all to be delivered")
        outcomes = {attempt.outcome for attempt in newsroom.attempts("s30", "o", 100)}
        ledger = newsroom.store.ledgers.read_one("s30", "o", [f"o-{number}" for number in range(20)])

        assert {"delivered", "given_back"} == outcomes
        assert ["published"] * 20 == [LedgerEntry.parse(entry).label for entry in ledger.values()]
        assert server.issued == 3
        assert newsroom.store.attempts.health("s30", "o").failures == 0


def test_no_secret_is_shown_whatever_goes_wrong(
    tmp_path: Path, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.behave.update(dict.fromkeys(("/basic", "/headers", "/oauth2"), echo))
    receiver.behave["/bearer"] = lambda request: (500, echo(request)[1])
    receiver.behave["/token"] = lambda _: (200, b'{"access_token": "issued-token", "token_type": "bearer"}')
    receiver.behave["/no-token"] = lambda request: (401, echo(request)[1])
    variables = {"NAME": "basic-name-by-env", "KEY": "header-by-env", "SIGNING": signing(1), "CLIENT": "client by env"}
    for name, text in (("password", "basic-password-by-file"), ("token", "bearer-by-file"), ("signing", signing(2))):
        (tmp_path / name).write_text(text)
    (tmp_path / "herald.pem").write_bytes(CERTIFICATE.read_bytes())
    basic = "auth = { type = 'basic', username_env = 'NAME', password_file = 'password' }\nsecret_env = 'SIGNING'"
    https = receiver.url.replace("http:", "https:")
    more = "".join(
        (
            endpoint("basic", "s31", f"{receiver.url}/basic", basic),
            endpoint("bearer", "s32", f"{receiver.url}/bearer", "auth = { type = 'bearer', token_file = 'token' }"),
            endpoint(
                "headers", "s33", f"{receiver.url}/headers", 'headers = { X-A = "header-inline", X-B_env = "KEY" }'
            ),
            endpoint("oauth2", "s34", f"{receiver.url}/oauth2", oauth2(receiver, "/token", '_env = "CLIENT"')),
            endpoint("no-token", "s35", f"{receiver.url}/never", oauth2(receiver, "/no-token", ' = "client inline"')),
            endpoint("tls", "s36", f"{https}/tls", 'tls = { cert = "herald.pem" }\nsecret_file = "signing"'),
        )
    )
    secrets = [
        *variables.values(),
        *("basic-password-by-file", "bearer-by-file", "header-inline", "issued-token", "client inline"),
        *(signing(2), SECRET, TOKEN),
        *CERTIFICATE.read_text().partition("PRIVATE KEY-----\n")[2].splitlines()[:1],
        b64encode(b"basic-name-by-env:basic-password-by-file").decode(),
        *(b64encode(f"the-herald:client+{how}".encode()).decode() for how in ("inline", "by+env")),
        quote_plus("client by env"),
    ]
    names = ("basic", "bearer", "headers", "oauth2", "no-token", "tls")
    shown: list[str] = []
    with start(tmp_path, receiver, 1, more, variables) as newsroom:
        for number in range(31, 37):
            for name in ("", "-refused", "-taken"):
                newsroom.publish(f"article-{number}{name}", f"s{number}")
        for number, name in enumerate(names, 31):
            receiver.until(lambda n=number, e=name: bool(newsroom.attempts(f"s{n}", e, 1)), 20, f"an attempt at {name}")
        receiver.wait("/operations", 3)
        log: list[str] = []

        def told() -> bool:
            log.extend(capfd.readouterr())
            return all(event in "".join(log) for event in ("article_parked", "attempt_failed", "token_failed"))

        receiver.until(told, 60, "the log to tell of each")

        config = ("--config", str(newsroom.config))
        replay = ["replay", "--endpoint", "basic", "--parked", "--dry-run"]
        for words in (["endpoints"], ["feeds"], ["subscriptions"], ["coverage", "article-31"], replay):
            answer = dateline(*words, *config, variables=variables)
            assert answer.returncode == 0, answer.stderr
            shown += [answer.stdout, answer.stderr]
        for path in ("/", "/feeds", "/feeds.opml", "/healthz", "/readyz", "/metrics", "/feeds/s31.json"):
            shown.append(requests.get(f"{newsroom.base_url}{path}", timeout=60).text)
        shown.append(newsroom.post({"id": "e", "type": "no such type"}).text)
        shown += [request.body.decode() for request in receiver.at("/operations")]
        shown += kept(newsroom.store.client)
        text = newsroom.config.read_text()
        mistakes = (
            (SECRET, f"{SECRET}!"),
            ("client inline", "client inline\\u0007"),
            ('type = "oauth2"', 'type = "basic"'),
        )
        for right, wrong in mistakes:
            newsroom.config.write_text(text.replace(right, wrong))
            refused = dateline("endpoints", *config, variables=variables)
            assert refused.returncode == 2
            shown += [refused.stdout, refused.stderr]
    everything = "\n".join(("".join((*log, *capfd.readouterr())), *shown))
    assert "***" in everything
    assert [] == [secret for secret in secrets if secret in everything]


def signing(number: int) -> str:
    return "whsec_" + b64encode(bytes([number]) * 32).decode()


def echo(request: Request) -> Answer:
    """Refuse one article of several, and repeat all that came: its headers, its body, what is in its credential."""
    said = json.dumps(request.headers).encode() + request.body
    return (422, said) if b"-refused" in request.body else (204, said)


def kept(client: Any) -> list[str]:
    """All that Redis keeps, as text."""
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "stream": client.xrange,
        "none": lambda _: "",  # it has ended meanwhile
    }
    return [f"{key} {read[client.type(key)](key)}" for key in client.scan_iter(count=1000)]
