"""The address that web processes say in Redis: who began last is believed, and who ends takes nobody's away."""

from __future__ import annotations

from web.address import Announcement
from worker.store import Store, keys


def test_who_began_last_is_believed(store: Store) -> None:
    first, second = Announcement(store.address), Announcement(store.address)
    assert store.address.get() is None
    first.say("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8001" == store.address.get()
    second.say("http://127.0.0.1:8002")
    first.say("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8002" == store.address.get()
    first.end()
    assert "http://127.0.0.1:8002" == store.address.get()
    second.end()
    assert store.address.get() is None
    first.say("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8001" == store.address.get()


def test_it_ends_with_a_process_that_was_killed(store: Store) -> None:
    Announcement(store.address).say("http://127.0.0.1:8001")
    assert 0 < store.client.pttl(keys.ADDRESS) <= 10_000
