"""Many entries of ledgers read in one go are what each is by itself, damaged ones too."""

from __future__ import annotations

import pytest

from worker.receivers.ledger import LedgerEntry

TAKEN = LedgerEntry(2, "corrected", 1_800_000_000_000, "ab" * 32)
TRYING = LedgerEntry(1, "published", 1_800_000_000_001, "cd" * 32, "unknown", '{"name":"a.json"}')


@pytest.mark.parametrize("damage", ["", "{", "7", '{"version":1}', '{"version":1},{"version":2}', "],["])
def test_each_is_read_as_it_is_by_itself(damage: str) -> None:
    texts = [str(TAKEN), str(TRYING), damage, str(TAKEN)]
    assert LedgerEntry.parse_all(texts) == [LedgerEntry.parse(text) for text in texts]
    assert LedgerEntry.parse_all(texts)[::3] == [TAKEN, TAKEN]


def test_whole_ones_are_read_in_one_go() -> None:
    assert LedgerEntry.parse_all([str(TAKEN), str(TRYING)]) == [TAKEN, TRYING]
    assert LedgerEntry.parse_all([]) == []
