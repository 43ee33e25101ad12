"""A session that has ended is gone, and all that it has read with it, without anybody looking for garbage."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from distributing import Worker

from worker.receivers.endpoint_planner import EndpointPlanner


@pytest.fixture
def without_looking() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_looking")
@pytest.mark.parametrize("status", [204, 500])
@pytest.mark.parametrize(("mode", "fmt"), [("article", "json"), ("feed", "atom")])
def test_a_session_that_has_ended_is_gone_at_once(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, mode: str, fmt: str, status: int
) -> None:
    sessions, begin = list[weakref.ref[Any]](), EndpointPlanner.begin

    def begun(*args: Any) -> Any:
        session = begin(*args)
        sessions.append(weakref.ref(session))
        return session

    monkeypatch.setattr(EndpointPlanner, "begin", begun)
    worker.receiver.behave["/e"] = lambda _: (status, b"")
    worker.endpoint(mode, fmt)
    for article in "abc":
        worker.change(article)
    worker.go()
    worker.receiver.until(lambda: sessions and all(session() is None for session in sessions), 60, "them to be gone")
