"""A client that is generated from the OpenAPI document does a newcomer's day: nothing else is needed."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from newsroom import TOKEN, Newsroom, published, start
from receiver import Receiver

from worker.management.sealing import new_key


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    more = f'\n[management]\nsecret_key = "{new_key()}"\n'
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, more) as newsroom:
        yield newsroom


class GeneratedClient:
    """The client: operations by their names, models by theirs."""

    def __init__(self, newsroom: Newsroom, folder: Path) -> None:
        document = requests.get(f"{newsroom.base_url}/api/v1/openapi.json", timeout=60)
        (folder / "openapi.json").write_bytes(document.content)
        program = Path(sys.executable).with_name("openapi-python-client")
        words = ["generate", "--path", "openapi.json", "--meta", "none", "--output-path", "dateline_client"]
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run([program, *words, "--fail-on-warning"], cwd=folder, env={"PATH": path}, check=True)
        self._tags = {
            operation["operationId"]: operation["tags"][0]
            for item in document.json()["paths"].values()
            for operation in item.values()
        }
        self.models = importlib.import_module("dateline_client.models")
        client = importlib.import_module("dateline_client").AuthenticatedClient
        self._client = client(newsroom.base_url, TOKEN, raise_on_unexpected_status=True)

    def __call__(self, operation: str, *places: str, **more: Any) -> Any:
        """What an operation answers, which must be no problem."""
        module = importlib.import_module(f"dateline_client.api.{self._tags[operation]}.{operation}")
        answer = module.sync_detailed(*places, client=self._client, **more)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    def close(self) -> None:
        self._client.get_httpx_client().close()

    def problem(self, operation: str, *places: str, **more: Any) -> Any:
        module = importlib.import_module(f"dateline_client.api.{self._tags[operation]}.{operation}")
        problem = module.sync_detailed(*places, client=self._client, **more).parsed
        assert type(problem).__name__ == "Problem"
        return problem


@pytest.fixture(scope="module")
def client(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeneratedClient]:
    folder = tmp_path_factory.mktemp("client")
    sys.path.insert(0, str(folder))
    client = GeneratedClient(newsroom, folder)
    yield client
    client.close()
    sys.path.remove(str(folder))


def test_a_newcomers_day(newsroom: Newsroom, client: GeneratedClient) -> None:
    models = client.models
    contact = models.PartnerContact(name="Mira Haddad", email="mira@city.example")
    new = models.NewPartner(name="city", title="City", contacts=[contact], rights=models.PartnerRights(words=50))
    partner = client("create_partner", body=new)
    assert (partner.name, partner.contacts[0].email, partner.rights.words) == ("city", "mira@city.example", 50)

    url = f"{newsroom.receiver.url}/city"
    settings = models.NewEndpointSettings.from_dict({"feed": "s20", "format": "json", "url": url})
    endpoint = client("create_endpoint", body=models.NewEndpoint(name="city", partner="city", settings=settings))
    assert endpoint.secret.startswith("whsec_")
    newsroom.receiver.until(lambda: client("get_endpoint", "city").health.state is not None, 20, "its enrolment")
    test = client("test_endpoint", "city")
    assert (test.answer.accepted, test.kill.accepted) == (True, True)

    event = models.Event.from_dict({**published("ferry", "s20"), "id": "evt-1"})
    assert client("send_event", body=event).status == "accepted"
    receipt = client("get_receipt", "evt-1", wait="60s")
    assert receipt.done is True
    (receiver,) = receipt.events[0].receivers
    assert (receiver.receiver, receiver.standing) == ("city", "delivered")
    coverage = client("get_coverage", "ferry")
    assert [(row.receiver, row.version, row.standing) for row in coverage.receivers] == [("city", 1, "up to date")]

    replay = client("order_replay", "city", body=models.ReplayOrder(article="ferry"))
    assert (replay.articles, replay.dry_run) == (1, False)
    newsroom.receiver.until(lambda: client("get_replay", "city").state == "done", 20, "the replay")
    kill = client("kill_article", "ferry")
    assert (kill.article, kill.was) == ("ferry", "usable")
    assert client("get_receipt", kill.event, wait="60s").events[0].proven is True
    assert [row.name for row in client("list_partners").items] == ["city"]

    problem = client.problem("create_partner", body=new)
    assert (problem.status, "there is a partner city already" in problem.detail) == (409, True)
    wrong = models.NewEndpointSettings.from_dict({"feed": "s20", "format": "nothing", "url": url})
    problem = client.problem("create_endpoint", body=models.NewEndpoint(name="x", settings=wrong))
    assert [error.field for error in problem.errors] == ["format"]
    assert (
        json.loads(newsroom.post({"id": "e", "type": "article.killed", "article": {"id": "ferry"}}).text)["id"] == "e"
    )
