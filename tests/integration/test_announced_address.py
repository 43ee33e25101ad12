"""The address that web processes announce in Redis: the last to begin is believed, and each withdraws its own."""

from __future__ import annotations

from web.announced_address import AddressAnnouncer
from worker.store import Store, keys


def test_the_process_that_began_last_is_believed(store: Store) -> None:
    first, second = AddressAnnouncer(store.address), AddressAnnouncer(store.address)
    assert store.address.get() is None
    first.announce("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8001" == store.address.get()
    second.announce("http://127.0.0.1:8002")
    first.announce("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8002" == store.address.get()
    first.withdraw()
    assert "http://127.0.0.1:8002" == store.address.get()
    second.withdraw()
    assert store.address.get() is None
    first.announce("http://127.0.0.1:8001")
    assert "http://127.0.0.1:8001" == store.address.get()


def test_an_announcement_expires_with_a_process_that_was_killed(store: Store) -> None:
    AddressAnnouncer(store.address).announce("http://127.0.0.1:8001")
    assert 0 < store.client.pttl(keys.ADDRESS) <= 10_000
