"""How we show partners who we are: what arrives, and what happens when they do not accept it."""

from __future__ import annotations

import gzip
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import pytest
import requests
from contract.caller import Caller
from contract.misbehaving import PATIENCE
from contract.partner import Authority, Partner
from standardwebhooks import Webhook, WebhookVerificationError

from config.endpoint_settings import EndpointSettings
from worker.destinations.endpoint import Endpoint
from worker.destinations.endpoint import configured as configured_for
from worker.destinations.sender import Sender
from worker.documents.feed_payloads import FeedPayload
from worker.outbound.errors import RequestImpossible, RequestPending
from worker.outbound.guard import Guard
from worker.outbound.oauth2_tokens import OAuth2Client, TokenAuth, Tokens
from worker.outbound.signing import SignatureError, verify_webhook
from worker.outbound.transfer import Answer
from worker.receivers.feed_push import FeedPush
from worker.store.receiver_states import Failing
from worker.store.receivers import Claim

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
BODY = b"<feed>" + b"news " * 500 + b"</feed>"
# Failing for half an hour, in milliseconds.
_NOW = int(time.time() * 1000)
FAILING = Failing(_NOW - 1_800_000, _NOW - 100_000)


@pytest.fixture
def partner() -> Iterator[Partner]:
    partner = Partner()
    yield partner
    partner.close()


@pytest.fixture
def tokens(caller: Caller) -> Iterator[Tokens]:
    tokens = Tokens(caller.engine, 5)
    yield tokens
    caller.engine.stop(0)
    tokens.stop()


def configured(settings: EndpointSettings, tokens: Tokens) -> Endpoint:
    sender = Sender(tokens, None, "herald.example", None, Guard(), None)  # type: ignore[arg-type]  # nobody is asked
    return configured_for(settings, sender)


def settings(url: str, **more: Any) -> EndpointSettings:
    return EndpointSettings.model_validate(
        {"name": "a", "feed": "world", "mode": "feed", "format": "atom", "url": url, **more}
    )


class Conversation:
    """One claim of an endpoint, served as a worker serves it."""

    def __init__(self, caller: Caller, endpoint: Endpoint) -> None:
        claim = Claim("world", "endpoint:a", 1, 0, FAILING, {"endpoint": "a"})
        push = FeedPayload(BODY, 1, 0, {"article": (1, "published")})
        self.session = FeedPush(endpoint, claim, push, 1, None, None, 5, time.monotonic() + 60)
        answers: SimpleQueue[tuple[object, Answer]] = SimpleQueue()
        self.session.on_answer = lambda _, key, answer: answers.put((key, answer))
        if request := self.session.next_request({}):
            caller.submit([request])
        self.word = "not sent"
        if self.session.in_flight:
            key, answer = answers.get(timeout=PATIENCE)
            self.word = self.session.take_answer(key, answer, datetime.now(UTC), 0)
        self.settlement = self.session.settle()


def converse(caller: Caller, endpoint: Endpoint) -> Conversation:
    """Serve the endpoint, again and again while its token is on the way."""
    end = time.monotonic() + PATIENCE
    while (conversation := Conversation(caller, endpoint)).word == "not sent":
        assert time.monotonic() < end
        time.sleep(0.01)
    return conversation


def oauth2(partner: Partner, path: str = "articles", **more: Any) -> EndpointSettings:
    auth = {
        "type": "oauth2",
        "token_url": f"{partner.url}/token",
        "client_id": "herald:1",
        "client_secret": "h&nter 2",
        **more,
    }
    return settings(f"{partner.url}/{path}", auth=auth)


class TestHeaders:
    def test_basic(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        auth = {"type": "basic", "username": "herald", "password": "pässwort:2"}
        converse(caller, configured(settings(f"{partner.url}/ok", auth=auth), tokens))

        scheme, credential = partner.requests[0].headers["authorization"].split(" ")
        assert (scheme, b64decode(credential).decode()) == ("Basic", "herald:pässwort:2")

    def test_bearer(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        auth = {"type": "bearer", "token": "t0k="}
        converse(caller, configured(settings(f"{partner.url}/ok", auth=auth), tokens))

        assert partner.requests[0].headers["authorization"] == "Bearer t0k="

    def test_headers_of_the_partners_own(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        headers = {"X-Api-Key": "k3y", "Authorization": "Herald hunter2"}
        converse(caller, configured(settings(f"{partner.url}/ok", headers=headers), tokens))

        headers_sent = partner.requests[0].headers
        assert (headers_sent["x-api-key"], headers_sent["authorization"]) == ("k3y", "Herald hunter2")
        assert headers_sent["content-type"] == "application/atom+xml; charset=utf-8"

    def test_secrets_that_an_answer_repeats_are_hidden(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        auth = {"type": "basic", "username": "herald", "password": "hunter2"}
        endpoint = configured(settings(f"{partner.url}/echo", auth=auth, headers={"X-Api-Key": "k3y k3y"}), tokens)
        conversation = converse(caller, endpoint)

        [(attempt, *_)] = conversation.session.attempts
        credential = partner.requests[0].headers["authorization"].split(" ")[1]
        assert attempt.answer.endswith("}***:***")
        assert '"authorization": "Basic ***"' in attempt.answer
        assert '"x-api-key": "***"' in attempt.answer
        assert not any(secret in repr(attempt) for secret in ("hunter2", "k3y k3y", credential))


class TestBody:
    def test_two_secrets_sign_during_a_rotation(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        converse(caller, configured(settings(f"{partner.url}/ok", secret=[NEW, OLD]), tokens))

        [request] = partner.requests
        for secret in (OLD, NEW):
            verify_webhook(request.headers, request.body, [secret], time.time())
        with pytest.raises(SignatureError):
            verify_webhook(request.headers, request.body, ["whsec_" + "b25l" * 8], time.time())

    def test_gzip_is_signed_as_verifiers_see_it_and_always_the_same(
        self, caller: Caller, tokens: Tokens, partner: Partner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endpoint = configured(settings(f"{partner.url}/ok", secret=OLD, gzip=True), tokens)
        converse(caller, endpoint)
        hours_later = time.time() + 20_000
        monkeypatch.setattr(time, "time", lambda: hours_later)
        converse(caller, endpoint)

        first, second = partner.requests
        assert gzip.decompress(first.body) == BODY
        assert len(first.body) < len(BODY) / 10
        assert first.body == second.body
        assert first.headers["content-encoding"] == "gzip"
        assert first.headers["content-length"] == str(len(first.body))
        verify_webhook(second.headers, BODY, [OLD], hours_later)

    @pytest.mark.parametrize("packed", [False, True])
    def test_the_reference_library_verifies_it(
        self, caller: Caller, tokens: Tokens, partner: Partner, packed: bool
    ) -> None:
        converse(caller, configured(settings(f"{partner.url}/ok", secret=[NEW, OLD], gzip=packed), tokens))
        [request] = partner.requests
        # What web frameworks give to those who verify: the content coding is off.
        body = gzip.decompress(request.body) if packed else request.body
        for secret in (OLD, NEW):
            Webhook(secret).verify(body, request.headers, json_parse=False)
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "b25l" * 8).verify(body, request.headers, json_parse=False)


class TestCertificates:
    def test_a_private_authority(self, caller: Caller, tokens: Tokens, tmp_path: Path) -> None:
        ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
        partner = Partner(ours.server())
        url = f"{partner.url}/ok"

        assert converse(caller, configured(settings(url, tls={"ca": ours.file}), tokens)).word == "delivered"
        for tls in ({}, {"ca": other.file}):
            refused = converse(caller, configured(settings(url, tls=tls), tokens))
            assert (refused.word, refused.settlement.failing.since) == ("retry", FAILING.since)
        assert len(partner.requests) == 1
        partner.close()

    def test_mutual_tls_and_each_endpoint_shows_its_own(self, caller: Caller, tokens: Tokens, tmp_path: Path) -> None:
        authority = Authority(tmp_path, "authority")
        partner = Partner(authority.server(asks=True))
        answers = []
        for name in ("one", "two", "one"):
            cert, key = authority.issue(name)
            tls = {"ca": authority.file, "cert": cert, "key": key}
            answers += converse(caller, configured(settings(f"{partner.url}/who", tls=tls), tokens)).session.attempts
        without = converse(caller, configured(settings(f"{partner.url}/who", tls={"ca": authority.file}), tokens))

        assert [attempt.answer for attempt, *_ in answers] == ["one", "two", "one"]
        assert without.word == "retry"
        partner.close()

    @pytest.mark.parametrize("as_texts", [False, True], ids=["files", "texts"])
    def test_the_authorization_server_has_its_own(
        self, caller: Caller, tokens: Tokens, tmp_path: Path, as_texts: bool
    ) -> None:
        authority = Authority(tmp_path, "authority")
        secure, plain = Partner(authority.server(asks=True)), Partner()
        cert, key = authority.issue("herald")
        files = {"ca": authority.file, "cert": cert, "key": key}
        tls = {name: file.read_text() if as_texts else file for name, file in files.items()}
        plain.valid.add("token-1")
        auth = {**oauth2(secure).model_dump()["auth"], "tls": tls}

        assert converse(caller, configured(settings(f"{plain.url}/articles", auth=auth), tokens)).word == "delivered"
        assert secure.issued == 1
        secure.close()
        plain.close()


class TestTokens:
    def test_nobody_waits_for_one_and_it_is_used_until_it_ends(
        self, caller: Caller, tokens: Tokens, partner: Partner
    ) -> None:
        endpoint = configured(oauth2(partner), tokens)
        before = int(time.time() * 1000)
        first = Conversation(caller, endpoint)

        settlement = first.settlement
        assert (first.word, settlement.verb, settlement.reason) == ("not sent", "retry", "waiting for a token")
        assert (settlement.cursor, settlement.failing) == (0, FAILING)
        assert before + 250 <= settlement.due <= int(time.time() * 1000) + 250
        assert first.session.attempts == []
        assert [converse(caller, endpoint).word for _ in range(3)] == ["delivered"] * 3
        assert partner.issued == 1

    @pytest.mark.parametrize("client_auth", ["basic", "body"])
    def test_the_form_that_the_server_gets(
        self, caller: Caller, tokens: Tokens, partner: Partner, client_auth: str
    ) -> None:
        more = {"scope": "read write", "audience": "https://a.example/", "client_auth": client_auth}
        converse(caller, configured(oauth2(partner, **more), tokens))

        credentials = {"client_id": "herald:1", "client_secret": "h&nter 2"}
        form = {"grant_type": "client_credentials", "scope": "read write", "audience": "https://a.example/"}
        if client_auth == "body":
            assert (partner.form, partner.basic) == (form | credentials, None)
        else:
            assert (partner.form, partner.basic) == (form, tuple(credentials.values()))

    def test_endpoints_of_one_client_share_it_also_when_settings_are_read_again(
        self, caller: Caller, tokens: Tokens, partner: Partner
    ) -> None:
        for _ in range(2):
            assert converse(caller, configured(oauth2(partner), tokens)).word == "delivered"
        assert partner.issued == 1
        converse(caller, configured(oauth2(partner, scope="other"), tokens))
        assert partner.issued == 2

    def test_a_401_replaces_it_and_is_no_failure(self, caller: Caller, tokens: Tokens, partner: Partner) -> None:
        endpoint = configured(oauth2(partner), tokens)
        for revoked in range(1, 3):
            assert converse(caller, endpoint).word == "delivered"
            partner.valid.clear()
            refused = Conversation(caller, endpoint)

            assert (refused.word, refused.settlement.verb) == ("given_back", "back")
            assert refused.settlement.failing == FAILING
            [(attempt, *_)] = refused.session.attempts
            assert (attempt.status, attempt.error) == (401, "the token was refused; another one is fetched")
            assert converse(caller, endpoint).word == "delivered"
            assert partner.issued == 1 + revoked

    def test_a_second_401_in_a_row_counts_and_fetches_no_more(
        self, caller: Caller, tokens: Tokens, partner: Partner
    ) -> None:
        endpoint = configured(oauth2(partner, "status/401"), tokens)

        assert [converse(caller, endpoint).word for _ in range(4)] == ["given_back", "retry", "retry", "retry"]
        assert partner.issued == 2

    def test_a_server_that_gives_none_is_a_failure_of_the_endpoint(
        self, caller: Caller, tokens: Tokens, partner: Partner
    ) -> None:
        partner.refuses = 401, b'{"error": "invalid_client", "error_description": "h&nter 2 is wrong"}'
        endpoint = configured(oauth2(partner), tokens)
        failed = converse(caller, endpoint)

        assert (failed.word, failed.settlement.verb) == ("retry", "retry")
        assert failed.settlement.failing.last > FAILING.last
        assert failed.settlement.reason == "no token: its server answered 401 invalid_client"
        [(attempt, *_)] = failed.session.attempts
        assert (attempt.status, attempt.error) == (0, failed.settlement.reason)
        # It is not asked again at once.
        assert converse(caller, endpoint).word == "retry"
        assert [request.line for request in partner.requests] == ["POST /token HTTP/1.1"]

    @pytest.mark.parametrize(
        ("refuses", "reason"),
        [
            ((503, b"<html>busy h&nter 2</html>"), "no token: its server answered 503"),
            ((400, b'{"error": "h&nter 2"}'), "no token: its server answered 400"),
            ((302, b""), "no token: its server answered 302"),
            ((200, b"h&nter 2"), "no token: there is none in its server's answer"),
            ((200, b'["token"]'), "no token: there is none in its server's answer"),
            ((200, b'{"access_token": "a\\r\\nb"}'), "no token: there is none in its server's answer"),
            (
                (200, b'{"access_token": "a", "token_type": "mac"}'),
                "no token: its server gave one that is not of the type Bearer",
            ),
            ((200, b"x" * 100_001), "no token: the answer has more than 100000 bytes"),
        ],
    )
    def test_an_answer_without_a_valid_token(
        self, caller: Caller, tokens: Tokens, partner: Partner, refuses: tuple[int, bytes], reason: str
    ) -> None:
        partner.refuses = refuses

        assert converse(caller, configured(oauth2(partner), tokens)).settlement.reason == reason

    def test_the_guard_is_in_the_way_of_its_server_too(
        self, start_engine: Callable[..., Caller], partner: Partner
    ) -> None:
        caller = start_engine(Guard())
        tokens = Tokens(caller.engine, 5)
        failed = converse(caller, configured(oauth2(partner), tokens))

        assert failed.settlement.reason == "no token: the address 127.0.0.1 is not allowed"
        assert partner.connections == 0
        tokens.stop()

    def test_one_that_is_used_is_replaced_before_it_ends(
        self, caller: Caller, tokens: Tokens, partner: Partner
    ) -> None:
        partner.token["expires_in"] = 1  # taken for five, the least
        tokens.start()
        endpoint = configured(oauth2(partner), tokens)
        converse(caller, endpoint)
        partner.until(lambda: partner.issued == 2)

        def next_one_used() -> bool:
            assert Conversation(caller, endpoint).word == "delivered"
            return partner.requests[-1].headers["authorization"] == "Bearer token-2"

        partner.until(next_one_used)

    @pytest.mark.parametrize("token_fields", [{"expires_in": "3600"}, {"expires_in": 3600}, {}, {"expires_in": "soon"}])
    def test_when_it_is_replaced(self, tokens: Tokens, partner: Partner, token_fields: dict[str, Any]) -> None:
        partner.token = token_fields
        with Timed(partner, tokens) as timed:
            assert [timed.attempt(0), timed.attempt(2879)] == ["pending", "Bearer token-1"]
            assert [timed.renew(2879), timed.renew(2881)] == [1, 2]
            # The new one was not used, and is left to end.
            assert timed.renew(2881 + 3599) == 2
            assert [timed.attempt(2881 + 3600), timed.attempt(2881 + 3600)] == ["pending", "Bearer token-3"]

    def test_a_renewal_that_fails_is_tried_again_while_the_old_one_serves(
        self, tokens: Tokens, partner: Partner
    ) -> None:
        with Timed(partner, tokens) as timed:
            assert [timed.attempt(0), timed.attempt(0)] == ["pending", "Bearer token-1"]
            partner.refuses = 503, b""
            for now in (3000, 3001, 3004):
                timed.renew(now)
            assert len(partner.requests) == 2
            timed.renew(3598)
            assert len(partner.requests) == 3
            assert [timed.attempt(3599), timed.attempt(3600)] == [
                "Bearer token-1",
                "no token: its server answered 503",
            ]
            partner.refuses = None
            assert [timed.attempt(3604), timed.attempt(3604)] == ["pending", "Bearer token-2"]


class Timed:
    """Tokens at times that the test sets, in seconds."""

    def __init__(self, partner: Partner, tokens: Tokens) -> None:
        self._partner = partner
        self._now = 0.0
        self._executor = ThreadPoolExecutor(1)
        client = OAuth2Client(f"{partner.url}/token", "herald", "hunter2")
        self._auth = TokenAuth(client, tokens._request_token, self._executor, lambda: self._now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()

    def attempt(self, now: float) -> str:
        """Ask for a token at this time; return its header, or why there is none. Waits for the fetch that it starts."""
        self._now = now
        request = requests.Request("POST", "http://a.example/").prepare()
        try:
            return str(self._auth(request).headers["Authorization"])
        except RequestPending:
            return "pending"
        except RequestImpossible as error:
            return str(error)
        finally:
            self._wait()

    def renew(self, now: float) -> int:
        """Renew the token at this time if need be; return how many have been issued in all."""
        self._now = now
        self._auth.renew()
        self._wait()
        return self._partner.issued

    def _wait(self) -> None:
        # The executor has one thread, so whatever came before this has ended.
        self._executor.submit(int).result(PATIENCE)
