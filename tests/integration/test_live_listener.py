"""Who follows what happens hears all of it in its order, however it comes, by few readings of the stream."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from unittest import mock

from web.live_listener import _PAUSE_SECONDS, LiveListener
from worker.store import Store

_COUNT = 300


def test_what_comes_one_by_one_is_read_together(store: Store, redis_url: str) -> None:
    listener = LiveListener(store.live)
    readings = mock.Mock(wraps=store.live.wait)
    begun: list[float] = []

    async def follow() -> list[int]:
        numbers: list[int] = []
        with listener.subscription(10_000) as news:
            while not news.began_anew:
                await news.wait(1.0)
            readings.reset_mock()
            begun.append(time.monotonic())
            sending = asyncio.create_task(asyncio.to_thread(send))
            while len(numbers) < _COUNT:
                numbers += [event.fields["number"] for event in await news.wait(1.0)]
            await sending
        return numbers

    def send() -> None:
        with closing(Store.connect(redis_url)) as other:
            for number in range(_COUNT):
                other.live.append([("delivered", {"number": number})])

    with mock.patch.object(store.live, "wait", readings):
        listener.start()
        try:
            assert asyncio.run(asyncio.wait_for(follow(), 60)) == list(range(_COUNT))
            # However long it takes to send them: so long is waited after each reading.
            assert readings.call_count < 5 + (time.monotonic() - begun[0]) / _PAUSE_SECONDS
        finally:
            listener.stop()


def test_who_looks_on_reads_one_entry_where_a_thousand_endpoints_took_an_article(store: Store) -> None:
    happenings = [
        ("delivered", {"article": "ferry", "action": "published", "endpoint": f"e{number}", "feeds": ["en"]})
        for number in range(1_000)
    ]
    store.live.append(happenings)
    assert len(store.live.after("0-0", 2_000)) == 1_000
    [once] = store.live.summary.after("0-0", 2_000)
    assert once.kind == "delivered"
    assert once.fields["endpoints"] == [f"e{number}" for number in range(1_000)]
