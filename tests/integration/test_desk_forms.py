"""The forms of the desk: what is made, changed and removed there, with each mistake at its field."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape

import pytest
from api_process import ROOT, ApiProcess
from desk_visitor import EVIL, DeskVisitor, desk_of_three_articles, text_of, visitor
from receiver import Receiver


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str, receiver: Receiver) -> Iterator[ApiProcess]:
    with desk_of_three_articles(tmp_path_factory.mktemp("desk"), redis_url, receiver) as process:
        yield process


@pytest.fixture(scope="module")
def desk(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "ada", "admin")


def test_endpoints_are_paused_tested_and_replayed_to(api: ApiProcess, desk: DeskVisitor, receiver: Receiver) -> None:
    assert "arena" in desk.page("/endpoints")
    assert "portal" not in desk.get("/endpoints?q=aren", **{"HX-Request": "true"}).text
    assert desk.post("/endpoints/arena/pause").headers["location"] == "/desk/endpoints/arena?ordered=pause"
    assert "paused" in text_of(desk.page("/endpoints/arena"))
    assert desk.post("/endpoints/arena/pause").status_code == 409
    desk.post("/endpoints/arena/resume")
    receiver.behave["/arena"] = lambda _: (400, EVIL.encode(), {})
    try:
        page = desk.post("/endpoints/arena/test").text
    finally:
        receiver.behave.pop("/arena")
    assert "It did not take the test article" in page
    assert EVIL in unescape(page)
    assert "<script>alert" not in page
    planned = desk.post("/endpoints/portal/replays", since="2020-01-01T00:00", rate="50").text
    (count,) = re.findall(r"(\d+) articles? would be sent again", planned)
    assert int(count) >= 3
    answer = desk.post("/endpoints/portal/replays", since="2020-01-01T00:00", rate="50", confirmed="1")
    assert answer.headers["location"] == "/desk/endpoints/portal?ordered=replay"
    assert desk.post("/endpoints/portal/replays", since="").status_code == 422
    assert desk.get("/endpoints/none").status_code == 404


def test_a_list_is_arranged_and_what_another_has_changed_is_not_undone(api: ApiProcess, desk: DeskVisitor) -> None:
    def picks() -> list[str]:
        return [entry["article"] for entry in api.get("/lists/Editor%20Picks")["articles"]]

    path = "/lists/Editor%20Picks"
    assert "Editor Picks" in desk.page("/lists")
    assert "The ferry is late" in desk.get("/candidates?q=ferry", **{"HX-Request": "true"}).text
    for article in ("hh-1", "hh-2"):
        assert desk.post(path, before=picks(), article=picks(), add=article).status_code == 303
        api.until(lambda article=article: article in picks(), "the article in the list")
    api.until(lambda: picks() == ["hh-2", "hh-1"], "the list")
    assert desk.post(path, before=["hh-2", "hh-1"], article=["hh-1", "hh-2"]).status_code == 303
    api.until(lambda: picks() == ["hh-1", "hh-2"], "the order")
    late = desk.post(path, before=["hh-2", "hh-1"], article=["hh-2"])
    assert late.status_code == 409
    assert "Somebody else has changed the list meanwhile" in late.text
    assert picks() == ["hh-1", "hh-2"]
    assert desk.post(path, before=["hh-1", "hh-2"], article=["hh-2", "hh-1"], remove="hh-1").status_code == 303
    api.until(lambda: picks() == ["hh-2"], "the removal")
    # What is killed was published here; what is not known yet was not.
    api.publish("pick-1", headline="To be killed too")
    desk.post("/articles/pick-1/kill")
    api.consume()
    assert desk.post(path, before=["hh-2"], article=["pick-1", "pick-2"]).status_code == 303
    api.until(lambda: picks() == ["pick-1", "pick-2"], "the killed one")
    page = text_of(desk.page(path))
    assert "pick-1 (its text is not kept)" in page
    assert "pick-2 not published here as yet" in page
    assert desk.post(path, before=picks(), article=["hh-2"]).status_code == 303
    api.until(lambda: picks() == ["hh-2"], "the end")


def test_partners_and_endpoints_are_made_here_with_each_bad_field_marked(
    api: ApiProcess, desk: DeskVisitor, receiver: Receiver
) -> None:
    wrong = desk.post("/new-partner", name="Not A Name", contacts="Mira | editor | 1 | nowhere", rights="{")
    assert wrong.status_code == 422
    assert 'id="wrong-rights"' in wrong.text
    made = desk.post("/new-partner", name="city", title="City", contacts="Mira | editor | +1 555 | mira@city.example")
    assert made.headers["location"] == "/desk/partners/city"
    page = desk.page("/partners/city")
    assert 'href="tel:+1 555"' in page
    # Of whom to call no more than a name may be known.
    bare = {"name": "bare", "title": "Bare", "contacts": [{"name": "Mira"}]}
    assert api.ask("POST", "/partners", json=bare).status_code == 201
    assert "Mira" in api.until(lambda: "Bare" in (page := desk.page("/partners")) and page, "the partner")
    assert "Mira" in desk.page("/partners/bare")
    wrong = desk.post("/new-endpoint", name="city-1", feed="none", format="json", url="nowhere", more="[]")
    assert wrong.status_code == 422
    wrong = desk.post("/new-endpoint", name="city-1", feed="none", format="json", url="nowhere")
    assert {'id="wrong-feed"', 'id="wrong-url"'} <= set(re.findall(r'id="wrong-\w+"', wrong.text))
    values = {
        "feed": "world",
        "format": "json",
        "mode": "article",
        "url": f"{api.receiver.url}/city",
        "partner": "city",
    }
    made = desk.post("/new-endpoint", name="city-1", **values)
    assert "whsec_" in made.text
    api.until(lambda: "city-1" in desk.page("/partners/city"), "the endpoint")
    form = desk.page("/endpoints/city-1/edit")
    (revision,) = re.findall(r'name="revision" value="([^"]*)"', form)
    assert "whsec_" not in form
    changed = desk.post(
        "/endpoints/city-1/edit", revision=unescape(revision), **values, more='{"secret": "***", "rate": 5}'
    )
    assert changed.headers["location"] == "/desk/endpoints/city-1?ordered=saved"
    late = desk.post("/endpoints/city-1/edit", revision=unescape(revision), **values)
    assert late.status_code == 422
    assert "changed meanwhile" in late.text
    assert "whsec_" in desk.post("/endpoints/city-1/rotate", hours="1").text
    receiver.behave["/city"] = lambda _: (503, b"", {})
    api.publish("hh-7")
    # Of what the record does not know yet, the id has to be typed.
    api.until(lambda: api.ask("GET", "/articles/hh-7").status_code == 200, "the record")
    killing = desk.post("/articles/hh-7/kill")
    assert killing.status_code == 303, killing.text
    api.consume()
    # Whoever is awake at three in the morning is told whom to call.
    killed = "/articles/hh-7/killed"
    api.until(
        lambda: "+1 555" in (page := desk.page(killed)) and "Mira" in page, "the contact of who has not confirmed"
    )
    receiver.behave.pop("/city")
    (revision,) = re.findall(r'name="revision" value="([^"]*)"', desk.page("/endpoints/city-1/edit"))
    gone = desk.post("/endpoints/city-1/edit", revision=unescape(revision), do="remove", **values)
    assert gone.headers["location"] == "/desk/endpoints?ordered=removed"


def test_a_form_that_is_refused_keeps_what_was_typed_and_names_the_field(api: ApiProcess, desk: DeskVisitor) -> None:
    api.publish("hh-form", headline="A form is filled in")
    settings = {"feed": "world", "format": "json", "url": f"{api.receiver.url}/form", "mode": "article"}
    api.services.management.partners.create(ROOT, "form-partner", {"title": "Form"})
    api.services.management.endpoints.create(ROOT, "form", settings, "form-partner")
    api.until(lambda: desk.get("/endpoints/form").status_code == 200, "the endpoint")
    # Address, what is typed, the field that is wrong, what stands beside it.
    forms = [
        ("/articles/hh-form/embargo", {"until": "tomorrow"}, "until", "must be a day and a time"),
        ("/endpoints/form/rotate", {"hours": "99999"}, "hours", "must be 0 to 720 hours"),
        ("/endpoints/form/rotate", {"hours": "\u0663"}, "hours", "must be 0 to 720 hours"),
        ("/partners/form-partner/links", {"days": "0"}, "days", "greater than or equal to 1"),
        ("/keys", {"name": "form-key", "scope": "articles:read", "days": "soon"}, "days", "must be 1 to 9999 days"),
        ("/people", {"name": "X Y", "role": "desk"}, "name", "lower-case letters"),
        ("/account/password", {"password": "short", "again": "short"}, "password", "must be 12 to 1000 characters"),
        ("/account/password", {"password": "a" * 12, "again": "b" * 12}, "again", "is not the same"),
    ]
    for path, fields, field, reason in forms:
        answer = desk.post(path, **fields)
        assert answer.status_code == 422, path
        [mistake] = re.findall(rf'<p class="wrong" id="wrong-{field}" role="alert">(.*?)</p>', answer.text)
        assert reason in text_of(mistake), path
        # It stands where it is seen, and the field says that it is the wrong one.
        [control] = re.findall(rf'<input name="{field}"[^>]*>|<input [^>]*\bname="{field}"[^>]*>', answer.text)
        assert f'aria-invalid="true" aria-describedby="wrong-{field}"' in control
        if field not in {"password", "again"}:
            assert f'value="{fields[field]}"' in control
        around: list[str] = []
        for tag in re.findall(r"</?details[^>]*>", answer.text[: answer.text.index(control)]):
            around = around[:-1] if tag == "</details>" else [*around, tag]
        assert all(tag.endswith(" open>") for tag in around), path
    replayed = desk.post("/endpoints/form/replays", since="2026-03-01T00:00", rate="fast", section="wörld")
    assert replayed.status_code == 422
    assert "articles a second : Input should be a valid number" in text_of(replayed.text)
    assert 'value="wörld"' in replayed.text
    desk.post("/sign-in/language", language="ar")
    assert "يجب أن يكون يومًا ووقتًا" in desk.post("/articles/hh-form/embargo", until="x").text
    desk.post("/sign-in/language", language="en")


def test_what_an_endpoint_has_stays_chosen_in_its_form(api: ApiProcess, desk: DeskVisitor) -> None:
    """The hundred-and-first partner is one as well."""
    for number in range(101):
        api.services.management.partners.create(ROOT, f"many-{number:03}", {"title": "One of many"})
    settings = {"feed": "world", "format": "json", "url": f"{api.receiver.url}/many", "mode": "article"}
    api.services.management.endpoints.create(ROOT, "of-the-last", settings, "many-100")
    api.until(lambda: desk.get("/endpoints/of-the-last").status_code == 200, "the endpoint")
    assert "<option selected>many-100</option>" in desk.page("/endpoints/of-the-last/edit")
    assert "<option>many-000</option>" in desk.page("/endpoints/of-the-last/edit")


def test_of_very_many_people_the_rest_is_on_the_next_page(api: ApiProcess, desk: DeskVisitor) -> None:
    for number in range(101):
        api.services.management.people.add(ROOT, f"many-{number:03}", "viewer")
    page = desk.page("/people")
    assert "many-100" not in page
    [following] = re.findall(r'rel="next" href="/desk(/people\?after=[^"]+)"', page)
    assert "many-100" in desk.page(unescape(following))


def test_people_sessions_and_keys(api: ApiProcess, desk: DeskVisitor) -> None:
    assert desk.post("/people", name="Not A Name", role="desk").status_code == 422
    desk.post("/people", name="rita", role="desk", password="a password of twelve or more")
    api.until(lambda: api.services.management.person("rita"), "the person")
    rita = DeskVisitor(api)
    rita.client.headers["user-agent"] = EVIL
    rita.sign_in("rita")
    page = desk.page("/people")
    assert EVIL in unescape(page)
    assert "<script>alert" not in page
    assert rita.get("/people").status_code == 403
    assert rita.get("/keys").status_code == 403
    assert "rita" in rita.page("/account")
    (session,) = [
        session.id
        for session in api.services.management.sessions.list(ROOT, int(time.time() * 1000))
        if session.person == "rita"
    ]
    desk.post(f"/sessions/{session}/end", **{"from": "people"})
    assert rita.get("/account").status_code == 303
    assert "/desk/sign-in/link/" in desk.post("/people/rita", do="link").text
    desk.post("/people/rita", role="viewer")
    api.until(lambda: api.services.management.person("rita").role == "viewer", "the role")
    created = desk.post("/keys", name="cms", scope=["events:write", "articles:read"], feeds="world")
    (token,) = re.findall(r"dl_\w{8}_[\w-]+", created.text)
    assert token not in desk.page("/keys")
    (key,) = [row["id"] for row in api.get("/keys")["items"] if row["name"] == "cms"]
    desk.post(f"/keys/{key}/revoke")
    assert "revoked" in desk.page("/keys")
    assert desk.post("/keys", name="cms", scope=[]).status_code == 422


def test_formats_are_tried_and_made_here_with_each_mistake_at_its_field(api: ApiProcess, desk: DeskVisitor) -> None:
    assert "There are no formats here" in desk.page("/formats")
    values = {
        "name": "wire",
        "of": "article",
        "media_type": "application/xml",
        "template": "<a>\r\n{{ article.idd }}</a>",
    }
    wrong = desk.post("/new-format", **values)
    assert wrong.status_code == 422
    assert 'id="wrong-template"' in wrong.text
    assert "line 2: there is no field" in text_of(wrong.text)
    values["template"] = "<story>\r\n{{ article.headline }}</story>"
    tried = desk.post("/new-format", **values, do="try", article="hh-2", change="published")
    assert tried.status_code == 200
    assert "Quay &#34; onmouseover=&#34;alert(1) &amp; more" in text_of(tried.text)
    assert 'onmouseover="alert' not in tried.text
    nobody = desk.post("/new-format", **values, do="try", article="none")
    assert (422, True) == (nobody.status_code, 'id="wrong-article"' in nobody.text)
    assert [] == api.get("/formats")["items"]
    made = desk.post("/new-format", **values, more='{"extension": "wire.xml"}')
    assert made.headers["location"] == "/desk/formats/wire"
    try:
        form = desk.page("/formats/wire")
        (revision,) = re.findall(r'name="revision" value="([^"]*)"', form)
        settings = api.get("/formats/wire")["settings"]
        assert ("<story>\n{{ article.headline }}</story>", "wire.xml") == (settings["template"], settings["extension"])
        assert "wire" in desk.page("/formats")
        assert "<option>wire</option>" in desk.page("/articles/hh-1/preview")
        values["media_type"] = "text/xml"
        changed = desk.post("/formats/wire", revision=unescape(revision), **values)
        assert changed.headers["location"] == "/desk/formats/wire"
        assert desk.post("/formats/wire", revision=unescape(revision), **values).status_code == 422
        looker = visitor(api, "lou", "viewer")
        assert "wire" in looker.page("/formats")
        assert looker.get("/formats/wire").status_code == 403
        (revision,) = re.findall(r'name="revision" value="([^"]*)"', desk.page("/formats/wire"))
    finally:
        gone = desk.post("/formats/wire", revision=unescape(revision), do="remove")
    assert gone.headers["location"] == "/desk/formats"
