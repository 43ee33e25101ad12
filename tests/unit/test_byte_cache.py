"""What is kept in memory is bounded by bytes, however large the entries are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.store.byte_cache import ROOM, ByteCache

SIZES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20_000)), max_size=60)


@given(SIZES)
def test_it_never_holds_more_than_it_may_and_what_came_last_is_there(kept: list[tuple[int, int]]) -> None:
    most = 10_000
    cache: ByteCache[int, int] = ByteCache(most)
    for key, size in kept:
        cache.keep(key, size, size)
        held = [value for each in range(10) if (value := cache.get(each)) is not None]
        assert sum(value + ROOM for value in held) <= most
        assert cache.get(key) == (size if size + ROOM <= most else None)


def test_it_can_be_emptied() -> None:
    cache: ByteCache[str, int] = ByteCache(1000)
    cache.keep("a", 1, 100)
    cache.forget()
    assert cache.get("a") is None
    for number in range(4):
        cache.keep(str(number), number, 1)
    assert [None, 1, 2, 3] == [cache.get(str(number)) for number in range(4)]
    cache.forget(lambda key: key == "2")
    assert [1, None, 3] == [cache.get(str(number)) for number in range(1, 4)]
