"""Somebody at the desk, for tests: signs in, follows links, sends forms as a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

from api_process import ROOT, ApiProcess, api_process
from receiver import Receiver
from starlette.testclient import TestClient

PASSWORD = "a password of twelve or more"
ORIGIN = "http://testserver"
EVIL = '"><script>alert(1)</script>\'" onmouseover="alert(2)'
"""What may come from outside, and must run in no page."""


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


@contextmanager
def desk_of_three_articles(folder: Path, redis_url: str, receiver: Receiver) -> Iterator[ApiProcess]:
    """A desk whose newsroom has published three articles: a plain one, one with odd signs, and one in Arabic."""
    with api_process(folder, redis_url, receiver, "[api]\nrequests = 100000") as process:
        process.publish("hh-1", headline="The ferry is late", authors=["Mira Haddad"])
        process.publish("hh-2", headline='Quay " onmouseover="alert(1) & more')
        process.publish("ar-1", headline="المرفأ يفتح أبوابه", edition="ar")
        yield process


def text_of(page: str) -> str:
    """What stands in a page, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
