"""Somebody at the desk, for tests: signs in, follows links, sends forms as a browser does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api_process import ROOT, ApiProcess
from starlette.testclient import TestClient

PASSWORD = "a password of twelve or more"
ORIGIN = "http://testserver"


class DeskVisitor:
    """A browser of somebody, with cookies of its own."""

    def __init__(self, api: ApiProcess) -> None:
        self.client = TestClient(api.web.application, raise_server_exceptions=False, follow_redirects=False)

    def sign_in(self, name: str, password: str = PASSWORD, place: str = "") -> Any:
        return self.post("/sign-in", name=name, password=password, next=place)

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/desk{path}", headers=headers)

    def page(self, path: str) -> str:
        """The text of a page, which must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[-2000:]}"
        return str(answer.text)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: Any) -> Any:
        return self.client.post(f"/desk{path}", data=fields, headers={"Origin": ORIGIN, **(headers or {})})


def visitor(api: ApiProcess, name: str, role: str) -> DeskVisitor:
    """Somebody new, signed in."""
    api.services.management.people.add(ROOT, name, role, PASSWORD)
    api.until(lambda: api.services.management.person(name), "the person")
    browser = DeskVisitor(api)
    answer = browser.sign_in(name)
    assert answer.status_code == 303, answer.text
    return browser
