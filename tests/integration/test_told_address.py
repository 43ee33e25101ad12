"""The address that web processes say in Redis: who began last is believed, and who ends takes nobody's away."""

from __future__ import annotations

from web.address import Announcement
from worker.store import Store, keys


def test_who_began_last_is_believed(store: Store) -> None:
    first, second = (Announcement(store.address, f"http://127.0.0.1:{port}") for port in (8001, 8002))
    assert store.address.get() is None
    first.renew()
    assert "http://127.0.0.1:8001" == store.address.get()
    second.renew()
    first.renew()
    assert "http://127.0.0.1:8002" == store.address.get()
    first.end()
    assert "http://127.0.0.1:8002" == store.address.get()
    second.end()
    assert store.address.get() is None
    first.renew()
    assert "http://127.0.0.1:8001" == store.address.get()


def test_it_ends_with_a_process_that_was_killed(store: Store) -> None:
    Announcement(store.address, "http://127.0.0.1:8001").renew()
    assert 0 < store.client.pttl(keys.ADDRESS) <= 10_000
