"""Wrong keys and passwords are counted for all web processes: who guesses is slowed, who knows is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from api_process import TOKEN, ApiProcess, api_process
from receiver import Receiver
from redis.exceptions import ConnectionError as Away
from starlette.testclient import TestClient

from web import wrong_keys
from web.app import WebProcess
from web.wrong_keys import WrongKeys
from worker.store import Store
from worker.store.mistakes import Mistakes

FREE = wrong_keys._FREE
BOUND = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("wrong"), redis_url, receiver) as process:
        yield process
    receiver.close()


def test_two_web_processes_count_together(api: ApiProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_keys, "_SLOW_SECONDS", 0.1)
    other = WebProcess(api.services)
    with TestClient(other.application) as client:
        begun = time.monotonic()
        waits = []
        for number in range(3 * FREE):  # the minute may end meanwhile
            asked = time.monotonic()
            browser = client if number % 2 else api.client
            assert browser.get("/api/v1/me", headers={"Authorization": f"Bearer dl_no_{number}"}).status_code == 401
            waits.append(time.monotonic() - asked >= 0.1)
        assert sum(waits) >= FREE // 2, f"nobody was slowed in {time.monotonic() - begun:.1f} s"
        for browser in (client, api.client):
            assert browser.get("/api/v1/me", headers=BOUND).status_code == 200


class Counted(Mistakes):
    asked = 0

    def add(self, *words: object) -> int:
        self.asked += 1
        return super().add(*words)  # type: ignore[arg-type]


def test_of_five_thousand_wrong_keys_few_are_answered_and_redis_is_hardly_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_keys, "_SLOW_SECONDS", 0.01)
    mistakes = Counted(store.client)
    processes = [WrongKeys(mistakes) for _ in range(2)]

    async def flood() -> list[bool]:
        return await asyncio.gather(*(processes[number % 2].slow("10.0.0.1") for number in range(5_000)))

    async def everything() -> None:
        answered = sum(await flood())
        # Those that are free, and those that wait; twice, if the minute ends meanwhile.
        assert answered <= 2 * (FREE + 2 * wrong_keys._WAITING_MOST)
        assert mistakes.asked <= 4 * FREE
        assert await processes[0].slow("10.0.0.2")
        assert store.mistakes.count("key", "10.0.0.2", int(time.time() * 1000), 60_000) <= 1

    asyncio.run(everything())


def test_without_redis_each_process_counts_for_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_keys, "_SLOW_SECONDS", 0.01)

    class Nobody(Counted):
        def add(self, *_: object) -> int:
            self.asked += 1
            raise Away("nobody listens")

    mistakes = Nobody(store.client)
    process = WrongKeys(mistakes)

    async def everything() -> list[bool]:
        return [await process.slow("10.0.0.1") for _ in range(FREE + 5)]

    assert all(asyncio.run(everything()))
    # It is not asked again for a while.
    assert mistakes.asked == 1
    assert process._counts["10.0.0.1"] >= 5
