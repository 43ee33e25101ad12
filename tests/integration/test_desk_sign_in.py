"""Who gets in at the desk, and what a role may do there; forged requests, expired sessions, guessed passwords."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_process import ROOT, ApiProcess, api_process
from desk_visitor import ORIGIN, PASSWORD, DeskVisitor, visitor
from receiver import Receiver
from redis import exceptions
from structlog.testing import capture_logs

from web.desk import sign_in_limits
from web.desk.sign_in_limits import SignInLimits
from worker.store import keys

STATIC = Path(__file__).parents[2] / "web" / "desk" / "static"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("desk"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        process.publish("hh-1", headline="The ferry is late")
        yield process
    receiver.close()


@pytest.fixture(scope="module")
def admin(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "ada", "admin")


@pytest.fixture(scope="module")
def viewer(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "vera", "viewer")


def test_a_stranger_is_led_to_the_sign_in_and_back(api: ApiProcess, admin: DeskVisitor) -> None:
    stranger = DeskVisitor(api)
    answer = stranger.get("/articles?q=ferry")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk/sign-in?next=%2Fdesk%2Farticles%3Fq%3Dferry"
    form = stranger.get("/sign-in?next=%2Fdesk%2Farticles%3Fq%3Dferry").text
    assert 'name="next" value="/desk/articles?q=ferry"' in form
    answer = stranger.sign_in("ada", place="/desk/articles?q=ferry")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/articles?q=ferry")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("dateline_desk=")
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    # Words are indexed a moment after an article was accepted.
    api.until(lambda: "The ferry is late" in stranger.page("/articles?q=ferr"), "the words to be indexed")


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/desk", "/feeds", "/desk\\..\\", "javascript:1"]
)
def test_nobody_is_led_elsewhere(api: ApiProcess, admin: DeskVisitor, place: str) -> None:
    assert DeskVisitor(api).sign_in("ada", place=place).headers["location"] == "/desk"


def test_a_fragment_for_an_ended_session_leads_the_whole_page_to_the_sign_in(api: ApiProcess) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{ORIGIN}/desk/articles?q=a"}
    answer = DeskVisitor(api).get("/articles?q=ab", **headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (
        204,
        "/desk/sign-in?next=%2Fdesk%2Farticles%3Fq%3Da",
    )
    # A page that is open is told, so that it can say so; nothing else would reach it.
    answer = DeskVisitor(api).get("/live", Accept="text/event-stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "event: ended\ndata: {}\n\n"


def test_wrong_passwords_and_strangers_look_the_same(api: ApiProcess, admin: DeskVisitor) -> None:
    with capture_logs() as logged:
        wrong = DeskVisitor(api).sign_in("ada", "not the password at all")
        nobody = DeskVisitor(api).sign_in("nora", "not the password at all")
    refused = [entry["person"] for entry in logged if entry["event"] == "sign_in_refused"]
    assert refused == ["ada", ""]
    assert wrong.status_code == nobody.status_code == 403
    assert wrong.text.replace("ada", "nora") == nobody.text
    assert "set-cookie" not in wrong.headers


def test_who_guesses_is_slowed_and_who_knows_gets_in(api: ApiProcess) -> None:
    # The limits of two web processes.
    limits, others = (SignInLimits(api.services.store.mistakes) for _ in range(2))
    assert limits.seconds("10.0.0.1", "grace") == 0
    for number in range(sign_in_limits.FREE + 4):
        (others if number % 2 else limits).note_wrong(f"10.0.1.{number}", "grace")
    # From whichever address, whoever tries this name waits; others do not.
    assert limits.seconds("10.0.0.9", "grace") == 2.0
    assert limits.seconds("10.0.0.9", "hedy") == 0
    for _ in range(100):
        others.note_wrong("10.0.0.1", "hedy")
    assert limits.seconds("10.0.0.1", "mira") == 8.0
    limits.note_right("grace")
    assert limits.seconds("10.0.0.9", "grace") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_forged_request_does_nothing(api: ApiProcess, admin: DeskVisitor, headers: dict[str, str]) -> None:
    assert admin.post("/articles/hh-1/hold", headers=headers).status_code == 403
    assert (
        DeskVisitor(api)
        .client.post("/desk/sign-in", data={"name": "ada", "password": PASSWORD}, headers={"Origin": ORIGIN, **headers})
        .status_code
        == 403
    )
    assert api.get("/articles/hh-1")["pubstatus"] == "usable"


def test_roles_are_the_scopes_of_the_api(api: ApiProcess, viewer: DeskVisitor) -> None:
    page = viewer.page("/articles/hh-1")
    assert "The ferry is late" in page
    assert "/hh-1/kill" not in page
    assert "/hh-1/hold" not in page
    for answer in (viewer.get("/articles/hh-1/kill"), viewer.post("/articles/hh-1/kill")):
        assert answer.status_code == 403
    assert viewer.post("/articles/hh-1/hold").status_code == 403
    assert api.get("/articles/hh-1")["pubstatus"] == "usable"


def test_another_role_holds_at_once(api: ApiProcess) -> None:
    browser = visitor(api, "olga", "viewer")
    assert browser.get("/articles/hh-1/kill").status_code == 403
    api.services.management.people.change(ROOT, "olga", role="desk")
    api.until(lambda: api.services.management.person("olga").role == "desk", "the role")
    assert browser.get("/articles/hh-1/kill").status_code == 200


def test_sessions_end(api: ApiProcess) -> None:
    store, people = api.services.store, api.services.management.people
    browser = visitor(api, "sam", "desk")
    assert browser.get("/articles").status_code == 200
    assert browser.post("/sign-out").headers["location"] == "/desk/sign-in"
    assert browser.get("/articles").status_code == 303
    # Another password, or none.
    browser.sign_in("sam")
    people.set_password(ROOT, "sam", f"another {PASSWORD}")
    api.until(lambda: browser.get("/articles").status_code == 303, "end of the session")
    browser.sign_in("sam", f"another {PASSWORD}")
    assert browser.get("/articles").status_code == 200
    people.remove(ROOT, "sam")
    api.until(lambda: browser.get("/articles").status_code == 303, "end of the session")
    # Time.
    other = visitor(api, "tom", "desk")
    (name,) = [name for name in store.client.keys(keys.desk_session("*")) if '"person":"tom"' in store.client.get(name)]
    assert 0 < store.client.ttl(name) <= 8 * 3600
    text = store.client.get(name)
    store.client.set(name, re.sub(r'"began":\d+', f'"began":{int(time.time() * 1000) - 8 * 86_400_000}', text))
    assert other.get("/articles").status_code == 303
    lost = other.post("/articles/hh-1/hold")
    assert lost.headers["location"] == "/desk/sign-in?next=%2Fdesk&lost=1"
    # They go on where they pressed it, and are told why they have to sign in.
    for before, place in (
        (f"{ORIGIN}/desk/articles/hh-1/kill?a=1", "%2Fdesk%2Farticles%2Fhh-1%2Fkill%3Fa%3D1"),
        ("https://evil.example/nowhere", "%2Fdesk"),
    ):
        lost = other.post("/articles/hh-1/kill", headers={"Referer": before})
        assert lost.headers["location"] == f"/desk/sign-in?next={place}&lost=1"
    assert "so nothing was done" in other.page("/sign-in?lost=1")
    assert api.get("/articles/hh-1")["pubstatus"] == "usable"
    assert other.get("/articles").headers["location"] == "/desk/sign-in?next=%2Fdesk%2Farticles&ended=1"
    assert "Your session has ended" in other.page("/sign-in?ended=1")
    fragment = {"HX-Request": "true", "HX-Current-URL": f"{ORIGIN}/desk/articles/hh-1"}
    led = other.get("/articles/hh-1?part=standing", **fragment).headers["hx-redirect"]
    assert led == "/desk/sign-in?next=%2Fdesk%2Farticles%2Fhh-1&ended=1"


def test_a_link_signs_in_once(api: ApiProcess) -> None:
    visitor(api, "lena", "operator")
    token = api.services.management.sessions.make_link(ROOT, "lena")
    browser = DeskVisitor(api)
    assert "lena" in browser.page(f"/sign-in/link/{token}")
    assert "lena" in browser.page(f"/sign-in/link/{token}")  # to look at it does not use it up
    assert browser.post(f"/sign-in/link/{token}").headers["location"] == "/desk"
    assert browser.get("/articles").status_code == 200
    for answer in (DeskVisitor(api).get(f"/sign-in/link/{token}"), DeskVisitor(api).post(f"/sign-in/link/{token}")):
        assert answer.status_code == 404


def test_every_answer_lets_nothing_run_or_load_that_is_not_ours(api: ApiProcess, admin: DeskVisitor) -> None:
    for path in ("", "/articles", "/articles/hh-1", "/sign-in", "/nowhere", "/articles/none"):
        answer = admin.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        text = answer.text
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", text), path
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
            assert address.startswith(("/desk", "#", ORIGIN, "https://herald.example/hh-1", "/favicon.svg")), address
        # What is loaded is of the host at which the desk was opened, which may be another than that of the site.
        loaded = re.findall(r'<(?:link|script|img|iframe)\b[^>]*\s(?:src|href)="([^"]*)"', text)
        assert loaded or answer.status_code == 303, path
        assert [address for address in loaded if not address.startswith("/")] == [], path


def test_files_are_kept_for_good_and_named_by_what_is_in_them(api: ApiProcess, admin: DeskVisitor) -> None:
    (sheet,) = re.findall(r'href="(/desk/static/[0-9a-f]{16}/desk\.css)"', admin.page(""))
    answer = admin.client.get(sheet)
    assert answer.text == (STATIC / "desk.css").read_text()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert admin.client.get(sheet.replace("/static/", "/static/0")).status_code == 404
    for path in STATIC.rglob("*.*"):
        text = path.read_text()
        if path.parent == STATIC:
            assert not re.search(r"https?://|@import|url\(", text), path


def test_while_redis_is_away_whoever_is_signed_in_stays_so(
    api: ApiProcess, admin: DeskVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> str:
        raise exceptions.ConnectionError("Redis does not answer")

    assert admin.get("/account").status_code == 200
    stranger = DeskVisitor(api)
    stranger.client.cookies.set("dateline_desk", "x" * 43)
    monkeypatch.setattr(api.services.store.desk_sessions, "get", away)
    # A kill must not wait for Redis.
    assert admin.get("/articles/hh-1/kill").status_code == 200
    answer = stranger.get("/articles")
    assert answer.status_code == 503
    assert "Redis does not answer" in answer.text
