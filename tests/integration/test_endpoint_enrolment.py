"""Endpoints are enrolled and paused as the settings have them, by the worker that is in charge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import empty_record
import pytest
from receiver import Receiver

from config.settings import Settings, load
from worker.runtime.services import Services, build
from worker.runtime.wiring import WorkerRuntime
from worker.store import Store

SETTINGS = """
[[feeds]]
name = "all"
title = "All articles"
[[endpoints]]
name = "stays"
feed = "all"
format = "json"
url = "https://stays.example/"
"""
NEWER = """
[[feeds]]
name = "world"
title = "World"
[[endpoints]]
name = "goes"
feed = "all"
format = "json"
url = "https://goes.example/"
"""


def settings(folder: Path, text: str) -> Settings:
    path = folder / "dateline.toml"
    path.write_text(f'data_dir = "{folder}"\n{text}')
    return load(path, {})


@contextmanager
def working(services: Services) -> Iterator[WorkerRuntime]:
    """A runtime that is at work, as in a worker process."""
    runtime = WorkerRuntime(services, queues=())
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop()


def states(store: Store) -> dict[str, str]:
    """The endpoints of the feed and in which state each is."""
    return {receiver.details["endpoint"]: receiver.state for receiver in store.receivers.scan("all")}


@pytest.mark.usefixtures("store")
def test_an_endpoint_that_went_while_others_were_in_charge_is_paused_by_whoever_takes_charge(
    redis_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    empty_record.put(tmp_path / "record.db")
    older = build(settings(tmp_path, SETTINGS), redis_url)
    newer = older.rewired(settings(tmp_path, SETTINGS + NEWER))
    with working(older):
        with working(newer):
            assert states(older.store) == {"stays": "settled", "goes": "settled"}
        # The newer settings are rolled back: nobody has the endpoint any more, and the older worker takes charge.
        receiver.until(lambda: states(older.store)["goes"] == "paused", 30, "the endpoint that went to be paused")
        assert states(older.store)["stays"] == "settled"
        with working(newer):
            assert states(older.store) == {"stays": "settled", "goes": "settled"}
    older.store.close()
