"""The page of a partner: opened by a link, it shows and does what is the partner's, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_process import TOKEN, ApiProcess, api_process
from desk_visitor import ORIGIN, visitor
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from receiver import Receiver
from starlette.testclient import TestClient

from web.partner.routes import PROGRAMS
from worker import clock
from worker.management.callers import Bounds
from worker.management.keys import digest

EVIL = '"><script>alert(1)</script>'
MARKERS = ("BRAVOS", "bravo-push", "/bravo", "portal", "OUR-NOTES")
"""What stands nowhere on the page of acme: another's texts, endpoints and addresses, and our notes."""


class Opened:
    """The browser of a partner that has opened a link."""

    def __init__(self, api: ApiProcess, url: str) -> None:
        self.client = TestClient(api.web.application, raise_server_exceptions=False, follow_redirects=False)
        self.answer = self.client.get(url)

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/partner{path}")

    def page(self, path: str = "") -> str:
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[-1500:]}"
        return str(answer.text)

    def post(self, path: str, origin: str = ORIGIN, **fields: str) -> Any:
        return self.client.post(f"/partner{path}", data=fields, headers={"Origin": origin})


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str, receiver: Receiver) -> Iterator[ApiProcess]:
    more = "[api]\nrequests = 100000"
    with api_process(tmp_path_factory.mktemp("partner"), redis_url, receiver, more) as process:
        for name, title in (("acme", f"Acme & Co {EVIL}"), ("bravo", "BRAVOS")):
            values = {"name": name, "title": title, "notes": "OUR-NOTES"}
            assert process.ask("POST", "/partners", json=values).status_code == 201
            settings = {"feed": "world", "format": "json", "url": f"{receiver.url}/{name}"}
            made = process.ask(
                "POST", "/endpoints", json={"name": f"{name}-push", "partner": name, "settings": settings}
            )
            assert made.status_code == 201, made.text
            store = process.services.store
            process.until(
                lambda: store.endpoints.overviews([("world", f"{name}-push")])[0].state is not None,  # noqa: B023
                "the endpoint",
            )
        receiver.behave["/bravo"] = lambda _: (500, b"BRAVOS-ANSWER")
        receiver.behave["/acme"] = lambda _: (200, EVIL.encode())
        process.publish("a-1", headline="The ferry is late")
        process.until(lambda: process.get("/endpoints/acme-push/attempts")["items"], "the attempt")
        process.until(lambda: process.get("/endpoints/bravo-push/attempts")["items"], "the other attempt")
        yield process


def link(api: ApiProcess, partner: str = "acme", days: int = 30) -> dict[str, Any]:
    answer = api.ask("POST", f"/partners/{partner}/links", json={"days": days})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    api.until(lambda: api.services.management.ring.partner(secret(made), clock.ms(clock.agreed())), "the link")
    return made


def secret(made: dict[str, Any]) -> str:
    return str(made["url"]).rpartition("/")[2]


def entries(api: ApiProcess, action: str) -> list[dict[str, Any]]:
    return [entry for entry in api.get("/audit?limit=100")["items"] if entry["action"] == action]


def test_a_link_opens_the_page_and_its_secret_stays_nowhere(api: ApiProcess) -> None:
    made = link(api)
    opened = Opened(api, made["url"])
    assert (opened.answer.status_code, opened.answer.headers["location"]) == (303, "/partner")
    assert opened.answer.headers["referrer-policy"] == "no-referrer"
    cookie = opened.answer.headers["set-cookie"]
    assert {"Path=/partner", "HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    page = opened.page()
    assert "acme-push" in page
    assert "<script>alert" not in page
    assert "default-src 'none'" in opened.get().headers["content-security-policy"]
    # Its hash is kept: whoever reads Redis or the record finds no secret there.
    text = api.services.store.management.get() or ""
    assert digest(secret(made)) in text
    assert secret(made) not in text
    assert secret(made) not in api.ask("GET", "/audit?limit=100").text
    assert secret(made) not in api.ask("GET", "/partners/acme/links").text


def test_a_link_is_no_key_and_a_key_is_no_link(api: ApiProcess) -> None:
    assert api.ask("GET", "/me", secret(link(api))).status_code == 401
    key = api.key("endpoints:read", bounds=Bounds(partners=("acme",)))
    assert Opened(api, f"/partner/open/{key}").answer.status_code == 403
    refused = api.ask("POST", "/keys", json={"name": "k", "scopes": ["partner:page"]})
    assert refused.status_code == 422


def test_one_that_is_revoked_has_ended_or_never_was_opens_nothing(
    api: ApiProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = link(api)
    opened = Opened(api, made["url"])
    assert opened.get().status_code == 200
    assert api.ask("DELETE", f"/partners/bravo/links/{made['id']}").status_code == 404
    assert api.ask("DELETE", f"/partners/acme/links/{made['id']}").status_code == 204
    api.until(lambda: opened.get().status_code == 403, "the end of the session")
    assert Opened(api, made["url"]).answer.status_code == 403
    assert made["id"] not in api.ask("GET", "/partners/acme/links").text

    short = link(api, days=1)
    then = clock.moment(clock.ms(clock.agreed()) + 86_400_001)
    monkeypatch.setattr("web.partner.entrance.clock.agreed", lambda: then)
    assert Opened(api, short["url"]).answer.status_code == 403
    monkeypatch.undo()
    for text in ("", "x", "..", "%00", "dlp_abcdefgh_"):
        assert Opened(api, f"/partner/open/{text}").answer.status_code == 403
    assert Opened(api, "/partner").answer.status_code == 403


def test_a_partner_that_is_removed_has_no_links(api: ApiProcess) -> None:
    assert api.ask("POST", "/partners", json={"name": "gone"}).status_code == 201
    opened = Opened(api, link(api, "gone")["url"])
    assert "no endpoints here yet" in opened.page()
    tag = api.ask("GET", "/partners/gone").headers["etag"]
    assert api.ask("DELETE", "/partners/gone", headers={"If-Match": tag}).status_code == 204
    assert api.ask("POST", "/partners", json={"name": "gone"}).status_code == 201
    api.until(lambda: opened.get().status_code == 403, "the end of the session")


def test_it_shows_what_they_were_sent_and_answered(api: ApiProcess) -> None:
    page = Opened(api, link(api)["url"]).page("/endpoints/acme-push")
    assert "a-1" in page
    assert "delivered" in page
    assert f"{api.receiver.url}/acme" in page
    assert "<script>alert" not in page


def test_attempts_have_pages(api: ApiProcess) -> None:
    opened = Opened(api, link(api)["url"])
    for number in range(60):
        api.publish(f"many-{number}")
    api.until(lambda: api.get("/endpoints/acme-push/attempts?limit=100")["items"][59:], "sixty attempts")
    (following,) = re.findall(
        r'href="/partner(/endpoints/acme-push\?after=[^"]+)"', opened.page("/endpoints/acme-push")
    )
    assert "a-1" in opened.page(following)


def test_headlines_are_those_that_the_partner_was_sent(api: ApiProcess) -> None:
    api.publish("held-1", headline="The bridge opens", version=1)

    def actions() -> list[str]:
        rows = api.get("/endpoints/acme-push/attempts?limit=100")["items"]
        return [row["action"] for row in rows if row["article"] == "held-1"]

    api.until(lambda: actions() == ["published"], "the push")
    api.publish("held-1", headline="What nobody must read yet", version=2, pubstatus="withheld")
    api.until(lambda: actions() == ["withdrawn", "published"], "the notice")
    page = Opened(api, link(api)["url"]).page("/endpoints/acme-push")
    assert '<span dir="auto" lang="en">The bridge opens</span>' in page
    assert "What nobody must read yet" not in page
    rows = api.get("/endpoints/acme-push/attempts")["items"]
    assert "What nobody must read yet" in {row["headline"] for row in rows}


def test_its_buttons_are_audited_as_the_link(api: ApiProcess) -> None:
    made = link(api)
    opened = Opened(api, made["url"])
    tested = opened.post("/endpoints/acme-push/test")
    assert "It took the test article" in tested.text

    rotated = opened.post("/endpoints/acme-push/rotate")
    (new,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", rotated.text)
    assert new not in opened.page("/endpoints/acme-push")

    planned = opened.post("/endpoints/acme-push/replays", since="2020-01-01T00:00")
    (count,) = re.findall(r"(\d+) articles would be sent again", planned.text)
    assert int(count) > 0
    before = len(api.receiver.at("/acme"))
    sent = opened.post("/endpoints/acme-push/replays", article="a-1", confirmed="1")
    assert sent.headers["location"] == "/partner/endpoints/acme-push?ordered=replay"
    api.receiver.wait("/acme", before + 1)
    assert opened.post("/endpoints/acme-push/replays/stop").status_code == 303
    assert opened.post("/endpoints/acme-push/replays", since="soon").status_code == 422

    for action in ("endpoint.tested", "endpoint.rotated", "endpoint.replayed"):
        names = {entry["actor"] for entry in entries(api, action)}
        assert "link:acme" in names, (action, [entry["action"] for entry in api.get("/audit?limit=100")["items"]])


def test_what_does_not_come_from_its_page_does_nothing(api: ApiProcess) -> None:
    opened = Opened(api, link(api)["url"])
    assert opened.post("/endpoints/acme-push/rotate", origin="https://evil.example").status_code == 403
    assert opened.client.post("/partner/endpoints/acme-push/test").status_code == 403


def test_it_may_do_no_more_than_its_buttons(api: ApiProcess) -> None:
    opened = Opened(api, link(api)["url"])
    for path in ("pause", "resume", "retry", "edit"):
        assert opened.post(f"/endpoints/acme-push/{path}").status_code == 405
    assert opened.client.get("/desk").status_code == 303
    assert api.get("/endpoints/acme-push")["health"]["state"] != "paused"


NAMES = st.sampled_from(["bravo-push", "portal", "reader", "nothing", "../bravo-push", "acme-push/../bravo-push"])
TAILS = st.sampled_from(["", "/standing", "/test", "/rotate", "/replays", "/replays/stop", "?after=W10"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "since": st.sampled_from(["2020-01-01T00:00", ""]),
        "article": st.sampled_from(["a-1", "bravo-1"]),
        "parked": st.just("1"),
        "confirmed": st.just("1"),
    },
)


@settings(
    max_examples=120,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=NAMES, tail=TAILS, fields=FIELDS, writes=st.booleans())
def test_nothing_of_anybody_else(opened: Opened, name: str, tail: str, fields: dict[str, str], writes: bool) -> None:
    path = f"/endpoints/{name}{tail}"
    answer = opened.post(path, **fields) if writes else opened.get(path)
    assert answer.status_code in {400, 404, 405, 409, 422}, (path, answer.status_code)
    assert not [marker for marker in MARKERS if marker in answer.text and marker not in path]


@pytest.fixture(scope="module")
def opened(api: ApiProcess) -> Opened:
    opened = Opened(api, link(api)["url"])
    for path in ("", "/endpoints/acme-push", "/signatures"):
        page = opened.page(path)
        assert not [marker for marker in MARKERS if marker in page]
    return opened


def test_nobody_else_was_touched_by_all_of_that(api: ApiProcess) -> None:
    targets = {entry["target"] for entry in api.get("/audit?limit=100")["items"] if entry["actor"] == "link:acme"}
    assert targets <= {"acme-push"}


def test_a_link_is_made_and_revoked_at_the_desk_by_those_who_may(api: ApiProcess) -> None:
    desk = visitor(api, "omar", "operator")
    made = desk.post("/partners/acme/links", days="7")
    (url,) = re.findall(r"http://testserver(/partner/open/[\w-]+)", made.text)
    opened = Opened(api, url)
    assert opened.get().status_code == 200
    assert desk.post("/partners/acme/links", days="0").status_code == 422
    name = url.rpartition("/")[2].split("_")[1]
    assert name in desk.page("/partners/acme")
    assert url not in desk.page("/partners/acme")
    assert desk.post(f"/partners/acme/links/{name}/revoke").status_code == 303
    api.until(lambda: opened.get().status_code == 403, "the end of the session")
    viewer = visitor(api, "vera", "viewer")
    assert "Make a link" not in viewer.page("/partners/acme")
    assert viewer.post("/partners/acme/links", days="7").status_code == 403


def test_it_speaks_arabic(api: ApiProcess) -> None:
    opened = Opened(api, link(api)["url"])
    assert opened.post("/language", language="ar").status_code == 303
    assert '<html lang="ar" dir="rtl">' in opened.page("/signatures")
    assert "مفاتيحنا العلنية" in opened.page("/signatures")


def test_the_programs_are_those_that_the_document_has() -> None:
    document = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    for program in PROGRAMS.values():
        assert f"\n{program}```" in document


def test_who_may_not_do_what_the_page_does_makes_no_link(api: ApiProcess) -> None:
    key = api.key("partners:read", "partners:write")
    assert api.ask("POST", "/partners/acme/links", key).status_code == 403
    assert api.ask("POST", "/partners/nobody/links", TOKEN).status_code == 404
    assert api.ask("POST", "/partners/acme/links", json={"days": 0}).status_code == 422
