"""Newsrooms that are up, one for each module and one for each test that wants to break it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom import Newsroom, start
from receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def shared_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    """One newsroom with two workers for the tests of a module; each test takes a section of its own."""
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2) as newsroom:
        yield newsroom


@pytest.fixture
def own_newsroom(tmp_path: Path, receiver: Receiver) -> Iterator[Newsroom]:
    """A newsroom that the test may break."""
    with start(tmp_path, receiver, 2) as newsroom:
        yield newsroom


@pytest.fixture(scope="module")
def _sections() -> Iterator[int]:
    return itertools.count(8)


@pytest.fixture
def section(_sections: Iterator[int]) -> str:
    """A section, and a feed of that name, that no other test of the module uses and no endpoint is fed from."""
    return f"s{next(_sections)}"
