"""Names in addresses of the API and the desk: a slash or a question mark in one is a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from api_process import ROOT, ApiProcess, api_process
from desk_visitor import DeskVisitor, visitor
from receiver import Receiver

HEADLINES = {
    "quay": "The quay",
    "quay/kill": "One that ends on kill",
    "quay/coverage": "One that ends on coverage",
    "quay/preview": "One that ends on preview",
    "https://herald.example/?p=1&q=a": "One whose id is an address",
    "المرفأ/1": "One in Arabic",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("names"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        for name, headline in HEADLINES.items():
            process.publish(name, headline=headline, url="https://herald.example/1")
        yield process
    receiver.close()


@pytest.fixture(scope="module")
def desk(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "ada", "admin")


@pytest.mark.parametrize("name", HEADLINES)
def test_an_article_has_its_own_page_whatever_its_id(api: ApiProcess, desk: DeskVisitor, name: str) -> None:
    escaped = quote(name, safe="")
    assert api.get(f"/articles/{escaped}")["headline"] == HEADLINES[name]
    assert api.get(f"/articles/{escaped}/coverage")["article"]["id"] == name
    page = desk.page(f"/articles/{escaped}")
    assert f">{HEADLINES[name]}</bdi></h1>" in page
    # Who changes the language, or signs in, is back there.
    assert f'name="next" value="/desk/articles/{escaped}"' in page
    stranger = DeskVisitor(api)
    led_to = stranger.get(f"/articles/{escaped}").headers["location"]
    assert led_to == f"/desk/sign-in?next={quote(f'/desk/articles/{escaped}', safe='')}"
    assert f"/desk/articles/{escaped}" in desk.page(f"/articles?q={escaped}")
    asked = desk.page(f"/articles/{escaped}/kill")
    assert "Kill this article?" in asked
    assert HEADLINES[name] in asked


def test_an_endpoint_with_a_slash_in_its_name_has_a_page(api: ApiProcess, desk: DeskVisitor) -> None:
    settings = {"feed": "world", "format": "json", "url": f"{api.receiver.url}/radio", "mode": "article"}
    api.services.management.endpoints.create(ROOT, "radio/news", settings)
    assert api.until(lambda: api.get("/endpoints/radio%2Fnews"), "the endpoint")["name"] == "radio/news"
    assert "radio/news</bdi></h1>" in desk.page("/endpoints/radio%2Fnews")
    assert desk.get("/endpoints/radio%2Fnews/edit").status_code == 200
    answer = desk.post("/endpoints/radio%2Fnews/test")
    assert "test article" in answer.text


def test_the_next_page_of_revisions_is_asked_for_by_any_name(api: ApiProcess) -> None:
    for version in (2, 3):
        api.publish("المرفأ/1", version=version, headline=f"Version {version}", url="https://herald.example/1")
    escaped = quote("المرفأ/1", safe="")
    first = api.ask("GET", f"/articles/{escaped}/revisions?limit=2")
    assert first.status_code == 200, first.text
    assert first.headers["link"].startswith(f"</api/v1/articles/{escaped}/revisions?limit=2&after=")


def test_an_article_whose_id_is_an_address_is_killed_by_it(api: ApiProcess, desk: DeskVisitor) -> None:
    name = "https://herald.example/?p=7"
    api.publish(name, headline="From a system that makes such ids", url="https://herald.example/2026/a-page")
    api.publish("another", headline="It stands at the address that is an id", url=name)
    answer = desk.post(f"/articles/{quote(name, safe='')}/kill")
    assert answer.status_code == 303, answer.text
    api.consume()
    assert api.get(f"/articles/{quote(name, safe='')}")["pubstatus"] == "canceled"
    assert api.get("/articles/another")["pubstatus"] == "usable"
    # The address of a page still names the article there.
    assert api.get(f"/articles/{quote('https://herald.example/2026/a-page', safe='')}")["id"] == name
