"""Signing in at the desk by an OpenID provider: who gets in, as whom, with which role; and who does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from api_process import ROOT, ApiProcess, api_process
from desk_visitor import DeskVisitor
from joserfc.jwk import OctKey, RSAKey
from openid_server import CLIENT, SECRET, OpenIdServer
from receiver import Receiver

from config.desk_settings import OidcSettings
from web.desk.routes.openid import role_of


@pytest.fixture(scope="module")
def server() -> Iterator[OpenIdServer]:
    server = OpenIdServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str, server: OpenIdServer) -> Iterator[ApiProcess]:
    receiver = Receiver()
    oidc = f"""
[desk.oidc]
issuer = "{server.issuer}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
role_claim = "groups"
roles = {{ news = "desk", it = "admin" }}
"""
    with api_process(tmp_path_factory.mktemp("openid"), redis_url, receiver, oidc) as process:
        yield process
    receiver.close()


def begun(api: ApiProcess, place: str = "") -> tuple[DeskVisitor, str]:
    """A browser that was sent to the provider, and where to."""
    browser = DeskVisitor(api)
    answer = browser.get(f"/sign-in/openid?next={place}")
    assert answer.status_code == 303, answer.text
    return browser, answer.headers["location"]


def back(browser: DeskVisitor, address: str) -> Any:
    """What the desk answers to whoever comes back from the provider."""
    parts = urlsplit(address)
    assert parts.path == "/desk/sign-in/openid/done"
    return browser.get(f"/sign-in/openid/done?{parts.query}")


def person(api: ApiProcess, name: str) -> dict[str, Any] | None:
    answer = api.ask("GET", f"/users/{name}")
    return answer.json() if answer.status_code == 200 else None


def test_somebody_is_let_in_by_the_provider_with_its_role(api: ApiProcess, server: OpenIdServer) -> None:
    assert "/desk/sign-in/openid" in DeskVisitor(api).page("/sign-in")
    browser, address = begun(api, "/desk/articles")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid profile email",
    )
    assert SECRET not in address
    server.claims = {"sub": "0001", "preferred_username": "Mira Haddad", "groups": ["news", "choir"]}
    answer = back(browser, server.let_in(address))
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/articles")
    browser.page("/articles")
    mira = person(api, "mira-haddad")
    assert mira is not None
    assert (mira["role"], mira["subject"]) == ("desk", f"{server.issuer} 0001")
    actions = {(entry["actor"], entry["action"]) for entry in api.get("/audit?target=mira-haddad")["items"]}
    assert {("openid", "person.added"), ("user:mira-haddad", "person.signed_in")} <= actions
    # The provider decides anew each time.
    server.claims["groups"] = "it"
    browser, address = begun(api)
    assert back(browser, server.let_in(address)).status_code == 303
    assert (person(api, "mira-haddad") or {})["role"] == "admin"
    server.claims["groups"] = ["choir"]
    browser, address = begun(api)
    answer = back(browser, server.let_in(address))
    assert (answer.status_code, "did not get in" in answer.text) == (403, True)
    assert browser.get("/articles").status_code == 303


def test_a_name_makes_nobody_somebody_else(api: ApiProcess, server: OpenIdServer) -> None:
    api.services.management.people.add(ROOT, "ada", "admin", "a password of twelve or more")
    server.claims = {"sub": "0002", "preferred_username": "ada", "groups": ["news"]}
    browser, address = begun(api)
    assert back(browser, server.let_in(address)).status_code == 303
    assert (person(api, "ada") or {})["subject"] is None
    named = [row for row in api.get("/users")["items"] if row["subject"] == f"{server.issuer} 0002"]
    assert [(row["name"].startswith("ada-"), row["role"]) for row in named] == [(True, "desk")]


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(api: ApiProcess, server: OpenIdServer) -> None:
    server.claims = {"sub": "0003", "preferred_username": "noor", "groups": ["news"]}
    browser, address = begun(api)
    answer = server.let_in(address)
    # Somebody else's answer signs nobody in: not without a sign-in that was begun, and not with another one.
    asked = len(server.token_requests)
    assert back(DeskVisitor(api), answer).status_code == 403
    other, _ = begun(api)
    assert back(other, answer).status_code == 403
    assert back(browser, answer.replace("127.0.0.1", "127.0.0.2")).status_code == 403
    assert len(server.token_requests) == asked
    browser, address = begun(api)
    answer = server.let_in(address)
    assert back(browser, answer).status_code == 303
    assert back(browser, answer).status_code == 403


@pytest.mark.parametrize(
    "spoil",
    [
        {"aud": "another"},
        {"iss": "http://127.0.0.1/another"},
        {"nonce": "of another sign-in"},
        {"exp": int(time.time()) - 3600},
        {"sub": ""},
        {"sub": 7},
        {"aud": [CLIENT, "another"], "azp": "another"},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_claims_that_are_not_for_us_let_nobody_in(api: ApiProcess, server: OpenIdServer, spoil: dict[str, Any]) -> None:
    server.claims = {"sub": "0004", "preferred_username": "eve", "groups": ["it"]}
    server.spoil = spoil
    try:
        browser, address = begun(api)
        assert back(browser, server.let_in(address)).status_code == 403
    finally:
        server.spoil = {}
    assert person(api, "eve") is None


def test_signatures_of_others_let_nobody_in(api: ApiProcess, server: OpenIdServer) -> None:
    server.claims = {"sub": "0005", "preferred_username": "eve", "groups": ["it"]}
    header = server.header
    forged: list[tuple[dict[str, Any], Any]] = [
        ({"alg": "RS256", "kid": header["kid"]}, RSAKey.generate_key(2048)),
        # By a secret that is shared, where the provider signs by a key of its own.
        ({"alg": "HS256"}, OctKey.import_key(SECRET)),
    ]
    try:
        for server.header, server.signer in forged:
            browser, address = begun(api)
            assert back(browser, server.let_in(address)).status_code == 403
    finally:
        server.header, server.signer = header, None
    assert person(api, "eve") is None


def test_new_keys_of_the_provider_are_taken(api: ApiProcess, server: OpenIdServer) -> None:
    server.rotate()
    server.claims = {"sub": "0006", "preferred_username": "zed", "groups": ["news"]}
    browser, address = begun(api)
    assert back(browser, server.let_in(address)).status_code == 303


def test_of_several_roles_the_one_that_may_do_most_counts() -> None:
    oidc = OidcSettings(role_claim="groups", roles={"a": "viewer", "b": "operator", "c": "desk"})
    assert role_of(oidc, {"groups": ["a", "b", "c", 7]}) == "operator"
    assert role_of(oidc, {"groups": "c"}) == "desk"
    assert role_of(oidc, {"groups": {"a": 1}}) is None
    assert role_of(OidcSettings(default_role="viewer"), {"groups": "b"}) == "viewer"
    assert role_of(OidcSettings(roles={"a": "admin"}), {"groups": ["a"]}) is None
